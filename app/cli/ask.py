"""`sightline ask`: files or the screen and a question in, a streamed answer out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from app.cli.input import Sight, gather
from app.cli.output import fail, progress
from app.cli.voice import Json, Words
from app.docs.reader import DocumentWorker
from app.engine.child import EngineChild, Progress
from app.engine.client import Client
from app.engine.models import find
from app.engine.prompt import compose
from app.keys import Keys
from app.settings import LOCAL, Folders, Profile, Settings
from app.vocabulary import (
    Done,
    Endpoint,
    EndpointFault,
    Error,
    Fault,
    Message,
    Sampling,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for."""

    question: str
    sight: Sight
    sampling: Sampling
    endpoint: str | None = None
    model: str | None = None
    key_variable: str | None = None
    as_json: bool = False


def run(asked: Asked, settings: Settings, folders: Folders) -> int:
    try:
        return asyncio.run(_ask(asked, settings, folders))
    except Fault as fault:
        return fail(fault.as_error(), as_json=asked.as_json)


async def _ask(asked: Asked, settings: Settings, folders: Folders) -> int:
    voice = Json() if asked.as_json else Words()
    worker, client = DocumentWorker(), Client()
    try:
        async with _seat(asked, settings, folders) as seat:
            frames = await gather(asked.sight, worker, text_only=not seat.sees_pictures)
            endpoint = await seat.ready
            progress("")
            voice.frames(frames)
            question = Message("user", asked.question, frames)
            messages = compose(endpoint, question, (), settings.system_prompt)
            sampling = _defaults(asked.sampling, settings)
            return await _follow(client, endpoint, messages, sampling, voice)
    finally:
        await worker.close()
        await client.close()


async def _follow(
    client: Client,
    endpoint: Endpoint,
    messages: tuple[Message, ...],
    sampling: Sampling,
    voice: Words | Json,
) -> int:
    """Prints the stream; Ctrl+C cancels this task, which hangs up and keeps what came."""
    end: Done | Error = Done("cancelled")
    with suppress(asyncio.CancelledError):
        async with aclosing(client.stream(endpoint, messages, sampling)) as events:
            async for event in events:
                if isinstance(event, Done | Error):
                    end = event
                else:
                    voice.event(event)
    return voice.end(end)


@dataclass(frozen=True, slots=True)
class _Seat:
    """Who will answer: whether it sees is known before it is ready."""

    sees_pictures: bool
    ready: Awaitable[Endpoint]


@asynccontextmanager
async def _seat(asked: Asked, settings: Settings, folders: Folders) -> AsyncIterator[_Seat]:
    """The endpoint to ask. The embedded engine starts while the files are read, and lives as long
    as the question."""
    name = asked.endpoint or settings.endpoint
    key = _key(asked.key_variable)
    if name == LOCAL:
        model = asked.model or settings.local_model
        child = EngineChild(model=model, folder=folders.data, on_progress=_engine_progress)
        starting = asyncio.ensure_future(child.start())
        try:
            yield _Seat(find(model, folders.data).sees_pictures, starting)
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await child.stop()
        return
    profile = _profile(name, asked.model, settings)
    found = profile.endpoint(key or Keys().get(profile.name))
    ready: asyncio.Future[Endpoint] = asyncio.get_running_loop().create_future()
    ready.set_result(replace(found, model=asked.model) if asked.model else found)
    yield _Seat(found.sees_pictures, ready)


def _profile(name: str, model: str | None, settings: Settings) -> Profile:
    for profile in settings.profiles:
        if profile.name == name:
            return profile
    if not name.startswith(("http://", "https://")):
        known = ", ".join([LOCAL, *(p.name for p in settings.profiles)])
        raise EndpointFault(
            "not_found",
            f"There is no endpoint called “{name}”. Known here: {known}; or give a URL.",
        )
    if model is None:
        raise EndpointFault(
            "no_model", "A URL as the endpoint needs --model with the model's name."
        )
    return Profile(name=name, base_url=name, model=model)


def _key(variable: str | None) -> str:
    if variable is None:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise EndpointFault("bad_key", f"The environment variable {variable} holds no key.")
    return key


def _defaults(given: Sampling, settings: Settings) -> Sampling:
    return replace(
        given,
        max_tokens=given.max_tokens or settings.max_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        thinking=settings.thinking if given.thinking is None else given.thinking,
    )


def _engine_progress(step: Progress) -> None:
    share = "" if step.done is None else f" {step.done:.0%}"
    progress(f"{step.text}{share}")
