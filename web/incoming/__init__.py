"""Bytes on their way in: sent whole, by tus, or not at all where they are known already."""
