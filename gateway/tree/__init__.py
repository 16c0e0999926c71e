"""Names and folders: what is there, what was deleted, and how it looks in small."""
