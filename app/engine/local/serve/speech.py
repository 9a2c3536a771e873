"""A model's raw text → its thinking, its answer and its tool calls, while they stream; knows
neither tokens nor the wire.

A call ends the thinking that it stands in, and its arguments are nobody's markup: the calls are
taken out first, and what is left is split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from app.answer.calls import Argued, Calls, Opened
from app.answer.split import Splitter
from app.answer.typed import Schema
from app.vocabulary import Answer, Event, Retract, Thinking

Heard: TypeAlias = Thinking | Answer | Retract | Opened | Argued

_CLOSED = "</think>"  # the end of a prompt whose thinking is over


class Speech:
    """`tail` is the end of the prompt for a model that thinks, None for one that does not;
    `schemas` are those of the tools that may be called, None where there are none."""

    def __init__(
        self, tail: str | None, schemas: Mapping[str, Schema] | None, *, one_call: bool = False
    ) -> None:
        self._splitter = None if tail is None else Splitter(prompt_tail=tail)
        self._calls = None if schemas is None else Calls(schemas)
        self._one_call = one_call
        # line breaks between a thinking and its answer are neither; nothing behind a closed
        # thinking is ever taken back, so that they can go
        self._trims = (tail or "").rstrip().endswith(_CLOSED)

    def feed(self, text: str) -> list[Heard]:
        if self._calls is None:
            return self._words(text)
        return [heard for said in self._calls.feed(text) for heard in self._heard(said)]

    def close(self, *, cut: bool) -> list[Heard]:
        """The end; `cut` where it is not the model's own."""
        rest = self._calls.close(cut=cut) if self._calls else []
        heard = [heard for said in rest for heard in self._heard(said)]
        return heard + self._end_of_words()

    def _heard(self, said: str | Opened | Argued) -> list[Heard]:
        if isinstance(said, str):
            return self._words(said)
        if self._one_call and said.index:
            return []
        if isinstance(said, Argued):
            return [said]
        before = self._end_of_words()
        self._splitter = self._splitter and Splitter(prompt_tail=_CLOSED)
        return [*before, said]

    def _words(self, text: str) -> list[Heard]:
        if self._splitter is None:
            return [Answer(text)] if text else []
        return list(self._trimmed(self._splitter.feed(text)))

    def _end_of_words(self) -> list[Heard]:
        return list(self._trimmed(self._splitter.close())) if self._splitter else []

    def _trimmed(self, events: list[Event]) -> Iterator[Heard]:
        for event in events:
            match event:
                case Thinking():
                    self._trims = True
                    yield event
                case Answer(text):
                    if text := text.lstrip("\n") if self._trims else text:
                        self._trims = False
                        yield Answer(text)
                case Retract():
                    yield event


class Count:
    """How many of an answer's tokens were thinking; a token counts where its text shows."""

    def __init__(self) -> None:
        self.thinking = 0
        self._answer = 0
        self._waiting = 0  # tokens whose text has not come out yet

    def add(self, tokens: int, heard: list[Heard]) -> None:
        self._waiting += tokens
        if not heard:
            return
        waiting, self._waiting = self._waiting, 0
        if any(isinstance(event, Retract) for event in heard):
            self.thinking += self._answer + waiting
            self._answer = 0
        elif isinstance(heard[-1], Thinking):
            self.thinking += waiting
        else:
            self._answer += waiting
