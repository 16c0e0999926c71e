"""Work that is done while nobody waits for an answer."""
