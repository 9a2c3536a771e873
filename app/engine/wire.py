"""Messages → the JSON of a chat-completions request; `request` reads them back. No network.

Shape: the OpenAI chat completions API, with the fields that vLLM, SGLang and Z.ai add to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from app.engine import seen
from app.engine.excerpt import excerpt
from app.engine.faults import plain
from app.engine.said import read_body
from app.vocabulary import Endpoint, Frame, Message, Sampling

Json: TypeAlias = dict[str, Any]


def request_body(endpoint: Endpoint, messages: Sequence[Message], sampling: Sampling) -> Json:
    """The body of a streamed chat completion; a sampling field stands in it only when set."""
    return {
        "model": endpoint.model,
        "messages": [_written(message, endpoint) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **_sampling_fields(sampling),
        **_thinking_fields(endpoint, sampling),
    }


def textual(message: Message) -> str:
    """A message for a model that only reads: each frame's text under a heading that names it,
    the lines that seem to be asked for, then what the user wrote."""
    if not message.frames:
        return message.text
    blocks = [_reading(frame, index) for index, frame in enumerate(message.frames, start=1)]
    if message.text.strip():
        likely = excerpt("\n".join(frame.text for frame in message.frames), message.text)
        blocks += ["\n".join(["Lines that may hold the answer:", *likely])] if likely else []
        blocks.append(f"Question: {message.text}")
    return "\n\n".join(blocks)


def without(body: Json, refusal: str) -> Json | None:
    """The same request said in the way an older or stricter server asked for in its refusal;
    None where the refusal is about something else."""
    if "max_completion_tokens" in refusal and "max_tokens" in body:
        renamed = {key: value for key, value in body.items() if key != "max_tokens"}
        return {**renamed, "max_completion_tokens": body["max_tokens"]}
    if "stream_options" in refusal and "stream_options" in body:
        return {key: value for key, value in body.items() if key != "stream_options"}
    return None


def read_models(body: bytes) -> tuple[str, ...]:
    """The names in a list of models.

    Raises:
        EndpointFault: `bad_response`, where it is no such list.
    """
    try:
        listed = json.loads(body)
    except (ValueError, RecursionError):
        raise plain("bad_response", read_body(body).words) from None
    if isinstance(listed, dict):
        listed = listed.get("data", listed.get("models"))
    if not isinstance(listed, list):
        raise plain("bad_response", read_body(body).words)
    named = [item.get("id") or item.get("name") for item in listed if isinstance(item, dict)]
    return tuple(name for name in named if isinstance(name, str))


def _written(message: Message, endpoint: Endpoint) -> Json:
    if not endpoint.sees_pictures:
        return {"role": message.role, "content": _clean(textual(message))}
    parts = seen.parts(message, endpoint)
    if not parts:
        return {"role": message.role, "content": _clean(message.text)}
    if message.text:
        parts.append({"type": "text", "text": _clean(message.text)})
    return {"role": message.role, "content": parts}


def _reading(frame: Frame, index: int) -> str:
    source = frame.source
    name = source.name or f"picture {index}"
    if source.page is not None:
        name = f"{name}, page {source.page}"
    if source.time is not None:
        name = f"{name}, at {int(source.time) // 60}:{int(source.time) % 60:02d}"
    text = frame.text.strip()
    return (
        f'Text of {name}:\n"""\n{text}\n"""' if text else f"{name} has no text that could be read."
    )


def _sampling_fields(sampling: Sampling) -> Json:
    fields: Json = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repetition_penalty,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _thinking_fields(endpoint: Endpoint, sampling: Sampling) -> Json:
    fields: Json = {}
    if endpoint.switch == "template":
        if sampling.thinking is not None:
            fields["chat_template_kwargs"] = {"enable_thinking": sampling.thinking}
        if sampling.thinking_budget is not None:
            fields["thinking_budget"] = sampling.thinking_budget
    elif endpoint.switch == "zai" and sampling.thinking is not None:
        fields["thinking"] = {"type": "enabled" if sampling.thinking else "disabled"}
    return fields


def _clean(text: str) -> str:
    # half of a surrogate pair (from a PDF's text layer) is refused by strict JSON readers
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
