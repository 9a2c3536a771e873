"""How the engine ends when the program that started it does, and how it reports until then."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

from app.vocabulary import EngineFault

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

Say = Callable[[str, float | None, str], None]  # stage, done from 0 to 1, text
Tell = Callable[[EngineFault], None]


def end_with_parent() -> None:
    """End this process when its stdin closes; the kernel closes it even if the parent is killed."""
    if sys.platform == "linux":
        # A second string to the bow, for an interpreter stuck in native code. It is tied to the
        # thread that started us, which for the window is the one that runs its loop.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_wait_for_end_of_stdin, name="stdin", daemon=True).start()


def _wait_for_end_of_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)  # nothing here is worth saving, and a running generation must not hold us up


class Ending:
    """The end of a process that can't go on, whatever its other threads are stuck in. The fault is
    its last word, and is said once."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._once = threading.Lock()

    def now(self, fault: EngineFault) -> NoReturn:
        self._once.acquire()  # and never given back: who comes second waits for the end
        self._tell(fault)
        os._exit(1)

    def within(self, seconds: float, fault: EngineFault) -> None:
        """Leave the others so much time to come to an end in order."""
        last = threading.Timer(seconds, self.now, (fault,))
        last.daemon = True
        last.start()


def say_as_json(stage: str, done: float | None, text: str) -> None:
    """Progress for a program: a JSON line on stderr."""
    _line({"stage": stage, "done": done, "text": text})


def say_as_words(stage: str, done: float | None, text: str) -> None:
    """Progress for a person: one line, drawn over and over, only where stderr is a terminal."""
    if sys.stderr.isatty():
        share = "" if done is None else f" {done:.0%}"
        sys.stderr.write(f"\r\x1b[K{text}{share}" + ("\n" if stage == "ready" else ""))
        sys.stderr.flush()


def fail_as_json(fault: EngineFault) -> None:
    _line({"error": {"kind": fault.kind, "message": fault.message, "detail": fault.detail}})


def fail_as_words(fault: EngineFault) -> None:
    sys.stderr.write(("\r\x1b[K" if sys.stderr.isatty() else "") + fault.message + "\n")


def _line(value: dict[str, object]) -> None:
    sys.stderr.write(json.dumps(value) + "\n")
    sys.stderr.flush()
