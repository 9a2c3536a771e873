"""The marks that chat models write around thinking, answers and boxes, and where they are only
quoted; it knows nothing of what is done with them."""

from __future__ import annotations

import re

THINK, END_THINK = "<think>", "</think>"
ANSWER, END_ANSWER = "<answer>", "</answer>"
TOOL, END_TOOL = "<tool_call>", "</tool_call>"
BOX, END_BOX = "<|begin_of_box|>", "<|end_of_box|>"

# Tokens that steer a chat and mean nothing to a reader: GLM's roles and prefix, the ends of
# other families that servers let through, and the "<None>" that GLM-4.1V writes when idle.
CONTROLS = (
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "[gMASK]",
    "<sop>",
    "<eop>",
    "</s>",
    "<None>",
)
MARKS = (THINK, END_THINK, ANSWER, END_ANSWER, TOOL, END_TOOL, BOX, END_BOX, *CONTROLS)

MARK = re.compile("|".join(re.escape(mark) for mark in MARKS))
_LONGEST = max(map(len, MARKS))
_FENCE = re.compile(r"[ ]{0,3}(?:>[ ]?)*[ \t]*(`{3,}|~{3,})(.*)")
_TICKS = re.compile(r"`+")


def partial_mark(text: str) -> int:
    """How many characters at the end of `text` may still grow into a mark."""
    tail = text[-_LONGEST + 1 :]
    for start, letter in enumerate(tail):
        if letter in "<[":
            rest = tail[start:]
            if any(mark.startswith(rest) for mark in MARKS):
                return len(rest)
    return 0


class Quotes:
    """Follows markdown as it streams and knows whether the next character stands in code."""

    def __init__(self) -> None:
        self.line = ""
        self.fence = ""

    def feed(self, text: str) -> None:
        head, newline, rest = text.rpartition("\n")
        if not newline:
            self.line += text
            return
        for line in (self.line + head).split("\n"):
            self._end_line(line)
        self.line = rest

    def _end_line(self, line: str) -> None:
        found = _FENCE.match(line)
        if not found:
            return
        ticks, info = found.groups()
        if not self.fence:
            if "`" not in info:
                self.fence = ticks
        elif ticks.startswith(self.fence) and not info.strip():
            self.fence = ""

    @property
    def in_fence(self) -> bool:
        return bool(self.fence)

    @property
    def in_span(self) -> bool:
        """Whether a code span was opened on this line and not closed yet."""
        return len(_TICKS.findall(self.line)) % 2 == 1

    @property
    def at_line_start(self) -> bool:
        return not self.line.strip()
