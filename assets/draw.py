"""Draws the program's mark and the few icons that a style sheet has to find as files.

Run `python assets/draw.py` after changing the mark or the colours in `app/ui/theme.py`. The mark
is an eye that is also the frame of a picture: two corners square, two round, a pupil between.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from PySide6.QtCore import QByteArray, Qt  # noqa: E402
from PySide6.QtGui import QImage, QPainter  # noqa: E402
from PySide6.QtSvg import QSvgRenderer  # noqa: E402

from app.ui.theme import DARK, LIGHT  # noqa: E402

SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
MARK = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
  <path fill="{accent}" d="M8 4h24a28 28 0 0 1 28 28v24a4 4 0 0 1-4 4H32A28 28 0 0 1 4 32V8a4 4 0 0 1 4-4z"/>
  <circle cx="32" cy="32" r="16" fill="{paper}"/>
  <circle cx="32" cy="32" r="8.5" fill="{accent}"/>
  <circle cx="35.4" cy="28.6" r="2.8" fill="{paper}"/>
</svg>
"""  # noqa: E501
TINTED = ("chevron-down", "check")


def draw_mark(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    svg = MARK.format(accent=LIGHT.accent, paper="#FFFFFF")
    (folder / "sightline.svg").write_text(svg, encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        image.save(str(folder / f"sightline-{size}.png"))


def tint_icons(icons: Path) -> None:
    for name in TINTED:
        plain = (icons / f"{name}.svg").read_text(encoding="utf-8")
        for theme in (LIGHT, DARK):
            ink = theme.on_accent if name == "check" else theme.ink2
            tinted = plain.replace("currentColor", ink)
            (icons / f"{name}-{theme.name}.svg").write_text(tinted, encoding="utf-8")


if __name__ == "__main__":
    draw_mark(HERE / "mark")
    tint_icons(HERE / "icons")
