"""The engine's HTTP face: health, models, chat completions; knows no model's insides."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.engine.local.answering import Answering, Ask
from app.engine.local.gate import BodyTooLargeError, Gate
from app.engine.local.generate import Job
from app.engine.local.generic import Model
from app.engine.local.reply import Refusal, refusal
from app.engine.local.sampler import Choice
from app.engine.local.scheduler import Scheduler
from app.engine.local.stream import EventStream, Held
from app.engine.request import Request as Asked
from app.engine.request import read_request
from app.vocabulary import EndpointFault, Sampling


class Api:
    """The routes, over one model."""

    def __init__(self, model: Model, scheduler: Scheduler) -> None:
        self._model = model
        self._scheduler = scheduler
        self._since = int(time.time())

    def app(self, token: str, *, exposed: bool) -> Starlette:
        return Starlette(
            routes=[
                Route("/health", self.health),
                Route("/v1/models", self.models),
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
            ],
            middleware=[Middleware(Gate, token=token, exposed=exposed)],
            exception_handlers={HTTPException: _http_error, Exception: _failed},
        )

    async def health(self, _: Request) -> Response:
        working = self._scheduler.unfinished
        return JSONResponse({"status": "ok", "model": self._model.name, "working": working})

    async def models(self, _: Request) -> Response:
        model = {
            "id": self._model.name,
            "object": "model",
            "created": self._since,
            "owned_by": "sightline",
            "max_model_len": self._model.defaults.context,
            "sees_pictures": False,
        }
        return JSONResponse({"object": "list", "data": [model]})

    async def chat(self, request: Request) -> Response:
        try:
            ask = self._read(await _body(request))
        except Refusal as no:
            return refusal(no.status, no.code, no.message, no.param)
        answering = Answering(self._model, self._scheduler, ask)
        return EventStream(answering.events()) if ask.stream else Held(answering.whole())

    def _read(self, body: Mapping[str, Any]) -> Ask:
        _refuse_unknown(body)
        try:
            asked = read_request(body)
            self._refuse_foreign(asked)
            settings = _template_settings(body, asked.sampling)
            prompt = self._model.chat.render(asked.messages, settings)
        except EndpointFault as fault:
            raise Refusal(fault.message) from fault
        job = self._job(asked.sampling, tuple(self._model.chat.encode(prompt)))
        return Ask(job, prompt, asked.stream, asked.include_usage)

    def _refuse_foreign(self, asked: Asked) -> None:
        name = self._model.name
        if asked.model and asked.model != name:
            message = f"The model “{asked.model}” is not served here; this engine serves “{name}”."
            raise Refusal(message, "model_not_found", "model", 404)
        if any(message.frames for message in asked.messages):
            raise Refusal(
                f"The model “{name}” reads text and does not see pictures; "
                "send the text of the picture instead.",
                "pictures_unsupported",
                "messages",
            )

    def _job(self, sampling: Sampling, prompt: tuple[int, ...]) -> Job:
        defaults = self._model.defaults
        room = defaults.context - len(prompt)
        if room < 1:
            raise Refusal(
                f"This is {len(prompt)} tokens, and the model holds {defaults.context} with its "
                "answer; send fewer pages or a shorter text.",
                "context_length_exceeded",
                "messages",
            )
        limit = sampling.max_tokens or defaults.max_tokens
        stop = (*sampling.stop, *defaults.stop)
        return Job(prompt, min(limit, room), _choice(defaults.choice, sampling), stop)


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except BodyTooLargeError as large:
        raise Refusal(str(large), "too_large", status=413) from large
    except (ValueError, RecursionError) as broken:
        raise Refusal("The request's body is not JSON.", "invalid_json") from broken
    if not isinstance(body, dict):
        raise Refusal("The request must be a JSON object.")
    return body


def _refuse_unknown(body: Mapping[str, Any]) -> None:
    """Say what can't be done instead of leaving it out in silence."""
    form = body.get("response_format")
    plain = form is None or (isinstance(form, dict) and form.get("type") == "text")
    asked = {
        "n": body.get("n") not in (None, 1),
        "tools": bool(body.get("tools") or body.get("functions")),
        "logprobs": bool(body.get("logprobs")),
        "response_format": not plain,
    }
    for name, is_asked in asked.items():
        if is_asked:
            raise Refusal(f"This engine does not know `{name}`; leave it out.", param=name)


def _template_settings(body: Mapping[str, Any], sampling: Sampling) -> dict[str, Any]:
    settings = body.get("chat_template_kwargs") or {}
    if not isinstance(settings, dict):
        raise Refusal("`chat_template_kwargs` must be an object.", param="chat_template_kwargs")
    thinking = {} if sampling.thinking is None else {"enable_thinking": sampling.thinking}
    return {**thinking, **settings}


def _choice(defaults: Choice, sampling: Sampling) -> Choice:
    """The model's own defaults, with what the request says otherwise; one that says how to choose
    gets just that, without our own penalty on top."""
    said: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": None if sampling.top_k is None else max(sampling.top_k, 0),  # -1: all, as in vLLM
        "repetition_penalty": sampling.repetition_penalty,
        "seed": sampling.seed,
    }
    said = {name: value for name, value in said.items() if value is not None}
    base = replace(defaults, word_penalty=1.0) if said.keys() - {"seed"} else defaults
    return replace(base, **said)


async def _http_error(_: Request, exception: Exception) -> Response:
    status = exception.status_code if isinstance(exception, HTTPException) else 500
    codes = {404: "not_found", 405: "method_not_allowed"}
    known = {404: "There is nothing at this address.", 405: "Not with this method."}
    message = known.get(status, "The request can't be answered.")
    return refusal(status, codes.get(status, "invalid_request"), message)


async def _failed(_: Request, exception: Exception) -> Response:
    return refusal(500, "engine_failed", f"The engine failed: {type(exception).__name__}.")
