"""One of several to choose from, in two lines: its name and what is to be known of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QRadioButton, QSizePolicy

from app.ui.look import Look
from app.ui.theme import RADIUS, SMALL, TEXT

HEIGHT = 54  # px
_EDGE = 14  # px from the sides to what is drawn
_DOT = 16  # px
_TEXT = _EDGE + _DOT + 12  # px where the words begin


class Choice(QRadioButton):
    """A radio button; those in one parent are alternatives."""

    def __init__(self, look: Look, name: str, details: str) -> None:
        super().__init__()
        self._look = look
        self._name = name
        self._details = details
        self.setAccessibleName(name)
        self.setAccessibleDescription(details)
        self.setToolTip(f"{name}\n{details}")
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        look.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(240, HEIGHT)

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() and self.isEnabled():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.hover))
            painter.drawRoundedRect(self.rect(), RADIUS - 2, RADIUS - 2)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inner = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(inner, RADIUS - 2, RADIUS - 2)
        self._draw_dot(painter)
        self._draw_words(painter)

    def _draw_dot(self, painter: QPainter) -> None:
        theme = self._look.theme
        ring = QRectF(_EDGE, (self.height() - _DOT) / 2, _DOT, _DOT)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent))
            painter.drawEllipse(ring)
            painter.setBrush(QColor(theme.on_accent))
            painter.drawEllipse(ring.adjusted(5, 5, -5, -5))
        elif self.isEnabled():
            painter.setPen(QPen(QColor(theme.edge), 1))
            painter.setBrush(QColor(theme.raised))
            painter.drawEllipse(ring.adjusted(0.5, 0.5, -0.5, -0.5))

    def _draw_words(self, painter: QPainter) -> None:
        theme, width = self._look.theme, self.width() - _TEXT - _EDGE
        name = self._face(TEXT, bold=self.isChecked())
        details = self._face(SMALL)
        for font, text, ink, top in (
            (name, self._name, theme.ink if self.isEnabled() else theme.ink2, 7),
            (details, self._details, theme.ink2, 28),
        ):
            painter.setFont(font)
            painter.setPen(QColor(ink))
            shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            place = QRect(_TEXT, top, width, 20)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)

    def _face(self, size: int, *, bold: bool = False) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(size)
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font
