"""What the engine is started with; knows nothing of models or servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TOKEN_VARIABLE = "SIGHTLINE_ENGINE_TOKEN"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """`model` is a name or a path; `gpus=None` takes one where there is one, 0 stays on the CPU;
    `port=0` lets the system choose; an empty `api_key` is taken from `SIGHTLINE_ENGINE_TOKEN`, or
    made; `folder` is the data folder; `watch_stdin` marks a child, which ends when stdin does."""

    model: str
    folder: Path
    gpus: int | None = None
    host: str = "127.0.0.1"
    port: int = 0
    api_key: str = ""
    context: int | None = None
    watch_stdin: bool = False
