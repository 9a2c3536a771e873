"""Recordings read back in a process aside: frames, thumbnails, parts; also of damaged files."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import av
import numpy as np
import pytest
from painting import near, run
from PIL import Image

from app.capture.record.canvas import Canvas, Patch
from app.capture.record.review import chosen, inspected, still, thumbnails, trimmed
from app.capture.record.writer import Writer, converted, drawn
from app.vocabulary import CaptureFault

SIZE = (320, 200)
COLOURS = (0xC02020, 0x20A040, 0x2040C0, 0xE0E020)


def filled(colour: int) -> np.ndarray:
    pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    pixels[..., :3] = (colour & 255, colour >> 8 & 255, colour >> 16 & 255)
    return pixels


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four colours, three seconds each, with a picture twice a second."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    writer = Writer(path, SIZE, 30)
    for number, colour in enumerate(COLOURS):
        writer.add(3.0 * number, (Patch(0, 0, filled(colour)),))
        for beat in range(1, 6):
            writer.add(3.0 * number + beat / 2, ())
    writer.add(12.0, ())
    writer.finish()
    assert writer.fault is None
    return path


def shade(jpeg: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return np.asarray(picture.convert("RGB"))[10, 10]


def test_its_facts_are_known(film: Path) -> None:
    found = run(lambda: inspected(film))
    assert (found.width, found.height) == SIZE
    assert found.seconds == pytest.approx(12, abs=0.01)
    assert found.bytes == film.stat().st_size


def test_each_scene_gives_a_frame_and_no_picture_twice(film: Path) -> None:
    frames = run(lambda: chosen(film, start=0, end=12, most=32))
    assert len(frames) == 4
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert near(shade(frame.image), colour, 20)
        assert (frame.width, frame.height, frame.media_type) == (*SIZE, "image/jpeg")
        assert frame.source.kind == "video"
        assert frame.source.name == "film.mkv"
    times = [frame.source.time or 0 for frame in frames]
    assert times == sorted(times)


def test_only_what_lies_between_the_two_times_is_chosen(film: Path) -> None:
    frames = run(lambda: chosen(film, start=4, end=8, most=32))
    assert [near(shade(f.image), c, 20) for f, c in zip(frames, COLOURS[1:3], strict=True)]
    assert all(4 <= (frame.source.time or 0) <= 8 for frame in frames)


def test_never_more_frames_than_fit(film: Path) -> None:
    assert len(run(lambda: chosen(film, start=0, end=12, most=2))) == 2


def test_frames_are_as_small_as_asked(film: Path) -> None:
    (frame, *_) = run(lambda: chosen(film, start=0, end=12, most=1, side=160))
    assert (frame.width, frame.height) == (160, 100)


def test_thumbnails_are_spread_evenly(film: Path) -> None:
    thumbs = run(lambda: thumbnails(film, count=4, height=50))
    assert [thumb.time for thumb in thumbs] == [1.5, 4.5, 7.5, 10.5]
    for thumb, colour in zip(thumbs, COLOURS, strict=True):
        assert near(shade(thumb.jpeg), colour, 20)
    with Image.open(io.BytesIO(thumbs[0].jpeg)) as picture:
        assert picture.size == (80, 50)


@pytest.mark.parametrize(("time", "colour"), [(0, 0), (2.9, 0), (3.0, 1), (8.9, 2), (99, 3)])
def test_a_moment_shows_what_stood_then(film: Path, time: float, colour: int) -> None:
    thumb = run(lambda: still(film, time, height=100))
    assert near(shade(thumb.jpeg), COLOURS[colour], 20)


def test_a_part_is_an_mp4_of_its_own(film: Path, tmp_path: Path) -> None:
    out = run(lambda: trimmed(film, 4.0, 8.0, tmp_path / "part.mp4"))
    with av.open(str(out)) as container:
        assert "mp4" in container.format.name
        assert container.duration / av.time_base == pytest.approx(4, abs=0.2)
        frames = [(f.time, f.to_ndarray(format="rgb24")[10, 10]) for f in container.decode(video=0)]
    assert frames[0][0] == 0
    assert near(frames[0][1], COLOURS[1], 20)
    assert near(frames[-1][1], COLOURS[2], 20)
    turned = next(time for time, pixel in frames if near(pixel, COLOURS[2], 20))
    assert turned == pytest.approx(2, abs=0.05)
    assert list(tmp_path.iterdir()) == [out]


def test_a_part_that_can_not_be_written_is_said(film: Path, tmp_path: Path) -> None:
    with pytest.raises(CaptureFault, match="can't be written"):
        run(lambda: trimmed(film, 0, 1, tmp_path / "none" / "part.mp4"))


@pytest.mark.parametrize("content", [b"", b"\x1a\x45\xdf\xa3 and no more", b"not a film at all"])
def test_a_file_that_holds_nothing_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mkv"
    path.write_bytes(content)
    for work in (
        lambda: inspected(path),
        lambda: chosen(path, start=0, end=1, most=3),
        lambda: thumbnails(path, count=2, height=20),
    ):
        with pytest.raises(CaptureFault, match=r"broken.mkv holds nothing"):
            run(work)


def test_half_a_file_gives_its_first_half(film: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.mkv"
    data = film.read_bytes()
    half.write_bytes(data[: len(data) * 6 // 10])
    found = run(lambda: inspected(half))
    assert 1 < found.seconds < 12
    assert run(lambda: chosen(half, start=0, end=12, most=9))


def test_a_review_that_is_cancelled_leaves_no_process(film: Path) -> None:
    async def work() -> None:
        asking = asyncio.create_task(chosen(film, start=0, end=12, most=9))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()

    run(work)  # that nothing outlives a test is checked for each


@pytest.mark.parametrize("colour", [0, 0xFFFFFF, 0x808080, *COLOURS])
def test_colours_go_to_the_encoder_and_back(colour: int) -> None:
    planes = converted(filled(colour))
    back = drawn(b"".join(plane.tobytes() for plane in planes), *SIZE)
    assert near(back[5, 5, 2::-1], colour, 4)


def test_patches_meet_without_a_seam() -> None:
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 255, (64, 96, 4), np.uint8)
    whole = converted(pixels)
    for x, y, width, height in ((0, 0, 32, 64), (32, 16, 64, 10), (94, 60, 2, 4)):
        part = converted(pixels[y : y + height, x : x + width])
        for shrink, plane, piece in zip((1, 2, 2), whole, part, strict=True):
            area = plane[y // shrink : (y + height) // shrink, x // shrink : (x + width) // shrink]
            assert np.abs(area.astype(int) - piece.astype(int)).max() <= 1


def test_the_canvas_hands_out_each_change_once() -> None:
    canvas = Canvas(*SIZE)
    canvas.put(0, 0, filled(COLOURS[0]))
    assert [patch.pixels.shape for patch in canvas.take(None)] == [(200, 320, 4)]
    assert canvas.take(None) == ()
    assert not canvas.put(0, 0, filled(COLOURS[0]))
    changed = filled(COLOURS[0])
    changed[101, 51] = 0
    assert canvas.put(0, 0, changed)
    (patch,) = canvas.take(None)
    assert (patch.x, patch.y, patch.pixels.shape) == (50, 98, (4, 2, 4))
