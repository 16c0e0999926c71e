"""What is done while nobody waits for an answer."""
