"""The engine's HTTP face: health, models, chat completions; knows no model's insides."""

from __future__ import annotations

import asyncio
import time

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.engine.local.model import Model
from app.engine.local.scheduler import Scheduler
from app.engine.local.serve.answering import Answering, Ask
from app.engine.local.serve.asking import Asker
from app.engine.local.serve.gate import BodyTooLargeError, Gate
from app.engine.local.serve.reply import Refusal, refusal
from app.engine.local.serve.stream import EventStream, Held

_READERS = 4  # requests whose pictures are decoded at once: each may hold hundreds of megabytes


class Api:
    """The routes, over one model."""

    def __init__(self, model: Model, scheduler: Scheduler) -> None:
        self._model = model
        self._scheduler = scheduler
        self._asker = Asker(model)
        self._readers = asyncio.Semaphore(_READERS)
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
        """`working` is all that is not finished, `tokens` those written since the start."""
        count = self._scheduler.count
        return JSONResponse(
            {
                "status": "ok",
                "model": self._model.name,
                "working": count.running + count.waiting,
                "running": count.running,
                "waiting": count.waiting,
                "tokens": count.tokens,
            }
        )

    async def models(self, _: Request) -> Response:
        chat = self._model.chat
        model = {
            "id": self._model.name,
            "object": "model",
            "created": self._since,
            "owned_by": "sightline",
            "max_model_len": self._model.defaults.context,
            "sees_pictures": chat.sees,
            "takes_videos": chat.films,
            "calls_tools": chat.calls,
            "thinks": chat.thinks,
        }
        return JSONResponse({"object": "list", "data": [model]})

    async def chat(self, request: Request) -> Response:
        try:
            ask = await self._read(await request.body())
        except BodyTooLargeError as large:
            return refusal(413, "too_large", str(large))
        except Refusal as no:
            return no.response()
        answering = Answering(self._model, self._scheduler, ask)
        return EventStream(answering.events()) if ask.stream else Held(answering.whole())

    async def _read(self, body: bytes) -> Ask:
        """On a thread of its own: decoding pictures must not hold up the answers of others."""
        async with self._readers:
            return await asyncio.to_thread(self._asker.ask, body)


async def _http_error(_: Request, exception: Exception) -> Response:
    status = exception.status_code if isinstance(exception, HTTPException) else 500
    codes = {404: "not_found", 405: "method_not_allowed"}
    known = {404: "There is nothing at this address.", 405: "Not with this method."}
    message = known.get(status, "The request can't be answered.")
    return refusal(status, codes.get(status, "invalid_request"), message)


async def _failed(_: Request, exception: Exception) -> Response:
    return refusal(500, "engine_failed", f"The engine failed: {type(exception).__name__}.")
