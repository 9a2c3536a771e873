"""Opens a GLM checkpoint: its folder → a network on its device, or on several, and the words around
it. Knows no server."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from app.engine.local.generic.packed import fastest
from app.engine.local.glm.chat import open_chat
from app.engine.local.glm.config import GlmConfig, check_gpus, read
from app.engine.local.glm.opening import Opening, open_network, open_share, use_ways
from app.engine.local.glm.prompt import bare
from app.engine.local.life import Say
from app.engine.local.model import Loading, Model, own_defaults
from app.engine.local.network import Network
from app.engine.local.ranks.crew import Crew
from app.engine.local.ranks.spread import Spread
from app.engine.local.room import Room, device_for, free_bytes, gpu_count, room_for, use_cores
from app.engine.local.weights.estimate import LEAST, Estimate, context_for, estimate
from app.vocabulary import EngineFault

__all__ = ["load", "open_network"]

_USEFUL = 16_384  # tokens of context for which a model is spread over several GPUs


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is loaded, and on how many devices."""

    loading: Loading
    config: GlmConfig
    device: torch.device  # the first
    dtype: torch.dtype
    ranks: int

    def needed(self) -> Estimate:
        """On each device."""
        return estimate(self.loading.folder, dtype=self.dtype, ranks=self.ranks)


def load(loading: Loading, say: Say = lambda *_: None) -> Model:
    """Load a GLM checkpoint; all that can be found wrong without its weights is said first.

    Raises EngineFault("unsupported" | "out_of_memory" | "damaged" | "engine_failed").
    """
    folder, name = loading.folder, loading.name
    plan = _plan(loading, read(folder))
    most, needed = plan.config.text.context, plan.needed()
    context = context_for(
        name, needed, plan.device, most=most, asked=loading.context, ranks=plan.ranks
    )
    crew = Crew(plan.ranks) if plan.ranks > 1 else None
    try:
        if crew is not None:
            crew.begin()  # the other ranks start while the tokenizer is read
        chat = open_chat(folder, name=name, context=context)
        network, room = _open(plan, needed, context, crew, say)
    except BaseException as error:
        if crew is not None:
            crew.close()
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            raise _full(name, error) from error
        raise
    held = room.limit // max(network.token_bytes, 1)
    if loading.context is None and LEAST < held < context and plan.ranks > 1:
        context = held  # another of the GPUs has less room than the first
        chat = open_chat(folder, name=name, context=context)
    defaults = own_defaults(folder, context=context, ends=(plan.config.ends,))
    return Model(name, chat, defaults=defaults, network=network, room=room)


def _full(name: str, error: BaseException) -> EngineFault:
    message = (
        f"The memory was full before the model “{name}” was loaded; close other programs that "
        "use it, or choose a smaller model."
    )
    return EngineFault("out_of_memory", message, str(error))


def _open(
    plan: _Plan, needed: Estimate, context: int, crew: Crew | None, say: Say
) -> tuple[Network, Room]:
    loading, config, dtype = plan.loading, plan.config, plan.dtype
    folder, adapter = loading.folder, loading.adapter
    if crew is None:
        use_ways(plan.device)
        network = open_network(
            folder, config, device=plan.device, dtype=dtype, say=say, adapter=adapter
        )
        return network, room_for(plan.device)
    least = loading.context or LEAST
    given = Opening(loading.name, folder, config, dtype, needed, min(least, context), adapter)
    kind = plan.device.type
    spread = Spread.open(
        open_share, given, count=plan.ranks, kind=kind, say=say, bare=bare, crew=crew
    )
    return spread, spread.room


def _plan(loading: Loading, config: GlmConfig) -> _Plan:
    """Raises EngineFault("unsupported" | "engine_failed") for a number of GPUs that can't be."""
    device = torch.device("cpu") if loading.ranks else device_for(loading.gpus)
    dtype = loading.dtype or _quickest(device)
    asked = loading.ranks or loading.gpus
    if asked:
        check_gpus(config.text, asked)
        return _Plan(loading, config, device, dtype, asked)
    one = _Plan(loading, config, device, dtype, 1)
    there = gpu_count() if device.type == "cuda" else 1
    if there == 1 or _fits(one):
        return one
    return _Plan(loading, config, device, dtype, config.text.most_of(there))


def _fits(plan: _Plan) -> bool:
    """Whether a model has room for a useful context."""
    context = min(plan.loading.context or _USEFUL, plan.config.text.context)
    return plan.needed().total(context) <= free_bytes(plan.device)


def _quickest(device: torch.device) -> torch.dtype:
    """The numbers that the device reckons with soonest."""
    if device.type == "cuda":
        return torch.bfloat16
    use_cores()
    short = fastest(("float32", "bfloat16")) == "bfloat16"
    return torch.bfloat16 if short else torch.float32
