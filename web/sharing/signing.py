"""What is signed for those who knew a share's password: a cookie, and addresses for programs without cookies.

Each says for which share, under which password, and until when; an address also says which one file or folder it is
for, and ends with the cookie that it was made from. Nothing is kept of them here. They end with their time, with the
password, and with the share.
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
from web.wire.context import client, gateway

COOKIE = "stowgram-share"
LIFE = 12 * 3600
"""Seconds from a password to the end of what it unlocks."""
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


def unlocked_until(share: Share) -> int | None:
    """When the share's cookie ends that this request carries, in seconds since 1970; None when it carries none."""
    try:
        share_id, stamp, ends = _cookies().loads(request.cookies.get(COOKIE, ""))
    except (BadSignature, ValueError, TypeError):
        return None
    same = share_id == share.id and compare_digest(stamp, gateway().visits.stamp(share))
    return int(ends) if same and time.time() < ends else None


def signed(share: Share, node_id: int, unlocked: int) -> str:
    """A token for addresses of one file or folder of what is `unlocked` until then, in seconds since 1970."""
    ends = -(-unlocked // ROUND) * ROUND
    return str(_addresses().dumps([share.id, gateway().visits.stamp(share), node_id, ends]))


def address(visit: Visit, place: str, node_id: int, **query: Any) -> str:
    """Of bytes, below the share's own address, for programs without a cookie: signed where there is a password.

    Who came by such an address gets one that ends when that does: else it would open the share for ever.
    """
    if visit.only is not None:
        query["token"] = request.args["token"]
    elif visit.unlocked is not None:
        query["token"] = signed(visit.share, node_id, visit.unlocked)
    return f"/api/share/{visit.share.token}/{place}" + (f"?{urlencode(query)}" if query else "")


def meant(share: Share, token: str) -> int:
    """The file or folder that the token is for. Raises NotFound for none of ours, Gone for one that is over; where a
    download of it has begun, that is LIFE later at most: what begins anew there must not make it last.
    """
    try:
        share_id, stamp, node_id, ends = _addresses().loads(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound("This link is incomplete, or none of ours.") from None
    if share_id != share.id:
        raise NotFound("This link is for something else.")
    now = time.time()
    goes_on = now < ends + LIFE and gateway().visits.has_begun(share, client(), node_id)
    over = now >= ends and not goes_on
    if over or not compare_digest(stamp, gateway().visits.stamp(share)):
        raise Gone("This link is over. Open the page that it is from again.")
    return int(node_id)


def _cookies() -> Any:
    return URLSafeSerializer(current_app.secret_key or "", salt="share cookie")


def _addresses() -> Any:
    return URLSafeSerializer(current_app.secret_key or "", salt="share address")
