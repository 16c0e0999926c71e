"""What we remember: people, the tree of names, contents and their chunks, uploads under way, and the trash.

The only home of SQL. It must never know where bytes rest, how they move, or that HTTP exists.
"""

from db.bin import Bin
from db.clearing import Clearing
from db.connection import Database
from db.contents import Contents
from db.damage import Damage
from db.events import Events
from db.jobs import Jobs
from db.known import Known
from db.messages import Messages
from db.moves import Moves
from db.people import People
from db.search import Search
from db.sessions import Sessions
from db.shared import Shared
from db.shares import Shares
from db.subtrees import Subtrees
from db.trash import Trash
from db.tree import Tree
from db.uploads import Uploads

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
