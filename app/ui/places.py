"""Where questions go: this machine's engine or a server; starts the engine when it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from PySide6.QtCore import QCoreApplication

from app.engine.child import EngineChild, Progress
from app.keys import Keys
from app.settings import LOCAL, Profile, Settings
from app.vocabulary import Endpoint, EndpointFault, Fault

translate = QCoreApplication.translate

PlaceState = Literal["cold", "starting", "ready", "failed"]
HERE = "this machine"


@dataclass(frozen=True, slots=True)
class Place:
    """What the status line says of where the pictures go; `progress` is 0 to 1 where known."""

    name: str
    where: str
    local: bool
    sees_pictures: bool
    state: PlaceState
    progress: float | None = None
    text: str = ""


class Places:
    """Turns the chosen name into an endpoint that answers, and reports each change of state."""

    def __init__(self, data: Path, keys: Keys, changed: Callable[[Place], None]) -> None:
        self._data = data
        self._keys = keys
        self._changed = changed
        self._child: EngineChild | None = None
        self._endpoint: Endpoint | None = None
        self._starting: asyncio.Task[Endpoint] | None = None

    def place(self, settings: Settings) -> Place:
        """The chosen place before anything was started there."""
        try:
            profile = chosen(settings)
        except EndpointFault as fault:
            name = settings.endpoint
            return Place(name, name, False, True, "failed", text=fault.message)
        if profile is None:
            warm = self._child is not None and self._child.running
            return Place(LOCAL, HERE, True, self._local_sees(), "ready" if warm else "cold")
        host = urlsplit(profile.base_url).hostname or profile.base_url
        return Place(profile.name, host, False, profile.sees_pictures, "ready")

    async def endpoint(self, settings: Settings) -> Endpoint:
        """The endpoint to ask, its engine running.

        Raises:
            Fault: the engine can't start, or the chosen profile is gone.
        """
        profile = chosen(settings)
        if profile is not None:
            key = await asyncio.to_thread(self._keys.get, profile.name)
            return profile.endpoint(key)
        if self._starting is None or self._starting.done():
            self._starting = asyncio.get_running_loop().create_task(self._engine(settings))
        # a question that is stopped while the engine starts must not stop the engine
        return await asyncio.shield(self._starting)

    async def close(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._child is not None:
            await self._child.stop()

    async def _engine(self, settings: Settings) -> Endpoint:
        if self._child is not None and self._child.running and self._endpoint is not None:
            return self._endpoint
        if self._child is None:
            self._child = EngineChild(
                model=settings.local_model, folder=self._data, on_progress=self._progress
            )
        self._report("starting")
        try:
            self._endpoint = await self._child.start()
        except Fault as fault:
            self._report("failed", text=fault.message)
            raise
        self._report("ready")
        return self._endpoint

    def _progress(self, progress: Progress) -> None:
        self._report("starting", progress.done, _stage(progress))

    def _report(self, state: PlaceState, progress: float | None = None, text: str = "") -> None:
        self._changed(Place(LOCAL, HERE, True, self._local_sees(), state, progress, text))

    def _local_sees(self) -> bool:
        return self._endpoint is not None and self._endpoint.sees_pictures


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
