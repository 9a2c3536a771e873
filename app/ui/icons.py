"""Icons drawn from the shelf's SVG files in one theme's ink; knows no widget by name."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.ui.assets import ICONS, MARK
from app.ui.theme import Theme

ICON = 18  # px
STROKE = 1.75


class Icons:
    """Draws icons for one theme and keeps them; a theme of another colour has its own."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._drawn: dict[tuple[str, str, int], QIcon] = {}

    def icon(self, name: str, ink: str = "ink", size: int = ICON) -> QIcon:
        """The icon `name` in the theme's colour called `ink`, faded where disabled."""
        key = (name, ink, size)
        if key not in self._drawn:
            icon = QIcon(self.pixmap(name, ink, size))
            icon.addPixmap(self.pixmap(name, ink, size), QIcon.Mode.Selected)  # else Qt tints it
            icon.addPixmap(_faded(self.pixmap(name, ink, size)), QIcon.Mode.Disabled)
            self._drawn[key] = icon
        return self._drawn[key]

    def pixmap(self, name: str, ink: str = "ink", size: int = ICON) -> QPixmap:
        colour = str(getattr(self.theme, ink))
        svg = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
        svg = svg.replace("currentColor", colour)
        svg = svg.replace('stroke-width="2"', f'stroke-width="{STROKE}"')
        return _render(svg, size)


def mark(size: int) -> QPixmap:
    """The program's own mark."""
    return _render((MARK / "sightline.svg").read_text(encoding="utf-8"), size)


def window_icon() -> QIcon:
    icon = QIcon()
    for size in (16, 32, 48, 128):
        icon.addFile(str(MARK / f"sightline-{size}.png"), QSize(size, size))
    return icon


def _render(svg: str, size: int) -> QPixmap:
    ratio = QGuiApplication.instance().devicePixelRatio()  # type: ignore[union-attr]
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def _faded(pixmap: QPixmap) -> QPixmap:
    faded = QPixmap(pixmap.size())
    faded.setDevicePixelRatio(pixmap.devicePixelRatio())
    faded.fill(Qt.GlobalColor.transparent)
    painter = QPainter(faded)
    painter.setOpacity(0.4)
    painter.drawPixmap(0, 0, pixmap)
    painter.end()
    return faded
