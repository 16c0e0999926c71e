"""Names and folders: what is there, and what was deleted."""
