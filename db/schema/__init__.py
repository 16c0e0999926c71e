"""The tables. What no code path may break is a constraint here, not a habit elsewhere. It holds no verb.

Migrations repeat these definitions, frozen in time; a test holds the two against each other.
"""

from db.schema.background import jobs
from db.schema.base import metadata
from db.schema.happening import events
from db.schema.moving import intents, newest_message, trash, upload_chunks, uploads
from db.schema.people import known_networks, sessions, tokens, user_totals, users
from db.schema.sharing import share_downloads, shares
from db.schema.tree import binned, chunks, contents, file_totals, nodes

__all__ = [
    "ABANDONED",
    "BIN",
    "FILE",
    "FINISHED",
    "FOLDER",
    "RECEIVING",
    "REVISION",
    "TREE",
    "binned",
    "chunks",
    "contents",
    "events",
    "file_totals",
    "intents",
    "jobs",
    "known_networks",
    "metadata",
    "newest_message",
    "nodes",
    "sessions",
    "share_downloads",
    "shares",
    "tokens",
    "trash",
    "upload_chunks",
    "uploads",
    "user_totals",
    "users",
]

REVISION = "0013"
"""The last migration, which leaves the tables as they are here."""
FOLDER, FILE = 0, 1
"""Kinds of node; their order is the order of a listing."""
TREE, BIN = "", "bin"
"""Name keys of the two top folders that each user has. All paths begin at the first; the other has none."""
RECEIVING, FINISHED, ABANDONED = "receiving", "finished", "abandoned"
"""States of an upload. Only the first can change; the others are tombstones, kept for a while to give clear
answers.
"""
