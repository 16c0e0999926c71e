"""Names and folders: what is there, what was deleted, and where a file is damaged."""
