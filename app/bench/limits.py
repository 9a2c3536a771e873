"""What the figures of a real size must reach, by machine and number of GPUs. Plain values."""

from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    at_most: float | None = None
    at_least: float | None = None


_NONE = Limit()
_DECODE = (256, 4096)  # tokens of context that one limit holds for
# by model, number of GPUs and kind of GPU
_PACES = {
    ("4.5v-fp8", 4, "H200"): 340.0,
    ("4.5v-fp8", 1, "H200"): 230.0,
    ("9b-bf16", 1, "H100"): 140.0,
    ("9b-fp8", 1, "H100"): 230.0,
    ("9b-int4", 1, "H100"): 300.0,
}
_FOUR = {  # GLM-4.5V in FP8 on four H200
    "decode at 32768": Limit(at_least=280),
    "first token, 4096 tokens": Limit(at_most=0.097),
    "first token, a new screenshot of 1920x1080 and 200 tokens": Limit(at_most=0.150),
    "first token, 10 new pages of 1600x1200": Limit(at_most=1.0),
    "first token, a question on 30 pages that were read": Limit(at_most=0.060),
    "start to ready": Limit(at_most=25),
    "memory a GPU at 65536 tokens": Limit(at_most=32),
}


def limit(model: str, gpus: int, device: str, what: str) -> Limit:
    """The limit of a figure, if it has one; `device` is the GPU's name."""
    kind = next((known for known in ("H200", "H100") if known in device), "")
    if what in {f"decode at {length}" for length in _DECODE}:
        return Limit(at_least=_PACES.get((model, gpus, kind)))
    if (model, gpus, kind) == ("4.5v-fp8", 4, "H200"):
        return _FOUR.get(what, _NONE)
    return _NONE
