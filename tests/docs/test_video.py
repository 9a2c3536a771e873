"""Videos: which moments are shown, in which shape, and what is said of broken ones."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from docfiles import SAMPLES, Heard, hear, make_clip
from PIL import Image

from app.docs import video
from app.docs.request import Limits, Request
from app.vocabulary import DocumentFault


def read(path: Path, container: str = "mov", **options: object) -> Heard:
    request = Request(path, **options)  # type: ignore[arg-type]
    return hear(video.read(request, Limits(), container))


def test_the_sample_clip_is_seen_once_a_second() -> None:
    heard = read(SAMPLES / "clip.mp4")
    assert [frame.source.time for frame in heard.frames] == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert (heard.frames[0].width, heard.frames[0].height) == (960, 540)


@pytest.mark.parametrize(
    ("suffix", "container"), [("mkv", "matroska"), ("avi", "avi"), ("mov", "mov")]
)
def test_frames_show_the_moment_they_name(tmp_path: Path, suffix: str, container: str) -> None:
    heard = read(make_clip(tmp_path / f"a.{suffix}"), container, every=0.5)
    shades = [heard.shown(index).getpixel((80, 60))[0] for index in range(4)]
    assert shades == pytest.approx([0, 60, 120, 180], abs=8)


def test_frames_can_be_chosen_by_number() -> None:
    heard = read(SAMPLES / "clip.mp4", pages="2,4")
    assert [frame.source.time for frame in heard.frames] == [1.5, 3.5]


def test_a_long_video_is_seen_32_times(tmp_path: Path) -> None:
    heard = read(make_clip(tmp_path / "a.mkv", seconds=60, size=(32, 32)), "matroska")
    assert len(heard.frames) == 32


def test_a_clip_filmed_upright_is_shown_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(make_clip(tmp_path / "flat.mp4"))) as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90) if hasattr(stream, "set_display_rotation") else None
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    turned(path)
    (frame, *_) = read(path).frames
    assert (frame.width, frame.height) == (120, 160)


def turned(path: Path) -> None:
    """Writes a quarter turn into the matrix of the track header (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    quarter = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    data[at : at + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in quarter)
    path.write_bytes(data)


def test_a_recording_broken_off_shows_what_there_is(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mkv", seconds=10)
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    heard = read(path, "matroska")
    assert heard.frames
    assert "cut.mkv is damaged; it can be read up to" in heard.remarks[-1]


def test_a_clip_without_its_index_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(make_clip(tmp_path / "whole.mp4").read_bytes()[:600])
    with pytest.raises(DocumentFault, match=r"cut\.mp4 is damaged") as caught:
        read(path)
    assert caught.value.kind == "damaged"


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate, frame.pts = 44100, 0
        frame.planes[0].update(bytes(4096))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DocumentFault, match="a sound file without a picture") as caught:
        read(path)
    assert caught.value.kind == "unsupported"


def test_a_bound_on_the_side_is_kept() -> None:
    assert read(SAMPLES / "clip.mp4", max_side=300).frames[0].width == 300


def test_frames_come_as_jpeg_with_large_type_legible() -> None:
    heard = read(SAMPLES / "clip.mp4")
    assert heard.frames[0].media_type == "image/jpeg"
    assert isinstance(heard.shown(), Image.Image)
