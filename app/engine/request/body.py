"""The JSON of a chat-completions request as values, for the server's end; the counterpart of
`wire`. Knows no network and no model.

Whatever a stranger sends becomes values or one `bad_request` that names the field. What can't be
done here is refused rather than left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from app.engine.request import values
from app.engine.request.calling import ToolChoice, read_choice, read_tools
from app.engine.request.conversation import read_turns
from app.engine.request.turn import Tool, Turn
from app.engine.request.values import FieldFault
from app.engine.wire import Json
from app.vocabulary import EndpointFault, Sampling

_FORMS = ("text", "json_object", "json_schema")
_MOST_LOGPROBS = 20
_LONGEST_LOOKUP = 64  # tokens guessed at once
_MOST_STOPS = 64

# What this engine does not do, by the values that ask for nothing: OpenAI's fields, then vLLM's.
_NOT_DONE: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
    "audio": ({},),
    "web_search_options": (),
    "best_of": (1,),
    "use_beam_search": (False,),
    "min_tokens": (0,),
    "ignore_eos": (False,),
    "stop_token_ids": ([],),
    "bad_words": ([],),
    "prompt_logprobs": (0, False),
    "echo": (False,),
    "continue_final_message": (False,),
    "guided_json": (),
    "guided_regex": (),
    "guided_choice": ([],),
    "guided_grammar": (),
    "structured_outputs": (),
    "mm_processor_kwargs": ({},),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer must be: any text, any JSON object, or JSON that fits `schema`."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A chat-completions request as a server understands it.

    `settings` are for the chat template. `logprobs` is how many other tokens are told of beside
    each chosen one, None for no logprobs at all. `lookup` is how many tokens may be guessed from
    the text so far, `draft=False` forbids every kind of guess. `one_call`: one call at the most.
    """

    model: str
    turns: tuple[Turn, ...]
    sampling: Sampling = field(default_factory=Sampling)
    stream: bool = False
    include_usage: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = field(default_factory=ToolChoice)
    one_call: bool = False
    form: Form = field(default_factory=Form)
    logprobs: int | None = None
    lookup: int = 0
    draft: bool = True


def read_request(body: object) -> Request:
    """A request's JSON as values.

    Raises:
        EndpointFault: `bad_request`, with a sentence; a FieldFault where it is about one field.
    """
    if not isinstance(body, dict):
        raise EndpointFault("bad_request", "The request must be a JSON object.")
    try:
        return _read(values.mended(body))
    except RecursionError:
        raise EndpointFault("bad_request", "The request is nested too deeply.") from None


def _read(body: Json) -> Request:
    _refuse_what_is_not_done(body)
    options = values.fields(body.get("stream_options"), "stream_options")
    counts = values.flag(options.get("include_usage"), "stream_options.include_usage")
    tools = read_tools(body.get("tools"))
    sampling = _read_sampling(body)
    several = values.flag(body.get("parallel_tool_calls"), "parallel_tool_calls")
    lookup = values.whole(
        body.get("prompt_lookup_num_tokens"),
        "prompt_lookup_num_tokens",
        least=0,
        most=_LONGEST_LOOKUP,
    )
    return Request(
        model=values.text(body.get("model"), "model") or "",
        turns=read_turns(body.get("messages")),
        sampling=sampling,
        stream=values.flag(body.get("stream"), "stream") or False,
        include_usage=counts or False,
        settings=_read_settings(body, sampling),
        tools=tools,
        tool_choice=read_choice(body.get("tool_choice"), tools),
        one_call=several is False,
        form=_read_form(body.get("response_format")),
        logprobs=_read_logprobs(body),
        lookup=lookup or 0,
        draft=values.flag(body.get("speculative"), "speculative") is not False,
    )


def _refuse_what_is_not_done(body: Json) -> None:
    for name, harmless in _NOT_DONE.items():
        value = body.get(name)
        if value is not None and not any(_same(value, known) for known in harmless):
            only = f" but {harmless[0]}" if name in ("n", "best_of") else ""
            raise FieldFault(name, f"is not known to this engine{only}; leave it out.")


def _same(value: object, known: object) -> bool:
    return value == known and isinstance(value, bool) == isinstance(known, bool)


# --- how the next token is chosen -----------------------------------------------------------


def _read_sampling(body: Json) -> Sampling:
    limits = [_whole(body, name, least=1) for name in ("max_tokens", "max_completion_tokens")]
    return Sampling(
        max_tokens=limits[1] if limits[0] is None else limits[0],
        temperature=_number(body, "temperature", least=0.0, most=100.0),
        top_p=_number(body, "top_p", least=0.0, most=1.0),
        top_k=_whole(body, "top_k", least=-1),
        min_p=_number(body, "min_p", least=0.0, most=1.0),
        repetition_penalty=_number(body, "repetition_penalty", least=0.01, most=100.0),
        stop=_read_stop(body.get("stop")),
        seed=_whole(body, "seed"),
        thinking=_read_thinking(body),
        thinking_budget=_whole(body, "thinking_budget", least=0),
    )


def _whole(body: Json, name: str, *, least: int | None = None) -> int | None:
    return values.whole(body.get(name), name, least=least)


def _number(body: Json, name: str, *, least: float, most: float) -> float | None:
    return values.number(body.get(name), name, least=least, most=most)


def _read_stop(stop: object) -> tuple[str, ...]:
    words = [stop] if isinstance(stop, str) else [] if stop is None else stop
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise FieldFault("stop", "must be text or a list of texts.")
    if len(words) > _MOST_STOPS:
        raise FieldFault("stop", f"must be {_MOST_STOPS} texts or fewer.")
    return tuple(word for word in words if word)


# --- thinking, and what else the template is told -------------------------------------------


def _read_thinking(body: Json) -> bool | None:
    """The switch in each of its forms: Z.ai's, the template's own, Qwen's."""
    switch = values.fields(body.get("thinking"), "thinking")
    kind = values.word(switch.get("type"), "thinking.type", ("enabled", "disabled"))
    if kind is not None:
        return kind == "enabled"
    template = values.fields(body.get("chat_template_kwargs"), "chat_template_kwargs")
    inner = "chat_template_kwargs.enable_thinking"
    value = values.flag(template.get("enable_thinking"), inner)
    outer = values.flag(body.get("enable_thinking"), "enable_thinking")
    return outer if value is None else value


def _read_settings(body: Json, sampling: Sampling) -> Mapping[str, Any]:
    effort = values.text(body.get("reasoning_effort"), "reasoning_effort")
    said = {"enable_thinking": sampling.thinking, "reasoning_effort": effort}
    given = values.fields(body.get("chat_template_kwargs"), "chat_template_kwargs")
    return {**{name: value for name, value in said.items() if value is not None}, **given}


# --- the form of the answer -----------------------------------------------------------------


def _read_form(given: object) -> Form:
    fields = values.fields(given, "response_format")
    if given is None:
        return Form()
    kind = values.word(fields.get("type"), "response_format.type", _FORMS)
    if kind is None:
        raise FieldFault("response_format.type", "is missing.")
    if kind != "json_schema":
        return Form(cast(Literal["text", "json_object"], kind))
    return Form("json_schema", _read_schema(fields.get("json_schema")))


def _read_schema(given: object) -> Mapping[str, Any]:
    place = "response_format.json_schema"
    named = values.fields(given, place)
    schema = values.fields(named.get("schema"), f"{place}.schema")
    if named.get("schema") is None:
        raise FieldFault(f"{place}.schema", "is missing.")
    return schema


def _read_logprobs(body: Json) -> int | None:
    wanted = values.flag(body.get("logprobs"), "logprobs")
    most = values.whole(body.get("top_logprobs"), "top_logprobs", least=0, most=_MOST_LOGPROBS)
    if most and not wanted:
        raise FieldFault("top_logprobs", "needs `logprobs` to be true.")
    return (most or 0) if wanted else None
