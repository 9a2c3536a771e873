"""One theme as the formats of a text document, made once; knows no text, no widget."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontDatabase,
    QTextBlockFormat,
    QTextCharFormat,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTableCellFormat,
    QTextTableFormat,
)

from app.ui.highlight import Part
from app.ui.rows import UNFINISHED, Align, Grid, Piece, Row, Run
from app.ui.theme import CODE, LINE_HEIGHT, SPACE, TEXT, Theme

_USER = QTextFormat.Property.UserProperty.value
KIND, WITHIN, MARKER, PILL = (_USER + offset for offset in (1, 2, 3, 4))  # own properties

LIST = 26  # px that a list stands in
QUOTE = 18  # px that a quote stands in
PAD = 14  # px between a card of code and its text
HEAD = 34  # px of a card's head, with the language and the button
HEADINGS = {1: (20, 28), 2: (17, 26), 3: (15, 24)}  # level: px, px a line
ALIGNS = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}
MONO = ("JetBrains Mono", "SF Mono", "Menlo", "Cascadia Mono", "Consolas", "Noto Sans Mono")
MONO_CJK = ("Noto Sans Mono CJK SC", "Noto Sans CJK SC")


class Formats:
    """The formats of one theme. `quiet` sets everything in the secondary ink: thinking."""

    def __init__(self, theme: Theme, *, quiet: bool = False) -> None:
        self.theme = theme
        self.ink = QColor(theme.ink2 if quiet else theme.ink)
        self._mono = mono_families()
        self._chars: dict[tuple[object, ...], QTextCharFormat] = {}
        self._blocks: dict[tuple[object, ...], QTextBlockFormat] = {}
        self.parts = {part: self._part(part) for part in PARTS}
        self.seam = _seam()
        self.seam_char = self._sized(1)

    def char(self, run: Run, row: Row | None = None) -> QTextCharFormat:
        """How a run is set; in the line `row`, or in a table."""
        level = row.level if row is not None else 0
        code = row is not None and row.kind == "code"
        key = (run.bold, run.italic, run.strike, run.code, run.math, run.link, level, code)
        if key not in self._chars:
            self._chars[key] = self._char(run, level, code)
        return self._chars[key]

    def block(self, row: Row, after: Piece | None) -> QTextBlockFormat:
        """How a row stands on the page below the piece `after`."""
        gap = _gap(row, after)
        key = (row.kind, row.level, row.within, row.marker, gap)
        if key not in self._blocks:
            self._blocks[key] = _block(row, gap)
        return self._blocks[key]

    def cell_block(self, align: Align) -> QTextBlockFormat:
        made = QTextBlockFormat()
        made.setAlignment(ALIGNS[align])
        _line_height(made, 20)
        return made

    def table(self, grid: Grid, after: Piece | None) -> QTextTableFormat:
        made = QTextTableFormat()
        made.setBorder(1)
        made.setBorderCollapse(True)
        made.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        made.setBorderBrush(QBrush(QColor(self.theme.line)))
        made.setCellSpacing(0)
        made.setCellPadding(0)
        made.setHeaderRowCount(1)
        made.setTopMargin(0 if after is None else SPACE[2] + _pad(after))
        made.setLeftMargin(left_of(grid.within))
        limit = QTextLength(QTextLength.Type.VariableLength, 0)
        made.setColumnWidthConstraints([limit] * len(grid.aligns))
        return made

    def cell(self, *, head: bool) -> QTextTableCellFormat:
        made = QTextTableCellFormat()
        made.setLeftPadding(12)
        made.setRightPadding(12)
        made.setTopPadding(6)
        made.setBottomPadding(6)
        if head:
            made.setBackground(QColor(self.theme.raised if self.theme.dark else self.theme.panel))
        return made

    def _char(self, run: Run, level: int, code: bool) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(self.ink)
        if run.code or run.math or code:
            made.setFontFamilies(self._mono)
            made.setProperty(QTextFormat.Property.FontPixelSize, CODE)
        elif level:
            made.setProperty(QTextFormat.Property.FontPixelSize, HEADINGS.get(level, (TEXT, 0))[0])
        made.setFontWeight(QFont.Weight.DemiBold if run.bold or level else QFont.Weight.Normal)
        made.setFontItalic(run.italic)
        made.setFontStrikeOut(run.strike)
        if run.code and not run.link:
            made.setProperty(PILL, True)
        if run.link:
            made.setAnchor(run.link != UNFINISHED)
            made.setAnchorHref(run.link if run.link != UNFINISHED else "")
            made.setForeground(QColor(self.theme.accent))
            made.setFontUnderline(True)
        return made

    def _part(self, part: Part) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(QColor(str(getattr(self.theme, f"syntax_{part}"))))
        return made

    def _sized(self, pixels: int) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setProperty(QTextFormat.Property.FontPixelSize, pixels)
        return made


PARTS: tuple[Part, ...] = ("keyword", "string", "comment", "number", "name")


def mono_families() -> list[str]:
    """The first fixed-width face this machine has, its own before ours, with Chinese behind."""
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    known = set(QFontDatabase.families())
    first = next((name for name in MONO if name in known), system)
    return [first, system, *MONO_CJK]


def left_of(within: str) -> int:
    """How far in, in px, what is `within` these containers stands."""
    return within.count("l") * LIST + within.count("q") * QUOTE


def _block(row: Row, gap: int) -> QTextBlockFormat:
    made = QTextBlockFormat()
    made.setTopMargin(gap)
    made.setLeftMargin(left_of(row.within) + (PAD if row.kind == "code" else 0))
    made.setProperty(KIND, row.kind)
    made.setProperty(WITHIN, row.within)
    if row.kind == "code":
        made.setRightMargin(PAD)
        _line_height(made, 20)
    elif row.kind == "rule":
        _line_height(made, 1)
    elif row.kind == "heading":
        _line_height(made, HEADINGS.get(row.level, (0, 22))[1])
        made.setHeadingLevel(row.level)
    else:
        _line_height(made, round(TEXT * LINE_HEIGHT))
    if row.marker:
        made.setProperty(MARKER, row.marker)
    return made


def _seam() -> QTextBlockFormat:
    """The empty line that a document keeps behind a table, as low as it gets."""
    made = QTextBlockFormat()
    _line_height(made, 1)
    return made


def _line_height(made: QTextBlockFormat, pixels: int) -> None:
    made.setLineHeight(pixels, QTextBlockFormat.LineHeightTypes.FixedHeight.value)


def _gap(row: Row, after: Piece | None) -> int:
    """White above a row, by what stands there: only ever what came before decides, so that a
    line never moves when the next one comes."""
    head = HEAD if row.kind == "code" and row.first else 0
    if after is None:
        return head
    if row.kind == "code" and not row.first:
        return 0
    return _space(row, after) + _pad(after) + head


def _space(row: Row, after: Piece) -> int:
    if row.kind == "rule" or (isinstance(after, Row) and after.kind == "rule"):
        return SPACE[4] - 4
    if row.kind == "heading":
        return SPACE[4] if row.level <= 2 else SPACE[3] + 4
    if isinstance(after, Row) and after.kind == "heading":
        return SPACE[1]
    if row.marker:
        return SPACE[0] + 2 if "l" in after.within else SPACE[1]
    if isinstance(after, Row) and after.kind == "text" and not after.runs:
        return 0  # code right behind a list's mark
    return SPACE[1] if row.within else SPACE[2]


def _pad(after: Piece) -> int:
    return PAD - 2 if isinstance(after, Row) and after.kind == "code" else 0
