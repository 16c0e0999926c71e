"""`python -m imaging`: makes pictures small, one after the other, until its input ends. The only home of Pillow.

It is sent `EDGE SIZE\\n` and SIZE bytes, and answers with a line, the size of the small picture or 0 when there can be
none, and the picture. A decoder that goes wrong takes this process along and nothing else: it imports nothing of ours,
opens no file, and has its own bounds on memory and time, for the case that nobody is left to end it.
"""

from __future__ import annotations

import faulthandler
import io
import os
import sys
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
MOST_PIXELS = 200_000_000
"""In the picture as it says itself: what the largest telephones make."""
MOST_DECODED = 50_000_000
"""Pixels that are put into memory, 4 bytes each. Of a large JPEG only every second, fourth or eighth is."""
MOST_MEMORY = 1 << 30
"""Bytes of address space, where the system knows such a bound; elsewhere the pixels are it."""
MOST_SECONDS = 60
"""After which a picture ends this process; whoever waits for it has ended it long before."""
MOST_PROFILE = 4096
"""Bytes of a colour profile that is passed on; without it the colours of a telephone's camera look pale."""
QUALITY = 80


def main() -> None:
    Image.MAX_IMAGE_PIXELS = None  # we have our own bounds
    _bound()
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        while (line := given.readline()).endswith(b"\n"):
            edge, size = map(int, line.split())
            data = given.read(size)
            if len(data) < size:
                return
            picture = io.BytesIO(data)
            # It holds in a decoder's loop, too, which lets neither Python's signals nor its threads run.
            faulthandler.dump_traceback_later(MOST_SECONDS, exit=True, file=nowhere)
            small = _shrunk(picture, edge)
            faulthandler.cancel_dump_traceback_later()
            try:
                answers.write(b"%d\n" % len(small) + small)
                answers.flush()
            except OSError:
                os._exit(0)  # whoever asked is dead; an end in good order would flush again, and complain


def _shrunk(picture: IO[bytes], edge: int) -> bytes:
    """WebP of at most `edge` pixels a side; nothing when it is no picture that we could show."""
    try:
        with Image.open(picture, formats=FORMATS) as image:
            return _as_webp(_small(image, edge), image)
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        MemoryError,
        OverflowError,
        Image.DecompressionBombError,
    ):
        return b""  # what Pillow raises for pictures that are none, or broken; anything else ends the process


def _small(image: Image.Image, edge: int) -> Image.Image:
    """The first frame, upright, as the camera was held."""
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    image.draft("RGB", (2 * edge, 2 * edge))
    if image.width * image.height > MOST_DECODED:
        raise ValueError("too many pixels")
    small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return ImageOps.exif_transpose(small)


def _as_webp(small: Image.Image, image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile") or b""
    if image.mode not in {"RGB", "RGBA"} or len(profile) > MOST_PROFILE:
        profile = b""  # it was for other colours
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, icc_profile=profile, exif=b"", xmp=b"")
    return out.getvalue()


def _bound() -> None:
    """Windows has none of this, but for the priority, which our parent gave us."""
    if sys.platform != "win32":
        import resource

        os.nice(10)  # behind everything else in line for a processor
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    main()
