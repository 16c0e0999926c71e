"""A world that does not leave the gateway alone: clients of every kind, and Telegram's moods, from one seed.

`soak.Soak` runs it in rounds. What is random comes from the seed, what is timing does not.
"""
