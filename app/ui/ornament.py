"""What stands behind and beside the text of a page: cards of code, bars of quotes, marks of lists,
rules and the ground of code in a line; draws what is in sight and knows no widget."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QTextBlock,
    QTextLine,
)

from app.ui.document import Code, Document
from app.ui.formats import HEAD, KIND, LIST, MARKER, PAD, PILL, WITHIN, left_of
from app.ui.theme import RADIUS, SMALL, TEXT

LINE = 20  # px, a line of code


def card(document: Document, code: Code, width: float) -> QRectF:
    """The rectangle of one piece of code with its head."""
    first = document.text.findBlock(code.start)
    last = document.text.findBlockByNumber(first.blockNumber() + code.lines - 1)
    layout = document.text.documentLayout()
    top = layout.blockBoundingRect(first).top() - HEAD
    bottom = _foot(last, layout.blockBoundingRect(last).top()) + PAD - 4
    left = left_of(str(first.blockFormat().property(WITHIN) or ""))
    return QRectF(left, top, width - left, bottom - top)


class Ornament:
    """Draws beside one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        theme = document.formats.theme
        self._line = QColor(theme.line)
        self._ground = QColor(theme.code)
        self._pill = QColor(theme.hover)
        self._quiet = QColor(theme.ink2)
        self._accent = QColor(theme.accent)
        self._on_accent = QColor(theme.on_accent)

    def draw(self, painter: QPainter, clip: QRectF, width: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_cards(painter, clip, width)
        for block in self._blocks(clip):
            self._draw_block(painter, block, width)

    def _blocks(self, clip: QRectF) -> Iterator[QTextBlock]:
        text = self._document.text
        layout = text.documentLayout()
        above = layout.hitTest(QPointF(0, clip.top()), Qt.HitTestAccuracy.FuzzyHit)
        block = text.findBlock(max(above, 0))
        if block.previous().isValid():
            block = block.previous()
        while block.isValid() and layout.blockBoundingRect(block).top() <= clip.bottom() + HEAD:
            yield block
            block = block.next()

    def _draw_cards(self, painter: QPainter, clip: QRectF, width: float) -> None:
        codes = self._document.codes
        above = self._document.text.documentLayout().hitTest(
            QPointF(0, clip.top()), Qt.HitTestAccuracy.FuzzyHit
        )
        at = max(0, bisect_right([code.start for code in codes], above) - 1)
        for code in codes[at:]:
            rect = card(self._document, code, width)
            if rect.top() > clip.bottom():
                return
            self._draw_card(painter, code, rect)

    def _draw_card(self, painter: QPainter, code: Code, rect: QRectF) -> None:
        painter.setPen(QPen(self._line, 1))
        painter.setBrush(self._ground)
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setFont(self._sized(SMALL))
        painter.setPen(self._quiet)
        head = QRectF(rect.left() + PAD, rect.top() + 2, rect.width() - 2 * PAD, HEAD - 4)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, code.language or "text")

    def _draw_block(self, painter: QPainter, block: QTextBlock, width: float) -> None:
        form = block.blockFormat()
        kind = form.property(KIND)
        if kind is None:
            self._draw_pills(painter, block)
            return
        within = str(form.property(WITHIN) or "")
        if "q" in within:
            self._draw_bars(painter, block, within)
        if kind == "rule":
            top = self._top(block)
            painter.fillRect(QRectF(left_of(within), top, width - left_of(within), 1), self._line)
        elif kind != "code":
            self._draw_pills(painter, block)
        if marker := form.property(MARKER):
            self._draw_marker(painter, block, str(marker), left_of(within))

    def _draw_bars(self, painter: QPainter, block: QTextBlock, within: str) -> None:
        rect = self._document.text.documentLayout().blockBoundingRect(block)
        before = str(block.previous().blockFormat().property(WITHIN) or "")
        for at, kind in enumerate(within):
            if kind == "q":
                joined = before[: at + 1] == within[: at + 1]
                top = rect.top() - (block.blockFormat().topMargin() if joined else 0)
                left = left_of(within[:at])
                painter.fillRect(
                    QRectF(left, top, 3, _foot(block, rect.top()) + 1 - top), self._line
                )

    def _draw_marker(self, painter: QPainter, block: QTextBlock, marker: str, left: int) -> None:
        line = block.layout().lineAt(0)
        if not line.isValid():
            return
        base = self._top(block) + line.y() + line.ascent()
        if marker.startswith("["):
            self._draw_task(painter, QRectF(left - LIST + 4, base - 12, 14, 14), "x" in marker)
            return
        if marker == "•":
            self._draw_bullet(painter, left, base, depth=self._depth(block))
            return
        painter.setFont(self._sized(TEXT))
        painter.setPen(self._quiet)
        wide = QFontMetricsF(painter.font()).horizontalAdvance(marker)
        painter.drawText(QPointF(left - 8 - wide, base), marker)

    def _depth(self, block: QTextBlock) -> int:
        return str(block.blockFormat().property(WITHIN)).count("l")

    def _draw_bullet(self, painter: QPainter, left: int, base: float, *, depth: int) -> None:
        painter.setPen(QPen(self._quiet, 1.2))
        painter.setBrush(self._quiet if depth % 2 else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(left - 13, base - 5), 2.4, 2.4)

    def _draw_task(self, painter: QPainter, box: QRectF, done: bool) -> None:
        painter.setPen(QPen(self._accent if done else self._quiet, 1.3))
        painter.setBrush(self._accent if done else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3.5, 3.5)
        if done:
            tick = QPainterPath(QPointF(box.left() + 3.6, box.top() + 7.3))
            tick.lineTo(box.left() + 6.2, box.top() + 9.8)
            tick.lineTo(box.left() + 10.6, box.top() + 4.8)
            painter.setPen(QPen(self._on_accent, 1.7))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(tick)

    def _draw_pills(self, painter: QPainter, block: QTextBlock) -> None:
        layout = block.layout()
        place = self._document.text.documentLayout().blockBoundingRect(block).topLeft()
        origin = QPointF(place.x() if block.blockFormat().property(KIND) is None else 0, place.y())
        for part in block.textFormats():
            if not part.format.property(PILL):
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._pill)
            for number in range(layout.lineCount()):
                rect = _stretch(layout.lineAt(number), part.start, part.start + part.length)
                if rect is not None:
                    painter.drawRoundedRect(rect.translated(origin), 4, 4)

    def _top(self, block: QTextBlock) -> float:
        return self._document.text.documentLayout().blockBoundingRect(block).top()

    def _sized(self, pixels: int) -> QFont:
        font = QFont(self._document.text.defaultFont())
        font.setPixelSize(pixels)
        return font


def _foot(block: QTextBlock, top: float) -> float:
    """Where a block that begins at `top` ends: Qt's own rectangle forgets the fixed line height."""
    lines = block.layout().lineCount()
    if not lines:
        return top + LINE
    last = block.layout().lineAt(lines - 1)
    return top + last.y() + last.height()


def _stretch(line: QTextLine, start: int, end: int) -> QRectF | None:
    """Where the characters from `start` to `end` stand on a line, with a little air."""
    first, last = line.textStart(), line.textStart() + line.textLength()
    if start >= last or end <= first:
        return None
    left, right = _x(line, max(start, first)), _x(line, min(end, last))
    middle = line.y() + line.ascent() - 4.5
    return QRectF(left - 2, middle - 9, right - left + 4, 18)


def _x(line: QTextLine, position: int) -> float:
    found = line.cursorToX(position)  # (x, position); PySide's stubs say object
    return float(found[0] if isinstance(found, tuple) else found)  # type: ignore[arg-type]
