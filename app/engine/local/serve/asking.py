"""A request → what to generate: checks it against the model that is served and makes the job;
knows no network and no queue."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from app.answer.typed import Schema
from app.engine.local.job import Job
from app.engine.local.model import Model
from app.engine.local.network import Prompt
from app.engine.local.sampler import Choice, Guide
from app.engine.local.serve import forms
from app.engine.local.serve.answering import Ask
from app.engine.local.serve.grammar import Grammars
from app.engine.local.serve.reply import Refusal, refused
from app.engine.request.body import Form, Request, read_request
from app.engine.request.calling import ToolChoice
from app.engine.request.turn import Clip, Tool
from app.engine.request.values import FieldFault
from app.vocabulary import EndpointFault, Frame, Sampling

_OBJECT: Mapping[str, Any] = {"type": "object"}


class Asker:
    """Reads requests for one model; for any thread, since pictures take their time."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._grammars = Grammars(model.chat, model.defaults.ends)

    def ask(self, body: bytes) -> Ask:
        """Raises Refusal."""
        try:
            asked = read_request(_parsed(body))
            self._refuse_foreign(asked)
            return self._ask(asked)
        except EndpointFault as fault:
            raise refused(fault) from fault
        except RecursionError:
            raise Refusal("The request is nested too deeply.") from None

    def _ask(self, asked: Request) -> Ask:
        tools = () if asked.tool_choice.mode == "none" else asked.tools
        prompt = self._model.chat.prompt(asked.turns, asked.settings, tools)
        room = self._room(prompt)  # before anything that takes longer
        job = Job(
            prompt=prompt,
            max_tokens=min(asked.sampling.max_tokens or self._model.defaults.max_tokens, room),
            choice=_choice(self._model.defaults.choice, asked.sampling),
            stop=(*asked.sampling.stop, *self._model.defaults.stop),
            thinking_budget=asked.sampling.thinking_budget,
            guide=self._guide(asked, tools, prompt.text),
            logprobs=asked.logprobs,
            lookup=asked.lookup if asked.draft else 0,
            draft=asked.draft,
        )
        schemas: dict[str, Schema] = {tool.name: tool.schema for tool in tools}
        return Ask(job, asked.stream, asked.include_usage, schemas or None, asked.one_call)

    def _refuse_foreign(self, asked: Request) -> None:
        name, chat = self._model.name, self._model.chat
        if asked.model and asked.model != name:
            message = f"The model “{asked.model}” is not served here; this engine serves “{name}”."
            raise Refusal(message, "model_not_found", "model", 404)
        parts = [part for turn in asked.turns for part in turn.parts]
        if not chat.sees and any(isinstance(part, Frame) for part in parts):
            raise Refusal(
                f"The model “{name}” reads text and does not see pictures; "
                "send the text of the picture instead.",
                "pictures_unsupported",
                "messages",
            )
        if not chat.films and any(isinstance(part, Clip) for part in parts):
            instead = "pictures of it" if chat.sees else "text"
            message = f"The model “{name}” does not take videos; send {instead} instead."
            raise Refusal(message, "videos_unsupported", "messages")
        if asked.tools and asked.tool_choice.mode != "none" and not chat.calls:
            message = f"The model “{name}” knows no tools; leave `tools` out."
            raise Refusal(message, "tools_unsupported", "tools")

    def _room(self, prompt: Prompt) -> int:
        """Tokens that the answer may have."""
        context = self._model.defaults.context
        room = context - len(prompt.tokens)
        if room < 1:
            raise Refusal(
                f"This is {len(prompt.tokens):,} tokens, and the model holds {context:,} with its "
                "answer; send fewer pages or a shorter text.",
                "context_length_exceeded",
                "messages",
            )
        return room

    # --- what the answer is held to ---------------------------------------------------------

    def _guide(self, asked: Request, tools: Sequence[Tool], prompt: str) -> Guide | None:
        schema = _schema(asked.form)
        if asked.tool_choice.mode in ("required", "named"):
            return self._must_call(asked, _called(tools, asked.tool_choice), prompt)
        if schema is None:
            return None
        field = "response_format"
        if not tools:
            return self._follow(field, forms.json_answer(schema))
        form = forms.form_of(prompt)
        if form is None:
            raise FieldFault(field, "can't stand beside `tools` with this model; leave one out.")
        grammar = forms.call_answer(tools, form, several=not asked.one_call, schema=schema)
        return self._follow(field, grammar)

    def _must_call(self, asked: Request, tools: Sequence[Tool], prompt: str) -> Guide:
        form = forms.form_of(prompt)
        if form is None:
            raise FieldFault("tool_choice", "can't be enforced with this model; use “auto”.")
        several = asked.tool_choice.mode == "required" and not asked.one_call
        return self._follow("tools", forms.call_answer(tools, form, several=several))

    def _follow(self, field: str, grammar: str) -> Guide:
        try:
            return self._grammars.guide(grammar)
        except EndpointFault as fault:
            if fault.kind != "bad_request":
                raise
            raise FieldFault(
                field, f"has a schema that can't be followed: {fault.message}"
            ) from fault


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as broken:
        raise Refusal("The request's body is not JSON.", "invalid_json") from broken


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are Python's, not JSON's


def _schema(form: Form) -> Schema | None:
    match form.kind:
        case "text":
            return None
        case "json_object":
            return _OBJECT
        case "json_schema":
            return form.schema


def _called(tools: Sequence[Tool], choice: ToolChoice) -> Sequence[Tool]:
    return [tool for tool in tools if choice.name in ("", tool.name)]


def _choice(defaults: Choice, sampling: Sampling) -> Choice:
    """The model's own defaults, with what the request says otherwise; one that says how to choose
    gets just that, without our own penalty on top."""
    said: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": None if sampling.top_k is None else max(sampling.top_k, 0),  # -1: all, as in vLLM
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repetition_penalty,
        "seed": sampling.seed,
    }
    said = {name: value for name, value in said.items() if value is not None}
    base = replace(defaults, word_penalty=1.0) if said.keys() - {"seed"} else defaults
    return replace(base, **said)
