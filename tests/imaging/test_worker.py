"""The process that makes pictures small: what it makes, and what hostile pictures do to it, and to nobody else."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PIL import Image

from imaging.worker import ROOT, Worker
from tests.imaging.pictures import bomb, picture, size_of

UPRIGHT = Image.Exif()
UPRIGHT[0x0112] = 6
"""The orientation of a camera that was held upright."""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


def shrink(worker: Worker, data: bytes, edge: int = 320) -> bytes:
    return worker.shrink([data[:7], data[7:]], len(data), edge)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_pictures_become_small_ones(worker: Worker, kind: str) -> None:
    assert size_of(shrink(worker, picture(kind))) == (320, 240)


def test_a_small_picture_is_not_made_larger(worker: Worker) -> None:
    assert size_of(shrink(worker, picture(width=64, height=32))) == (64, 32)


@pytest.mark.parametrize("mode", ["P", "L", "LA", "RGBA", "1", "I;16"])
def test_pictures_of_any_colours_do(worker: Worker, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (400, 300)).save(out, "PNG")
    assert size_of(shrink(worker, out.getvalue())) == (320, 240)


def test_a_photograph_is_turned_upright_and_tells_nothing_of_its_camera(worker: Worker) -> None:
    small = shrink(worker, picture(exif=UPRIGHT))
    assert size_of(small) == (240, 320)
    with Image.open(io.BytesIO(small)) as image:
        assert not image.getexif() and "exif" not in image.info


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no picture at all", id="text"),
        pytest.param(SVG, id="SVG"),
        pytest.param(picture()[:500], id="half of a JPEG"),
        pytest.param(picture("PNG")[:500], id="half of a PNG"),
        pytest.param(bomb(65_000, 65_000), id="a bomb"),
        pytest.param(bomb(7_500, 7_500), id="more pixels than are decoded"),
        pytest.param(bomb(6_000, 6_000), id="pixels that never come"),
        pytest.param(b"GIF89a" + b"\xff" * 2000, id="noise behind a GIF's first bytes"),
        pytest.param(picture("TIFF"), id="a picture of another kind"),
    ],
)
def test_what_is_no_picture_has_no_small_one_and_the_next_one_has(worker: Worker, data: bytes) -> None:
    assert shrink(worker, data) == b""
    assert shrink(worker, picture())


@pytest.mark.slow
def test_a_picture_that_is_decoded_for_too_long_ends_with_its_process() -> None:
    worker = Worker()
    assert shrink(worker, picture())
    busy = worker._process
    worker._patience = 0.02
    assert shrink(worker, picture("PNG", 6000, 6000)) == b""
    assert busy is not None and busy.poll() is not None
    worker._patience = 30
    assert shrink(worker, picture())
    worker.close()


def test_a_process_that_dies_of_a_picture_is_replaced(worker: Worker) -> None:
    assert shrink(worker, picture())

    def blocks() -> Iterator[bytes]:
        assert worker._process is not None
        worker._process.kill()
        yield picture()

    assert worker.shrink(blocks(), len(picture()), 320) == b""
    assert shrink(worker, picture())


def test_a_process_that_died_while_it_had_nothing_to_do_costs_the_next_picture_nothing(
    worker: Worker,
) -> None:
    assert shrink(worker, picture())
    assert worker._process is not None
    worker._process.kill()
    worker._process.wait(30)
    assert shrink(worker, picture())


@pytest.mark.parametrize("error", [ConnectionError, BrokenPipeError, ValueError])
def test_a_picture_that_cannot_be_read_to_its_end_is_no_bad_one_and_leaves_nothing_of_it_behind(
    worker: Worker, error: type[Exception]
) -> None:
    def blocks() -> Iterator[bytes]:
        yield picture()[:100]
        raise error("the store failed")

    with pytest.raises(error):
        worker.shrink(blocks(), len(picture()), 320)
    assert size_of(shrink(worker, picture())) == (320, 240)


@pytest.mark.parametrize("asked", ["320 ", "320 99\nhalf", "320 4\nnone"])
def test_it_ends_without_a_word_when_whoever_asked_is_dead(asked: str) -> None:
    command = [sys.executable, "-X", "utf8", "-m", "imaging"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        process.stdin.write(asked.encode())
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_a_worker_without_work_has_no_process() -> None:
    worker = Worker()
    assert shrink(worker, picture())
    worker.rest(60)
    working = worker._process
    assert working is not None and working.poll() is None
    worker.rest(-1)
    assert working.poll() is not None
