"""Owns the question whether a line of an answer begins bare markup (a page, a fragment, an SVG
picture, a Vue component), and how that is escaped; it does not change any text."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Literal

Escape = Literal["none", "string", "entities"]
Wait = Literal["wait"]

PAGE = frozenset({"!doctype", "html", "head", "body"})
# Elements that a writer of markdown has no use for: a line that begins with one begins markup.
_STRUCTURE = re.compile(
    r"div|section|article|main|header|footer|nav|aside|form|table|[uod]l|template|script|style|svg"
    r"|canvas|fieldset|figure|video|audio|iframe|select|button"
)
# Elements that also turn up in markdown: markup only where the element fills its line.
_TEXTUAL = re.compile(r"p|h[1-6]|label|textarea|meta|link|title")
VOID = re.compile(r"meta|link|input|img|br|hr|source|area|base|col|embed|track|wbr")

_START = re.compile(
    r"(?P<quote>[\"']?)(?P<open><|&lt;)(?P<name>!doctype(?=\s+html)|[a-z][\w-]*)", re.IGNORECASE
)
_HALF_START = re.compile(
    r"[\"']?(?:&(?:lt?)?|(?:<|&lt;)(?:!|!?[a-z][\w-]*\s*[a-z]*)?)?", re.IGNORECASE
)
_TAG_BODY = re.compile(
    r"(?:[^<>\"'\\]|\\?\"(?:[^\"\\]|\\[^\"])*\\?\"|\\?'(?:[^'\\]|\\[^'])*\\?'|\\.)*"
)
_ENTITY_BODY = re.compile(r"(?:(?!&[lg]t;)[^<>])*")
_JSX = re.compile(r"\bclassName=|=\{|\{/\*|=>|\{`")
_LINE_LOOK = 600  # characters of a first line that settle what it is
_TAG_LOOK = 2400  # the longest first tag


@dataclass(frozen=True, slots=True)
class Start:
    """Markup begins here: the root element to watch, and how the text of it is escaped."""

    root: str
    escape: Escape
    quote: str  # the quotation mark around the whole
    language: str


def recognise(text: str, final: bool) -> Start | Wait | None:
    """Whether `text`, from the first letter of a line, is markup; "wait": more text will tell."""
    found = _START.match(text)
    if not found or (found.end() == len(text) and not final):
        half = _HALF_START.fullmatch(text) if len(text) < 40 else None
        return "wait" if half and not final else None
    name = found["name"].lower()
    if name not in PAGE and not _STRUCTURE.fullmatch(name) and not _TEXTUAL.fullmatch(name):
        return None
    escaped = found["open"] == "&lt;"
    body = (_ENTITY_BODY if escaped else _TAG_BODY).match(text, found.end())
    end = body.end() if body else found.end()
    closer = "&gt;" if escaped else ">"
    if "\n\n" in text[:end] or end > _TAG_LOOK:
        return None
    if not text.startswith(closer, end):
        return _unclosed(text, found, end, final)
    if name in PAGE:
        return _page(text, found, end + len(closer), final)
    return None if escaped else _fragment(text, found, end + 1, final)


def _start(found: re.Match[str], escape: Escape) -> Start:
    name = found["name"].lower()
    root = "html" if name == "!doctype" else name
    return Start(root, escape, found["quote"], "vue" if root == "template" else "html")


def _unclosed(text: str, found: re.Match[str], end: int, final: bool) -> Start | Wait | None:
    """The first tag has no end yet."""
    if "\n\n" in text or len(text) > _TAG_LOOK or text[end : end + 1] in ("<", ">"):
        return None
    if not final:
        return "wait"
    rest = text[found.end() :]
    looks = re.fullmatch(r"(?:\s+[\w:@.-]+(?:=(?:\"[^\"]*\"?|'[^']*'?)?)?)*\s*", rest)
    return _start(found, "none") if looks and not _JSX.search(text) else None


def _page(text: str, found: re.Match[str], end: int, final: bool) -> Start | Wait | None:
    rest = text[end:]
    after = rest.lstrip(" \t\r")
    if not final and (not after or after == "\\"):
        return "wait"
    if found["open"] == "&lt;":
        return _start(found, "entities") if not after or after[0] in "\n&" else None
    if "\\" in text[:end] or re.match(r"(?:\\r)?\\[nt]", after):
        return _start(found, "string")
    if after.startswith("<"):
        return _second_tag(found, after, final)
    return _start(found, "none") if not after or after[0] == "\n" else None


def _second_tag(found: re.Match[str], after: str, final: bool) -> Start | Wait:
    """Right behind the first tag stands another: it may be the one that shows the escapes."""
    stop = re.search(r">.{2}|\n", after[:_LINE_LOOK])
    if not stop and not final and len(after) < _LINE_LOOK:
        return "wait"
    head = after[: stop.end() if stop else _LINE_LOOK]
    return _start(found, "string" if re.search(r"\\[\"'nt]", head) else "none")


def _fragment(text: str, found: re.Match[str], end: int, final: bool) -> Start | Wait | None:
    line, newline, _ = text[: _LINE_LOOK + end].partition("\n")
    if not newline and not final and len(line) < _LINE_LOOK + end:
        return "wait"
    name, rest = found["name"].lower(), line[end:].strip()
    if found["quote"] or _JSX.search(line):
        return None
    if rest.startswith("\\n") and line.rstrip().endswith(">"):
        return _start(found, "string")
    whole = rest.endswith(">") and not line[end : end + 1].isspace()
    if _TEXTUAL.fullmatch(name):
        fills = rest.lower().endswith(f"</{name}>") and whole
        alone = bool(VOID.fullmatch(name)) and not rest
        return _start(found, "none") if fills or alone else None
    cut = not newline and not line[end : end + 1].isspace()
    fits = not rest or whole or rest.startswith("<") or cut
    return _start(found, "none") if fits else None


_STRING_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "", "b": "", "f": ""}


def decode(text: str, escape: Escape) -> str:
    """`text` with its escapes undone, once."""
    if escape == "entities":
        return html.unescape(text)
    if escape == "string":
        return _STRING_ESCAPE.sub(_unescape, text)
    return text


def _unescape(found: re.Match[str]) -> str:
    code, letter = found.groups()
    if code:
        return chr(int(code, 16))
    return _LETTERS.get(letter, letter if letter in "\\\"'/`" else found.group())


def half_escape(text: str, escape: Escape) -> int:
    """How many characters at the end of `text` may be the beginning of an escape."""
    if escape == "string":
        found = re.search(r"(?<!\\)(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)\Z", text)
        return len(found[1]) if found else 0
    if escape == "entities":
        found = re.search(r"&#?\w{0,8}\Z", text)
        return len(found[0]) if found else 0
    return 0
