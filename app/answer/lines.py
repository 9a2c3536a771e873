"""Knows what one line of markdown begins at the top level of a document (CommonMark 0.31, 4 and
5); it does not remember the lines before."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["none", "paragraph", "list", "quote", "fence", "maths", "html", "raw", "indented"]

FENCE = re.compile(r"(?P<lead> {0,3})(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]+\S|[ \t]*$)")
NESTED_FENCE = re.compile(
    r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?P<ticks>`{3,}|~{3,})(?P<info>.*)$"
)
HALF_CLOSER = re.compile(r"[ \t]*(?:`*|~*)[ \t\r]*")

_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})$")
_UNDERLINE = re.compile(r" {0,3}(?:-+|=+)[ \t]*$")
_QUOTE = re.compile(r" {0,3}>")
_MARKER = re.compile(r"( {0,3}(?:[-*+]|\d{1,9}[.)]))([ \t]*)")
_FIRST_ITEM = re.compile(r" {0,3}(?:[-*+]|1[.)])[ \t]+\S")
# Raw blocks end with a mark of their own, the others with a blank line (CommonMark 4.6).
_RAW = re.compile(
    r" {0,3}<(?:(script|pre|style|textarea)(?=[\s>]|$)|!--|\?|!\[CDATA\[|![a-z])", re.I
)
_RAW_ENDS = re.compile(r"</(?:script|pre|style|textarea)>|-->|\?>|\]\]>", re.IGNORECASE)
_HTML = re.compile(
    r" {0,3}</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup"
    r"|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]"
    r"|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option"
    r"|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?=[\s/>]|$)",
    re.IGNORECASE,
)


def starts(line: str) -> Kind | Literal["line"]:
    """The block that `line` begins where none is open; "line": it is a whole block by itself."""
    if line.startswith(("    ", "\t")):
        return "indented"
    if _HEADING.match(line) or _RULE.match(line):
        return "line"
    if fence(line):
        return "fence"
    if _QUOTE.match(line):
        return "quote"
    if ITEM.match(line):
        return "list"
    if _RAW.match(line):
        return "line" if _RAW_ENDS.search(line) else "raw"
    if _HTML.match(line):
        return "html"
    opens_maths = line.lstrip().startswith("$$") and "$$" not in line.lstrip()[2:]
    return "maths" if opens_maths else "paragraph"


def interrupts(line: str) -> bool:
    """Whether `line` ends a paragraph without a blank line between."""
    patterns = (_HEADING, _RULE, _QUOTE, _FIRST_ITEM, _RAW, _HTML)
    return any(pattern.match(line) for pattern in patterns) or fence(line) is not None


def ends_list(line: str) -> bool:
    """Whether `line`, without indent or blank line before, stands behind a list."""
    patterns = (_HEADING, _RULE, _QUOTE, _RAW, _HTML)
    return any(pattern.match(line) for pattern in patterns) or fence(line) is not None


def indent(line: str) -> int:
    """Columns of white space at the start, a tab counting to the next multiple of four."""
    return len(line) - len(line.lstrip(" ")) if "\t" not in line else _columns(line)


def _columns(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" "))


def content_of_item(line: str) -> int:
    """The column where the text of a list item begins (CommonMark 5.2)."""
    found = _MARKER.match(line)
    if not found or not ITEM.match(line):
        return 0
    spaces = len(found[2])
    return len(found[1]) + (spaces if 1 <= spaces <= 4 and found.end() < len(line) else 1)


def fence(line: str) -> re.Match[str] | None:
    found = FENCE.match(line)
    return None if found and found["ticks"][0] == "`" and "`" in found["info"] else found


def closes(line: str, ticks: str) -> bool:
    body = line.strip()
    return body.startswith(ticks) and not body.strip(ticks[0]) and not line.startswith("    ")


def underlines(line: str) -> bool:
    return bool(_UNDERLINE.match(line))


def ends_raw(line: str) -> bool:
    return bool(_RAW_ENDS.search(line))
