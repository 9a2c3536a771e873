"""Pixels to PNG and back."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
from PySide6.QtGui import QColor, QImage

from app.capture.encode import as_image, decode, to_frame
from app.capture.shot import Shot
from app.vocabulary import CaptureFault, Region


def red_with_a_blue_dot(x: int, y: int) -> Shot:
    """20 by 10 pixels of red with one blue pixel; the fourth byte is rubbish, as X leaves it."""
    pixels = bytearray(b"\x00\x00\xff\x37" * 200)
    pixels[(y * 20 + x) * 4 : (y * 20 + x) * 4 + 4] = b"\xff\x00\x00\x00"
    return Shot(pixels, 20, 10, 80, Region(-20, 5, 20, 10), 1.5, "DP-1")


def test_a_frame_shows_the_colours_and_hides_nothing() -> None:
    frame = to_frame(red_with_a_blue_dot(3, 4))
    image = QImage.fromData(frame.image)
    assert (frame.media_type, frame.width, frame.height) == ("image/png", 20, 10)
    assert image.pixelColor(3, 4) == QColor(0, 0, 255)
    assert image.pixelColor(4, 4) == QColor(255, 0, 0)
    assert not image.hasAlphaChannel()


def test_a_frame_knows_where_it_came_from() -> None:
    source = to_frame(red_with_a_blue_dot(0, 0)).source
    assert (source.kind, source.name, source.scale) == ("screen", "DP-1", 1.5)
    assert source.region == Region(-20, 5, 20, 10)


def test_a_crop_is_cut_clipped_and_placed() -> None:
    frame = to_frame(red_with_a_blue_dot(15, 6), Region(14, 5, 100, 3))
    assert (frame.width, frame.height) == (6, 3)
    assert frame.source.region == Region(-6, 10, 6, 3)
    assert QImage.fromData(frame.image).pixelColor(1, 1) == QColor(0, 0, 255)


def test_rows_that_are_longer_than_they_show_are_read_right() -> None:
    plain = red_with_a_blue_dot(3, 4)
    rows = [bytes(plain.pixels[y * 80 : y * 80 + 80]) + b"\x99" * 16 for y in range(10)]
    padded = replace(plain, pixels=b"".join(rows), stride=96)
    assert to_frame(padded).image == to_frame(plain).image


def test_an_image_outlives_the_shot_it_shows() -> None:
    image = as_image(red_with_a_blue_dot(3, 4))
    gc.collect()
    filler = [bytearray(b"\xaa" * 800) for _ in range(100)]
    assert image.pixelColor(3, 4) == QColor(0, 0, 255)
    assert len(filler) == 100


def test_a_picture_file_becomes_a_shot_and_the_same_frame() -> None:
    shot = replace(red_with_a_blue_dot(3, 4), region=Region(0, 0, 20, 10), scale=1.0)
    frame = to_frame(shot)
    assert to_frame(decode(frame.image, "DP-1")) == frame


def test_a_file_that_is_no_picture_is_a_clear_fault() -> None:
    with pytest.raises(CaptureFault, match="no picture"):
        decode(b"<html>", "x")
