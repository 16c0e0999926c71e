"""Pieces kept near, on disk and in memory, so that what one stream fetched no other fetches again."""
