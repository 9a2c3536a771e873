"""What a selection in a page says as plain text: the marks of lists and the cells of tables, which
are drawn or framed, are written out; knows no widget."""

from __future__ import annotations

from PySide6.QtGui import QTextBlock, QTextCursor

from app.ui.formats import KIND, MARKER, WITHIN


def clip(cursor: QTextCursor) -> str:
    """The selected text, one line a row."""
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    block = cursor.document().findBlock(start)
    said = ""
    before: QTextBlock | None = None
    while block.isValid() and block.position() <= end:
        words = _words(block, start, end)
        if words is not None:
            said += ("" if before is None else _between(before, block)) + words
            before = block
        block = block.next()
    return said.replace("\u2028", "\n")


def _words(block: QTextBlock, start: int, end: int) -> str | None:
    """The selected part of a block with its mark; nothing for the empty line behind a table."""
    kind = block.blockFormat().property(KIND)
    if kind is None and not _in_table(block):
        return None
    first = max(0, start - block.position())
    text = block.text().encode("utf-16-le", "surrogatepass")
    part = text[2 * first : 2 * (end - block.position())].decode("utf-16-le", "replace")
    if kind == "rule":
        return "---"
    marker = block.blockFormat().property(MARKER)
    if not marker or first > 0:
        return part
    depth = str(block.blockFormat().property(WITHIN)).count("l")
    return "  " * (depth - 1) + _mark(str(marker)) + part


def _mark(marker: str) -> str:
    if marker == "•":
        return "- "
    return f"- {marker} " if marker.startswith("[") else f"{marker} "


def _between(before: QTextBlock, block: QTextBlock) -> str:
    """What parts two rows: a tab between cells, a line in code and lists, else an empty line."""
    if _in_table(before) and _in_table(block):
        return "\t" if _line(before) == _line(block) else "\n"
    forms = before.blockFormat(), block.blockFormat()
    if all(form.property(KIND) == "code" for form in forms):
        return "\n"
    listed = bool(forms[1].property(MARKER)) and "l" in str(forms[0].property(WITHIN))
    return "\n" if listed else "\n\n"


def _in_table(block: QTextBlock) -> bool:
    return QTextCursor(block).currentTable() is not None


def _line(block: QTextBlock) -> int:
    cursor = QTextCursor(block)
    return cursor.currentTable().cellAt(cursor).row()
