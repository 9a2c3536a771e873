from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.request.body import Form, Request, read_request
from app.engine.request.calling import ToolChoice
from app.engine.request.turn import Tool, Turn
from app.engine.request.values import FieldFault
from app.vocabulary import EndpointFault, Sampling, ToolCall


def asked(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}], **more}


def read(**more: Any) -> Request:
    return read_request(asked(**more))


def function(name: str = "look_up", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


# --- what is understood ---------------------------------------------------------------------


def test_a_bare_question_asks_for_nothing_else() -> None:
    assert read_request(asked()) == Request("", (Turn("user", ("Hi",)),))


def test_zais_switch_and_the_newer_limit_are_understood() -> None:
    given_ = read(thinking={"type": "disabled"}, max_completion_tokens=7)
    assert given_.sampling == Sampling(max_tokens=7, thinking=False)
    assert given_.settings == {"enable_thinking": False}


def test_the_templates_own_settings_are_passed_on() -> None:
    given_ = read(chat_template_kwargs={"enable_thinking": True, "mood": 1}, reasoning_effort="low")
    assert given_.settings == {"enable_thinking": True, "mood": 1, "reasoning_effort": "low"}
    assert given_.sampling.thinking is True


def test_a_developers_words_are_the_systems() -> None:
    message = {"role": "developer", "content": "Be short."}
    assert read(messages=[message]).turns == (Turn("system", ("Be short.",)),)


def test_what_an_assistant_thought_and_called_is_kept_with_its_turn() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    message = {
        "role": "assistant",
        "content": None,
        "reasoning_content": "I must add.",
        "tool_calls": [call],
    }
    assert read(messages=[message]).turns == (
        Turn("assistant", (), "I must add.", (ToolCall("add", '{"a": 1}', "c1"),)),
    )


def test_arguments_may_come_as_the_object_itself_or_in_the_older_field() -> None:
    old = {"role": "assistant", "function_call": {"name": "add", "arguments": {"a": 1}}}
    assert read(messages=[old]).turns[0].calls == (ToolCall("add", '{"a": 1}'),)


def test_a_tools_turn_says_which_call_it_answers() -> None:
    message = {"role": "tool", "tool_call_id": "c1", "name": "add", "content": "3"}
    assert read(messages=[message]).turns == (Turn("tool", ("3",), call_id="c1", name="add"),)


def test_tools_are_read_with_what_they_take() -> None:
    schema = {"type": "object", "properties": {"word": {"type": "string"}}}
    tool = function(description="A dictionary.", parameters=schema)
    assert read(tools=[tool]).tools == (Tool("look_up", "A dictionary.", schema),)


@pytest.mark.parametrize(
    ("given_", "choice"),
    [
        (None, ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        (function(), ToolChoice("named", "look_up")),
        ({"type": "function", "name": "look_up"}, ToolChoice("named", "look_up")),
    ],
)
def test_a_call_may_be_left_to_the_model_or_asked_for(given_: Any, choice: ToolChoice) -> None:
    assert read(tools=[function()], tool_choice=given_).tool_choice == choice


def test_parallel_calls_can_be_turned_off() -> None:
    assert read(tools=[function()], parallel_tool_calls=False).one_call
    assert not read(tools=[function()]).one_call


@pytest.mark.parametrize(
    ("given_", "form"),
    [
        ({"type": "text"}, Form()),
        ({"type": "json_object"}, Form("json_object")),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "array"}}},
            Form("json_schema", {"type": "array"}),
        ),
    ],
)
def test_the_answers_form_is_read(given_: Any, form: Form) -> None:
    assert read(response_format=given_).form == form


def test_logprobs_come_with_as_many_others_as_are_asked_for() -> None:
    assert read().logprobs is None
    assert read(logprobs=True).logprobs == 0
    assert read(logprobs=True, top_logprobs=5).logprobs == 5
    assert read(logprobs=False, top_logprobs=0).logprobs is None


def test_guessing_is_asked_for_and_forbidden() -> None:
    assert (read().lookup, read().draft) == (0, True)
    given_ = read(prompt_lookup_num_tokens=10, speculative=False)
    assert (given_.lookup, given_.draft) == (10, False)


def test_fields_that_ask_for_nothing_are_no_reason_to_refuse() -> None:
    neutral = {"n": 1, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}}
    ignored = {"user": "me", "store": False, "metadata": {}, "service_tier": "auto"}
    assert read(**neutral, **ignored, stop=None, tools=[]) == read()


def test_halves_of_surrogate_pairs_become_the_mark_for_what_is_unknown() -> None:
    sent = json.loads(r'{"messages": [{"role": "user", "content": "a\ud83d b\ud83d\ude00"}]}')
    assert read_request(sent).turns[0].parts == ("a\ufffd b😀",)


# --- what is refused ------------------------------------------------------------------------

_WRONG_ROLE = [{"role": "king", "content": "x"}]


@pytest.mark.parametrize(
    ("wrong", "field", "word"),
    [
        ({"messages": None}, "messages", "list"),
        ({"messages": []}, "messages", "list"),
        ({"messages": ["hi"]}, "messages[0]", "object"),
        ({"messages": _WRONG_ROLE}, "messages[0].role", "king"),
        ({"messages": [{"content": "x"}]}, "messages[0].role", "missing"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "text or a list"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "text"),
        (
            {"messages": [{"role": "assistant", "reasoning": 5}]},
            "messages[0].reasoning",
            "must be text",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
            "messages[0].tool_calls[0].function",
            "missing",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [function(arguments="{")]}]},
            "messages[0].tool_calls[0].function.arguments",
            "JSON object",
        ),
        (
            {"messages": [{"role": "tool", "content": "3", "tool_call_id": 7}]},
            "messages[0].tool_call_id",
            "text",
        ),
        ({"model": 5}, "model", "text"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"stream_options": []}, "stream_options", "object"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "true"),
        ({"max_tokens": 0}, "max_tokens", "1 or more"),
        ({"max_tokens": "5"}, "max_tokens", "whole number"),
        ({"max_tokens": True}, "max_tokens", "whole number"),
        ({"max_tokens": 5, "max_completion_tokens": -1}, "max_completion_tokens", "1 or more"),
        ({"temperature": float("nan")}, "temperature", "between 0 and 100"),
        ({"temperature": "hot"}, "temperature", "number"),
        ({"top_p": 2}, "top_p", "between 0 and 1"),
        ({"top_k": 1.5}, "top_k", "whole number"),
        ({"min_p": -0.1}, "min_p", "between"),
        ({"repetition_penalty": 0}, "repetition_penalty", "between"),
        ({"seed": "x"}, "seed", "whole number"),
        ({"stop": [1]}, "stop", "list of texts"),
        ({"stop": ["x"] * 65}, "stop", "64"),
        ({"thinking": True}, "thinking", "object"),
        ({"thinking": {"type": "maybe"}}, "thinking.type", "“enabled” or “disabled”"),
        ({"enable_thinking": "no"}, "enable_thinking", "true or false"),
        ({"thinking_budget": -1}, "thinking_budget", "0 or more"),
        ({"reasoning_effort": 3}, "reasoning_effort", "text"),
        ({"chat_template_kwargs": 7}, "chat_template_kwargs", "object"),
        (
            {"chat_template_kwargs": {"enable_thinking": "no"}},
            "chat_template_kwargs.enable_thinking",
            "true or false",
        ),
        ({"tools": {}}, "tools", "list"),
        ({"tools": [5]}, "tools[0]", "object"),
        ({"tools": [{"type": "retrieval"}]}, "tools[0].type", "function"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing"),
        ({"tools": [function("a b")]}, "tools[0].function.name", "letters"),
        ({"tools": [function(), function()]}, "tools[1].function.name", "twice"),
        ({"tools": [function(description=5)]}, "tools[0].function.description", "text"),
        ({"tools": [function(parameters=[])]}, "tools[0].function.parameters", "object"),
        (
            {"tools": [function(parameters={"type": "array"})]},
            "tools[0].function.parameters.type",
            "object",
        ),
        (
            {"tools": [function(parameters={"required": [1]})]},
            "tools[0].function.parameters.required[0]",
            "text",
        ),
        ({"tool_choice": "required"}, "tool_choice", "no `tools`"),
        ({"tools": [function()], "tool_choice": "some"}, "tool_choice", "required"),
        (
            {"tools": [function()], "tool_choice": function("other")},
            "tool_choice.function.name",
            "other",
        ),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls", "true or false"),
        ({"response_format": "json"}, "response_format", "object"),
        ({"response_format": {}}, "response_format.type", "missing"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "json_schema"),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema.schema",
            "missing",
        ),
        ({"logprobs": 3}, "logprobs", "true or false"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "20 or less"),
        ({"top_logprobs": 2}, "top_logprobs", "needs `logprobs`"),
        ({"prompt_lookup_num_tokens": -1}, "prompt_lookup_num_tokens", "0 or more"),
        ({"speculative": "no"}, "speculative", "true or false"),
        ({"n": 2}, "n", "but 1"),
        ({"n": True}, "n", "leave it out"),
        ({"frequency_penalty": 0.5}, "frequency_penalty", "leave it out"),
        ({"logit_bias": {"5": 1}}, "logit_bias", "leave it out"),
        ({"functions": [{}]}, "functions", "leave it out"),
        ({"guided_json": {}}, "guided_json", "leave it out"),
    ],
)
def test_a_bad_request_is_refused_in_words_that_name_the_field(
    wrong: Any, field: str, word: str
) -> None:
    with pytest.raises(FieldFault) as caught:
        read_request(asked(**wrong))
    assert caught.value.field == field
    assert caught.value.message.startswith(f"`{field}` ")
    assert caught.value.message.endswith(".")
    assert word in caught.value.message


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(EndpointFault, match="object"):
        read_request([])


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(EndpointFault, match="deeply"):
        read_request(asked(metadata=deep))


# --- whatever comes -------------------------------------------------------------------------

_FIELDS = [
    "messages", "model", "stream", "stream_options", "max_tokens", "temperature", "top_p", "top_k",
    "min_p", "repetition_penalty", "seed", "stop", "thinking", "enable_thinking",
    "thinking_budget", "chat_template_kwargs", "tools", "tool_choice", "parallel_tool_calls",
    "response_format", "logprobs", "top_logprobs", "prompt_lookup_num_tokens", "speculative", "n",
]  # fmt: skip
_KEYS = st.sampled_from(
    [
        *("role", "content", "type", "text", "image_url", "video_url", "url", "fps", "timestamps"),
        *("tool_calls", "function", "name", "arguments", "parameters", "json_schema", "schema"),
    ]
)
_WORDS = st.sampled_from(
    [
        *("user", "assistant", "tool", "text", "image_url", "video_url", "function", "json_schema"),
        *("data:image/png;base64,iVBO", "data:video/mp4;base64,AA", "data:video/jpeg;base64,/9j/,"),
    ]
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text('é\ud800"', max_size=3)
    | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=6), st.booleans())
def test_no_request_breaks_the_reader(sent: dict[str, Any], with_messages: bool) -> None:
    try:
        read_request({**sent, **(asked() if with_messages else {})})
    except EndpointFault as fault:
        assert fault.kind == "bad_request"
        assert isinstance(fault, FieldFault)
