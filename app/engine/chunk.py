"""One chunk of a streamed completion, its JSON read as a `Piece` and as counts.

Every vendor's way of sending reasoning, tools and usage is known here and nowhere else; what it
means for the end of the stream is not. Shapes seen at: OpenAI, Azure, Z.ai, DeepSeek, Qwen,
Moonshot, MiniMax, Mistral, xAI, Groq, OpenRouter, Perplexity, Ollama, vLLM, SGLang, llama.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from app.engine.tools import ToolDelta, read_tools
from app.engine.wire import Json
from app.vocabulary import Usage

Track: TypeAlias = str  # where reasoning stood: a key of the delta, or "content" for array parts


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk says of choice 0; `whole` marks a full message instead of a delta, `retract`
    is what this project's own engine takes back from `content` because it was reasoning."""

    reasoning: tuple[tuple[Track, str], ...] = ()
    content: str = ""
    retract: str = ""
    tools: tuple[ToolDelta, ...] = ()
    finish: str | None = None
    whole: bool = False


def read_piece(chunk: Json) -> Piece:
    """Choice 0 of a chunk or of a whole completion; other choices are another answer's."""
    choice = _first_choice(chunk.get("choices"))
    if choice is None:
        message = chunk.get("message")  # Ollama's own API has no choices
        choice = {"message": message} if isinstance(message, dict) else {}
    finish = choice.get("finish_reason")
    said = choice.get("delta")
    whole = not isinstance(said, dict)
    if whole:
        said = choice.get("message")
    said = said if isinstance(said, dict) else {"content": choice.get("text")}
    parts = list(_parts(said.get("content")))
    content = "".join(text for kind, text in parts if kind == "text") + _text(said.get("refusal"))
    retract = _text(said.get("retract"))  # other clients see it as reasoning only: one or the other
    thought = "".join(text for kind, text in parts if kind == "thinking")
    return Piece(
        reasoning=() if retract else _reasoning(said, thought),
        content=content,
        retract=retract,
        tools=read_tools(said),
        finish=finish if isinstance(finish, str) and finish not in ("", "null") else None,
        whole=whole,
    )


def _first_choice(choices: object) -> Json | None:
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict) and choice.get("index") in (0, None):
            return choice
    return None


def _reasoning(said: Json, in_content: str) -> tuple[tuple[Track, str], ...]:
    """The reasoning of one delta: the first key that carries any, so that servers which send it
    under two names at once are not heard twice."""
    for key in ("reasoning_content", "reasoning", "thinking", "reasoning_details"):
        text = "".join(_texts(said.get(key)))
        if text:
            return ((key, text),)
    return (("content", in_content),) if in_content else ()


def _texts(value: object) -> Iterator[str]:
    """Text in a string, a part, or a list of parts; encrypted parts hold none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key in ("text", "thinking", "summary", "content"):
            if value.get(key):
                yield from _texts(value[key])
                return


def _parts(content: object) -> Iterator[tuple[str, str]]:
    """Content as a string or an array of parts → ("text" | "thinking", text)."""
    if isinstance(content, str):
        yield ("text", content)
    elif isinstance(content, list):
        for part in content:
            yield from _parts(part)
    elif isinstance(content, dict):
        kind = str(content.get("type", "text"))
        if kind in ("thinking", "reasoning") or kind.startswith("reasoning."):
            yield ("thinking", "".join(_texts(content)))
        elif kind in ("text", "output_text"):
            yield ("text", _text(content.get("text")))
        elif kind == "refusal":
            yield ("text", _text(content.get("refusal")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# --- usage ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """A server's count; its `total` may hold reasoning that `completion` leaves out."""

    usage: Usage
    total: int


def read_usage(chunk: Json) -> Counted | None:
    """Tokens as counted, from wherever vendors put them; None where this chunk has none."""
    choice = _first_choice(chunk.get("choices")) or {}
    for usage in (chunk.get("usage"), choice.get("usage"), _get(chunk.get("x_groq"), "usage")):
        prompt = _count(usage, "prompt_tokens", "input_tokens")
        completion = _count(usage, "completion_tokens", "output_tokens")
        if prompt is not None or completion is not None:
            counted = Usage(prompt or 0, completion or 0, _cached(usage))
            total = _count(usage, "total_tokens")
            return Counted(counted, counted.prompt + counted.completion if total is None else total)
    return None


def _cached(usage: object) -> int:
    details = _get(usage, "prompt_tokens_details") or _get(usage, "input_tokens_details")
    nested = _count(details, "cached_tokens")
    flat = _count(usage, "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens")
    return nested or flat or 0


def _count(usage: object, *names: str) -> int | None:
    for name in names:
        value = _get(usage, name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return int(value)
    return None


def _get(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
