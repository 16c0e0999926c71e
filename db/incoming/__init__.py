"""Files on their way in, until they are visible."""
