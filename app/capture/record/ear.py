"""Listens to the microphone on a thread of its own: opens what works, hands samples on with the
moment they came, ends it. Knows no film.

A program that records dies with the thread that started it, whatever way this process ends.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from app.capture.record import microphone
from app.capture.record.track import RATE

Samples = NDArray[np.int16]
_CHUNK = RATE // 50 * 2  # bytes of 20 ms
_FIRST = 2.0  # seconds that a program has for its first sound
_PROOF = (
    RATE // 10
)  # samples: what ends before is no sound but an error, which pw-record writes there
_AHEAD = 1.0  # seconds of sound beyond the clock, from where on a source is made to wait
_GRACE = 2.0  # seconds to end
# PR_SET_PDEATHSIG, SIGKILL; a parent that has died before is not waited for
_LEASH = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); os.execvp(sys.argv[2], sys.argv[2:])"
)


class Ear:
    """Begins at once. `settled` once it is known whether there is sound (`heard`) or not."""

    def __init__(self) -> None:
        self._chunks: queue.SimpleQueue[tuple[float, Samples]] = queue.SimpleQueue()
        self._settled = threading.Event()
        self._lock = threading.Lock()
        self._program: subprocess.Popen[bytes] | None = None
        self._closed = False
        self.heard = False
        self.over = False
        """Whether nothing more will come."""
        self._thread = threading.Thread(target=self._work, name="microphone", daemon=True)
        self._thread.start()

    @property
    def settled(self) -> bool:
        return self._settled.is_set()

    def taken(self) -> Iterator[tuple[float, Samples]]:
        """What came since: the moment of `time.monotonic()` at which its last sample did."""
        with suppress(queue.Empty):
            while True:
                yield self._chunks.get_nowait()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._program is not None:
                self._program.kill()
        self._thread.join(_GRACE)

    def _work(self) -> None:
        kind = microphone.device()
        with suppress(Exception):  # a thread's entry: the film goes on without sound, and says so
            if kind is None:
                self._try_tools()
            else:
                self._listen_to_device(kind)
        self.over = True
        self._settled.set()

    def _try_tools(self) -> None:
        for tool in microphone.tools():
            command = microphone.command(tool)
            if command is None or microphone.echoes(tool):
                continue
            with suppress(OSError):
                self._listen(command)
            if self.heard or self._closed:
                return

    def _listen(self, command: tuple[str, ...]) -> None:
        """Reads until it ends; at once where it gives nothing."""
        with self._lock:
            if self._closed:
                return
            program = self._program = _leashed(command)
        watch = threading.Timer(_FIRST, program.kill)
        watch.start()
        assert program.stdout is not None
        try:
            handle, began, count = program.stdout.fileno(), time.monotonic(), 0
            while data := _read(handle):
                if not count:
                    began = time.monotonic()
                count += len(data) // 2
                if count >= _PROOF:
                    watch.cancel()
                    self._hand_on(np.frombuffer(data, "<i2").astype(np.int16))
                _wait(began, count)
        finally:
            watch.cancel()
            program.kill()
            program.wait()
            program.stdout.close()

    def _listen_to_device(self, kind: str) -> None:
        from app.capture.record.device import samples  # noqa: PLC0415 (loads PyAV)

        for chunk in samples(kind):
            self._hand_on(chunk)
            if self._closed:
                return

    def _hand_on(self, samples: Samples) -> None:
        self._chunks.put((time.monotonic(), samples))
        self.heard = True
        self._settled.set()


def _leashed(command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    leash = (sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()))
    return subprocess.Popen(
        [*leash, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )


def _read(handle: int) -> bytes:
    """What there is, whole samples; empty at the end."""
    data = os.read(handle, 8 * _CHUNK)
    if len(data) % 2:
        data += os.read(handle, 1)
    return data[: len(data) // 2 * 2]


def _wait(began: float, count: int) -> None:
    """A source without a clock, as a file, must not fill the memory."""
    ahead = count / RATE - (time.monotonic() - began)
    if ahead > _AHEAD:
        time.sleep(min(ahead - _AHEAD, 1.0))
