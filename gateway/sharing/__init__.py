"""What owners give to others, and who comes by it."""
