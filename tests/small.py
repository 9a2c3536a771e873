"""What the small checkpoints of other families have in common: tokenizer, template, random weights.
For `others` and `sighted`.

The weights are larger than at the start of a training, so that answers are not one token over and
over, and depend on all that was read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PretrainedConfig, PreTrainedTokenizerFast

CONTEXT = 4096
THINKS = ["<think>", "</think>", "<tool_call>", "</tool_call>"]
_WILD = 0.2  # standard deviation of the weights
_IM = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]

CHATML = """\
{%- if tools -%}
{{- '<|im_start|>system\\n' + (tools | tojson) + '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}{{- 'MARK' -}}{%- else -%}{{- part.text -}}{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- for call in message.tool_calls or [] -%}
{{- '<tool_call>' + call.function.name + (call.function.arguments | tojson) + '</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
{%- if enable_thinking is defined and not enable_thinking -%}{{- '<think>\\n\\n</think>\\n\\n' -}}
{%- endif -%}
"""


def write_tokenizer(folder: Path, marks: list[str], mark: str = "", **more: Any) -> dict[str, int]:
    """256 bytes and the marks; gives each mark's number."""
    alphabet = {
        text: place for place, text in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))
    }
    tokenizer = Tokenizer(BPE(alphabet, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = [*_IM, *marks]
    tokenizer.add_tokens([AddedToken(m, special=m not in THINKS, normalized=False) for m in marks])
    whole = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", **more
    )
    whole.save_pretrained(folder)
    first = "{{- bos_token -}}\n" if "bos_token" in more else ""
    template = first + CHATML.replace("MARK", mark)
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return {m: whole.convert_tokens_to_ids(m) for m in marks}


def save(folder: Path, kind: str, config: PretrainedConfig) -> None:
    """Random weights for a class of transformers, larger ones than it would make itself."""
    model = getattr(transformers, kind)(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, _WILD)
            elif name.endswith("_gate"):  # Mllama's, closed at the start of a training
                parameter.fill_(1)
    model.save_pretrained(folder)


def write_json(folder: Path, name: str, value: object) -> None:
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def text_config(ids: dict[str, int], **more: Any) -> dict[str, Any]:
    """What the text models of most families have in common."""
    return {
        "vocab_size": 256 + len(ids),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": CONTEXT,
        "eos_token_id": ids["<|im_end|>"],
        "bos_token_id": None,
        "pad_token_id": ids["<|endoftext|>"],
        "tie_word_embeddings": False,
        **more,
    }
