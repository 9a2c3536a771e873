"""Holds answers to a grammar, token by token, by way of the library llguidance; knows what a
model's tokens are written as, and neither requests nor generation."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from app.engine.local.chat import Chat
from app.engine.local.sampler import Guide
from app.vocabulary import EndpointFault, EngineFault

_UNNAMED = 2048  # numbers in a row without a token: the vocabulary has ended
_MARKS = (b"<", b"[")
_MISSING = (
    "An answer in a given form needs the package llguidance, which is not installed here; "
    "leave `response_format` and a required `tool_choice` out."
)
_LONGEST_REASON = 300  # characters
_PLACE = re.compile(r"at \d+\(\d+\):\s*(failed to compile JSON schema:)?\s*")
_EXCERPT = re.compile(r"^\s*\d+ \|", re.MULTILINE)  # of the grammar's own lines


class Grammars:
    """Makes guides over one model's vocabulary, which is read when the first is asked for.

    `ends` are the tokens that end an answer. For any thread.
    """

    def __init__(self, chat: Chat, ends: frozenset[int]) -> None:
        self._chat = chat
        self._ends = sorted(ends)
        self._lock = threading.Lock()
        self._tokens: Any = None

    def guide(self, grammar: str) -> Guide:
        """A guide from the beginning of `grammar`, in llguidance's Lark.

        Raises EndpointFault("unsupported" | "bad_request"): there is no library, or it is no
        grammar; then the message is the reason alone.
        """
        try:
            # an optional backend: what it makes is worth nothing to a request without a form
            import llguidance  # noqa: PLC0415
        except ImportError as missing:
            raise EndpointFault("unsupported", _MISSING) from missing
        with self._lock:
            if self._tokens is None:
                self._tokens = _read(llguidance, self._chat, self._ends)
        source = llguidance.LLMatcher.grammar_from_lark(grammar)
        matcher = llguidance.LLMatcher(self._tokens, source, log_level=0)
        if matcher.is_error():
            raise EndpointFault("bad_request", _reason(matcher.get_error()))
        return Walk(matcher)


class Walk:
    """One answer's way through a grammar: a Guide."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def finished(self) -> bool:
        return bool(self._matcher.is_stopped())

    def allowed(self) -> torch.Tensor:
        """bool [V], V being the tokens that the tokenizer names."""
        mask = np.frombuffer(self._matcher.compute_logit_bias(), dtype=np.uint8) != 0
        self._check()
        return torch.from_numpy(mask)

    def take(self, token: int) -> None:
        self._matcher.consume_token(token)
        self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise EngineFault(
                "engine_failed",
                "The answer can't be held to the form that was asked for; ask for a simpler one.",
                self._matcher.get_error(),
            )


def _reason(error: str) -> str:
    """The library's reason on one line, without the place in a grammar that the asker never saw."""
    reason = _PLACE.sub("", _EXCERPT.split(error)[0])
    words = " ".join(reason.split())
    return words if len(words) <= _LONGEST_REASON else words[: _LONGEST_REASON - 1] + "…"


# --- the vocabulary -------------------------------------------------------------------------


def _read(llguidance: Any, chat: Chat, ends: list[int]) -> Any:
    words = _Words(chat, ends)
    return llguidance.LLTokenizer(llguidance.TokenizerWrapper(words), eos_token=ends or None)


class _Words:
    """A vocabulary as the library wants it: each token's bytes, and how a text is cut."""

    bos_token_id = None

    def __init__(self, chat: Chat, ends: list[int]) -> None:
        self.tokens = list(_named(chat))
        self.eos_token_id = ends[0] if ends else len(self.tokens) - 1
        self.special_token_ids = sorted({*ends, *_silent(chat, self.tokens)})
        self._chat = chat
        self._mark = _mark(chat)

    def __call__(self, text: str | bytes) -> list[int]:
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        before = self._chat.encode(self._mark) if self._mark else []
        tokens = self._chat.encode(self._mark + words)
        if tokens[: len(before)] == before:
            return tokens[len(before) :]
        return self._chat.encode(words)


def _named(chat: Chat) -> Iterator[bytes]:
    """The bytes of each token; none for numbers that stand for nothing."""
    unnamed = 0
    for token in range(2**31):
        written = chat.written(token)
        if written:
            yield from [b""] * unnamed
            yield written
        unnamed = 0 if written else unnamed + 1
        if unnamed == _UNNAMED:
            return


def _silent(chat: Chat, tokens: list[bytes]) -> Iterator[int]:
    """Tokens that steer and write nothing, and those that don't exist."""
    for token, written in enumerate(tokens):
        if not written or (written.startswith(_MARKS) and not chat.decode([token])):
            yield token


def _mark(chat: Chat) -> str:
    """What to set before a text so that no blank is set there: SentencePiece begins each text
    with one."""
    plain = b"".join(chat.written(token) for token in chat.encode("a"))
    return "" if plain == b"a" else "\x02"
