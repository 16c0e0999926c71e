"""What moves, and a place in line for it."""
