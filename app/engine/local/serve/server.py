"""Runs the engine: loads the model, opens the port, says that it is ready; serves until told."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import uvicorn
from starlette.applications import Starlette

from app.engine.local import life
from app.engine.local.checkpoint import ready_folder
from app.engine.local.model import Loading, Model, load
from app.engine.local.options import TOKEN_VARIABLE, ServeOptions
from app.engine.local.ranks.spread import Spread
from app.engine.local.scheduler import Scheduler
from app.engine.local.serve.api import Api
from app.vocabulary import EngineFault

__all__ = ["ServeOptions", "serve"]

Opened: TypeAlias = Callable[[ServeOptions, life.Say], Model]

_LAST = 3.0  # seconds from the loss of a rank to the end of this process, at the latest
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(options: ServeOptions, opened: Opened | None = None) -> int:
    """Serve until the process is told to end, or, for a child, its stdin closes. `opened` gives
    the model, where it is not the one that `options` name.

    Raises EngineFault where the model or the port can't be had, and where the device breaks. Where
    other ranks are lost it does not come back: the process ends, with the fault as its last word.
    """
    say = life.say_as_json if options.watch_stdin else life.say_as_words
    if options.watch_stdin:
        life.end_with_parent()
    listener = _listen(options.host, options.port)
    with listener:
        model = (opened or _load)(options, say)
        faults: list[EngineFault] = []
        scheduler = Scheduler(model, broken=faults.append)
        try:
            app = Api(model, scheduler).app(_token(options), exposed=options.host not in _LOOPBACK)
            server = Server(configured(app), _ready_line(listener, model.name), faults)
            with _ranks(model, scheduler, options, faults):
                say("ready", 1.0, "Ready")
                server.run(sockets=[listener])
        finally:
            scheduler.close()
    if faults:
        raise faults[0]
    return 0


@contextmanager
def _ranks(
    model: Model, scheduler: Scheduler, options: ServeOptions, faults: list[EngineFault]
) -> Iterator[None]:
    """Where the model is spread over ranks: end with them, and end them at the end."""
    if not isinstance(model.network, Spread):
        yield
        return
    crew = model.network.crew
    ending = life.Ending(life.fail_as_json if options.watch_stdin else life.fail_as_words)

    def lost(fault: EngineFault) -> None:
        scheduler.fail(fault)
        faults.append(fault)  # the server ends
        ending.within(_LAST, fault)

    crew.tell(lost)
    try:
        yield
    finally:
        if crew.fault is not None:
            crew.close()  # what they held is free then, for the next engine
            ending.now(crew.fault)
        scheduler.close()
        model.network.close()


def _load(options: ServeOptions, say: life.Say) -> Model:
    folder = ready_folder(options.model, options.folder, say)
    say("loading", None, "Loading the model")
    return load(Loading(folder.name, folder, options.gpus, options.context), say)


def _token(options: ServeOptions) -> str:
    token = options.api_key or os.environ.pop(TOKEN_VARIABLE, "")
    if not token:
        token = secrets.token_urlsafe(24)
        sys.stderr.write(f"API key for this run: {token}\n")
    return token


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _no_port(host, port, error) from error
    try:
        if sys.platform != "win32":  # there it would let another program take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _no_port(host, port, error) from error
    return listener


def _no_port(host: str, port: int, error: OSError) -> EngineFault:
    return EngineFault(
        "engine_failed", f"The engine can't listen on {host} port {port}: {error.strerror}."
    )


def _ready_line(listener: socket.socket, model: str) -> str:
    host, port = listener.getsockname()[:2]
    place = f"[{host}]" if ":" in host else host
    ready = {"ready": True, "base_url": f"http://{place}:{port}/v1", "model": model}
    return json.dumps({**ready, "pid": os.getpid()}, separators=(",", ":"))


class Server(uvicorn.Server):
    """Says that it is ready once it takes connections, and not before; ends where the engine can't
    go on, as soon as a fault is put into `faults`."""

    def __init__(self, config: uvicorn.Config, ready_line: str, faults: list[EngineFault]) -> None:
        super().__init__(config)
        self._ready_line = ready_line
        self._faults = faults

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._ready_line, flush=True)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or bool(self._faults)


def configured(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=64 * 1024,
    )
