"""What the window's own wire asks of a GLM: frames of one video cost half of what pictures do."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pictures import chat_of, noise
from PIL import Image

from app.engine.request.body import read_request
from app.engine.wire import request_body
from app.vocabulary import Endpoint, Frame, Message, Sampling, Source

HERE = Endpoint("local", "http://127.0.0.1/v1", "Tiny", local=True, takes_video=True)


def still(number: int) -> Frame:
    out = BytesIO()
    Image.fromarray(noise(448, 672, number)).save(out, "JPEG")
    source = Source("video", "a.mkv", time=float(number))
    return Frame(out.getvalue(), "image/jpeg", 672, 448, source)


def test_a_video_part_costs_half_of_its_pictures(tmp_path: Path) -> None:
    chat = chat_of(tmp_path / "glm")
    message = Message("user", "What happens?", tuple(still(number) for number in range(8)))

    def cost(place: Endpoint) -> int:
        read = read_request(request_body(place, [message], Sampling()))
        return len(chat.prompt(read.turns, {}).tokens)

    strip, pictures = cost(HERE), cost(replace(HERE, takes_video=False))
    assert strip / pictures == pytest.approx(0.5, abs=0.05)
