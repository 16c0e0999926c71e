"""The nouns. Frozen, complete by construction, and importing nothing of ours.

Inside, ranges are half-open, times are aware UTC, sizes are bytes and digests are raw; only the edges speak otherwise.
"""

from model.events import Event, Happening, News
from model.jobs import Job, JobStatus
from model.moving import Checksum, Stock, Totals, Upload
from model.people import Account, Client, Session, Token, User
from model.rest import (
    DIGEST_SIZE,
    MIB,
    PIECE_SIZE,
    ByteRange,
    Chunk,
    ChunkSummary,
    Details,
    DownloadPlan,
    Label,
    Locator,
    Slice,
    StoredFile,
    StoredPart,
    Wait,
    tree_digest,
)
from model.sharing import Share, SharedFolder, SharePage, ShareState, Terms, Trail
from model.tree import Below, Binned, BinPage, File, Folder, Listing, Node, Order, Page, Sort

__all__ = [
    "DIGEST_SIZE",
    "MIB",
    "PIECE_SIZE",
    "Account",
    "Below",
    "BinPage",
    "Binned",
    "ByteRange",
    "Checksum",
    "Chunk",
    "ChunkSummary",
    "Client",
    "Details",
    "DownloadPlan",
    "Event",
    "File",
    "Folder",
    "Happening",
    "Job",
    "JobStatus",
    "Label",
    "Listing",
    "Locator",
    "News",
    "Node",
    "Order",
    "Page",
    "Session",
    "Share",
    "SharePage",
    "ShareState",
    "SharedFolder",
    "Slice",
    "Sort",
    "Stock",
    "StoredFile",
    "StoredPart",
    "Terms",
    "Token",
    "Totals",
    "Trail",
    "Upload",
    "User",
    "Wait",
    "tree_digest",
]
