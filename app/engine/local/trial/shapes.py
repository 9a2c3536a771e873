"""The sizes that kernels are timed at: the real models' on a number of GPUs, and a tiny one to try
the timing itself. Knows no kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["bf16", "fp8", "int4"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What one GPU of several holds of a language model."""

    name: str
    kind: Kind  # of its weights
    hidden: int
    heads: int
    key_heads: int
    width: int  # of a head
    inner: int  # of the dense network
    words: int  # rows of the head
    experts: int = 0
    chosen: int = 0
    thin: int = 0  # of an expert

    @property
    def project(self) -> int:
        """Rows of queries, keys and values."""
        return (self.heads + 2 * self.key_heads) * self.width


def big(ranks: int) -> Shape:
    """GLM-4.5V in FP8, one GPU's share."""
    return Shape(
        name=f"4.5V/{ranks}",
        kind="fp8",
        hidden=4096,
        heads=96 // ranks,
        key_heads=max(8 // ranks, 1),
        width=128,
        inner=10944 // ranks,
        words=151552 // ranks,
        experts=128,
        chosen=8,
        thin=1408 // ranks,
    )


def middle(kind: Kind) -> Shape:
    """GLM-4.1V-9B."""
    return Shape(f"9B {kind}", kind, 4096, 32, 2, 128, 13696, 151552)


def small(kind: Kind, *, experts: bool = False) -> Shape:
    """For the interpreter on a CPU."""
    if experts:
        return Shape(f"small {kind}", kind, 128, 8, 2, 32, 192, 300, experts=16, chosen=2, thin=32)
    return Shape(f"small {kind}", kind, 128, 4, 2, 32, 192, 300)


def shapes(names: tuple[str, ...], *, tiny: bool) -> list[Shape]:
    """Those named of `tp1`, `tp2`, `tp4`, `tp8`, `bf16`, `fp8`, `int4`."""
    if tiny:
        return [small("fp8", experts=True), small("bf16"), small("int4")]
    known = {f"tp{ranks}": big(ranks) for ranks in (1, 2, 4, 8)}
    kinds: tuple[Kind, ...] = ("bf16", "fp8", "int4")
    known |= {kind: middle(kind) for kind in kinds}
    return [known[name] for name in names]
