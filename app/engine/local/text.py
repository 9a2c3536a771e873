"""Tokens → text while they come: whole characters only, and nothing past a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_BROKEN = "\ufffd"  # how a tokenizer decodes a part of a character
_LONGEST = 8  # tokens that one character can be spread over; past that the bytes are just broken

Decode = Callable[[Sequence[int]], str]


class Detokeniser:
    """Decodes token by token; a character spread over several tokens is held until it is whole.

    Decodes from a little before the new token, since many tokenizers write a word differently at
    the start of a text.
    """

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._start = 0  # ids[start:seen] is decoded again as the context of what is new
        self._seen = 0

    def feed(self, token: int) -> str:
        self._ids.append(token)
        text = self._decode(self._ids[self._start :])
        if text.endswith(_BROKEN) and len(self._ids) - self._seen < _LONGEST:
            return ""
        return self._take(text)

    def close(self) -> str:
        """What is left: nothing, or a character that never became whole, which is dropped."""
        return self._take(self._decode(self._ids[self._start :])).rstrip(_BROKEN)

    def _take(self, text: str) -> str:
        known = self._decode(self._ids[self._start : self._seen])
        self._start, self._seen = self._seen, len(self._ids)
        return text[len(known) :]


class Stops:
    """Cuts a stream of text before the first stop string; holds back what may begin one."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(word for word in words if word)
        self._held = ""
        self.hit = False

    def feed(self, text: str) -> str:
        if self.hit:
            return ""
        self._held += text
        places = [place for word in self._words if (place := self._held.find(word)) >= 0]
        self.hit = bool(places)
        end = min(places) if places else len(self._held) - self._begun()
        given, self._held = self._held[:end], "" if self.hit else self._held[end:]
        return given

    def close(self) -> str:
        given, self._held = self._held, ""
        return "" if self.hit else given

    def _begun(self) -> int:
        """How many characters at the end may be the beginning of a stop string."""
        longest = max((len(word) for word in self._words), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            end = self._held[-length:]
            if any(word.startswith(end) for word in self._words):
                return length
        return 0
