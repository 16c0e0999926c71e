"""What happened, and what was moved in all."""
