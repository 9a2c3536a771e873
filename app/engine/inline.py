"""Keeps one voice where reasoning comes over several tracks: native keys, and tags in `content`.

Knows the splitter of inline thinking; knows nothing of JSON. Servers may send the same reasoning
under two names or once natively and once inline: it is heard once.
"""

from __future__ import annotations

from app.answer.split import Splitter
from app.vocabulary import Answer, Dialect, Event, Retract, Thinking

_INLINE = "inline"
_CLOSED = "</think>"  # the end of a prompt whose thinking is over: a stray tag takes nothing back


class Echo:
    """Passes on the first track's text, and another's from where it says something else.

    Texts are compared without white space: servers trim one of the two.
    """

    def __init__(self) -> None:
        self._leader: str | None = None
        self._said = bytearray()
        self._held: dict[str, list[str]] = {}  # tracks that have said nothing new so far
        self._heard: dict[str, int] = {}  # how much of what was said each of them repeated
        self._free: set[str] = set()

    def add(self, track: str, text: str) -> str:
        """What of `text` is new."""
        self._leader = self._leader or track
        if track in self._free:
            return text
        squeezed = "".join(text.split()).encode("utf-8", "replace")
        if track == self._leader:
            self._said += squeezed
            return text
        held = self._held.setdefault(track, [])
        held.append(text)
        start = self._heard.get(track, 0)
        self._heard[track] = start + len(squeezed)
        if self._said[start : start + len(squeezed)] == squeezed:
            return ""
        self._free.add(track)
        return "".join(held)


class Voices:
    """Native reasoning and raw content in, `Thinking`, `Answer` and `Retract` out."""

    def __init__(self, dialect: Dialect = "auto") -> None:
        self._dialect = dialect
        self._splitter = Splitter(dialect)
        self._echo = Echo()
        self._native = False
        self._inline = False  # the splitter found thinking of its own
        self._raw = 0  # characters of content
        self._shown = 0  # characters of it that came out again
        self._blank = ""  # white space at the end of the raw content
        self.answered = 0  # characters of answer that a Retract may take back

    def reasoning(self, track: str, text: str) -> list[Event]:
        events: list[Event] = []
        if not self._native:
            self._native = True
            if not self._inline:
                events = self._end_splitter()
                self._splitter = Splitter(self._dialect, prompt_tail=_CLOSED)
        new = self._echo.add(track, text)
        return [*events, Thinking(new)] if new else events

    def content(self, text: str) -> list[Event]:
        self._raw += len(text)
        body = text.rstrip()
        self._blank = text[len(body) :] if body else self._blank + text
        return self._pass_on(self._splitter.feed(text))

    def retract(self, text: str) -> list[Event]:
        """A server that splits by itself takes back what it showed as answer."""
        events = self._end_splitter()
        self._splitter = Splitter(self._dialect, prompt_tail=_CLOSED)
        if 0 < len(text) <= self.answered:
            self.answered -= len(text)
            events.append(Retract(text))
        return events

    def close(self) -> list[Event]:
        return self._end_splitter()

    def _end_splitter(self) -> list[Event]:
        events = self._pass_on(self._splitter.close())
        missing = self._raw - self._shown
        # The splitter lets blanks at the end go, as they stand before tags. Where nothing but
        # these is missing there were no tags, and the text is kept as it was sent.
        if not self._inline and 0 < missing <= len(self._blank):
            events.append(Answer(self._blank[-missing:]))
            self.answered += missing
        self._raw, self._shown, self._blank = 0, 0, ""
        return events

    def _pass_on(self, events: list[Event]) -> list[Event]:
        passed = [self._heard(event) for event in events]
        return [event for event in passed if event is not None]

    def _heard(self, event: Event) -> Event | None:
        match event:
            case Thinking(text):
                self._inline = True
                new = self._echo.add(_INLINE, text)
                return Thinking(new) if new else None
            case Answer(text):
                self._shown += len(text)
                self.answered += len(text)
            case Retract(text):
                self._inline = True
                self.answered -= len(text)
                self._echo.add(_INLINE, text)
        return event
