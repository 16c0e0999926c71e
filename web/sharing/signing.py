"""What is signed for those who knew a share's password: a cookie, and addresses for programs without cookies.

Each says for which share, under which password, and until when; an address also says which one file or folder it is
for. Nothing is kept of them here. They end with their time, with the password, and with the share.
"""

from __future__ import annotations

import time
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from errors import Gone, NotFound
from gateway.sharing.visits import Visit
from model import Share
from web.wire.context import gateway

COOKIE = "stowgram-share"
LIFE = 12 * 3600
"""Seconds that a cookie is good for, and an address at least."""
ROUND = 3600
"""Seconds to which an address's end is rounded up, so that what a browser keeps of a page is found again."""


def unlock(response: Response, share: Share) -> None:
    """Set the cookie. It is sent back to this share's addresses only."""
    value = _cookies().dumps([share.id, gateway().visits.stamp(share), int(time.time()) + LIFE])
    secure = current_app.session_interface.get_cookie_secure(current_app)
    for place in ("/share", "/api/share"):
        response.set_cookie(
            COOKIE,
            value,
            max_age=LIFE,
            path=f"{place}/{share.token}",
            secure=secure,
            httponly=True,
            samesite="Lax",
        )


def is_unlocked(share: Share) -> bool:
    """Whether this request carries the share's cookie."""
    try:
        share_id, stamp, ends = _cookies().loads(request.cookies.get(COOKIE, ""))
    except (BadSignature, ValueError, TypeError):
        return False
    same = share_id == share.id and compare_digest(stamp, gateway().visits.stamp(share))
    return same and time.time() < ends


def signed(share: Share, node_id: int) -> str:
    """A token for addresses of one file or folder of the share."""
    ends = (int(time.time()) + LIFE + ROUND) // ROUND * ROUND
    return str(_addresses().dumps([share.id, gateway().visits.stamp(share), node_id, ends]))


def address(visit: Visit, place: str, node_id: int, **query: Any) -> str:
    """Of bytes, below the share's own address, for programs without a cookie: signed where there is a password.

    Who came by such an address gets one that ends when that does: else it would open the share for ever.
    """
    if visit.only is not None:
        query["token"] = request.args["token"]
    elif visit.share.password_hash is not None:
        query["token"] = signed(visit.share, node_id)
    return f"/api/share/{visit.share.token}/{place}" + (f"?{urlencode(query)}" if query else "")


def meant(share: Share, token: str) -> int:
    """The file or folder that the token is for. Raises NotFound for none of ours, Gone for one that is over."""
    try:
        share_id, stamp, node_id, ends = _addresses().loads(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound("This link is incomplete, or none of ours.") from None
    if share_id != share.id:
        raise NotFound("This link is for something else.")
    if not compare_digest(stamp, gateway().visits.stamp(share)) or time.time() >= ends:
        raise Gone("This link is over. Open the page that it is from again.")
    return int(node_id)


def _cookies() -> Any:
    return URLSafeSerializer(current_app.secret_key or "", salt="share cookie")


def _addresses() -> Any:
    return URLSafeSerializer(current_app.secret_key or "", salt="share address")
