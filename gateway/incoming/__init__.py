"""Bytes on their way in: from a request to staging, from there to the store, to a file that is visible."""
