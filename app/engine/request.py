"""The JSON of a chat-completions request → Messages and Sampling, for the server's end.

The counterpart of `wire`; knows no network. Whatever a stranger sends becomes values or one
`bad_request` that names the field.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.engine.picture import measure
from app.engine.wire import Json
from app.vocabulary import EndpointFault, Frame, Message, Role, Sampling, Source


@dataclass(frozen=True, slots=True)
class Request:
    """A chat-completions request as a server understands it."""

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling
    stream: bool
    include_usage: bool


_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
    "function": "user",
}
_DATA_URL = re.compile(r"data:(?P<type>[\w.+/-]*)(;[\w=.-]+)*;base64,", re.IGNORECASE)


def read_request(body: object) -> Request:
    """A request's JSON as values.

    Raises:
        EndpointFault: `bad_request`, with a sentence that names the field.
    """
    if not isinstance(body, dict):
        raise _bad("The request must be a JSON object.")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _bad("`messages` must be a list with at least one message.")
    options = body.get("stream_options")
    return Request(
        model=str(body.get("model") or ""),
        messages=tuple(_read_message(message) for message in messages),
        sampling=_read_sampling(body),
        stream=body.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _read_message(message: object) -> Message:
    if not isinstance(message, dict):
        raise _bad("Each of `messages` must be an object.")
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise _bad(f"A message has the unknown role {str(message.get('role'))[:40]!r}.")
    content = message.get("content")
    if content is None or isinstance(content, str):
        return Message(role, content or "")
    if not isinstance(content, list):
        raise _bad("A message's `content` must be text or a list of parts.")
    read = [_read_part(part) for part in content]
    texts = [part for part in read if isinstance(part, str)]
    return Message(role, "\n".join(texts), tuple(part for part in read if isinstance(part, Frame)))


def _read_part(part: object) -> str | Frame:
    if isinstance(part, str):
        return part
    fields = part if isinstance(part, dict) else {}
    kind, text = str(fields.get("type")), fields.get("text")
    if kind in ("text", "input_text"):
        if isinstance(text, str):
            return text
        raise _bad("A part of the type `text` needs its `text`.")
    if kind in ("image_url", "input_image"):
        url = fields.get("image_url")
        return _read_picture(url.get("url") if isinstance(url, dict) else url)
    raise _bad(f"A part of a message has the type {kind[:40]!r}, which is not understood here.")


def _read_picture(url: object) -> Frame:
    if not isinstance(url, str):
        raise _bad("A picture needs `image_url.url`.")
    if url[:8].lower().startswith(("http:", "https:", "file:")):
        raise _bad("Pictures are read only from the request itself, as a data: URL or base64.")
    match = _DATA_URL.match(url)
    try:
        image = base64.b64decode(url[match.end() :] if match else url, validate=True)
    except (binascii.Error, ValueError):
        raise _bad("A picture's base64 is damaged.") from None
    media_type, width, height = measure(image)
    if not media_type:
        raise _bad("A picture is neither PNG, JPEG, WebP nor GIF.")
    return Frame(image, media_type, width, height, Source("picture", ""))


def _read_sampling(body: Json) -> Sampling:
    limit = "max_tokens" if body.get("max_tokens") is not None else "max_completion_tokens"
    return Sampling(
        max_tokens=_whole(body, limit, least=1),
        temperature=_number(body, "temperature", least=0.0, most=100.0),
        top_p=_number(body, "top_p", least=0.0, most=1.0),
        top_k=_whole(body, "top_k", least=-1),
        repetition_penalty=_number(body, "repetition_penalty", least=0.01, most=100.0),
        stop=_read_stop(body.get("stop")),
        seed=_whole(body, "seed"),
        thinking=_read_thinking(body),
        thinking_budget=_whole(body, "thinking_budget", least=0),
    )


def _read_stop(stop: object) -> tuple[str, ...]:
    if stop is None:
        return ()
    words = [stop] if isinstance(stop, str) else stop
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _bad("`stop` must be text or a list of texts.")
    return tuple(word for word in words if word)


def _read_thinking(body: Json) -> bool | None:
    switch = body.get("thinking")
    if isinstance(switch, dict) and switch.get("type") in ("enabled", "disabled"):
        return bool(switch["type"] == "enabled")
    template = body.get("chat_template_kwargs")
    value = template.get("enable_thinking") if isinstance(template, dict) else None
    value = body.get("enable_thinking") if value is None else value
    if value is not None and not isinstance(value, bool):
        raise _bad("`enable_thinking` must be true or false.")
    return value


def _whole(body: Json, name: str, *, least: int | None = None) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad(f"`{name}` must be a whole number.")
    if least is not None and value < least:
        raise _bad(f"`{name}` must be {least} or more.")
    return value


def _number(body: Json, name: str, *, least: float, most: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"`{name}` must be a number.")
    if not least <= value <= most:
        raise _bad(f"`{name}` must lie between {least:g} and {most:g}.")
    return float(value)


def _bad(message: str) -> EndpointFault:
    return EndpointFault("bad_request", message)
