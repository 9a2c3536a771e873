"""The tokeniser of the figures' model: bytes, the family's marks, and whole words of the talks, so
that an answer is a few tokens. Knows no pictures."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment
from models.figures.talk import KINDS, Round, talk
from tokenisers import numbers, write_tokeniser
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

_BYTES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """An opened tokeniser folder. `marks` are the numbers of the family's special tokens."""

    tokenizer: Tokenizer
    template: Any
    marks: Mapping[str, int]

    @property
    def count(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def encode(self, text: str) -> tuple[int, ...]:
        return _encode(self.tokenizer, text)

    def decode(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=False))

    def written(self, rounds: tuple[Round, ...], *, thinks: bool, answered: bool) -> str:
        """A talk as the chat template writes it: up to the last answer, or with it and the mark
        of the user's next turn, which ends an answer in this family."""
        messages = list(_messages(rounds, thinks, answered))
        text = self.template.render(
            messages=messages, add_generation_prompt=not answered, enable_thinking=thinks
        )
        return f"{text}<|user|>" if answered else str(text)


def write_words(folder: Path) -> Words:
    """Write the tokeniser's files and the chat template into `folder`, and open them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tokeniser(folder, "glm-4.5v")
    file, about = folder / "tokenizer.json", folder / "tokenizer_config.json"
    said, config = json.loads(file.read_text()), json.loads(about.read_text())
    vocabulary: dict[str, int] = said["model"]["vocab"]
    said["model"]["merges"] = _merges()
    for one, other in said["model"]["merges"]:
        vocabulary.setdefault(one + other, len(vocabulary))
    said["pre_tokenizer"]["use_regex"] = True  # words apart
    for token in said["added_tokens"]:  # behind the words, as in the family
        token["id"] += len(vocabulary) - _BYTES
    config["added_tokens_decoder"] = {
        str(token["id"]): {name: value for name, value in token.items() if name != "id"}
        for token in said["added_tokens"]
    }
    file.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    about.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return open_words(folder)


def open_words(folder: Path) -> Words:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # as transformers sets up a chat template
    jinja = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    template = jinja.from_string((folder / "chat_template.jinja").read_text(encoding="utf-8"))
    marks = {mark: int(tokenizer.token_to_id(mark)) for mark in numbers("glm-4.5v")}
    return Words(tokenizer, template, marks)


@lru_cache(maxsize=100_000)
def _encode(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, add_special_tokens=False).ids)


def _messages(
    rounds: tuple[Round, ...], thinks: bool, answered: bool
) -> Iterator[dict[str, object]]:
    for place, asked in enumerate(rounds):
        last = place == len(rounds) - 1
        shown = [{"type": "image"} for _ in asked.pictures]
        shown += [{"type": "video"}] if asked.film else []
        yield {"role": "user", "content": [*shown, {"type": "text", "text": asked.question}]}
        if answered or not last:
            thought = asked.thought if last and thinks else ""
            yield {"role": "assistant", "content": asked.answer, "reasoning_content": thought}


def _merges() -> list[list[str]]:
    """The pairs of byte-pair encoding that make each word of the talks one token."""
    rng = random.Random(0)
    texts = []
    for _ in range(4000):
        for asked in talk(rng, rng.choice(KINDS), rounds=2):
            answer = asked.answer.removeprefix("<|begin_of_box|>").removesuffix("<|end_of_box|>")
            texts += [asked.question, asked.thought, answer]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return [list(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
