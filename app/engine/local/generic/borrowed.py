"""A model of transformers as a network of ours: any causal language model, with or without eyes.
Knows no tokenizer, no processor, no files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

import torch
from transformers import DynamicCache

from app.engine.local.generic.cache import empty, is_attention, is_plain, token_bytes
from app.engine.local.generic.reading import Reading
from app.engine.local.generic.sight import SightPrompt, WholePrompt
from app.engine.local.network import Drafter, Prompt, State
from app.engine.local.sampler import Drawing
from app.vocabulary import EngineFault

_TRIAL = (1,)  # any token
_OUT = "last output"  # where a state that is read as `generate` does it keeps what came out


class BorrowedNetwork:
    """Reads as the model's own `forward` does.

    Prompts of text, and of text with pictures where each picture stands for itself, are read part
    by part. Any other (`WholePrompt`), and any at all for a model whose positions we can't count,
    is read in one go, and continued, as transformers' `generate` does it.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.device: torch.device = model.device
        self._number: torch.dtype = model.dtype
        accepted = signature(model.forward).parameters
        self._short = "logits_to_keep" in accepted
        self._placed = "position_ids" in accepted
        self._memory = next((n for n in ("past_key_values", "cache_params") if n in accepted), "")
        self._noting = [part for part in model.modules() if hasattr(part, "rope_deltas")]
        self._counter = _counter(model)
        self._alien = bool(self._noting) and self._counter is None
        self._plain = is_plain(self._cache())
        # where there is a running state, few models read on rightly in a part of several tokens
        self._parts = is_attention(self._cache())
        self.token_bytes = self._try()

    @property
    def parts_pictures(self) -> bool:
        """Whether the pictures of a prompt can be read one after the other."""
        return self._plain and not self._alien

    def begin(self) -> Reading:
        return Reading(self._cache(), open=self._parts and not self._alien)

    @torch.inference_mode()
    def read(self, state: State, prompt: Prompt, count: int) -> torch.Tensor:
        """As `Network.read`; reads on to the end of a picture that `count` would cut, and to the
        end of a prompt that can only be read in one go."""
        assert isinstance(state, Reading)
        if state.length == len(prompt.tokens) and state.last is not None:
            return state.last
        if isinstance(prompt, WholePrompt) or self._alien:
            return self._whole(state, prompt)
        if not self._parts:
            state.clear(self._cache())
            count = len(prompt.tokens)
        return self._part(state, prompt, min(state.length + count, len(prompt.tokens)))

    @torch.inference_mode()
    def step(self, state: State, tokens: Sequence[int]) -> torch.Tensor:
        assert isinstance(state, Reading)
        if state.carried is not None:
            return torch.cat([self._continued(state, token) for token in tokens])
        if self._parts or len(tokens) == 1:
            return self._forward(state, tokens, len(tokens))
        return torch.cat([self._forward(state, (token,), 1) for token in tokens])

    def chain(self, state: State, token: int, drawing: Drawing) -> None:
        """Its tokens are chosen on the host."""

    def drafter(self, state: State) -> Drafter | None:
        del state  # what a model of transformers could guess, its `forward` doesn't give
        return None

    def _cache(self) -> DynamicCache:
        if not self._memory:
            raise EngineFault(
                "unsupported",
                f"A model of the kind “{self._model.config.model_type}” keeps what it has read in "
                "a way that this engine does not know; choose another model.",
            )
        return empty(self._model.config)

    def _part(self, state: Reading, prompt: Prompt, end: int) -> torch.Tensor:
        """Read up to `end`, or through the next picture where it begins before that."""
        start = state.length
        pictures = prompt.pictures if isinstance(prompt, SightPrompt) else ()
        picture = next((p for p in pictures if start <= p.start < end), None)
        if picture is None:
            return self._forward(state, prompt.tokens[start:end], 1)[-1]
        end = picture.end
        shown = self._shown(picture.tensors)
        marks = torch.tensor([[int(key < 0) for key in prompt.keys[start:end]]], device=self.device)
        if picture.typed:
            shown["mm_token_type_ids"] = marks
        if self._counter is not None:
            shown["position_ids"] = self._counted(state, prompt.tokens[start:end], marks, shown)
            state.saw(picture.start, end, int(shown["position_ids"].max()) + 1)
        else:
            state.saw(picture.start, end, end)
        return self._forward(state, prompt.tokens[start:end], 1, shown)[-1]

    def _counted(
        self,
        state: Reading,
        tokens: Sequence[int],
        marks: torch.Tensor,
        shown: Mapping[str, torch.Tensor],
    ) -> torch.Tensor:
        """Positions [3, 1, T] of a part with a picture: counted from 0 by the model, and moved to
        where the part stands, since all of them depend on what comes before by its end alone."""
        assert self._counter is not None
        positions, _ = self._counter(
            input_ids=torch.tensor([tokens], device=self.device),
            mm_token_type_ids=marks,
            image_grid_thw=shown.get("image_grid_thw"),
        )
        moved: torch.Tensor = positions + state.next_position
        return moved

    def _forward(
        self,
        state: Reading,
        tokens: Sequence[int],
        keep: int,
        shown: Mapping[str, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """The logits [keep, V] behind the last of these tokens."""
        inputs: dict[str, Any] = {
            "input_ids": torch.tensor([tokens], device=self.device),
            self._memory: state.cache,
            "use_cache": True,
            **(shown or {}),
        }
        if self._short:
            inputs["logits_to_keep"] = keep
        if self._counter is not None and "position_ids" not in inputs:
            first = state.next_position
            line = torch.arange(first, first + len(tokens), device=self.device)
            inputs["position_ids"] = line.expand(3, 1, -1)
        logits: torch.Tensor = self._model(**inputs).logits[0, -keep:]
        if not self._short:
            logits = logits.clone()  # not to hold those of the whole part by a few rows
        state.read(tokens, logits[-1])
        return logits

    def _whole(self, state: Reading, prompt: Prompt) -> torch.Tensor:
        """Read all of a prompt, whatever of it was read before."""
        state.clear(self._cache())
        state.open = False
        ids = torch.tensor([prompt.tokens], device=self.device)
        carried: dict[str, Any] = {self._memory: state.cache, "use_cache": True}
        carried["attention_mask"] = torch.ones_like(ids)
        if isinstance(prompt, WholePrompt):
            carried |= self._shown(prompt.tensors)
        with self._noted(state):
            if self._placed:
                place = self._model._prepare_position_ids_for_generation
                carried["position_ids"] = place(ids, carried)
            return self._generated(state, prompt.tokens, carried)[-1]

    def _continued(self, state: Reading, token: int) -> torch.Tensor:
        assert state.carried is not None
        out = state.carried.pop(_OUT)
        carried = self._model._update_model_kwargs_for_generation(
            out, state.carried, is_encoder_decoder=False
        )
        with self._noted(state):
            return self._generated(state, (token,), carried, first=False)

    def _generated(
        self, state: Reading, tokens: Sequence[int], carried: dict[str, Any], *, first: bool = True
    ) -> torch.Tensor:
        """The logits [1, V] behind a whole prompt, or behind the one token that comes next. The
        steps are those of transformers' `GenerationMixin._sample` (generation/utils.py)."""
        if self._short:
            carried["logits_to_keep"] = 1
        state.tokens.extend(tokens)
        inputs = self._model.prepare_inputs_for_generation(
            torch.tensor([state.tokens], device=self.device),
            next_sequence_length=None if first else 1,
            is_first_iteration=first,
            **carried,
        )
        out = self._model(**inputs, return_dict=True)
        state.carried = {**carried, _OUT: out}
        logits: torch.Tensor = out.logits[0, -1:]
        state.read(tokens, logits[-1])
        return logits

    @contextmanager
    def _noted(self, state: Reading) -> Iterator[None]:
        """Let the model find what it noted of this conversation, and not of another."""
        facts = state.facts or (None,) * len(self._noting)
        for part, fact in zip(self._noting, facts, strict=True):
            part.rope_deltas = fact
        yield
        state.facts = tuple(part.rope_deltas for part in self._noting)

    def _shown(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """A picture's tensors as the model takes them: on its device, fractions in its numbers."""
        number = self._number
        return {
            name: tensor.to(self.device, number if tensor.is_floating_point() else None)
            for name, tensor in tensors.items()
        }

    @torch.inference_mode()
    def _try(self) -> int:
        """Read a token, to see that it can be done; gives what it takes, in bytes."""
        state, prompt = self.begin(), Prompt("", _TRIAL, _TRIAL)
        self.read(state, prompt, 1)
        return token_bytes(state.cache)


def _counter(model: Any) -> Any:
    """What counts a model's positions in three dimensions, where it does so as Qwen2-VL does
    (https://arxiv.org/abs/2409.12191): one by one in text, and for a picture from where it stands.
    """
    for part in model.modules():
        count = getattr(part, "get_rope_index", None)
        if count is not None:
            return count if _is_regular(count, model) else None
    return None


def _is_regular(count: Any, model: Any) -> bool:
    if (
        not {"input_ids", "mm_token_type_ids", "image_grid_thw"}
        <= signature(count).parameters.keys()
    ):
        return False
    side = 2 * getattr(model.config.vision_config, "spatial_merge_size", 1)
    grid = torch.tensor([[1, side, 2 * side]], device=model.device)  # 2 x 4 placeholders

    def positions(before: int) -> torch.Tensor:
        kinds = torch.tensor([[0] * before + [1] * 8 + [0] * 2], device=model.device)
        ids = torch.ones_like(kinds)
        found: torch.Tensor = count(input_ids=ids, mm_token_type_ids=kinds, image_grid_thw=grid)[0]
        return found

    try:
        first, moved = positions(0), positions(3)
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, StopIteration):
        return False
    regular = first.shape == (3, 1, 10) and torch.equal(moved[..., 3:], first + 3)
    return regular and bool((moved[..., :3] == torch.arange(3, device=moved.device)).all())
