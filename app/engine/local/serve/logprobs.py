"""The probabilities of an answer's tokens in OpenAI's form; knows neither stream nor model.

Each token that was written has its entry, those of the thinking and of calls too, as in vLLM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from app.engine.local.job import Chosen

Written = Callable[[int], bytes]

_LEAST = -9999.0  # what stands for minus infinity, which JSON has not; vLLM's number


def entries(chosen: Iterable[Chosen], written: Written) -> list[dict[str, Any]]:
    """One entry a token, `written` giving the bytes of each."""
    return [
        {
            **_entry(token.token, token.logprob, written),
            "top_logprobs": [_entry(other, logprob, written) for other, logprob in token.top],
        }
        for token in chosen
    ]


def _entry(token: int, logprob: float, written: Written) -> dict[str, Any]:
    read = written(token)
    return {
        "token": read.decode("utf-8", "replace"),
        "bytes": list(read),
        "logprob": max(logprob, _LEAST),
    }
