"""Who is asking, and what they may: signing in, one's account, tokens, users."""
