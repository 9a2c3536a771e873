"""Drawings travel as PNG, photographs and scans as JPEG."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageFilter

from app.docs.encode import encode, uniform


def test_a_drawing_stays_exact() -> None:
    drawing = Image.new("RGB", (400, 300), "white")
    drawing.paste("teal", (50, 50, 200, 200))
    assert encode(drawing).media_type == "image/png"


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_photograph_becomes_jpeg(mode: str) -> None:
    noise = [Image.effect_noise((1200, 900), 80) for _ in range(3)]
    photograph = Image.merge("RGB", noise).filter(ImageFilter.GaussianBlur(3)).convert(mode)
    assert encode(photograph).media_type == "image/jpeg"


def test_a_sheet_of_one_colour_is_uniform_and_a_dot_is_not() -> None:
    sheet = Image.new("L", (50, 50), 250)
    assert uniform(sheet)
    sheet.putpixel((7, 7), 0)
    assert not uniform(sheet)


def test_a_page_without_colour_travels_in_grey() -> None:
    page = Image.new("RGB", (400, 300), "white")
    page.paste((90, 90, 90), (10, 10, 50, 50))
    with Image.open(BytesIO(encode(page).image)) as sent:
        assert (sent.mode, sent.getpixel((20, 20))) == ("L", 90)
