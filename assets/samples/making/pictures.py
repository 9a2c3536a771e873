"""The sample chart and the sample error dialog."""

from __future__ import annotations

from pathlib import Path

from making.canvas import (
    ACCENT,
    AMBER,
    BOLD,
    GREY,
    HAIR,
    INK,
    MONO,
    RED,
    Canvas,
    blank,
    picture,
    save_png,
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug")
_NORTH = (42, 48, 61, 58, 73, 88, 94, 101)
_SOUTH = (35, 33, 40, 52, 49, 57, 63, 60)
_PAPER = "#FBFAF8"


def make_chart(path: Path) -> None:
    """Two series of monthly bars, 1200 x 760 pixels."""
    document, canvas = blank(600, 380)
    canvas.rectangle((0, 0, 600, 380), "#FFFFFF")
    canvas.text(36, 42, "Energy delivered by site", size=17, font=BOLD)
    canvas.text(36, 60, "MWh a month, January to August 2026", size=10, colour=GREY)
    _legend(canvas)
    _axis(canvas)
    for index, month in enumerate(_MONTHS):
        x = 70 + 63 * index
        _bar(canvas, x, _NORTH[index], ACCENT)
        _bar(canvas, x + 23, _SOUTH[index], AMBER)
        canvas.text(x + 22, 346, month, size=10, colour=GREY, side="middle")
    save_png(picture(document[0], 2), path, 64)


def _legend(canvas: Canvas) -> None:
    for x, colour, name in ((430, ACCENT, "North quay"), (508, AMBER, "South yard")):
        canvas.rectangle((x, 33, x + 9, 42), colour, round_by=2)
        canvas.text(x + 14, 41, name, size=9.5)


def _axis(canvas: Canvas) -> None:
    for value in range(0, 121, 20):
        y = 330 - value * 2.1
        canvas.rule((60, y), (572, y), HAIR if value else GREY, 0.6)
        canvas.text(50, y + 3.5, str(value), size=9.5, colour=GREY, side="right")


def _bar(canvas: Canvas, x: float, value: int, colour: str) -> None:
    top = 330 - value * 2.1
    canvas.rectangle((x, top, x + 21, 330), colour)
    canvas.text(x + 10.5, top - 4, str(value), size=8.5, side="middle")


def make_dialog(path: Path) -> None:
    """A program's error message on a desktop, 1120 x 680 pixels."""
    document, canvas = blank(560, 340)
    canvas.rectangle((0, 0, 560, 340), "#C9D6D3")
    canvas.rectangle((47, 45, 517, 303), "#A9BAB6", round_by=9)
    canvas.rectangle((44, 40, 514, 298), "#FFFFFF", line=HAIR, round_by=9)
    canvas.rectangle((44.5, 40.5, 513.5, 70), "#F0EEEA", round_by=8)
    canvas.text(60, 60, "Atlas Backup", size=10.5, font=BOLD)
    canvas.text(496, 60, "x", size=12, colour=GREY, side="right")
    _sign(canvas)
    canvas.text(124, 108, "The backup could not be finished", size=15, font=BOLD)
    for row, line in enumerate((
        "There is not enough space on drive D: to copy 18.4 GB.",
        "12.1 GB are free. Delete old snapshots or choose another drive,",
        "then try again. Files copied so far (1,204 of 3,377) are kept.",
    )):  # fmt: skip
        canvas.text(124, 132 + 17 * row, line, size=11, colour=INK)
    canvas.rectangle((124, 182, 490, 226), "#F4F2EE", round_by=5)
    canvas.text(134, 200, "Error code: 0x80070070 (ERROR_DISK_FULL)", size=9.5, font=MONO)
    canvas.text(134, 215, "Job: nightly-documents    Step: copy", size=9.5, font=MONO)
    _buttons(canvas)
    save_png(picture(document[0], 2), path, 64)


def _sign(canvas: Canvas) -> None:
    canvas.rectangle((66, 92, 106, 132), RED, round_by=19.9)
    canvas.rule((86, 101), (86, 115), "#FFFFFF", 3.6)
    canvas.rule((86, 120.5), (86, 124), "#FFFFFF", 3.6)


def _buttons(canvas: Canvas) -> None:
    for left, right, label, fill, ink in (
        (66, 176, "Free up space...", "#FFFFFF", INK),
        (322, 400, "Cancel", "#FFFFFF", INK),
        (410, 490, "Try again", ACCENT, "#FFFFFF"),
    ):
        canvas.rectangle((left, 250, right, 280), fill, line=HAIR, round_by=5)
        canvas.text((left + right) / 2, 268.5, label, size=10.5, colour=ink, side="middle")
