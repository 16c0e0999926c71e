"""What we remember: people, the tree of names, contents and their chunks, uploads under way, and the trash.

The only home of SQL. It must never know where bytes rest, how they move, or that HTTP exists.

schema/     the tables                                  migrations/  how they came to their shape
connection  transactions, and errors made ours          cursor       where a page of a list ended
happening/  events, totals of what was moved            stored/      contents, messages, the trash, quotas
tree/       names, moves, search, the bin               incoming/    uploads, and what they announced
sharing/    links for others, and what they show        background/  jobs and their leases
access/     people, sessions
"""

from db.access.people import People
from db.access.sessions import Sessions
from db.background.jobs import Jobs
from db.connection import Database
from db.happening.events import Events
from db.incoming.known import Known
from db.incoming.uploads import Uploads
from db.sharing.shared import Shared
from db.sharing.shares import Shares
from db.stored.contents import Contents
from db.stored.messages import Messages
from db.stored.trash import Trash
from db.tree.bin import Bin
from db.tree.browsing import Tree
from db.tree.clearing import Clearing
from db.tree.damage import Damage
from db.tree.moves import Moves
from db.tree.search import Search
from db.tree.subtrees import Subtrees

__all__ = [
    "Bin",
    "Clearing",
    "Contents",
    "Damage",
    "Database",
    "Events",
    "Jobs",
    "Known",
    "Messages",
    "Moves",
    "People",
    "Search",
    "Sessions",
    "Shared",
    "Shares",
    "Subtrees",
    "Trash",
    "Tree",
    "Uploads",
]
