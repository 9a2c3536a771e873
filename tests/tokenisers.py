"""Tokenisers and chat templates for the small checkpoints of the tests, in the manner of the GLM
family: 256 bytes and the family's own marks. Knows nothing of weights.

The templates are our own; they behave as those of the real checkpoints do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

Kind = Literal["glm-4.5v", "glm-4.1v", "glm-4.5"]


def _marks(text: str) -> list[str]:
    return text.split()


_FIRST = _marks(  # in the order of the real vocabulary
    "<|endoftext|> [MASK] [gMASK] [sMASK] <sop> <eop> <|system|> <|user|> <|assistant|> "
    "<|observation|> <|begin_of_image|> <|end_of_image|> <|begin_of_video|> <|end_of_video|>"
)
_THINKS = _marks("<think> </think>")
_CALLS = _marks(
    "<tool_call> </tool_call> <tool_response> </tool_response> <arg_key> </arg_key> <arg_value> "
    "</arg_value> /nothink"
)
_BOXES = _marks("<|begin_of_box|> <|end_of_box|>")
_ANSWERS = _marks("<answer> </answer>")
_SEES = _marks("<|image|> <|video|>")
_LAST: dict[Kind, list[str]] = {
    "glm-4.1v": [*_SEES, *_THINKS, *_ANSWERS],
    "glm-4.5v": [*_THINKS, *_CALLS, *_BOXES, *_SEES],
    "glm-4.5": [*_THINKS, *_CALLS],
}
_PLAIN = frozenset([*_THINKS, *_CALLS, *_BOXES, *_ANSWERS])  # written out in an answer


def numbers(kind: Kind) -> dict[str, int]:
    """The number of each of the family's marks; a byte's number is the byte."""
    return {mark: 256 + place for place, mark in enumerate([*_FIRST, *_LAST[kind]])}


def write_tokeniser(folder: Path, kind: Kind) -> None:
    """tokenizer.json, tokenizer_config.json, chat_template.jinja."""
    alphabet = {character: byte for byte, character in enumerate(_characters())}
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = numbers(kind)
    tokenizer.add_tokens(
        [AddedToken(mark, special=mark not in _PLAIN, normalized=False) for mark in marks]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {
        "added_tokens_decoder": {
            str(number): {
                "content": mark,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": mark not in _PLAIN,
            }
            for mark, number in marks.items()
        },
        "clean_up_tokenization_spaces": False,
        "do_lower_case": False,
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 128000,
        "padding_side": "left",
        "remove_space": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    if kind != "glm-4.5":
        said["processor_class"] = "Glm4vProcessor"
    _write(folder / "tokenizer_config.json", said)
    template = _ALWAYS_THINKS if kind == "glm-4.1v" else _HYBRID
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


def _characters() -> list[str]:
    """How byte-level BPE writes each of the 256 bytes (GPT-2, openai/gpt-2 encoder.py)."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in seen]
    return [chr(byte) if byte in seen else chr(256 + hidden.index(byte)) for byte in range(256)]


def _write(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


# GLM-4.5, 4.5V, 4.6V: thinks unless told not to; forgets its thoughts at the next question
_HYBRID = """\
[gMASK]<sop>
{%- macro said(content) -%}
{%- if content is string -%}{{- content -}}
{%- elif content is iterable and content is not mapping -%}
{%- for part in content -%}
{%- if part is string -%}{{- part -}}
{%- elif part.type == 'image' or 'image' in part -%}
{{- '<|begin_of_image|><|image|><|end_of_image|>' -}}
{%- elif part.type == 'video' or 'video' in part -%}
{{- '<|begin_of_video|><|video|><|end_of_video|>' -}}
{%- elif part.type == 'text' -%}{{- part.text -}}
{%- endif -%}
{%- endfor -%}
{%- elif content is not none -%}{{- content -}}
{%- endif -%}
{%- endmacro -%}
{%- set quiet = enable_thinking is defined and not enable_thinking -%}
{%- if tools -%}
{{- '<|system|>\\n# Tools\\n\\nYou may call one or more functions to assist with the question.' -}}
{{- '\\n\\nYou are provided with function signatures within <tools></tools> XML tags:\\n<tools>' -}}
{%- for tool in tools -%}{{- '\\n' + (tool | tojson(ensure_ascii=False)) -}}{%- endfor -%}
{{- '\\n</tools>\\n\\nFor each function call, write the name and the arguments in this form:' -}}
{{- '\\n<tool_call>{name}\\n<arg_key>{key}</arg_key>\\n<arg_value>{value}</arg_value>\\n...' -}}
{{- '\\n</tool_call>' -}}
{%- endif -%}
{%- set last = namespace(question=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set last.question = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}{{- '<|system|>\\n' + said(message.content) -}}
{%- elif message.role == 'user' -%}
{%- set text = said(message.content) -%}
{{- '<|user|>\\n' + text + ('/nothink' if quiet and not text.endswith('/nothink') else '') -}}
{%- elif message.role == 'assistant' -%}
{%- set text = said(message.content) -%}
{%- set thought = '' -%}
{%- if message.reasoning_content is string -%}{%- set thought = message.reasoning_content -%}
{%- elif '</think>' in text -%}
{%- set thought = text.split('</think>')[0].split('<think>')[-1] -%}
{%- set text = text.split('</think>')[-1] -%}
{%- endif -%}
{%- if loop.index0 <= last.question -%}{%- set thought = '' -%}{%- endif -%}
{{- '<|assistant|>\\n<think>' + thought.strip() + '</think>' -}}
{%- if text.strip() -%}{{- '\\n' + text.strip() -}}{%- endif -%}
{%- for call in message.tool_calls or [] -%}
{%- set call = call.function or call -%}
{{- '\\n<tool_call>' + call.name + '\\n' -}}
{%- for key, value in call.arguments.items() -%}
{{- '<arg_key>' + key + '</arg_key>\\n<arg_value>' -}}
{{- value if value is string else value | tojson(ensure_ascii=False) -}}
{{- '</arg_value>\\n' -}}
{%- endfor -%}
{{- '</tool_call>' -}}
{%- endfor -%}
{%- elif message.role == 'tool' -%}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' -%}{{- '<|observation|>' -}}
{%- endif -%}
{{- '\\n<tool_response>\\n' + said(message.content) + '\\n</tool_response>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>' + ('\\n<think></think>' if quiet else '') -}}
{%- endif -%}
"""

# GLM-4.1V-Thinking: always thinks, and wraps what it answers
_ALWAYS_THINKS = """\
[gMASK]<sop>
{%- for message in messages -%}
{%- if message.role == 'system' -%}{{- '<|system|>\\n' -}}
{%- elif message.role == 'user' -%}{{- '<|user|>\\n' -}}
{%- else -%}{{- '<|assistant|>\\n' -}}
{%- endif -%}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' or 'image' in part -%}
{{- '<|begin_of_image|><|image|><|end_of_image|>' -}}
{%- elif part.type == 'video' or 'video' in part -%}
{{- '<|begin_of_video|><|video|><|end_of_video|>' -}}
{%- elif part.type == 'text' -%}{{- part.text -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>\\n' -}}{%- endif -%}
"""
