"""Why ranks can't go on, in words for a person; knows no process."""

from __future__ import annotations

import signal

import torch

from app.engine.local.ranks.order import Failed
from app.engine.local.room import is_no_memory
from app.vocabulary import EngineFault, Fault

_ANEW = "the engine has to start anew."


def not_started(error: OSError) -> EngineFault:
    return EngineFault("engine_failed", "A part of the engine can't be started.", str(error))


def died(rank: int, count: int, code: int | None) -> EngineFault:
    """`code` is as in subprocess, None where it is not known."""
    detail = f"rank {rank} of {count}: {_end(code)}"
    if code == -getattr(signal, "SIGKILL", 9):
        message = f"The system killed a part of the engine, most likely for lack of memory; {_ANEW}"
        return EngineFault("out_of_memory", message, detail)
    return EngineFault("engine_failed", f"A part of the engine ended by itself; {_ANEW}", detail)


def hangs(detail: str) -> EngineFault:
    return EngineFault("engine_failed", f"A part of the engine does not answer; {_ANEW}", detail)


def failed(word: Failed, rank: int) -> EngineFault:
    """A rank alone could not do what all had to: they are out of step."""
    detail = f"rank {rank}: {word.detail}"
    if not word.number and word.message:
        return EngineFault(word.kind, word.message, detail)
    if word.broken:
        return EngineFault("engine_failed", f"A GPU failed; {_ANEW}", detail)
    if word.kind == "out_of_memory":
        message = f"The memory of one part of the engine ran out; {_ANEW}"
        return EngineFault("out_of_memory", message, detail)
    message = f"A part of the engine failed; {_ANEW}"
    return EngineFault("engine_failed", message, detail)


def word_of(error: Exception, number: int) -> Failed:
    """What a rank tells of an error that an order led to."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, Fault):
        return Failed(number, error.kind, error.message, f"{detail} {error.detail}".strip())
    broken = isinstance(error, torch.AcceleratorError)
    if is_no_memory(error) and not broken:
        return Failed(number, "out_of_memory", "", detail)
    return Failed(number, "engine_failed", "", detail, broken)


def is_harmless(word: Failed) -> bool:
    """Whether ranks that all failed in this way can go on. Of other errors nobody knows what they
    left behind, or whether they came of a rank that is lost."""
    return not word.broken and word.kind != "engine_failed"


def _end(code: int | None) -> str:
    if code is None:
        return "its end of the line is closed"
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
