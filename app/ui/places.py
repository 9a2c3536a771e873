"""Where questions go: this machine's engine or a server; starts the engine when it is needed, once
more when it dies, and anew for another model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from PySide6.QtCore import QCoreApplication

from app.engine.child import Command, EngineChild, Progress, command
from app.keys import Keys
from app.settings import LOCAL, Profile, Settings
from app.ui.shelf import Known, known
from app.vocabulary import Endpoint, EndpointFault, EngineFault, Error, Event, Fault

translate = QCoreApplication.translate
log = logging.getLogger(__name__)

PlaceState = Literal["cold", "starting", "ready", "failed"]
HERE = "this machine"
_NOTICE = 1.0  # s for the end of an engine to be known, after a connection to it broke


@dataclass(frozen=True, slots=True)
class Place:
    """What the status line says of where the pictures go; `progress` is 0 to 1 where known.
    `model` is the short name of one on this machine, `thinks`: its thinking can be switched,
    `takes_video`: it looks at whole videos."""

    name: str
    where: str
    local: bool
    sees_pictures: bool
    state: PlaceState
    progress: float | None = None
    text: str = ""
    model: str = ""
    thinks: bool = False
    takes_video: bool = False


@dataclass(frozen=True, slots=True)
class _Loss:
    """An engine that died, by the endpoint that it was."""

    endpoint: Endpoint | None
    fault: EngineFault


class Places:
    """Turns the chosen name into an endpoint that answers, and reports each change of state.

    An engine that dies is started again, once, with the reason in what is reported. One that dies
    again is left to the user, whose next question starts it. The engine of a model that is no
    longer chosen ends when the next one is needed, but never under a question that it has.
    """

    def __init__(
        self,
        data: Path,
        keys: Keys,
        *,
        changed: Callable[[Place], None],
        engine: Command = command,
    ) -> None:
        self._data = data
        self._keys = keys
        self._changed = changed
        self._command = engine
        self._child: EngineChild | None = None
        self._model = ""  # the child's
        self._known = Known()
        self._endpoint: Endpoint | None = None
        self._starting: asyncio.Task[Endpoint] | None = None
        self._toward = ""  # the model that is being started
        self._starts: set[asyncio.Task[Endpoint]] = set()
        self._held: list[str] = []  # the models that questions have
        self._freed = asyncio.Event()
        self._here = True  # whether this machine is the chosen place
        self._wanted = ""  # the chosen model
        self._last: Place | None = None  # as it was reported
        self._spare = False  # whether a dead engine may be started without being asked
        self._loss: _Loss | None = None
        self._told = ""  # why it had to be started again, until the next question

    def place(self, settings: Settings) -> Place:
        """The chosen place before anything was started there."""
        try:
            profile = self._note(settings)
        except EndpointFault as fault:
            name = settings.endpoint
            return Place(name, name, False, True, "failed", text=fault.message)
        self._forsake()
        if profile is None:
            return self._local(settings.local_model)
        host = urlsplit(profile.base_url).hostname or profile.base_url
        thinks = profile.switch != "none"
        return Place(
            profile.name,
            host,
            False,
            profile.sees_pictures,
            "ready",
            thinks=thinks,
            takes_video=profile.sees_pictures and profile.takes_video,
        )

    @asynccontextmanager
    async def held(self, settings: Settings) -> AsyncIterator[Endpoint]:
        """The endpoint to ask, as `endpoint` gives it; its engine is there until the block ends,
        whatever is chosen meanwhile."""
        model = settings.local_model if settings.endpoint == LOCAL else ""
        self._held.append(model)
        try:
            yield await self.endpoint(settings)
        finally:
            self._held.remove(model)
            self._freed.set()

    async def endpoint(self, settings: Settings) -> Endpoint:
        """The endpoint to ask, its engine running.

        Raises:
            Fault: the engine can't start, or the chosen profile is gone.
        """
        profile = self._note(settings)
        if profile is not None:
            key = await asyncio.to_thread(self._keys.get, profile.name)
            return profile.endpoint(key)
        # a question that is stopped while the engine starts must not stop the engine
        return await asyncio.shield(self._started(settings.local_model))

    async def answer(
        self, endpoint: Endpoint, events: AsyncGenerator[Event, None]
    ) -> AsyncGenerator[Event, None]:
        """An answer's events; where the engine died under it, its end says why."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Error) and endpoint.local:
                    yield await self._explained(event, endpoint)
                else:
                    yield event

    async def close(self) -> None:
        self._here = False
        for start in self._starts:
            start.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
        if self._child is not None:
            await self._child.stop()

    def _note(self, settings: Settings) -> Profile | None:
        """What is chosen now, as `chosen`."""
        profile = chosen(settings)
        self._here, self._wanted = profile is None, settings.local_model
        return profile

    def _local(self, model: str) -> Place:
        found = known(model, self._data)
        if self._is_starting(model) and self._last is not None and self._last.model == found.name:
            return self._last
        self._known = found
        warm = self._model == model and self._child is not None and self._child.running
        return self._place("ready" if warm else "cold")

    def _is_starting(self, model: str) -> bool:
        return self._starting is not None and not self._starting.done() and self._toward == model

    def _forsake(self) -> None:
        """Nobody waits for the start of a model that is no longer chosen: it ends."""
        start = self._starting
        if start is not None and self._toward != self._wanted and self._toward not in self._held:
            start.cancel()

    def _started(self, model: str) -> asyncio.Task[Endpoint]:
        if self._starting is None or not self._is_starting(model):
            return self._begin(model)
        return self._starting

    def _begin(self, model: str) -> asyncio.Task[Endpoint]:
        """Starts it because it is needed: the user is there and may see it fail."""
        running = self._child is not None and self._child.running
        self._spare = self._spare if running and model == self._model else True
        if self._told:
            self._told = ""
            if running:
                self._report("ready")
        return self._start(model)

    def _start(self, model: str) -> asyncio.Task[Endpoint]:
        before, self._toward = self._starting, model
        start = asyncio.get_running_loop().create_task(self._engine(model, before))
        self._starts.add(start)
        start.add_done_callback(self._starts.discard)
        # what goes wrong is reported as a state; there may be nobody to raise it to
        start.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._starting = start
        return start

    async def _make_room(self, model: str, before: asyncio.Task[Endpoint] | None) -> None:
        """Ends the engine of another model, or its start, once no question has it."""
        while any(held not in ("", model) for held in self._held):
            self._freed.clear()
            await self._freed.wait()
        if before is not None and not before.done():
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        if self._child is not None and self._model != model:
            await self._child.stop()
            self._child = self._endpoint = None

    async def _engine(self, model: str, before: asyncio.Task[Endpoint] | None) -> Endpoint:
        await self._make_room(model, before)
        if self._child is not None and self._child.running and self._endpoint is not None:
            return self._endpoint
        if self._child is None:
            self._model, self._known = model, known(model, self._data)
            self._child = EngineChild(
                model=model,
                folder=self._data,
                on_progress=self._progress,
                on_death=self._died,
                command=self._command,
            )
        self._report("starting", text=self._again())
        try:
            self._endpoint = await self._child.start()
        except Fault as fault:
            self._report("failed", text=fault.message)
            raise
        self._report("ready", text=self._told)
        return self._endpoint

    def _died(self, fault: EngineFault) -> None:
        """A running engine is gone: start it again, unless that was done already."""
        log.warning("%s %s", fault.message, fault.detail)
        self._loss = _Loss(self._endpoint, fault)
        self._endpoint = None
        if not self._here or self._model != self._wanted:
            return  # it is started when it is needed
        if not self._spare:
            self._report("failed", text=fault.message)
            return
        self._spare = False
        self._told = fault.message
        self._start(self._model)

    async def _explained(self, error: Error, endpoint: Endpoint) -> Error:
        """What broke off, with the reason where that is the engine's end."""
        if error.kind not in ("interrupted", "unreachable"):
            return error
        if self._lost(endpoint) is None and self._child is not None:
            await self._child.noticed(_NOTICE)
        fault = self._lost(endpoint)
        if fault is None:
            return error
        return Error(fault.kind, f"{fault.message} Try again.", fault.detail)

    def _lost(self, endpoint: Endpoint) -> EngineFault | None:
        loss = self._loss
        return loss.fault if loss is not None and loss.endpoint is endpoint else None

    def _progress(self, progress: Progress) -> None:
        self._report("starting", progress.done, self._again() or _stage(progress))

    def _again(self) -> str:
        if not self._told:
            return ""
        return translate("Places", "{reason} Starting it again").format(reason=self._told)

    def _report(self, state: PlaceState, progress: float | None = None, text: str = "") -> None:
        if self._model == self._wanted:  # else another is chosen, and shown, by now
            self._last = self._place(state, progress, text)
            self._changed(self._last)

    def _place(self, state: PlaceState, progress: float | None = None, text: str = "") -> Place:
        found = self._known
        return Place(
            LOCAL,
            HERE,
            True,
            found.sees_pictures,
            state,
            progress=progress,
            text=text,
            model=found.name,
            thinks=found.thinks,
            takes_video=found.takes_video,
        )


def _stage(progress: Progress) -> str:
    match progress.stage:
        case "converting":
            return translate("Places", "Preparing the built-in model, this once")
        case "loading":
            return translate("Places", "Loading the model")
        case _:
            return ""


def chosen(settings: Settings) -> Profile | None:
    """The profile in use, None for the embedded engine.

    Raises:
        EndpointFault: the settings name a profile that is not there.
    """
    if settings.endpoint == LOCAL:
        return None
    for profile in settings.profiles:
        if profile.name == settings.endpoint:
            return profile
    raise EndpointFault(
        "not_found",
        f"There is no endpoint called “{settings.endpoint}”. Choose one in Settings › Endpoints.",
    )
