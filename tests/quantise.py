"""Turns plain checkpoint folders into quantised ones, laid out as the tools of each format write
them, and back into plain float32 ones, to compare with. A library for tests.

Written from the formats' own descriptions, with none of the program's code.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from checkpoints import save
from safetensors.torch import load_file

Json = dict[str, Any]
Tensors = dict[str, torch.Tensor]

# what GLM-4.5-Air-FP8 leaves alone; the vision tower stays as it is too
_LEFT = (
    r"lm_head$",
    r".*embed_tokens$",
    r".*norm\d?$",
    r".*mlp\.gate$",
    r".*(eh_proj|enorm|hnorm|shared_head\.(norm|head))$",
    r".*visual\..*",
)
_MOST = 448.0  # the largest E4M3 number
_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]  # AWQ: which column of eight is the k-th from the lowest bits


def fp8(folder: Path, target: Path, *, scales: torch.dtype = torch.bfloat16) -> Path:
    """Channel-wise E4M3 as llm-compressor's scheme FP8_DYNAMIC."""
    weights = {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "channel"}
    activations = {**weights, "strategy": "token", "dynamic": True}
    group = {
        "targets": ["Linear"],
        "weights": {**weights, "dynamic": False, "group_size": None, "observer": "minmax"},
        "input_activations": {**activations, "observer": None},
        "output_activations": None,
    }
    said = _compressed(folder, "float-quantized", group)
    return _write(folder, target, said, lambda name, weight: _channel(name, weight, scales))


def fp8_block(folder: Path, target: Path, *, size: tuple[int, int] = (128, 128)) -> Path:
    """Block-wise E4M3 as DeepSeek's checkpoints."""
    said = {
        "activation_scheme": "dynamic",
        "fmt": "e4m3",
        "quant_method": "fp8",
        "weight_block_size": list(size),
    }
    return _write(folder, target, said, lambda name, weight: _block(name, weight, size))


def awq(folder: Path, target: Path, *, group: int = 128) -> Path:
    """4 bits in AutoAWQ's layout “gemm”."""
    said = {
        "bits": 4,
        "group_size": group,
        "modules_to_not_convert": ["visual", "lm_head", "mlp.gate"],
        "quant_method": "awq",
        "version": "gemm",
        "zero_point": True,
    }
    return _write(folder, target, said, lambda name, weight: _awq(name, weight, group))


def packed(folder: Path, target: Path, *, group: int = 128, symmetric: bool = True) -> Path:
    """4 bits in the format “pack-quantized” of compressed-tensors."""
    weights = {
        "num_bits": 4,
        "type": "int",
        "symmetric": symmetric,
        "strategy": "group",
        "group_size": group,
        "dynamic": False,
        "actorder": None,
    }
    scheme = {"targets": ["Linear"], "weights": weights, "input_activations": None}
    said = _compressed(folder, "pack-quantized", scheme)
    return _write(
        folder, target, said, lambda name, weight: _packed(name, weight, group, symmetric)
    )


def dequantised(folder: Path, target: Path) -> Path:
    """The plain float32 twin of a quantised folder: the same numbers, no quantisation."""
    held, config = tensors(folder), _config(folder)
    said = config.pop("quantization_config")
    plain: Tensors = {}
    for name, tensor in held.items():
        prefix, _, kind = name.rpartition(".")
        if kind == "weight" and tensor.element_size() == 1:
            scale = held.get(f"{prefix}.weight_scale", held.get(f"{prefix}.weight_scale_inv"))
            assert scale is not None
            plain[name] = _from_fp8(tensor, scale, said.get("weight_block_size", [128, 128]))
        elif kind == "qweight":
            plain[f"{prefix}.weight"] = _from_awq(held, prefix)
        elif kind == "weight_packed":
            plain[f"{prefix}.weight"] = _from_packed(held, prefix, said)
        elif not kind.startswith(("weight_", "qzeros", "scales")):
            plain[name] = tensor.float()
    return _copy(folder, target, config | {"dtype": "float32"}, plain)


def tensors(folder: Path) -> Tensors:
    """Everything that a folder's safetensors files hold."""
    held: Tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        held |= load_file(file)
    return held


def quantises(name: str) -> bool:
    """Whether the module of that name is one that the tools quantise."""
    return not any(re.match(pattern, name) for pattern in _LEFT)


# --- folders ----------------------------------------------------------------------------------


def _write(
    folder: Path, target: Path, said: Json, change: Callable[[str, torch.Tensor], Tensors]
) -> Path:
    changed: Tensors = {}
    for name, tensor in tensors(folder).items():
        prefix, _, kind = name.rpartition(".")
        if kind == "weight" and tensor.dim() == 2 and quantises(prefix):
            changed |= change(prefix, tensor.float())
        else:
            changed[name] = tensor
    return _copy(folder, target, _config(folder) | {"quantization_config": said}, changed)


def _copy(folder: Path, target: Path, config: Json, held: Mapping[str, torch.Tensor]) -> Path:
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.safetensors*"))
    (target / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    save(target, dict(held))
    return target


def _config(folder: Path) -> Json:
    said: Json = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return said


def _compressed(folder: Path, form: str, group: Json) -> Json:
    held = tensors(folder)
    modules = [name.removesuffix(".weight") for name in held if name.endswith(".weight")]
    return {
        "config_groups": {"group_0": {**group, "format": form}},
        "format": form,
        "ignore": [name for name in modules if not quantises(name) and "norm" not in name],
        "kv_cache_scheme": None,
        "quant_method": "compressed-tensors",
        "quantization_status": "compressed",
        "sparsity_config": {},
        "transform_config": {},
        "version": "0.13.0",
    }


# --- 8-bit floats -----------------------------------------------------------------------------


def _channel(name: str, weight: torch.Tensor, scales: torch.dtype) -> Tensors:
    scale = (weight.abs().amax(1, keepdim=True) / _MOST).to(scales)
    return {f"{name}.weight": _e4m3(weight / scale.float()), f"{name}.weight_scale": scale}


def _block(name: str, weight: torch.Tensor, size: tuple[int, int]) -> Tensors:
    high, wide = size
    rows, columns = weight.shape
    scale = torch.empty(-(-rows // high), -(-columns // wide))
    whole = torch.empty(weight.shape, dtype=torch.float8_e4m3fn)
    for row in range(scale.shape[0]):
        for column in range(scale.shape[1]):
            at = slice(row * high, (row + 1) * high), slice(column * wide, (column + 1) * wide)
            scale[row, column] = weight[at].abs().max() / _MOST
            whole[at] = _e4m3(weight[at] / scale[row, column])
    return {f"{name}.weight": whole, f"{name}.weight_scale_inv": scale}


def _e4m3(numbers: torch.Tensor) -> torch.Tensor:
    return numbers.clamp(-_MOST, _MOST).to(torch.float8_e4m3fn)


def _from_fp8(weight: torch.Tensor, scale: torch.Tensor, size: list[int]) -> torch.Tensor:
    numbers = weight.float()
    if (scale.dim() == 2 and scale.shape[1] > 1) or scale.shape[0] not in (1, len(weight)):
        rows = torch.arange(len(weight)) // size[0]
        columns = torch.arange(weight.shape[1]) // size[1]
        return numbers * scale.float()[rows][:, columns]
    return numbers * scale.float()


# --- 4 bits -----------------------------------------------------------------------------------


def _steps(
    weight: torch.Tensor, group: int, symmetric: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Steps 0 to 15 [out, in], zeros [out, groups] and scales [out, groups] in float16."""
    groups = weight.unflatten(1, (-1, group))
    if symmetric:
        scale = groups.abs().amax(2) / 7.5
        zero = torch.full_like(scale, 8)
    else:
        low, high = groups.amin(2).clamp(max=0), groups.amax(2).clamp(min=0)
        scale = (high - low) / 15
        zero = (-low / scale.clamp(min=1e-9)).round()
    scale = scale.clamp(min=1e-5).half()
    steps = (groups / scale.float()[..., None]).round() + zero[..., None]
    return steps.clamp(0, 15).flatten(1).int(), zero.int(), scale


def _awq(name: str, weight: torch.Tensor, group: int) -> Tensors:
    steps, zero, scale = _steps(weight, group, symmetric=False)
    return {
        f"{name}.qweight": _words(steps.T, _ORDER),
        f"{name}.qzeros": _words(zero.T, _ORDER),
        f"{name}.scales": scale.T.contiguous(),
    }


def _packed(name: str, weight: torch.Tensor, group: int, symmetric: bool) -> Tensors:
    steps, zero, scale = _steps(weight, group, symmetric)
    held = {
        f"{name}.weight_packed": _words(steps, list(range(8))),
        f"{name}.weight_scale": scale.bfloat16(),
        f"{name}.weight_shape": torch.tensor(weight.shape),
    }
    if not symmetric:
        held[f"{name}.weight_zero_point"] = _words(zero.T, list(range(8))).T.contiguous()
    return held


def _words(steps: torch.Tensor, order: list[int]) -> torch.Tensor:
    """Eight columns to a word, `order[k]` being the column in the bits from 4 k on."""
    filled = torch.nn.functional.pad(steps, (0, -steps.shape[1] % 8)).long()
    eights = filled.unflatten(1, (-1, 8))
    words = sum(eights[:, :, column] << 4 * place for place, column in enumerate(order))
    assert isinstance(words, torch.Tensor)
    return torch.where(words >= 2**31, words - 2**32, words).int()


def _unpacked(words: torch.Tensor, order: list[int]) -> torch.Tensor:
    steps = torch.empty(*words.shape, 8)
    for place, column in enumerate(order):
        steps[..., column] = (words >> 4 * place) & 15
    return steps.flatten(1)


def _from_awq(held: Tensors, prefix: str) -> torch.Tensor:
    scale = held[f"{prefix}.scales"].float()
    steps = _unpacked(held[f"{prefix}.qweight"], _ORDER)
    zero = _unpacked(held[f"{prefix}.qzeros"], _ORDER)
    of = torch.arange(len(steps)) // (len(steps) // len(scale))
    return ((steps - zero[of]) * scale[of]).T.contiguous()


def _from_packed(held: Tensors, prefix: str, said: Json) -> torch.Tensor:
    rows, columns = held[f"{prefix}.weight_shape"].tolist()
    group = said["config_groups"]["group_0"]["weights"]["group_size"]
    steps = _unpacked(held[f"{prefix}.weight_packed"], list(range(8)))[:, :columns]
    of = torch.arange(columns) // group
    zero = torch.tensor(8.0)
    if f"{prefix}.weight_zero_point" in held:
        zeros = _unpacked(held[f"{prefix}.weight_zero_point"].T.contiguous(), list(range(8)))
        zero = zeros.T[:rows][:, of]
    return (steps - zero) * held[f"{prefix}.weight_scale"].float()[:, of]
