"""Turns a Llama model in a GGUF file into a Hugging Face folder; knows nothing of servers or torch.

A GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) holds weights in blocks of
a few bits, the tokenizer and the chat template. Written out once as float16 safetensors beside
`config.json` and `tokenizer.json`, the same model loads in a second instead of fifteen.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from app.vocabulary import EngineFault

if TYPE_CHECKING:  # a machine that serves other models does without gguf
    from gguf import GGUFReader

Weights = npt.NDArray[np.float16]
Report = Callable[[float], None]  # how much is done, 0 to 1

_SETTINGS_VERSION = 2  # one more whenever `_generation_config` changes; see `renew`
_NEXT = ("Question", "Answer", "Text", "Explanation")  # how what follows an answer begins
_CONTROL = 3  # the token type of a token that is never text
_LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_OUTER_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


def convert(source: Path, folder: Path, report: Report) -> None:
    """Write the model of the GGUF file `source` into the existing, empty `folder`.

    Raises EngineFault("unsupported") for an architecture other than Llama's or a tokenizer other
    than byte-level BPE, EngineFault("engine_failed") where the library that reads such files is not
    installed, and OSError where the disk refuses.
    """
    reader = _reader(source)
    kind = (_value(reader, "general.architecture"), _value(reader, "tokenizer.ggml.model"))
    if kind != ("llama", "gpt2"):
        raise EngineFault(
            "unsupported",
            f"{source.name} holds a kind of model that can't be converted.",
            str(kind),
        )
    report(0.05)
    _write_tokenizer(reader, folder)
    _write_config(reader, folder)
    _write_generation_config(folder, int(_value(reader, "tokenizer.ggml.eos_token_id")))
    report(0.15)
    weights: dict[str, Weights] = {}
    total = len(reader.tensors)
    for number, (name, tensor) in enumerate(_tensors(reader), start=1):
        weights[name] = tensor
        report(0.15 + 0.75 * number / total)
    _save(weights, folder / "model.safetensors")
    report(1.0)


def _reader(source: Path) -> GGUFReader:
    try:
        from gguf import GGUFReader  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        message = (
            f"{source.name} can't be read, for gguf is not installed; "
            "install it with: pip install gguf"
        )
        raise EngineFault("engine_failed", message, str(missing)) from missing
    return GGUFReader(source)


def _save(weights: dict[str, Weights], path: Path) -> None:
    try:
        save_file(weights, path, metadata={"format": "pt"})
    except SafetensorError as error:  # its own words for what the system said
        number = errno.ENOSPC if "code: 28" in str(error) else errno.EIO
        raise OSError(number, str(error)) from error


def _value(reader: GGUFReader, key: str, default: Any = None) -> Any:
    field = reader.get_field(key)
    return default if field is None else field.contents()


def _tensors(reader: GGUFReader) -> Iterator[tuple[str, Weights]]:
    heads = {
        "attn_q": int(_value(reader, "llama.attention.head_count")),
        "attn_k": int(_value(reader, "llama.attention.head_count_kv")),
    }
    from gguf import dequantize  # noqa: PLC0415  (as `_reader` does)

    for tensor in reader.tensors:
        full = dequantize(tensor.data, tensor.tensor_type)
        part = tensor.name.split(".")[2] if tensor.name.startswith("blk.") else ""
        if part in heads:
            full = _halves(full, heads[part])
        yield _name(tensor.name), np.ascontiguousarray(full, dtype=np.float16)


def _halves(weights: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Undo llama.cpp's order of a head's rows (rotary pairs side by side) into two halves."""
    rows = weights.shape[0]
    paired = weights.reshape(heads, rows // heads // 2, 2, -1)  # [head, pair, 2, in]
    return paired.swapaxes(1, 2).reshape(rows, -1)


def _name(name: str) -> str:
    if name in _OUTER_NAMES:
        return _OUTER_NAMES[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{_LAYER_NAMES[part]}.{kind}"


def _write_config(reader: GGUFReader, folder: Path) -> None:
    end = int(_value(reader, "tokenizer.ggml.eos_token_id"))
    heads = int(_value(reader, "llama.attention.head_count"))
    hidden = int(_value(reader, "llama.embedding_length"))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": int(_value(reader, "llama.feed_forward_length")),
        "num_hidden_layers": int(_value(reader, "llama.block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": int(_value(reader, "llama.attention.head_count_kv")),
        "head_dim": hidden // heads,
        "max_position_embeddings": int(_value(reader, "llama.context_length")),
        "rms_norm_eps": float(_value(reader, "llama.attention.layer_norm_rms_epsilon")),
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": float(_value(reader, "llama.rope.freq_base", 10000.0)),
        },
        "vocab_size": int(_value(reader, "llama.vocab_size")),
        "tie_word_embeddings": all(t.name != "output.weight" for t in reader.tensors),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": int(_value(reader, "tokenizer.ggml.bos_token_id")),
        "eos_token_id": end,
        "pad_token_id": int(_value(reader, "tokenizer.ggml.padding_token_id", end)),
        "dtype": "float16",
        "quantised_from": _quantised_from(reader),
    }
    _write_json(folder / "config.json", config)


def renew(folder: Path) -> None:
    """Give a folder that an older version converted today's `generation_config.json`.

    Leaves folders that were not converted here, and those of a newer version, as they are; raises
    OSError where the disk refuses.
    """
    config = _read_json(folder / "config.json")
    version = _read_json(folder / "generation_config.json").get("settings_version", 1)
    if "quantised_from" in config and version < _SETTINGS_VERSION:
        _write_generation_config(folder, int(config["eos_token_id"]))


def _write_generation_config(folder: Path, end: int) -> None:
    """How to use a small model that copies from pages; what transformers doesn't know is ours.

    A penalty on every token made this model miscopy digits that stand twice in a number
    (0x80070070 became 0x8007012C): `word_penalty` (see `sampler.Choice`) spares them, and what
    goes round nevertheless `repeat_limit` ends (see `sampler.loops`). After its answer the model
    likes to ask itself a next question, which `stop_strings` cut off.
    """
    settings = {
        "settings_version": _SETTINGS_VERSION,
        "do_sample": False,
        "eos_token_id": end,
        "max_new_tokens": 512,
        "word_penalty": 1.2,
        "repeat_limit": 12,
        "stop_strings": [f"{gap}{label}:" for gap in ("\n", "\n\n") for label in _NEXT],
    }
    new = folder / f".generation_config.{os.getpid()}"
    _write_json(new, settings)
    new.replace(folder / "generation_config.json")  # whole at once: an engine may be reading it


def _quantised_from(reader: GGUFReader) -> str:
    """The format that most of the model's weights had, for instance `Q4_1`."""
    formats = [tensor.tensor_type.name for tensor in reader.tensors]
    return str(max(set(formats), key=formats.count))


def _write_tokenizer(reader: GGUFReader, folder: Path) -> None:
    tokens = list(_value(reader, "tokenizer.ggml.tokens"))
    kinds = list(_value(reader, "tokenizer.ggml.token_type"))
    merges = [tuple(pair.split(" ", 1)) for pair in _value(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(BPE({text: i for i, text in enumerate(tokens)}, merges))
    bytes_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    steps = [pre_tokenizers.Digits(individual_digits=True), bytes_level]
    split_digits = _value(reader, "tokenizer.ggml.pre") == "smollm"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps) if split_digits else bytes_level
    tokenizer.decoder = decoders.ByteLevel()
    control = [t for t, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in control])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[int(_value(reader, "tokenizer.ggml.bos_token_id"))],
        "eos_token": tokens[int(_value(reader, "tokenizer.ggml.eos_token_id"))],
        "chat_template": _value(reader, "tokenizer.chat_template"),
        "clean_up_tokenization_spaces": False,
        "model_max_length": int(_value(reader, "llama.context_length")),
    }
    _write_json(folder / "tokenizer_config.json", settings)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
