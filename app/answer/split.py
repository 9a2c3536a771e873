"""Owns the split of a model's raw text into thinking and answer while it streams; it does not
know where the text comes from or how it is shown.

The rules follow what GLM-4.1V, 4.5V and 4.6V really write and what the reasoning parsers of vLLM
and SGLang agree on: the opening tag may be missing, doubled or late, the closing one may never
come, a tool call ends the thinking. Where text was already given out as answer and turns out to
have been thinking, a `Retract` takes it back.
"""

from __future__ import annotations

from typing import Literal

from app.answer import tags
from app.answer.tags import MARK, Quotes, partial_mark
from app.vocabulary import Answer, Dialect, Event, Retract, Thinking

_Place = Literal["start", "thinking", "maybe", "answer"]
_LOOK = 240  # characters to wait for the backtick that closes a quotation
_LONGEST_ANSWER = 4000  # of an <answer> inside thinking that was never closed
_QUOTE_MARKS = "\"'“‘「『(（"


class Splitter:
    """Text in, `Thinking`, `Answer` and `Retract` out; any chunking gives the same end.

    `prompt_tail` is the end of the rendered prompt where it is known: it says whether the
    template had already opened or closed the thinking. Every dialect is read by the same rules.
    """

    def __init__(self, dialect: Dialect = "auto", prompt_tail: str | None = None) -> None:
        self._buffer = ""
        self._out: list[Event] = []
        self._quotes = Quotes()
        self._shown: list[str] | None = []  # the answer that a late </think> would take back
        self._pending = ""  # white space and control tokens that may be the end
        self._held = ""  # an <answer> inside thinking: which of the two it is shows later
        self._fresh = True  # nothing but blanks since the answer began
        self._mentioned = False  # the answer talks about the tags
        self._tool: str | None = None  # text since a tool call broke into thinking
        self._place = self._first_place(prompt_tail)

    def _first_place(self, prompt_tail: str | None) -> _Place:
        tail = (prompt_tail or "").rstrip()
        if tail.endswith(tags.END_THINK):
            self._shown = None
            return "answer"
        return "thinking" if tail.endswith(tags.THINK) else "start"

    def feed(self, text: str) -> list[Event]:
        self._buffer += text
        self._run(final=False)
        return self._take()

    def close(self) -> list[Event]:
        self._run(final=True)
        if self._place == "maybe":
            self._settle_maybe()
        elif self._place == "answer":
            self._pending = MARK.split(self._pending)[0]
            self._flush_pending()
        return self._take()

    def _take(self) -> list[Event]:
        out, self._out = self._out, []
        return out

    # --- reading ----------------------------------------------------------------------------

    def _run(self, final: bool) -> None:
        while found := MARK.search(self._buffer):
            self._text(self._buffer[: found.start()])
            self._buffer = self._buffer[found.start() :]
            mark, after = found.group(), self._buffer[len(found.group()) :]
            verdict = self._quoted(mark, after, final)
            if verdict is None:
                return
            self._buffer = after
            if verdict:
                self._text(mark)
            else:
                self._mark(mark)
        keep = 0 if final else partial_mark(self._buffer)
        cut = len(self._buffer) - keep
        self._text(self._buffer[:cut])
        self._buffer = self._buffer[cut:]

    def _quoted(self, mark: str, after: str, final: bool) -> bool | None:
        """Whether the mark is only talked about; None: more text is needed to tell."""
        if mark in (tags.BOX, tags.END_BOX):
            return False
        if self._place in ("thinking", "maybe"):
            return self._quoted_in_thinking(mark, after, final)
        if self._quotes.in_fence:
            return True
        if self._quotes.in_span:
            return _closes_span(after, final)
        if mark in (tags.END_THINK, tags.END_ANSWER):
            return self._mentioned
        if mark in (tags.THINK, tags.ANSWER):
            return self._talked_about(after, final)
        return False

    def _talked_about(self, after: str, final: bool) -> bool | None:
        """An opening tag in the middle of a sentence is a word of it: "the <think> tag"."""
        before = self._quotes.line
        if not before.strip():
            return False
        if before[-1] == " " and not after and not final:
            return None
        told = before[-1] in _QUOTE_MARKS or (before[-1] == " " and after.startswith(" "))
        self._mentioned = self._mentioned or told
        return told

    def _quoted_in_thinking(self, mark: str, after: str, final: bool) -> bool | None:
        if mark not in (tags.END_THINK, tags.TOOL):
            return False
        if not self._quotes.in_span or not self._quotes.line.endswith("`"):
            return False
        return after.startswith("`") if after or final else None

    # --- what a mark does -------------------------------------------------------------------

    def _mark(self, mark: str) -> None:
        match mark:
            case tags.BOX | tags.END_BOX:
                return
            case tags.THINK:
                self._open_thinking()
            case tags.END_THINK:
                self._close_thinking()
            case tags.ANSWER | tags.END_ANSWER:
                self._answer_tag(mark)
            case tags.TOOL | tags.END_TOOL:
                self._tool_tag(mark)
            case _:
                self._control(mark)

    def _open_thinking(self) -> None:
        if self._place == "thinking" and self._fresh:
            self._pending = ""
        if self._place in ("thinking", "maybe"):
            return
        if self._place == "start":
            self._pending = ""
        self._flush_pending()
        self._enter("thinking")

    def _close_thinking(self) -> None:
        if self._place == "maybe":
            self._give_thinking(self._held)
            self._held = ""
        elif self._place == "answer" and self._tool:
            self._out.append(Retract(self._tool))
        elif self._place in ("start", "answer"):
            self._take_back()
        self._shown, self._tool, self._pending = None, None, ""
        self._enter("answer")

    def _take_back(self) -> None:
        """An orphan </think>: what was shown since the start was thinking."""
        if self._shown is None:
            return
        shown = "".join(self._shown)
        if shown:
            self._out.append(Retract(shown))
            self._give_thinking(self._pending)

    def _answer_tag(self, mark: str) -> None:
        if self._place == "thinking":
            if mark == tags.ANSWER:
                self._place, self._held = "maybe", mark
            else:
                self._give_thinking(mark)
        elif self._place == "maybe":
            self._held += mark
        elif self._place == "start":
            self._pending = ""
            self._enter("answer")

    def _tool_tag(self, mark: str) -> None:
        if mark == tags.TOOL and self._place in ("thinking", "maybe"):
            self._settle_thinking()
            self._shown, self._tool = None, ""
            self._enter("answer")
            self._fresh = False
        self._text(mark)
        if mark == tags.END_TOOL:
            self._tool = None

    def _control(self, mark: str) -> None:
        if self._place == "thinking":
            self._pending += mark
        elif self._place == "maybe":
            self._held += mark
        elif not self._fresh:
            self._pending += mark

    def _enter(self, place: _Place) -> None:
        if self._place == "thinking":
            self._pending = ""  # control tokens at its very end
        self._place = place
        self._fresh = True
        self._mentioned = False
        self._quotes = Quotes()

    # --- giving text out --------------------------------------------------------------------

    def _text(self, text: str) -> None:
        if not text:
            return
        self._quotes.feed(text)
        if self._place == "maybe":
            self._hold(text)
        elif self._fresh and self._place != "answer" and text.isspace():
            self._pending += text
        elif self._place == "thinking":
            self._flush_pending()
            self._fresh = False
            self._give(text)
        else:
            self._answer_text(text)

    def _answer_text(self, text: str) -> None:
        self._place = "answer"
        body = text.rstrip()
        if body:
            self._flush_pending()
            self._fresh = False
            self._give(body)
        self._pending += text[len(body) :]

    def _flush_pending(self) -> None:
        """What was kept back was not the end: it belongs to the text after all."""
        pending, self._pending = self._pending, ""
        if pending:
            self._give(pending)

    def _hold(self, text: str) -> None:
        """Text after an <answer> inside thinking: words after its end make it thinking again."""
        self._held += text
        after = self._held.partition(tags.END_ANSWER)[2]
        if MARK.sub("", after).strip() or len(self._held) > _LONGEST_ANSWER:
            self._settle_thinking()

    def _settle_thinking(self) -> None:
        held, self._held = self._held, ""
        self._place = "thinking"
        if held:
            self._fresh = False
            self._give_thinking(held)

    def _settle_maybe(self) -> None:
        """The stream ended in an <answer> that stands inside thinking never closed."""
        answer = self._held.removeprefix(tags.ANSWER).partition(tags.END_ANSWER)[0].strip()
        self._held = ""
        if answer:
            self._place = "answer"
            self._give(answer)

    def _give_thinking(self, text: str) -> None:
        if text:
            self._add(Thinking(text))

    def _give(self, text: str) -> None:
        if self._place == "thinking":
            self._add(Thinking(text))
            return
        if self._shown is not None:
            self._shown.append(text)
        if self._tool is not None:
            self._tool += text
        self._add(Answer(text))

    def _add(self, event: Thinking | Answer) -> None:
        last = self._out[-1] if self._out else None
        if isinstance(event, Thinking) and isinstance(last, Thinking):
            self._out[-1] = Thinking(last.text + event.text)
        elif isinstance(event, Answer) and isinstance(last, Answer):
            self._out[-1] = Answer(last.text + event.text)
        else:
            self._out.append(event)


def _closes_span(after: str, final: bool) -> bool | None:
    """Whether the code span that is open goes on to a closing backtick on this line."""
    line, newline, _ = after[:_LOOK].partition("\n")
    if "`" in line:
        return True
    return False if newline or final or len(after) >= _LOOK else None


def split(
    text: str, dialect: Dialect = "auto", prompt_tail: str | None = None, final: bool = True
) -> tuple[str, str]:
    """(thinking, answer) of a whole text, or of a prefix where `final` is false."""
    splitter = Splitter(dialect, prompt_tail)
    events = splitter.feed(text)
    if final:
        events += splitter.close()
    return gather(events)


def gather(events: list[Event]) -> tuple[str, str]:
    """What the two panes hold after these events."""
    thinking, answer = "", ""
    for event in events:
        match event:
            case Thinking(text):
                thinking += text
            case Answer(text):
                answer += text
            case Retract(text):
                answer = answer.removesuffix(text)
                thinking += text
            case _:
                pass
    return thinking, answer
