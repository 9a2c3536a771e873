"""The sizes of the GLM vision family and its text siblings, from the shapes in their config.json,
for saying what fits before anything is fetched; knows no machine.

The formula gives what the published checkpoints hold to the last parameter: GLM-4.5V
107,710,933,120, GLM-4.1V-9B 10,292,777,472, GLM-4.5-Air with its MTP layer 110,468,824,832.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from app.engine.fit.need import Need

Weights = Literal["bf16", "FP8", "int4"]

# bytes of one weight of a linear layer; int4 in groups of 128 with a 16-bit scale and a 4-bit zero
_WIDTHS: dict[Weights, float] = {"bf16": 2.0, "FP8": 1.0, "int4": 0.5 + 2.5 / 128}


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's shapes, by the names of its config.json; without experts all layers are dense."""

    hidden: int = 4096
    layers: int = 46
    heads: int = 96
    kv_heads: int = 8
    head_dim: int = 128
    intermediate: int = 10_944
    vocab: int = 151_552
    experts: int = 128
    chosen: int = 8  # experts a token
    moe_intermediate: int = 1408
    dense: int = 1  # layers before the first with experts
    norms: int = 2  # a layer
    sees: bool = True
    predicts: int = 0  # layers for multi-token prediction, read only when drafting
    context: int = 65_536


@dataclass(frozen=True, slots=True)
class Member:
    """A checkpoint of the family as it can be fetched; `repository` where it is the makers' own."""

    name: str
    shape: Shape
    weights: Weights
    repository: str = ""


_GLM_45V = Shape()
_GLM_46V = replace(_GLM_45V, context=131_072)
_AIR = replace(_GLM_45V, sees=False, predicts=1, context=131_072)
_GLM_41V = Shape(
    layers=40,
    heads=32,
    kv_heads=2,
    intermediate=13_696,
    experts=0,
    chosen=0,
    moe_intermediate=0,
    dense=40,
    norms=4,
)
_FLASH = replace(_GLM_41V, context=131_072)

FAMILY = (
    Member("GLM-4.6V", _GLM_46V, "bf16", "zai-org/GLM-4.6V"),
    Member("GLM-4.6V-FP8", _GLM_46V, "FP8", "zai-org/GLM-4.6V-FP8"),
    Member("GLM-4.5V", _GLM_45V, "bf16", "zai-org/GLM-4.5V"),
    Member("GLM-4.5V-FP8", _GLM_45V, "FP8", "zai-org/GLM-4.5V-FP8"),
    Member("GLM-4.5-Air-FP8", _AIR, "FP8", "zai-org/GLM-4.5-Air-FP8"),
    Member("GLM-4.6V-Flash", _FLASH, "bf16", "zai-org/GLM-4.6V-Flash"),
    Member("GLM-4.1V-9B-Thinking", _GLM_41V, "bf16", "zai-org/GLM-4.1V-9B-Thinking"),
    Member("GLM-4.1V-9B-Thinking, FP8", _GLM_41V, "FP8"),
    Member("GLM-4.1V-9B-Thinking, AWQ", _GLM_41V, "int4"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a checkpoint's numbers: how many, which share of them one written token needs, and
    whether a quantised checkpoint has them quantised."""

    numbers: int
    share: float
    linear: bool


def pieces(shape: Shape) -> tuple[Piece, ...]:
    """A checkpoint's numbers. The embedding is only looked up, the vision tower is at rest while
    an answer is written, and so is what predicts further tokens."""
    hidden = shape.hidden
    words = shape.vocab * hidden
    sparse = shape.layers - shape.dense
    expert = 3 * hidden * shape.moe_intermediate
    share = shape.chosen / shape.experts if shape.experts else 0.0
    router = (hidden + 1) * shape.experts
    return (
        Piece(words, 0.0, linear=False),
        Piece(words + hidden + shape.layers * shape.norms * hidden, 1.0, linear=False),
        Piece(shape.layers * _attention(shape), 1.0, linear=True),
        Piece(shape.layers * _biases(shape) + sparse * router, 1.0, linear=False),
        Piece(shape.dense * 3 * hidden * shape.intermediate + sparse * expert, 1.0, linear=True),
        Piece(sparse * shape.experts * expert, share, linear=True),
        Piece(_vision(shape) if shape.sees else 0, 0.0, linear=False),
        Piece(
            shape.predicts * (_attention(shape) + (shape.experts + 1) * expert), 0.0, linear=True
        ),
        Piece(
            shape.predicts * (_biases(shape) + router + 2 * words + (2 * hidden + 5) * hidden),
            0.0,
            linear=False,
        ),
    )


def parameters(shape: Shape) -> int:
    """How many numbers a checkpoint holds."""
    return sum(piece.numbers for piece in pieces(shape))


def _attention(shape: Shape) -> int:
    """Of one layer: queries and outputs, keys and values."""
    return 2 * shape.hidden * shape.head_dim * (shape.heads + shape.kv_heads)


def _biases(shape: Shape) -> int:
    return shape.head_dim * (shape.heads + 2 * shape.kv_heads)


def _vision(shape: Shape) -> int:
    """24 blocks of 1536, the patches, their places, the merger, whose inner width is that of the
    text model's dense layers; no biases but in the two convolutions and one norm."""
    width, out = 1536, 4096
    block = 2 * width + 4 * width * width + 3 * width * out
    patches = (3 * 2 * 14 * 14 + 1) * width + 576 * width + 2 * width
    merger = (4 * width + 1) * out + out * out + 2 * out + 3 * out * shape.intermediate
    return 24 * block + patches + merger


def need(member: Member) -> Need:
    """What it takes to run it, by the sizes of its files."""
    width = _WIDTHS[member.weights]
    found = pieces(member.shape)
    packed = [piece for piece in found if piece.linear and width != 2]
    plain = [piece for piece in found if piece not in packed]
    return Need(
        name=member.name,
        plain=sum(2 * piece.numbers for piece in plain),
        packed=round(sum(width * piece.numbers for piece in packed)),
        active_plain=round(sum(2 * piece.numbers * piece.share for piece in plain)),
        active_packed=round(sum(width * piece.numbers * piece.share for piece in packed)),
        token=2 * member.shape.layers * member.shape.kv_heads * member.shape.head_dim * 2,
        layers=member.shape.layers,
        context=member.shape.context,
        get=member.repository,
        captured=True,
    )
