"""Decides by what a file holds in which format a layer's weights are, and builds the layer; knows
no model and no adapter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch

from app.engine.headers import Header
from app.engine.local.weights.fp8 import Fp8Block, Fp8Channel
from app.engine.local.weights.int4 import Awq, Packed, nibbles
from app.engine.local.weights.linear import Linear, Plain
from app.engine.local.weights.shards import Shards
from app.engine.local.weights.share import WHOLE, Cut, Part, Share, part_of, take
from app.vocabulary import EngineFault

Kind: TypeAlias = Literal["plain", "channel", "block", "awq", "packed"]

_NUMBERS = ("F64", "F32", "BF16", "F16")
_EIGHTHS = ("F8_E4M3", "F8_E5M2")
_WORD = 8  # 4-bit steps
_IN_WORDS = frozenset({("awq", "rows"), ("packed", "columns")})  # along which words lie
_METHODS = ("awq", "compressed-tensors", "fp8")
_STRATEGIES = {(8, "float", way) for way in ("tensor", "channel", "block")} | {
    (4, "int", way) for way in ("group", "channel")
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """What config.json says of the quantisation and the shapes of the tensors don't: the rows and
    columns of a block, and how many columns may share a scale."""

    block: tuple[int, int] = (128, 128)
    groups: tuple[int, ...] = ()


def read_scheme(config: Mapping[str, Any]) -> Scheme:
    """What `config.json` says.

    Raises EngineFault("unsupported") for a way of quantising that the engine can't read, and
    EngineFault("damaged") for what makes no sense.
    """
    try:
        return _scheme(config)
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        message = "config.json says nothing sensible of its quantisation; download it again."
        raise EngineFault("damaged", message, repr(error)) from error


def _scheme(config: Mapping[str, Any]) -> Scheme:
    text = config.get("text_config") or {}
    said = config.get("quantization_config") or text.get("quantization_config") or {}
    if not said:
        return Scheme()
    method = str(said.get("quant_method", "compressed-tensors")).lower()
    if method not in _METHODS:
        raise _unreadable(f"quantised by “{method}”")
    if method == "awq":
        _check_awq(said)
        return Scheme()
    if method == "fp8":
        return Scheme(block=_block(said.get("weight_block_size")))
    return _compressed(said)


def _check_awq(said: Mapping[str, Any]) -> None:
    version, bits = str(said.get("version", "gemm")).lower(), said.get("bits", 4)
    if version != "gemm" or bits != 4:
        raise _unreadable(f"quantised by AWQ in the layout “{version}” with {bits} bits")


def _compressed(said: Mapping[str, Any]) -> Scheme:
    if said.get("transform_config"):
        raise _unreadable("quantised with rotations that are undone at run time")
    if (said.get("sparsity_config") or {}).get("format", "dense") != "dense":
        raise _unreadable("stored sparsely")
    weights = [group.get("weights") or {} for group in (said.get("config_groups") or {}).values()]
    for each in weights:
        how = each.get("num_bits"), each.get("type"), each.get("strategy")
        if how not in _STRATEGIES:
            raise _unreadable("quantised to {}-bit {} numbers by {}".format(*how))
    blocks = [each["block_structure"] for each in weights if each.get("block_structure")]
    groups = {int(each.get("group_size") or 0) for each in weights}
    return Scheme(_block(blocks[0] if blocks else None), tuple(sorted(groups - {0, -1})))


def _block(said: Any) -> tuple[int, int]:
    if not said:
        return (128, 128)
    rows, columns = (int(size) for size in (said.split("x") if isinstance(said, str) else said))
    if min(rows, columns) < 1:
        raise ValueError(said)
    return rows, columns


def kind_of(held: Mapping[str, Header], prefix: str) -> Kind:
    """The format of one layer. Raises EngineFault("damaged" | "unsupported")."""
    if f"{prefix}.weight" in held:
        return _kind_of_weight(held, prefix)
    if f"{prefix}.qweight" in held:
        _need(held, prefix, "qzeros", "scales")
        if f"{prefix}.g_idx" in held or not _is_gemm(held, prefix):
            raise _unreadable("quantised by GPTQ, or packed as AWQ's layout “gemm” is not")
        return "awq"
    if f"{prefix}.weight_packed" in held:
        _need(held, prefix, "weight_scale", "weight_shape")
        if f"{prefix}.weight_g_idx" in held or held[f"{prefix}.weight_packed"].dtype != "I32":
            raise _unreadable("packed in another way than 4-bit groups in order")
        return "packed"
    raise missing(f"{prefix}.weight")


def _kind_of_weight(held: Mapping[str, Header], prefix: str) -> Kind:
    weight = held[f"{prefix}.weight"]
    if weight.dtype in _NUMBERS:
        return "plain"
    if weight.dtype not in _EIGHTHS:
        raise _unreadable(f"kept as {weight.dtype} numbers ({prefix})")
    scale = held[_scale_name(held, prefix)].shape
    rows = weight.shape[0] if len(weight.shape) == 2 else 0
    return "channel" if scale in ((), (1,), (1, 1), (rows,), (rows, 1)) else "block"


def _scale_name(held: Mapping[str, Header], prefix: str) -> str:
    names = (f"{prefix}.weight_scale", f"{prefix}.weight_scale_inv")
    for name in names:
        if name in held:
            return name
    raise missing(names[0])


def _is_gemm(held: Mapping[str, Header], prefix: str) -> bool:
    words, zeros, scales = (
        held[f"{prefix}.{name}"].shape for name in ("qweight", "qzeros", "scales")
    )
    packed = len(words) == len(zeros) == len(scales) == 2 and zeros[0] == scales[0]
    return packed and words[1] == zeros[1] == scales[1] / 8 and words[0] % scales[0] == 0


def shape_of(shards: Shards, prefix: str) -> tuple[int, int]:
    """(out, in) of a layer, without reading its weights."""
    held, kind = shards.held, kind_of(shards.held, prefix)
    if kind == "awq":
        return held[f"{prefix}.scales"].shape[1], held[f"{prefix}.qweight"].shape[0]
    if kind == "packed":
        rows, columns = shards.read(f"{prefix}.weight_shape").tolist()
        return int(rows), int(columns)
    shape = held[f"{prefix}.weight"].shape
    return shape[0], math.prod(shape[1:])


def cut(shards: Shards, prefix: str, along: Cut | None, share: Share, *, parts: int = 1) -> Part:
    """The share of a layer, of which `parts` matrices lie one below the other. Raises
    EngineFault("unsupported") where its format can't be cut so."""
    if along is None or share.count == 1:
        return WHOLE
    word = _WORD if (kind_of(shards.held, prefix), along) in _IN_WORDS else 1
    return part_of(prefix, shape_of(shards, prefix), along, share, parts=parts, word=word)


def build(
    shards: Shards, prefix: str, *, dtype: torch.dtype, scheme: Scheme, part: Part = WHOLE
) -> Linear:
    """The layer, or a part of it, without its bias; only plain weights take `dtype`.

    Raises EngineFault("damaged" | "unsupported").
    """
    match kind_of(shards.held, prefix):
        case "plain":
            return Plain(shards.read(f"{prefix}.weight", part.slab()).to(dtype))
        case "channel":
            return _channel(shards, prefix, part)
        case "block":
            scale = shards.read(_scale_name(shards.held, prefix)).float()
            return blocked(shards, f"{prefix}.weight", scale, block=scheme.block, part=part)
        case "awq":
            return _awq(shards, prefix, part)
        case "packed":
            return _packed(shards, prefix, scheme, part)


def _channel(shards: Shards, prefix: str, part: Part) -> Fp8Channel:
    name = f"{prefix}.weight"
    scale = shards.read(_scale_name(shards.held, prefix)).float().reshape(-1, 1)
    each = scale.expand(shards.held[name].shape[0], 1)
    kept = take(each, part.slab(columns=None))
    return Fp8Channel(shards.read(name, part.slab()), kept.contiguous())


def blocked(
    shards: Shards,
    name: str,
    scale: torch.Tensor,
    *,
    block: tuple[int, int],
    part: Part = WHOLE,
) -> Fp8Block:
    """Weights [..., out, in] with a scale a block; the grid of blocks has to cover them. Blocks
    through which a part is cut become smaller ones."""
    shape = shards.held[name].shape
    grid = tuple(-(-length // size) for length, size in zip(shape[-2:], block, strict=True))
    if tuple(scale.shape[-2:]) != grid:
        prefix = name.removesuffix(".weight")
        message = f"The scales of {prefix} don't cover its weights in blocks of {block}."
        raise EngineFault("damaged", message, f"{shape}, {tuple(scale.shape)}")
    rows, columns = part.unit("rows", block[0]), part.unit("columns", block[1])
    fine = _finer(_finer(scale, -2, block[0] // rows), -1, block[1] // columns)
    kept = take(fine, part.slab(rows=(-2, rows), columns=(-1, columns)))
    weight = shards.read(name, part.slab())
    split = weight.shape[-2] // (len(part.runs) if part.cut == "rows" else 1)
    return Fp8Block(weight, kept.contiguous(), (rows, columns), split)


def _finer(scale: torch.Tensor, dim: int, times: int) -> torch.Tensor:
    """Each block as so many smaller ones."""
    return scale if times == 1 else scale.repeat_interleave(times, dim)


def _awq(shards: Shards, prefix: str, part: Part) -> Awq:
    words = shards.read(f"{prefix}.qweight", part.slab(rows=(-1, _WORD), columns=(-2, 1)))
    zeros, scales = (shards.read(f"{prefix}.{name}") for name in ("qzeros", "scales"))
    group = shards.held[f"{prefix}.qweight"].shape[0] // len(scales)
    fine = part.unit("columns", group)
    zeros, scales = (_finer(each, -2, group // fine) for each in (zeros, scales))
    zeros = take(zeros, part.slab(rows=(-1, _WORD), columns=(-2, fine)))
    scales = take(scales, part.slab(rows=(-1, 1), columns=(-2, fine)))
    return Awq(words, zeros.contiguous(), scales.contiguous())


def _packed(shards: Shards, prefix: str, scheme: Scheme, part: Part) -> Packed:
    rows, columns = shape_of(shards, prefix)
    if shards.held[f"{prefix}.weight_packed"].shape != (rows, -(-columns // _WORD)):
        raise _unreadable(f"packed in another number of bits than 4 ({prefix})")
    packed = shards.read(f"{prefix}.weight_packed", part.slab(columns=(-1, _WORD)))
    scale, zero = shards.read(f"{prefix}.weight_scale"), _zero(shards, prefix, rows)
    group = _group(columns, scale.shape[1], scheme, prefix)
    fine = part.unit("columns", group)

    def kept(each: torch.Tensor) -> torch.Tensor:
        finer = _finer(each, -1, group // fine)
        return take(finer, part.slab(columns=(-1, fine))).contiguous()

    width = part.length("columns", columns)
    return Packed(packed, kept(scale), None if zero is None else kept(zero), width, fine)


def _zero(shards: Shards, prefix: str, rows: int) -> torch.Tensor | None:
    """Zeros as steps, uint8 [out, groups]; they are packed down the rows. Older files hold them as
    numbers, counted from the middle."""
    name = f"{prefix}.weight_zero_point"
    if name not in shards.held:
        return None
    zero = shards.read(name)
    if zero.dtype is torch.int32:
        return nibbles(zero.mT.contiguous()).mT[:rows].contiguous()
    return (zero.to(torch.int16) + 8).to(torch.uint8)


def _group(columns: int, groups: int, scheme: Scheme, prefix: str) -> int:
    exact: tuple[int, ...] = (columns // groups,) if columns % groups == 0 else ()
    for size in (*scheme.groups, *exact):
        if -(-columns // size) == groups:
            return size
    raise EngineFault("damaged", f"The scales of {prefix} don't cover its weights.")


def _need(held: Mapping[str, Header], prefix: str, *names: str) -> None:
    for name in names:
        if f"{prefix}.{name}" not in held:
            raise missing(f"{prefix}.{name}")


def missing(name: str) -> EngineFault:
    return EngineFault(
        "damaged",
        f"The checkpoint has no tensor {name}: it is incomplete, or its config.json belongs to "
        "another model; download it again.",
    )


def _unreadable(how: str) -> EngineFault:
    return EngineFault(
        "unsupported",
        f"The weights are {how}, which the engine can't read; take the model in bfloat16, FP8, "
        "AWQ (gemm) or 4-bit compressed-tensors.",
    )
