"""Follows one bare element of markup to its end while it streams: a page to `</html>`, a fragment
to the closing tag of its root; it does not know what stands before or after."""

from __future__ import annotations

import re

from app.answer.markup import PAGE, VOID, Start, half_escape

_PROSE_LINE = re.compile(r"[^\s<][^<\n]*(?:\n|$)")
_LOOK = 200  # characters of a line that show whether it is prose


class Element:
    """`take` is asked again and again with the text that is not consumed yet."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._page = start.root in PAGE
        self._body_over = False
        self._depth = 0
        self._inside = ""  # what hides tags: "script", "style", "comment"
        self._tokens = self._pattern()

    def _pattern(self) -> re.Pattern[str]:
        entities = self._start.escape == "entities"
        lt, gt = ("&lt;", "&gt;") if entities else ("<", ">")
        slash = r"\\?/" if self._start.escape == "string" else "/"
        root = re.escape(self._start.root)
        return re.compile(
            rf"(?P<close>{lt}{slash}{root}\s*{gt})|(?P<body>{lt}{slash}body\s*{gt})"
            rf"|(?P<open>{lt}{root}(?=[\s/]|{gt}))|{lt}(?P<hide>script|style)(?=[\s]|{gt})"
            rf"|{lt}{slash}(?P<show>script|style)\s*{gt}"
            rf"|(?P<comment>{lt}!--)|(?P<over>--{gt})|(?P<blank>\n[ \t\r]*\n)",
            re.IGNORECASE,
        )

    def take(self, text: str, final: bool) -> tuple[int, bool]:
        """How many characters of `text` are surely the element's, and whether it ends there."""
        for found in self._tokens.finditer(text):
            kind = found.lastgroup or ""
            if kind == "blank":
                verdict = self._prose_follows(text, found.end(), final)
                if verdict is None:
                    return self._again(found.start())
                if verdict:
                    return found.start(), True
            elif self._ends(kind, found[kind].lower()):
                return found.end(), True
            elif self._void_root(kind):
                return self._end_of_tag(text, found.end(), final)
        return self._again(len(text) - (0 if final else self._unsure(text)))

    def _again(self, count: int) -> tuple[int, bool]:
        return count, False

    def _ends(self, kind: str, word: str) -> bool:
        """Take one token in; whether the element is over with it."""
        if self._inside:
            if word == self._inside or (kind == "over" and self._inside == "comment"):
                self._inside = ""
                return word == self._start.root  # a bare <script> is its own root
            return kind == "close" and self._inside == self._start.root
        match kind:
            case "open":
                self._depth += 1
                self._inside = word.lstrip("<&lt;") if self._hides() else ""
            case "close":
                self._depth -= 1
                return self._depth <= 0 or self._start.root == "html"
            case "body":
                self._body_over = True
            case "hide":
                self._inside = word
            case "comment":
                self._inside = "comment"
        return False

    def _hides(self) -> bool:
        return self._start.root in ("script", "style")

    def _void_root(self, kind: str) -> bool:
        return kind == "open" and bool(VOID.fullmatch(self._start.root))

    def _end_of_tag(self, text: str, at: int, final: bool) -> tuple[int, bool]:
        end = text.find(">", at) + 1
        self._depth = 0
        return (end, True) if end else (len(text) if final else 0, False)

    def _prose_follows(self, text: str, at: int, final: bool) -> bool | None:
        """Whether, after a blank line, the writer goes on in plain words."""
        if self._inside or (self._page and not self._body_over):
            return False
        rest = text[at:].lstrip("\r\n")[:_LOOK]
        if not final and (not rest or ("\n" not in rest and "<" not in rest and len(rest) < _LOOK)):
            return None
        return bool(_PROSE_LINE.match(rest))

    def _unsure(self, text: str) -> int:
        """How much at the end may be half a token or half an escape."""
        half = re.search(r"(?:(?:<|&l)[^>\n]{0,18}|&|-{1,2}(?:&\w{0,2})?|\n[ \t\r]*)\Z", text[-40:])
        return max(len(half.group()) if half else 0, half_escape(text[-40:], self._start.escape))
