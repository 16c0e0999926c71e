"""Who may come in, and where they are signed in."""
