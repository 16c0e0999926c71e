"""What moves, how fast, and whose turn it is: the same for both directions."""
