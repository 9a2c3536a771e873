"""Pictures: every form, upright, on white, within bounds, without private data."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from docfiles import SAMPLES, Heard, hear
from PIL import Image

from app.docs import picture
from app.docs.request import Limits, Request
from app.vocabulary import DocumentFault


def read(path: Path, limits: Limits | None = None, **options: object) -> Heard:
    request = Request(path, **options)  # type: ignore[arg-type]
    return hear(picture.read(request, limits or Limits()))


def halves(mode: str = "RGB", size: tuple[int, int] = (80, 40)) -> Image.Image:
    """Left half red, right half blue."""
    made = Image.new("RGB", size, "red")
    made.paste("blue", (size[0] // 2, 0, *size))
    return made.convert(mode)


def is_red(pixel: object) -> bool:
    red, green, blue = pixel  # type: ignore[misc]
    return bool(red > 180 and green < 70 and blue < 70)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff", "avif", "ico"])
def test_every_usual_form_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    halves(size=(64, 64)).save(path)
    heard = read(path)
    assert heard.opened.kind == "picture"
    assert is_red(heard.shown().getpixel((8, 30)))


def test_the_bytes_of_a_plain_picture_are_passed_on() -> None:
    path = SAMPLES / "invoice.png"
    assert read(path).frames[0].image == path.read_bytes()


def test_a_photograph_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right
    halves().save(path, exif=exif)
    heard = read(path)
    assert (heard.frames[0].width, heard.frames[0].height) == (40, 80)
    assert is_red(heard.shown().getpixel((20, 10)))


def test_the_place_of_a_photograph_does_not_travel(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x010F] = "SECRETMAKER"
    halves().save(path, exif=exif)
    assert b"SECRETMAKER" not in read(path).frames[0].image


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB"])
def test_other_colour_spaces_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tiff"
    halves(mode).save(path)
    assert is_red(read(path).shown().getpixel((10, 20)))


def test_transparency_is_shown_on_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(path)
    assert read(path).shown().getpixel((5, 5)) == (255, 255, 255)


def test_16_bits_become_8_without_being_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    deep = Image.new("I;16", (20, 20), 32768)
    deep.putpixel((0, 0), 65535)
    deep.save(path)
    assert read(path).shown().getpixel((9, 9))[0] in (127, 128)


def test_an_animation_shows_its_first_frame_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    later = [Image.new("RGB", (20, 20), colour) for colour in ("green", "blue")]
    Image.new("RGB", (20, 20), "red").save(path, save_all=True, append_images=later)
    heard = read(path)
    assert len(heard.frames) == 1
    assert "animation of 3 frames" in heard.remarks[0]


def test_every_page_of_a_tiff_is_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    halves().save(path, save_all=True, append_images=[Image.new("RGB", (30, 30))])
    heard = read(path)
    assert [frame.source.page for frame in heard.frames] == [1, 2]
    assert heard.opened.pages == 2


def test_a_large_photograph_is_scaled_and_sent_as_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.effect_noise((4000, 2000), 90).convert("RGB").save(path)
    (frame,) = read(path).frames
    assert (frame.width, frame.height, frame.media_type) == (2560, 1280, "image/jpeg")


def test_a_bound_on_the_side_is_kept(tmp_path: Path) -> None:
    (frame,) = read(SAMPLES / "invoice.png", max_side=600).frames
    assert max(frame.width, frame.height) == 600


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20000, 20000)).save(path)
    with pytest.raises(DocumentFault, match=r"20000 × 20000 pixels") as caught:
        read(path)
    assert caught.value.kind == "too_large"


def test_the_upper_part_of_a_cut_picture_is_given_with_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    out = BytesIO()
    Image.effect_noise((400, 400), 90).convert("RGB").save(out, "JPEG")
    path.write_bytes(out.getvalue()[: len(out.getvalue()) // 2])
    heard = read(path)
    assert len(heard.frames) == 1
    assert "cut.jpg is damaged" in heard.remarks[0]


def test_a_picture_of_which_nothing_is_left_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes((SAMPLES / "invoice.png").read_bytes()[:60])
    with pytest.raises(DocumentFault, match=r"cut\.png is damaged") as caught:
        read(path)
    assert caught.value.kind == "damaged"
