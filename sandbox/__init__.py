"""A Telegram of our own: an MTProto server for the embedded store and for tests. docs/sandbox.md says where it departs.

No production module imports it; the command line starts it as a process. It imports nothing of Stowgram.
"""
