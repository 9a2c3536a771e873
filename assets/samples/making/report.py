"""The sample report: a page of prose with a chart, a page with a table, a scanned page."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pymupdf
from PIL import Image, ImageFilter

from making.canvas import (
    ACCENT,
    AMBER,
    BOLD,
    GREY,
    HAIR,
    INK,
    PALE,
    Canvas,
    blank,
    jpeg,
    picture,
    rgb,
)

_WIDTH, _HEIGHT, _LEFT, _RIGHT = 595.2, 841.92, 64.0, 531.0
_SUMMARY = (
    "Between March and August 2026 the river station at Alder Weir measured water level, "
    "temperature and turbidity every ten minutes. The level stayed within its usual range on "
    "171 of 184 days. Two floods, on 9 May and 22 July, together account for most of the rest."
)
_LEFT_COLUMN = (
    "The May flood followed four days of rain on ground that was already wet. The level rose by "
    "1.9 metres in eleven hours and stayed above the warning mark for two days. No sensor failed, "
    "but the turbidity probe was covered with silt and its readings from 9 to 13 May are left out."
)
_RIGHT_COLUMN = (
    "The July flood was shorter and steeper: 1.4 metres in five hours, after a storm over the "
    "upper valley. The station sent its first warning at 03:40, fifty minutes before the water "
    "reached the footpath. The council closed the path at 04:10 and opened it again next day."
)
_ROWS = (
    ("March", "0.84", "1.12", "7.1", "12"),
    ("April", "0.79", "1.05", "9.8", "10"),
    ("May", "1.21", "2.98", "13.2", "61"),
    ("June", "0.66", "0.91", "16.9", "9"),
    ("July", "0.83", "2.31", "18.4", "38"),
    ("August", "0.52", "0.70", "19.3", "7"),
)
_LETTER = (
    "Alder Weir, 2 September 2026",
    "",
    "To the warden of the river station",
    "",
    "The station was inspected on 1 September. The level sensor",
    "(serial number LV-2207) reads 4 mm too high and was",
    "adjusted. The battery holds 12.6 V and needs no change.",
    "The turbidity probe was cleaned; its next service is due",
    "in March 2027.",
    "",
    "One bolt of the lower mast clamp was loose. I tightened",
    "it, but the clamp is worn and should be replaced before",
    "the winter. The part costs about 85 pounds.",
    "",
    "With kind regards,",
    "",
    "Tomas Reyes",
    "Inspector, Northern Rivers Trust",
)


def make_report(path: Path) -> None:
    document = pymupdf.open()
    document.set_metadata({"title": "River station Alder Weir: summer 2026", "author": "Sightline"})
    _prose(Canvas(document.new_page(width=_WIDTH, height=_HEIGHT)))
    _table(Canvas(document.new_page(width=_WIDTH, height=_HEIGHT)))
    _scan(document.new_page(width=_WIDTH, height=_HEIGHT))
    document.save(path, garbage=4, deflate=True, deflate_fonts=True, no_new_id=True)


def _frame(canvas: Canvas, number: int) -> None:
    canvas.text(_LEFT, 50, "Northern Rivers Trust", size=8.5, colour=GREY)
    canvas.text(_RIGHT, 50, "Summer 2026", size=8.5, colour=GREY, side="right")
    canvas.rule((_LEFT, 58), (_RIGHT, 58))
    canvas.text(_WIDTH / 2, 806, f"Page {number} of 3", size=8.5, colour=GREY, side="middle")


def _prose(canvas: Canvas) -> None:
    _frame(canvas, 1)
    canvas.text(_LEFT, 112, "River station Alder Weir", size=24, font=BOLD)
    canvas.text(_LEFT, 134, "What the water did between March and August", size=12, colour=ACCENT)
    canvas.paragraph((_LEFT, 156, _RIGHT, 226), _SUMMARY, 10.5)
    canvas.text(_LEFT, 252, "Two floods", size=14, font=BOLD)
    canvas.paragraph((_LEFT, 264, 286, 430), _LEFT_COLUMN, 10)
    canvas.paragraph((309, 264, _RIGHT, 430), _RIGHT_COLUMN, 10)
    _levels(canvas, 416)


def _levels(canvas: Canvas, top: float) -> None:
    canvas.text(_LEFT, top, "Highest level of each month, in metres", size=14, font=BOLD)
    base = top + 250
    for value in range(4):
        y = base - value * 72
        canvas.rule((_LEFT + 22, y), (_RIGHT, y), HAIR if value else GREY, 0.6)
        canvas.text(_LEFT + 14, y + 3, str(value), size=9, colour=GREY, side="right")
    for index, (month, _mean, highest, *_rest) in enumerate(_ROWS):
        x = _LEFT + 42 + index * 73
        height = float(highest) * 72
        canvas.rectangle((x, base - height, x + 42, base), AMBER if height > 150 else ACCENT)
        canvas.text(x + 21, base - height - 5, highest, size=9, side="middle")
        canvas.text(x + 21, base + 15, month, size=9.5, colour=GREY, side="middle")


def _table(canvas: Canvas) -> None:
    _frame(canvas, 2)
    canvas.text(_LEFT, 104, "Monthly figures", size=18, font=BOLD)
    canvas.text(_LEFT, 122, "Level in metres, temperature in degrees Celsius, turbidity in NTU",
                size=10, colour=GREY)  # fmt: skip
    heads = ("Month", "Mean level", "Highest", "Temperature", "Turbidity")
    edges = (_LEFT + 10, 240.0, 326.0, 426.0, _RIGHT - 10)
    canvas.rectangle((_LEFT, 144, _RIGHT, 170), PALE)
    for row, cells in enumerate((heads, *_ROWS)):
        y = 161 + row * 28
        for column, (x, cell) in enumerate(zip(edges, cells, strict=True)):
            bold = row == 0 or (column == 2 and float(cell) > 2)
            canvas.text(x, y, cell, font=BOLD if bold else "helv", colour=GREY if row == 0 else INK,
                        side="right" if column else "left")  # fmt: skip
        canvas.rule((_LEFT, y + 9), (_RIGHT, y + 9))
    canvas.text(_LEFT, 384, "Warning mark: 2.20 m.  Footpath floods at: 2.45 m.", size=10)
    canvas.paragraph(
        (_LEFT, 398, _RIGHT, 470),
        "The May mean counts the flood; without 9 to 13 May it is 0.91 m. Turbidity in May is the "
        "mean of the days on which the probe was clean.",
        10,
    )


def _scan(page: Any) -> None:
    """A typed letter as a scanner sees it: slightly turned, soft, on grey paper."""
    letter, canvas = blank(_WIDTH, _HEIGHT)
    canvas.rectangle((0, 0, _WIDTH, _HEIGHT), "#F3F0E8")
    canvas.text(84, 96, "NORTHERN RIVERS TRUST", size=13, font="hebo")
    for row, line in enumerate(_LETTER):
        canvas.text(84, 148 + 22 * row, line, size=11.5, font="cour", colour="#2A2A30")
    sheet = picture(letter[0], 2).convert("L").filter(ImageFilter.GaussianBlur(0.7))
    turned = sheet.rotate(0.5, Image.Resampling.BICUBIC, fillcolor=236)
    grain = random.Random(7)  # the same grain on every run
    noise = Image.frombytes("L", (200, 200), bytes(grain.randrange(244, 256) for _ in range(40000)))
    paper = Image.new("L", turned.size)
    for x in range(0, turned.width, 200):
        for y in range(0, turned.height, 200):
            paper.paste(noise, (x, y))
    scanned = Image.composite(turned, turned.point(lambda v: max(0, v - 14)), paper)
    page.insert_image(page.rect, stream=jpeg(scanned, 60))
    page.draw_rect(page.rect, color=rgb(HAIR), width=0.3)
