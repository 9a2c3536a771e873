"""Videos in their containers, opened by a process of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import asked, chat_of, written
from PIL import Image

from app.engine.local import footage
from app.engine.local.footage import Bounds, Reel
from app.engine.request.turn import Clip
from app.vocabulary import EndpointFault


@cache
def video(
    container: str = "mp4",
    codec: str = "libx264",
    *,
    frames: int = 20,
    fps: int | Fraction = 10,
    size: tuple[int, int] = (64, 48),
    between: int = 6,
) -> bytes:
    """A container whose frame n is a grey of 10 * n, with a key frame every `between`."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as opened:
        stream = opened.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = between
        for number in range(frames):
            shade = 10 * number % 250
            picture = Image.new("RGB", size, (shade, shade, shade))
            for packet in stream.encode(av.VideoFrame.from_image(picture)):
                opened.mux(packet)
        for packet in stream.encode():
            opened.mux(packet)
    return out.getvalue()


def shades(data: bytes, indices: list[int]) -> list[int]:
    shown = footage.frames(data, "Video 1", indices=indices, size=(28, 56))
    pictures = [Image.open(io.BytesIO(frame)) for frame in shown]
    assert {picture.size for picture in pictures} <= {(56, 28)}
    return [picture.getpixel((20, 20))[0] for picture in pictures]  # type: ignore[index]


def refused(data: bytes, bounds: Bounds | None = None) -> EndpointFault:
    with pytest.raises(EndpointFault) as caught:
        footage.reel(data, "Video 2", bounds or Bounds())
    assert caught.value.message.startswith("Video 2 ")
    return caught.value


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "mpeg4"),
        ("matroska", "libx264"),
        ("webm", "libvpx-vp9"),
        ("avi", "libx264"),
        ("avi", "mpeg4"),
        ("mpegts", "mpeg2video"),
        ("flv", "libx264"),
    ],
)
def test_each_frame_is_the_one_of_its_number(container: str, codec: str) -> None:
    data = video(container, codec)
    assert footage.reel(data, "Video 1") == Reel(frames=20, fps=10.0, height=48, width=64)
    wanted = [0, 3, 7, 7, 13, 19, 19]
    assert shades(data, wanted) == pytest.approx([10 * n for n in wanted], abs=4)


def test_a_long_video_with_few_key_frames_is_jumped_through() -> None:
    two_hours = video("mp4", "mpeg4", frames=1800, fps=Fraction(1, 4), size=(32, 32), between=400)
    assert footage.reel(two_hours, "Video 1").duration == 7200
    assert shades(two_hours, [0, 799, 801, 1799]) == pytest.approx([0, 240, 10, 240], abs=4)


def test_a_video_of_one_frame_is_read() -> None:
    data = video(frames=1)
    assert footage.reel(data, "Video 1").frames == 1
    assert shades(data, [0, 0]) == pytest.approx([0, 0], abs=4)


def test_a_prompt_holds_a_containers_frames_and_their_times(tmp_path: Path) -> None:
    chat = chat_of(tmp_path / "model")
    film = Clip("video/mp4", data=video(frames=30))  # three seconds
    prompt = chat.prompt([asked(film, "What happens?")], {})
    assert len(prompt.sights) == 3
    text = chat.decode([token for token in prompt.tokens if token < 256])
    assert text.split("What")[0].split("\n")[-1] == "012"
    seen = [Image.open(io.BytesIO(f.image)).getpixel((9, 9))[0] for f in prompt.sights[1].frames]  # type: ignore[index]
    assert seen == pytest.approx([100, 150], abs=4)
    again = chat.prompt([asked(film, "Why?")], {})
    assert [sight.key for sight in again.sights] == [sight.key for sight in prompt.sights]
    assert again.sights[0].frames[0].image is prompt.sights[0].frames[0].image  # not decoded again


def test_a_video_that_does_not_fit_is_refused_by_its_head(tmp_path: Path) -> None:
    chat = chat_of(tmp_path / "model", context=2000)
    film = Clip("video/mp4", data=video(frames=30, fps=2, size=(640, 480)))
    with pytest.raises(EndpointFault, match="with its 1 video takes") as caught:
        chat.prompt([asked(film)], {})
    assert caught.value.kind == "too_long"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Video 2 is empty (0 bytes)"),
        (b"no video at all" * 100, "Video 2 is no video that can be read; send MP4"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "Video 2 is no video"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(500), "Video 2 is damaged"),
        (b"\x1a\x45\xdf\xa3" + os.urandom(500), "Video 2 is damaged"),
    ],
)
def test_what_is_no_video_is_refused(data: bytes, message: str) -> None:
    assert refused(data).message.startswith(message)


def test_sound_alone_is_refused() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as opened:
        stream = opened.add_stream("pcm_s16le", rate=16000)
        stream.layout = "mono"
        sound = av.AudioFrame(format="s16", layout="mono", samples=1024)
        sound.sample_rate = 16000
        for packet in stream.encode(sound):
            opened.mux(packet)
    fault = refused(out.getvalue())
    assert (fault.kind, fault.message) == (
        "unsupported",
        "Video 2 holds sound and no picture; send a video.",
    )


@settings(deadline=None, max_examples=8)
@given(st.sampled_from(["mp4", "matroska", "avi", "mpegts"]), st.floats(0.05, 0.95), st.data())
def test_a_damaged_video_breaks_nothing(container: str, part: float, data: st.DataObject) -> None:
    whole = video(container, "mpeg4")
    damaged = bytearray(whole[: int(len(whole) * part)])
    for _ in range(20):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        reel = footage.reel(bytes(damaged), "Video 2")
        footage.frames(bytes(damaged), "Video 2", indices=[0, reel.frames - 1], size=(28, 28))
    except EndpointFault as fault:
        assert fault.message.startswith("Video 2 ")


def test_a_video_that_takes_too_long_is_given_up_in_time() -> None:
    start = time.monotonic()
    fault = refused(video(), Bounds(seconds=0.02))
    assert "takes longer than 0.02 seconds to decode" in fault.message
    assert time.monotonic() - start < 5


def test_a_video_that_takes_too_much_memory_fails_alone() -> None:
    size = (7680, 4320)
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as opened:
        stream = opened.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = *size, "yuvj420p"
        packet = av.Packet(written(Image.new("RGB", size), "JPEG"))
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        opened.mux(packet)
    fault = refused(out.getvalue(), Bounds(memory=300 << 20))
    assert fault.message == "Video 2 needs more memory than it may have; send a smaller one."


def test_without_a_decoder_the_other_way_is_named() -> None:
    """As on a machine that has the engine and no PyAV."""
    program = (
        "import importlib.util as u, sys\n"
        "from app.engine.local import footage\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'av' else find(name, *rest)\n"
        "try:\n"
        "    footage.reel(b'x', 'Video 1')\n"
        "except footage.EndpointFault as fault:\n"
        "    print(fault.kind, fault.message)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.startswith("unsupported Video 1 can't be decoded on this machine")
    assert "data:video/jpeg;base64,<jpeg>,<jpeg>" in told.stdout
