"""Owns the repair of a whole markdown text that is still being written, so that it can be shown
at any moment without stray marks; how one paragraph is mended is `inline`'s to know.

Finished text is never touched: what a writer left open there may well be meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.answer.inline import close

_FENCE = re.compile(
    r"^(?P<lead>[ \t]*(?:>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+)*[ \t]*)"
    r"(?P<ticks>`{3,}(?=[^`\n]*$)|~{3,})(?P<info>[^\n]*)$",
    re.MULTILINE,
)
_LEAD = r"[ \t]*(?:>[ \t]?)*[ \t]*"
_ITEM = re.compile(rf"{_LEAD}(?:[-*+]|\d{{1,9}}[.)])(?:[ \t]+|$)")
_HEADING = re.compile(rf"{_LEAD}#{{1,6}}(?:[ \t]|$)")
_RULE = re.compile(rf"{_LEAD}(?:(?:-[ \t]*){{3,}}|(?:_[ \t]*){{3,}}|(?:\*[ \t]*){{3,}}|=+[ \t]*)$")
_DELIMITER_ROW = re.compile(r"^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_QUOTE = re.compile(r"[ ]{0,3}>")
_UNDERLINE = re.compile(r"[ \t]*(?:-{1,2}|={1,2})[ \t]*$")

# What the escapes below must not reach into: code, maths, tags, link targets, addresses.
_VERBATIM = (
    r"(`+)(?:(?!\1).|\n)*?\1|\$\$[^$]*\$\$|<[A-Za-z/][^<>\n]*>|\]\([^()\s]*\)|https?://\S+|\\."
)
_TILDE = re.compile(rf"{_VERBATIM}|(?<=\w)~(?=\w)")
_COMPARISON = re.compile(
    rf"^({_LEAD}(?:(?:[-*+]|\d{{1,9}}[.)])[ \t]+)+)>(?=[ \t]*=?[ \t]*[$€£¥]?\d)", re.MULTILINE
)
_STRONG = re.compile(rf"{_VERBATIM}|(?P<strong>\*\*(?![\s*])[^*\n]+(?<!\s)\*\*(?!\*))")
_HAIR = "\u200a"
_NO_WIDTH = "\u200b"


@dataclass(frozen=True, slots=True)
class _Code:
    """Where fenced code stands; `end` of the last is the text's when it is open."""

    start: int
    end: int
    open: bool


def repair(text: str, final: bool = True) -> str:
    """Markdown that renders without stray marks; `final` text comes back as it is."""
    if final or not text:
        return text
    fences = _fences(text)
    if fences and fences[-1].open:
        return _escape_outside(text, fences)
    floor = fences[-1].end if fences else 0
    if _half_underline(text, floor):
        return _escape_outside(text, fences) + _NO_WIDTH
    start = _last_leaf(text, floor)
    mended = _mend(text, start)
    return _escape_outside(mended, fences)


def escape(text: str) -> str:
    """Write out the `>` of a comparison at the start of an item and a `~` between two words."""
    return _escape_outside(text, _fences(text))


def polish(text: str) -> str:
    """Finished markdown for display: escaped, and `**名称：**值` gets the hair's breadth of space
    without which CommonMark does not see the bold (its section 6.2 wants a blank there)."""
    text = escape(text)
    return _STRONG.sub(_space_out, text) if "**" in text else text


def _space_out(found: re.Match[str]) -> str:
    strong = found["strong"]
    if not strong:
        return found.group()
    before = found.string[found.start() - 1 : found.start()]
    after = found.string[found.end() : found.end() + 1]
    first, last = strong[2], strong[-3]
    left = _HAIR if before.isalnum() and not first.isalnum() and first not in "`[" else ""
    right = _HAIR if after.isalnum() and not last.isalnum() and last not in "`])" else ""
    return f"{left}{strong}{right}"


def _escape_outside(text: str, fences: list[_Code]) -> str:
    if "~" not in text and ">" not in text:
        return text
    out, at = "", 0
    for fence in fences:
        out += _escape(text[at : fence.start]) + text[fence.start : fence.end]
        at = fence.end
    return out + _escape(text[at:])


def _escape(text: str) -> str:
    text = _COMPARISON.sub(r"\1\\>", text)
    return _TILDE.sub(lambda found: "\\~" if found.group() == "~" else found.group(), text)


def _fences(text: str) -> list[_Code]:
    out: list[_Code] = []
    opened: re.Match[str] | None = None
    for found in _FENCE.finditer(text) if "```" in text or "~~~" in text else ():
        if opened is None:
            opened = found
        elif _ends(opened, found):
            out.append(_Code(opened.start(), found.end(), open=False))
            opened = None
    if opened is not None:
        out.append(_open_fence(text, opened))
    return out


def _ends(opened: re.Match[str], found: re.Match[str]) -> bool:
    return found["ticks"].startswith(opened["ticks"]) and not found["info"].strip()


def _open_fence(text: str, opened: re.Match[str]) -> _Code:
    """A fence inside a quotation ends with it, closed or not."""
    if ">" in opened["lead"]:
        after = re.compile(r"\n(?![ \t]*>).").search(text, opened.end())
        if after:
            return _Code(opened.start(), after.start(), open=False)
    return _Code(opened.start(), len(text), open=True)


# --- finding the leaf that is being written -----------------------------------------------------


def _last_leaf(text: str, floor: int) -> int:
    """Where the last paragraph, item, heading or cell begins; not before `floor`."""
    end = len(text.rstrip())
    at = end
    while at > floor:
        begin = max(text.rfind("\n", 0, at) + 1, floor)
        line = text[begin:at]
        if not line.strip(" \t>"):
            return min(at + 1, end)
        if _RULE.match(line) and at != end:
            return at + 1
        if item := _ITEM.match(line):
            return begin + item.end()
        if _HEADING.match(line):
            return begin if at == end else at + 1
        if _QUOTE.match(line) and not _QUOTE.match(_line_before(text, begin)):
            return begin
        at = begin - 1
    return min(floor, end)


def _line_before(text: str, begin: int) -> str:
    return text[text.rfind("\n", 0, max(begin - 1, 0)) + 1 : max(begin - 1, 0)]


def _half_underline(text: str, floor: int) -> bool:
    """Whether the last line would, for this moment only, make the one above it a heading."""
    begin = text.rfind("\n") + 1
    if begin <= floor or not _UNDERLINE.match(text, begin):
        return False
    above = _line_before(text, begin)
    others = (_ITEM, _HEADING, _RULE, _QUOTE)
    return bool(above.strip()) and not any(other.match(above) for other in others)


def _mend(text: str, start: int) -> str:
    body = text[start:]
    lines = body.rstrip().split("\n")
    at_line_start = start == 0 or text[start - 1] == "\n"
    if at_line_start and body.startswith(("    ", "\t")) and not _inside_item(text, start):
        return text  # indented code
    if _is_table(lines):
        return text[: len(text) - len(body)] + _mend_row(body)
    return text[:start] + close(body, task=start > 0 and text[start - 1] in " \t")


def _inside_item(text: str, start: int) -> bool:
    """Whether an indented line goes on with a list item above it."""
    for line in reversed(text[:start].split("\n")):
        if line.strip() and not line.startswith((" ", "\t")):
            return bool(_ITEM.match(line))
    return False


def _is_table(lines: list[str]) -> bool:
    return any(map(begins_table, lines[:-2], lines[1:-1]))


def begins_table(head: str, line: str) -> bool:
    """Whether `line` is the row of dashes below the head of a table."""
    if "|" not in line or not _DELIMITER_ROW.match(line):
        return False
    return "|" in head and _cells(head) == _cells(line)


def _cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row.strip(" \t>").removeprefix("|").removesuffix("|")))


def _mend_row(body: str) -> str:
    """Only the last cell of a table's last row is being written; its bar stays behind it."""
    row = body.rstrip()
    tail = body[len(row) :]
    bar = ""
    if row.endswith("|") and not row.endswith("\\|"):
        inner = row[:-1].rstrip()
        bar, row = row[len(inner) :], inner
    cell = max(row.rfind("|"), row.rfind("\n")) + 1
    lead = len(row[cell:]) - len(row[cell:].lstrip())
    return row[: cell + lead] + close(row[cell + lead :]) + bar + tail
