"""A video's container → what it is and its frames, through a process of its own (`film`) that is
killed when it takes too long. Knows no decoder, no model and no rule of what to show."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from app.engine.local.film import FRAME, LINE, MOST_PIXELS
from app.vocabulary import EndpointFault, FaultKind

_ROOT = Path(__file__).resolve().parents[3]  # the folder that holds `app`
_SYSTEM = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_MOST_FRAMES = 10_000_000
_FAULTS: dict[str, FaultKind] = {"unsupported": "unsupported"}  # all others: bad_request


@dataclass(frozen=True, slots=True)
class Reel:
    """A video as a whole: frames in all, frames a second, and its size in pixels, upright."""

    frames: int
    fps: float
    height: int
    width: int

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / self.fps


@dataclass(frozen=True, slots=True)
class Bounds:
    """What opening one video may take: seconds, and bytes of address space beside its own."""

    seconds: float = 60.0
    memory: int = 3 << 30


@dataclass(frozen=True, slots=True)
class _Order:
    """What the process is to do: frames by number, rising, and the height and width of each."""

    indices: tuple[int, ...] = ()
    size: tuple[int, int] = (0, 0)


def reel(data: bytes, name: str, bounds: Bounds = Bounds()) -> Reel:
    """What a container holds; `name` is what a sentence calls it ("Video 1").

    Raises EndpointFault("bad_request" | "unsupported").
    """
    return _projected(data, name, bounds, order=_Order())[0]


def frames(
    data: bytes,
    name: str,
    *,
    indices: Sequence[int],
    size: tuple[int, int],
    bounds: Bounds = Bounds(),
) -> tuple[bytes, ...]:
    """The frames of these numbers, which must not fall, each as a PPM picture of `size` (height,
    width). Raises EndpointFault as `reel` does."""
    return _projected(data, name, bounds, order=_Order(tuple(indices), size))[1]


def _projected(
    data: bytes, name: str, bounds: Bounds, *, order: _Order
) -> tuple[Reel, tuple[bytes, ...]]:
    if not data:
        raise EndpointFault("bad_request", f"{name} is empty (0 bytes); send it again.")
    if importlib.util.find_spec("av") is None:
        raise _no_decoder(name)
    late = threading.Event()
    try:
        with _Projector(bounds.seconds, late) as projector:
            return projector.run(_asked(data, bounds, order), data, order)
    except _Said as said:
        raise _fault(said.said, name) from None
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _failure(name, bounds.seconds if late.is_set() else None, error) from error


def _asked(data: bytes, bounds: Bounds, order: _Order) -> bytes:
    asked = {
        "bytes": len(data),
        "indices": order.indices,
        "size": order.size,
        "memory": bounds.memory + 2 * len(data),
        "seconds": max(1, round(bounds.seconds)),
    }
    return json.dumps(asked).encode() + b"\n"


class _Projector:
    """The process, with a clock that kills it."""

    def __init__(self, seconds: float, late: threading.Event) -> None:
        self._late = late
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", "app.engine.local.film"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self._clock = threading.Timer(seconds, self._stop)
        self._clock.name = "film clock"

    def __enter__(self) -> _Projector:
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._clock.cancel()
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not written yet is lost with it
                _open(pipe).close()
        self._process.wait()
        self._clock.join()

    def run(self, asked: bytes, data: bytes, order: _Order) -> tuple[Reel, tuple[bytes, ...]]:
        given, told = _open(self._process.stdin), _open(self._process.stdout)
        with suppress(BrokenPipeError):  # it ended early, and says why
            given.write(asked)
            given.write(data)
            given.flush()
        found = _reel(_said(told))
        return found, tuple(_frame(told, order.size) for _ in order.indices)

    def _stop(self) -> None:
        self._late.set()
        self._process.kill()


class _Said(Exception):
    """The process's own words about what went wrong."""

    def __init__(self, said: dict[str, Any]) -> None:
        super().__init__(said)
        self.said = said


def _said(told: IO[bytes]) -> dict[str, Any]:
    if told.read(1) != LINE:
        raise EOFError("nothing said")
    return dict(json.loads(told.readline()))


def _reel(head: dict[str, Any]) -> Reel:
    """Not simply believed: a hostile file may have taken the process over."""
    if "kind" in head:
        raise _Said(head)
    found = Reel(int(head["frames"]), float(head["fps"]), int(head["height"]), int(head["width"]))
    if not (0 < found.frames <= _MOST_FRAMES and 0 < found.fps <= 1000):
        raise ValueError(f"no video: {found}")
    if not 0 < found.height * found.width <= MOST_PIXELS:
        raise ValueError(f"no picture: {found}")
    return found


def _frame(told: IO[bytes], size: tuple[int, int]) -> bytes:
    height, width = size
    kind = told.read(1)
    if kind == LINE:
        raise _Said(json.loads(told.readline()))
    pixels = told.read(height * width * 3)
    if kind != FRAME or len(pixels) != height * width * 3:
        raise EOFError("half a frame")
    return b"P6\n%d %d\n255\n" % (width, height) + pixels


def _failure(name: str, seconds: float | None, error: Exception) -> EndpointFault:
    """Why nothing came: too late (after `seconds`), or dead by its own limits or by a crash of its
    libraries."""
    if seconds is not None:
        message = (
            f"{name} takes longer than {seconds:g} seconds to decode; send a shorter or smaller "
            "one, or its frames as pictures."
        )
    else:
        message = f"{name} is damaged or needs too much memory; send another copy of it."
    return EndpointFault("bad_request", message, f"{type(error).__name__}: {error}")


def _fault(said: dict[str, Any], name: str) -> EndpointFault:
    if said["kind"] == "no_decoder":
        return _no_decoder(name, said["detail"])
    kind = _FAULTS.get(said["kind"], "bad_request")
    return EndpointFault(kind, f"{name} {said['message']}", said["detail"])


def _no_decoder(name: str, detail: str = "") -> EndpointFault:
    message = (
        f"{name} can't be decoded on this machine, which lacks PyAV (pip install av); send its "
        "frames instead: data:video/jpeg;base64,<jpeg>,<jpeg>,… with `fps` or `timestamps`."
    )
    return EndpointFault("unsupported", message, detail)


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # all of them were asked for
    return pipe


def _environment() -> dict[str, str]:
    """Little: the process holds hostile files and needs no keys."""
    return {
        **{name: os.environ[name] for name in _SYSTEM if name in os.environ},
        "PYTHONPATH": str(_ROOT),
    }
