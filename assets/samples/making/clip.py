"""The sample clip: five seconds, five scenes with large type, written with PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from making.canvas import ACCENT, AMBER, BLUE, BOLD, INK, RED, Canvas, blank, picture

_RATE = 24
_SCENES = (
    ("1", "Open the valve", ACCENT),
    ("2", "Wait for green", BLUE),
    ("3", "Read the gauge: 4.2 bar", AMBER),
    ("4", "Close the valve", RED),
    ("5", "Log the reading", INK),
)


def make_clip(path: Path) -> None:
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = 960, 540, "yuv420p"
        stream.options = {"crf": "26", "preset": "slow"}
        for index in range(_RATE * len(_SCENES)):
            scene, step = divmod(index, _RATE)
            frame = av.VideoFrame.from_image(_picture(scene, step / _RATE))
            frame.pts, frame.time_base = index, Fraction(1, _RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _picture(scene: int, share: float) -> Image.Image:
    number, words, colour = _SCENES[scene]
    document, canvas = blank(480, 270)
    canvas.rectangle((0, 0, 480, 270), "#FBFAF8")
    canvas.rectangle((0, 0, 128, 270), colour)
    canvas.text(64, 168, number, size=92, font=BOLD, colour="#FFFFFF", side="middle")
    canvas.text(152, 128, f"Step {number} of {len(_SCENES)}", size=14, colour=colour, font=BOLD)
    canvas.text(152, 158, words, size=25, font=BOLD)
    _progress(canvas, (scene + share) / len(_SCENES), colour)
    return picture(document[0], 2)


def _progress(canvas: Canvas, share: float, colour: str) -> None:
    canvas.rectangle((152, 226, 452, 232), "#E2DFD8", round_by=2.9)
    canvas.rectangle((152, 226, 152 + max(6.0, 300 * share), 232), colour, round_by=2.9)
