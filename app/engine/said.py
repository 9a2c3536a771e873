"""Finds a server's own words in what it sent instead of an answer: JSON, a web page, plain text.

Knows the error objects of OpenAI and of those who differ from it; not what the words mean.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """An error as a server put it: its words, and whatever codes and types stood beside them."""

    words: str
    codes: str = ""
    status: int | None = None


def find_error(chunk: object) -> Said | None:
    """The error in a JSON value, whole reply or chunk; None where it holds none."""
    if isinstance(chunk, list):
        return next((said for said in map(find_error, chunk) if said), None)
    if not isinstance(chunk, dict):
        return None
    for place in (chunk, *_choices(chunk), _dict(chunk.get("x_groq"))):
        if place.get("error"):
            return _said(place["error"], beside=place)
        if place.get("errors"):
            return _said(place["errors"], beside=place)
    minimax = _dict(chunk.get("base_resp"))
    if minimax.get("status_code"):
        return Said(_sentence(minimax.get("status_msg")), str(minimax["status_code"]))
    flat = chunk.get("object") == "error" or chunk.get("success") is False
    names_itself = any(chunk.get(key) for key in ("message", "msg", "detail", "error_msg"))
    if flat or (names_itself and not chunk.get("choices") and not _answers(chunk)):
        return _said(chunk, beside={})
    return None


def _answers(chunk: dict[str, object]) -> bool:
    return isinstance(chunk.get("message"), dict) or "usage" in chunk


def _choices(chunk: dict[str, object]) -> Iterator[dict[str, object]]:
    choices = chunk.get("choices")
    yield from (item for item in (choices if isinstance(choices, list) else []) if _dict(item))


def _said(error: object, beside: dict[str, object]) -> Said:
    found = _dict(error[0] if isinstance(error, list) and error else error)
    words = next(filter(None, map(_sentence, _wordings(error, found, beside))), "")
    upstream = _sentence(_dict(found.get("metadata")).get("raw"))  # OpenRouter's provider
    if upstream and upstream not in words:
        words = f"{words}: {upstream}" if words else upstream
    codes = [found.get(key) or beside.get(key) for key in ("code", "type", "status", "status_code")]
    names = [str(code) for code in codes if code]
    status = next((int(name) for name in names if re.fullmatch("[45][0-9]{2}", name)), None)
    return Said(words or _sentence(error), " ".join(names), status)


def _wordings(
    error: object, found: dict[str, object], beside: dict[str, object]
) -> Iterator[object]:
    if isinstance(error, str):
        yield beside.get("message")
        yield error
    for key in ("message", "msg", "detail", "error_msg", "error_description", "reason", "title"):
        yield found.get(key)
    yield beside.get("message")


def _sentence(value: object) -> str:
    """A value's text on one line: a string, or JSON in a string, or a list of such."""
    if isinstance(value, str):
        nested = _parse(value) if value.lstrip().startswith(("{", "[")) else None
        said = find_error(nested) if nested is not None else None
        return said.words if said else " ".join(value.split())
    if isinstance(value, list):
        return "; ".join(filter(None, map(_sentence, value)))
    if isinstance(value, dict):
        inner = value.get("message") or value.get("msg") or value.get("error")
        place = value.get("loc")
        where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
        return where + (_sentence(inner) if inner else json.dumps(value, ensure_ascii=False))
    return ""


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_body(body: bytes) -> Said:
    """The words in a refused request's body: JSON, a web page, or plain text."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff")
    parsed = _parse(text)
    said = find_error(parsed)
    if said:
        return said
    if parsed is None and re.search(r"<(!doctype|html|head|body|title|h1)\b", text, re.IGNORECASE):
        return Said(page_words(text))
    return Said(" ".join(text.split()))


def page_words(page: str) -> str:
    """What a web page says of itself: its title, else its first heading, else its text."""
    for tag in ("title", "h1"):
        match = re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}", page, re.IGNORECASE | re.DOTALL)
        if match and match[1].strip():
            return _untagged(match[1])
    return _untagged(re.sub(r"(?is)<(script|style|head)\b.*?</\1\s*>", " ", page))


def _untagged(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())
