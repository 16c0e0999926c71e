"""Who may come in, and how guessing at that is slowed down."""
