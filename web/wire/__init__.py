"""How a request is read and an answer is written: what all routes share. No route is in here."""
