"""Answers on the wire: OpenAI-shaped chunks, whole completions and errors; knows no model."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from starlette.responses import JSONResponse, Response

from app.engine.request.values import FieldFault
from app.vocabulary import EndpointFault, Fault, FaultKind, ToolCall, Usage

DONE = b"data: [DONE]\n\n"
STILL_HERE = b": working\n\n"  # a comment: tells a client that it is not forgotten

Json: TypeAlias = dict[str, Any]
FinishReason: TypeAlias = Literal["stop", "length", "tool_calls"]

_NAMED = re.compile(r"`([\w.\[\]]+)`")
_CODES: Mapping[FaultKind, str] = {
    "bad_request": "invalid_request",
    "too_long": "context_length_exceeded",
}
_STATUSES: Mapping[FaultKind, int] = {"rate_limited": 503}
_AGAIN = "5"  # seconds until one who was sent away should ask again


# --- refusals -------------------------------------------------------------------------------


def refusal(status: int, code: str, message: str, param: str | None = None) -> JSONResponse:
    headers = {"Retry-After": _AGAIN} if status == 503 else None
    return JSONResponse({"error": error(status, code, message, param)}, status, headers)


def error(status: int, code: str, message: str, param: str | None = None) -> Json:
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"message": message, "type": kind, "param": param, "code": code}


class Refusal(Exception):
    """A request that is not answered, in the words and the code of an OpenAI error."""

    def __init__(
        self,
        message: str,
        code: str = "invalid_request",
        param: str | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.status = message, code, param, status

    def response(self) -> Response:
        return refusal(self.status, self.code, self.message, self.param)


def refused(fault: Fault) -> Refusal:
    """A fault as the refusal that it is: the asker's own where it is about the request."""
    code = _CODES.get(fault.kind, fault.kind)
    if not isinstance(fault, EndpointFault):
        return Refusal(fault.message, code, None, _STATUSES.get(fault.kind, 500))
    return Refusal(fault.message, code, _param(fault))


def _param(fault: EndpointFault) -> str:
    """The field that it is about: the one that is said, or else the messages."""
    if isinstance(fault, FieldFault):
        return fault.field
    named = _NAMED.search(fault.message)
    return named[1] if named else "messages"


# --- answers --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """A whole answer: what it is made of, and what its tokens were."""

    thinking: str
    answer: str
    calls: Sequence[ToolCall]
    logprobs: Sequence[Json] | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer's identity, written into each of its chunks."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def chunk(
        self,
        delta: Json,
        reason: FinishReason | None = None,
        logprobs: Sequence[Json] | None = None,
    ) -> bytes:
        said = None if logprobs is None else {"content": list(logprobs), "refusal": None}
        choice = {"index": 0, "delta": delta, "logprobs": said, "finish_reason": reason}
        return event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def counted(self, usage: Usage, reasoning: int) -> bytes:
        head = self._head("chat.completion.chunk")
        return event({**head, "choices": [], "usage": usage_fields(usage, reasoning)})

    def whole(self, told: Told, reason: FinishReason, usage: Json) -> Json:
        message: Json = {"role": "assistant", "content": told.answer}
        if told.thinking:
            message["reasoning_content"] = told.thinking
        if told.calls:
            message["content"] = told.answer or None
            message["tool_calls"] = [_call(call) for call in told.calls]
        said = None if told.logprobs is None else {"content": told.logprobs, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": said, "finish_reason": reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def event(value: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def waiting(position: int) -> bytes:
    """A comment that tells the place in line; 1 is the next to begin."""
    return f": waiting {position}\n\n".encode()


def call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"


def usage_fields(usage: Usage, reasoning: int) -> Json:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def _call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}
