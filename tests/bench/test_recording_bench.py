"""The recorder's bench counts what was painted: the numbers are in the pixels, and one that is
missing in a film is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bench.painter import BITS, CELL, LEFT, TOP, read_number
from app.bench.recording import _counted, measure
from app.capture.record.canvas import Patch
from app.capture.record.writer import Writer
from app.vocabulary import UsageFault


def picture(number: int) -> np.ndarray:
    pixels = np.full((128, 448, 4), 90, np.uint8)
    for bit in range(BITS):
        left = LEFT + bit * CELL
        pixels[TOP : TOP + CELL, left : left + CELL] = 255 if number >> bit & 1 else 0
    return pixels


@given(st.integers(0, 2**BITS - 1))
def test_a_number_is_read_from_its_pixels(number: int) -> None:
    assert read_number(picture(number)[..., 0]) == number


def test_a_change_that_a_film_lacks_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    writer = Writer(path, (448, 128), 30)
    for place, number in enumerate((7, 8, 9, 11, 14)):
        writer.add(place / 10, (Patch(0, 0, picture(number)),))
        writer.add(place / 10 + 0.05, ())
    writer.finish()
    assert _counted(path) == (8, 3)


def test_without_an_x_server_to_start_the_bench_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageFault, match="needs Xvfb"):
        next(iter(measure(1)))
