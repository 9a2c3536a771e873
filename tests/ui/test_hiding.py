"""What is hidden is gone: from the pixels, from the files made of them, and from what OCR reads."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QBuffer, QIODevice, QRect
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from app.capture.encode import to_frame, to_shot
from app.capture.secrets import Secret, find
from app.docs.reader import DocumentWorker
from app.ui.screen.ink import burn
from app.ui.screen.marks import Label, Mark, Pixelate, Redact, Style, blocks
from app.vocabulary import Frame, Region

WIDE, HIGH, BLOCK = 96, 72, 24
LINES = (
    "Card 4539 1488 0343 6467 of Anna",
    "token ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "Write to anna.schmidt@example.com today",
    "The meeting is on Tuesday at ten",
)


def noise(seed: int, part: QRect | None = None, under: QImage | None = None) -> QImage:
    """A picture of chance, or one that differs from `under` by chance in a part."""
    chance = Random(seed)
    image = QImage(WIDE, HIGH, QImage.Format.Format_RGB32) if under is None else under.copy()
    part = part or image.rect()
    for y in range(part.top(), part.bottom() + 1):
        for x in range(part.left(), part.right() + 1):
            image.setPixel(x, y, 0xFF000000 | chance.getrandbits(24))
    return image


def encoded(image: QImage, kind: str) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, kind, 92 if kind == "JPEG" else 10)
    return bytes(buffer.data().data())


regions = st.builds(
    Region, st.integers(0, 80), st.integers(0, 60), st.integers(1, 60), st.integers(1, 60)
)


@settings(max_examples=25, deadline=None)
@given(regions, regions, st.sampled_from(["PNG", "JPEG"]))
def test_a_file_is_the_same_whatever_stood_under_the_black(
    qt: QApplication, hidden: Region, cut: Region, kind: str
) -> None:
    cut = Region(cut.x, cut.y, min(cut.width, WIDE - cut.x), min(cut.height, HIGH - cut.y))
    one = noise(1)
    spot = QRect(hidden.x, hidden.y, hidden.width, hidden.height).intersected(one.rect())
    other = noise(2, spot, one)
    made = [encoded(burn(image, cut, (Redact(hidden),)), kind) for image in (one, other)]
    assert made[0] == made[1]


@settings(max_examples=10, deadline=None)
@given(regions, st.integers(0, 1000))
def test_blocks_tell_no_more_than_their_average(
    qt: QApplication, region: Region, seed: int
) -> None:
    """The same pixels in another order within each block: the same file."""
    hidden = blocks(region, BLOCK, WIDE, HIGH)
    one = noise(3)
    other = one.copy()
    chance = Random(seed)
    for top in range(0, HIGH, BLOCK):
        for left in range(0, WIDE, BLOCK):
            spots = [(left + x, top + y) for x in range(BLOCK) for y in range(BLOCK)]
            inside = (
                hidden.x <= left < hidden.x + hidden.width
                and hidden.y <= top < hidden.y + hidden.height
            )
            if inside:
                turned = spots[:]
                chance.shuffle(turned)
                for spot, place in zip(spots, turned, strict=True):
                    other.setPixel(*place, one.pixel(*spot))
    whole = Region(0, 0, WIDE, HIGH)
    marks = (Pixelate(hidden, BLOCK),)
    assert encoded(burn(one, whole, marks), "PNG") == encoded(burn(other, whole, marks), "PNG")


@given(regions)
def test_every_block_has_one_colour_and_few_levels(qt: QApplication, region: Region) -> None:
    hidden = blocks(region, BLOCK, WIDE, HIGH)
    made = burn(noise(4), Region(0, 0, WIDE, HIGH), (Pixelate(hidden, BLOCK),))
    for top in range(hidden.y, hidden.y + hidden.height, BLOCK):
        for left in range(hidden.x, hidden.x + hidden.width, BLOCK):
            found = {made.pixel(left + x, top + y) for x in range(BLOCK) for y in range(BLOCK)}
            assert len(found) == 1
            colour = QColor(found.pop())
            assert all(part % 17 == 0 for part in colour.getRgb()[:3])  # sixteen levels


@given(regions)
def test_blocks_hold_all_that_was_dragged_over(region: Region) -> None:
    hidden = blocks(region, BLOCK, WIDE, HIGH)
    assert hidden.x <= region.x
    assert hidden.y <= region.y
    assert hidden.x + hidden.width >= min(WIDE, region.x + region.width)
    assert hidden.y + hidden.height >= min(HIGH, region.y + region.height)


def test_pixelating_what_is_black_does_not_bring_its_average_back(qt: QApplication) -> None:
    marks: tuple[Mark, ...] = (
        Redact(Region(24, 24, 24, 24)),
        Pixelate(Region(0, 0, 96, 72), BLOCK),
    )
    made = burn(noise(5), Region(0, 0, WIDE, HIGH), marks)
    assert made.pixelColor(30, 30) == QColor("black")
    assert made.pixelColor(60, 30) != QColor("black")


def test_what_is_drawn_over_what_is_hidden_shows_nothing_of_it(qt: QApplication) -> None:
    style = Style("#FFD60A", 4, 16)
    over = Label(10, 10, "hidden here", style)
    spot = QRect(0, 0, 80, 60)
    marks = (Redact(Region(0, 0, 80, 60)), over)
    one = noise(6)
    whole = Region(0, 0, WIDE, HIGH)
    made = [burn(image, whole, marks) for image in (one, noise(7, spot, one))]
    assert made[0] == made[1]


# --- with real text and the real reader -----------------------------------------------------


def page() -> QImage:
    image = QImage(760, 240, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setPen(QColor("#1D1C1A"))
    font = QApplication.font()
    font.setPixelSize(22)
    painter.setFont(font)
    for at, text in enumerate(LINES):
        painter.drawText(20, 45 + 50 * at, text)
    painter.end()
    return image


async def hide_and_read() -> tuple[tuple[Secret, ...], dict[str, Frame]]:
    worker = DocumentWorker()
    try:
        still = page()
        whole = Region(0, 0, still.width(), still.height())
        seen = await worker.recognise(to_frame(to_shot(still, "page")))
        secrets = find(seen.lines, whole.width, whole.height)
        marks = tuple(Redact(part) for secret in secrets for part in secret.regions)
        made = burn(still, whole, marks)
        png = to_frame(to_shot(made, "hidden"))
        jpeg = Frame(encoded(made, "JPEG"), "image/jpeg", png.width, png.height, png.source)
        read = {"PNG": await worker.recognise(png), "JPEG": await worker.recognise(jpeg)}
        return secrets, {"seen": seen, **read}
    finally:
        await worker.close()


@pytest.mark.slow
def test_ocr_finds_nothing_of_what_was_hidden_and_all_the_rest(look: Any) -> None:
    secrets, frames = asyncio.run(hide_and_read())
    assert [secret.kind for secret in secrets] == ["card", "key", "address"]
    assert "4539 1488 0343 6467" in frames["seen"].text
    for kind in ("PNG", "JPEG"):
        text = frames[kind].text
        for gone in ("4539", "1488", "0343", "6467", "ghp", "16C7", "8B4a", "schmidt", "example"):
            assert gone not in text, text
        assert "The meeting is on Tuesday at ten" in text
        image = QImage.fromData(frames[kind].image)
        for secret in secrets:
            for part in secret.regions:
                assert _lightest(image, part) < (1 if kind == "PNG" else 12)


def _lightest(image: QImage, part: Region) -> int:
    """The lightest value inside, the edge of JPEG's blocks left out."""
    edge = 8
    values = (
        image.pixelColor(x, y).value()
        for x in range(part.x + edge, part.x + part.width - edge)
        for y in range(part.y + edge, part.y + part.height - edge)
    )
    return max(values, default=0)
