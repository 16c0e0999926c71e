"""How bytes move. Plan, then move: `plan` is arithmetic, `read` is the only door out, `write` and `staging` the way in.

Nothing in this room may know Flask, the database, or which store it talks to beyond `storage.base`.
"""
