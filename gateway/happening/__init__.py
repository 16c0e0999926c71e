"""What has happened, and who hears of it."""
