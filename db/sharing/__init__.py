"""What owners give to others, and what of the tree that shows."""
