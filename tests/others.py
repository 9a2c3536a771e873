"""Small checkpoints of other families than GLM, with random weights: a Hugging Face folder of each,
with tokenizer, template and, for those that see, the processor's files; and what transformers
itself answers with them, to compare with. A library for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
import transformers
from sighted import SIGHTED
from small import THINKS, save, text_config, write_tokenizer


def write(folder: Path, row: str, *, seed: int = 0) -> Path:
    """Make a small checkpoint of the family `row` (see `ROWS`) in the new folder."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    ROWS[row](folder)
    return folder


class Stock:
    """The stock model of a folder, in float32, with transformers' own loop of generation."""

    def __init__(self, folder: Path, *, sees: bool = False) -> None:
        kind = "AutoModelForImageTextToText" if sees else "AutoModelForCausalLM"
        opened = getattr(transformers, kind).from_pretrained(folder, dtype=torch.float32)
        self._model = opened.eval()
        self._model.generation_config.eos_token_id = None  # go on to the last token
        self._model.generation_config.pad_token_id = 0

    def answer(self, tokens: Sequence[int], count: int) -> list[int]:
        """The likeliest `count` tokens behind a text."""
        ids = torch.tensor([list(tokens)])
        return self.look({"input_ids": ids, "attention_mask": torch.ones_like(ids)}, count)

    def look(self, inputs: Mapping[str, torch.Tensor], count: int) -> list[int]:
        """The likeliest `count` tokens behind what a processor made."""
        behind = inputs["input_ids"].shape[1]
        out = self._model.generate(**inputs, max_new_tokens=count, do_sample=False)
        return [int(token) for token in out[0, behind:]]


def _llama(folder: Path) -> None:
    ids = write_tokenizer(folder, THINKS)
    save(folder, "LlamaForCausalLM", transformers.LlamaConfig(**text_config(ids)))


def _mistral(folder: Path) -> None:
    """Every layer sees a window only."""
    ids = write_tokenizer(folder, [])
    save(
        folder,
        "MistralForCausalLM",
        transformers.MistralConfig(**text_config(ids), sliding_window=16),
    )


def _gemma(folder: Path) -> None:
    """Layers that see a window beside one that sees all."""
    ids = write_tokenizer(folder, [])
    config = transformers.Gemma3TextConfig(
        **text_config(ids, num_hidden_layers=3),
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    )
    save(folder, "Gemma3ForCausalLM", config)


def _lfm(folder: Path) -> None:
    """Short convolutions beside attention."""
    ids = write_tokenizer(folder, [])
    config = transformers.Lfm2Config(
        **text_config(ids, num_hidden_layers=3),
        layer_types=["conv", "full_attention", "conv"],
        block_auto_adjust_ff_dim=False,
    )
    save(folder, "Lfm2ForCausalLM", config)


def _mamba(folder: Path) -> None:
    """A running state and nothing else."""
    ids = write_tokenizer(folder, [])
    config = transformers.MambaConfig(
        vocab_size=256 + len(ids),
        hidden_size=32,
        state_size=8,
        num_hidden_layers=2,
        tie_word_embeddings=False,
        eos_token_id=ids["<|im_end|>"],
        bos_token_id=None,
        pad_token_id=ids["<|endoftext|>"],
    )
    save(folder, "MambaForCausalLM", config)


ROWS: dict[str, Callable[[Path], None]] = {
    "llama": _llama,
    "mistral": _mistral,
    "gemma3_text": _gemma,
    "lfm2": _lfm,
    "mamba": _mamba,
    **SIGHTED,
}
