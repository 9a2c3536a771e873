"""`sightline models fit`: what this machine can hold, and how fast it would be: an estimate."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.output import emit, fail, say
from app.engine.fit.family import FAMILY, need
from app.engine.fit.machine import Machine, look
from app.engine.fit.need import Need, need_of
from app.engine.fit.verdict import Fit, fit
from app.engine.models import installed
from app.settings import Folders
from app.vocabulary import EngineFault, Fault

CONTEXT = 16_384  # tokens: some ten pages and a long answer


def run(context: int, folders: Folders, *, as_json: bool) -> int:
    try:
        machine = look()
        fits = [fit(wanted, machine, context) for wanted in _needs(folders)]
    except Fault as fault:
        return fail(fault.as_error(), as_json=as_json)
    if as_json:
        emit(_machine_record(machine))
        for each in fits:
            emit(_record(each))
        return 0
    _tell_machine(machine)
    say(f"Estimates, with room for {context:,} tokens of conversation:")
    width = max(len(each.need.name) for each in fits)
    for each in fits:
        say(f"  {each.need.name:<{width}}  {_gb(each.needed):>8}  {_words(each)}")
    there = [each.need.get for each in fits if each.need.get and each.where in ("gpu", "cpu")]
    if there:
        say(f"To get one: sightline models get {there[0]}")
    return 0


def _needs(folders: Folders) -> Iterator[Need]:
    """The models that are here, then the family as it can be fetched."""
    here = set()
    for model in installed(folders.data):
        try:
            found = need_of(model)
        except EngineFault:  # a damaged one: `serve` says what is wrong with it
            continue
        if found is not None:
            here.add(model.name)
            yield found
    for member in FAMILY:
        if member.name not in here:
            yield need(member)


def _tell_machine(machine: Machine) -> None:
    for gpu in machine.gpus:
        say(f"{gpu.name}: {_gb(gpu.free)} of {_gb(gpu.total)} free")
    if not machine.gpus:
        say("No NVIDIA GPU; models run on the processor.")
    cores = "1 core" if machine.cores == 1 else f"{machine.cores} cores"
    memory = f"{_gb(machine.free)} of {_gb(machine.memory)} of memory free"
    say(f"{cores}, {memory}, read at about {machine.bandwidth / 1e9:.0f} GB/s")


def _words(found: Fit) -> str:
    pace = "" if found.pace is None else f", about {_pace(found.pace)} tokens/s"
    match found.where:
        case "gpu" | "cpu":
            place = "on a GPU" if found.where == "gpu" else "on the processor"
            if found.busy:
                return f"{place}, once {_gb(found.needed - found.free)} more are free{pace}"
            return f"fits {place}{pace}"
        case "gpus":
            return f"too large for one GPU; {found.gpus} of these would hold it"
        case "nowhere":
            return f"does not fit: {_gb(found.free)} are free"


def _record(found: Fit) -> dict[str, object]:
    return {
        "type": "fit",
        "model": found.need.name,
        "installed": found.need.here,
        "get": found.need.get or None,
        "where": found.where,
        "fits": found.where in ("gpu", "cpu") and not found.busy,
        "needed": found.needed,
        "free": found.free,
        "weights": found.need.weights,
        "context": found.context,
        "gpus": found.gpus or None,
        "tokens_per_second": None if found.pace is None else round(found.pace, 1),
        "estimate": True,
    }


def _machine_record(machine: Machine) -> dict[str, object]:
    gpus = [{"name": gpu.name, "total": gpu.total, "free": gpu.free} for gpu in machine.gpus]
    return {
        "type": "machine",
        "gpus": gpus,
        "memory": machine.memory,
        "free": machine.free,
        "cores": machine.cores,
        "bytes_per_second": round(machine.bandwidth),
    }


def _pace(tokens: float) -> str:
    return f"{tokens:.0f}" if tokens >= 10 else f"{tokens:.1f}"


def _gb(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count < 100 << 30 else f"{count / 2**30:.0f} GB"
