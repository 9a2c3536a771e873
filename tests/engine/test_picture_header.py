from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.engine.picture import measure


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_kind_and_size_are_read_from_the_first_bytes(form: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (37, 21), "red").save(file, form)
    assert measure(file.getvalue()) == (f"image/{form.lower()}", 37, 21)


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}])
def test_each_kind_of_webp_is_read(options: dict[str, object]) -> None:
    file = io.BytesIO()
    Image.new("RGB", (37, 21), "red").save(file, "WEBP", **options)
    assert measure(file.getvalue()) == ("image/webp", 37, 21)


def test_a_jpeg_with_a_long_head_is_read() -> None:
    file = io.BytesIO()
    Image.new("RGB", (37, 21)).save(file, "JPEG", comment=b"\xff\xc0" * 900, progressive=True)
    assert measure(file.getvalue()) == ("image/jpeg", 37, 21)


_HEADS = [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF0000WEBPVP8X", b""]


@given(st.sampled_from(_HEADS), st.binary(max_size=40))
def test_damaged_heads_give_a_size_and_no_exception(head: bytes, rest: bytes) -> None:
    _, width, height = measure(head + rest)
    assert width >= 0
    assert height >= 0
