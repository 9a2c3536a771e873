"""A PipeWire stream as plain pictures through GStreamer's own program: its arguments, and what it
writes. The pure part of recording on Wayland.

The pictures come as YUV4MPEG2 (a header with the size, then `FRAME` and I420 each): so everything
else of a recording, pauses, limits and a file that outlives a crash, is the same as elsewhere.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import BinaryIO

from app.capture.obstacle import Obstacle
from app.vocabulary import Region

PROGRAM = "gst-launch-1.0"
NO_GSTREAMER = Obstacle(
    "GStreamer is not installed, and Wayland hands its screen to nothing else",
    "install gstreamer1.0-tools, gstreamer1.0-plugins-base, gstreamer1.0-plugins-good and "
    "gstreamer1.0-pipewire",
)
_KEEP_ALIVE = 1000  # ms after which a screen that stays is told again
_LONGEST = 200  # bytes of a header's line
_LARGEST = 16_384  # px a side


def arguments(handle: int, node: int, frame_rate: int) -> tuple[str, ...]:
    """What shows the stream `node` of the open PipeWire connection on stdout. Pictures that the
    desktop did not send are not made up; more than `frame_rate` a second are dropped."""
    source = ("pipewiresrc", f"fd={handle}", f"path={node}", "do-timestamp=true")
    return (
        *(PROGRAM, "-q", *source, f"keepalive-time={_KEEP_ALIVE}", "!"),
        *("videorate", "drop-only=true", f"max-rate={frame_rate}", "!"),
        *("videoconvert", "!", "video/x-raw,format=I420,colorimetry=bt709", "!"),
        *("y4menc", "!", "fdsink", "fd=1"),
    )


def obstacle() -> Obstacle | None:
    return NO_GSTREAMER if shutil.which(PROGRAM) is None else None


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of every picture of a stream."""

    width: int
    height: int

    @property
    def bytes(self) -> int:
        """Of one picture: Y, then U and V at half the size, rounded up."""
        chroma = ((self.width + 1) // 2) * ((self.height + 1) // 2)
        return self.width * self.height + 2 * chroma


def read_shape(pipe: BinaryIO) -> Shape | None:
    """The stream's header; None where it ends before. Raises ValueError for anything else."""
    line = pipe.readline(_LONGEST)
    if not line:
        return None
    words = line.decode("ascii", "replace").split()
    if not words or words[0] != "YUV4MPEG2" or not line.endswith(b"\n"):
        raise ValueError("not YUV4MPEG2")
    found = {word[0]: word[1:] for word in words[1:]}
    shape = Shape(int(found.get("W", "0")), int(found.get("H", "0")))
    if not (0 < shape.width <= _LARGEST and 0 < shape.height <= _LARGEST):
        raise ValueError(f"pictures of {shape.width} by {shape.height}")
    if not found.get("C", "420").startswith("420"):
        raise ValueError(f"colours as {found['C']}")
    return shape


def read_picture(pipe: BinaryIO, shape: Shape) -> bytes | None:
    """The next picture, I420; None at the end, also one that was cut short."""
    if not pipe.readline(_LONGEST).startswith(b"FRAME"):
        return None
    data = pipe.read(shape.bytes)
    return data if len(data) == shape.bytes else None


def part(
    region: Region,
    shape: Shape,
    position: tuple[int, int] | None,
    size: tuple[int, int] | None,
) -> Region:
    """Where a region of the desktop, in physical pixels, stands in the stream of the screen that a
    person chose; all of the stream where it does not lie on it."""
    whole = Region(0, 0, shape.width, shape.height)
    if position is None or size is None or not size[0]:
        return whole
    scale = shape.width / size[0]
    x, y = region.x - round(position[0] * scale), region.y - round(position[1] * scale)
    inside = x >= 0 and y >= 0 and x + region.width <= shape.width
    if not (inside and y + region.height <= shape.height):
        return whole
    return Region(x, y, region.width, region.height)
