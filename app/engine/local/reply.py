"""Answers on the wire: OpenAI-shaped chunks, whole completions and errors."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse

from app.engine.local.generate import Reason
from app.vocabulary import Usage

DONE = b"data: [DONE]\n\n"
STILL_HERE = b": working\n\n"  # a comment: tells a client that it is not forgotten


def refusal(status: int, code: str, message: str, param: str | None = None) -> JSONResponse:
    return JSONResponse({"error": error(status, code, message, param)}, status)


def error(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
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


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer's identity, written into each of its chunks."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def chunk(self, delta: dict[str, str], reason: Reason | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def counted(self, usage: Usage) -> bytes:
        head = self._head("chat.completion.chunk")
        return event({**head, "choices": [], "usage": usage_fields(usage)})

    def whole(self, thinking: str, answer: str, reason: Reason, usage: Usage) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer}
        if thinking:
            message["reasoning_content"] = thinking
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        head = self._head("chat.completion")
        return {**head, "choices": [choice], "usage": usage_fields(usage)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def event(value: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def usage_fields(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }
