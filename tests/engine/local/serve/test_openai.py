"""The `openai` package as a real client of a real server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import jsonschema
import openai
import pytest
from parrot import TOKEN, served, speaker, words

from app.engine.local.chat import TextChat

Client = Callable[..., openai.OpenAI]
ASKED: list[Any] = [{"role": "user", "content": "Hi"}]
THOUGHT = "\n<think>Let me think.</think>\nIt is 42."
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}
CALLS = (
    "\n<think>I need the weather.</think>\nI will look.\n"
    "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>São Paulo</arg_value>\n"
    "<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>\n"
    "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>5</arg_value>\n</tool_call>"
)


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> TextChat:
    return words(tmp_path_factory.mktemp("words"))


@pytest.fixture
def ask(chat: TextChat) -> Iterator[Client]:
    """A client of a server whose model says this."""
    with ExitStack() as stack:

        def client(said: str | None, **more: Any) -> openai.OpenAI:
            url = stack.enter_context(served(speaker(chat, said, **more)))
            return stack.enter_context(
                openai.OpenAI(base_url=url, api_key=TOKEN, max_retries=0, timeout=20)
            )

        yield client


def health(client: openai.OpenAI) -> dict[str, Any]:
    url = str(client.base_url).replace("/v1/", "/health")
    told = httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
    read: dict[str, Any] = told.json()
    return read


def until(client: openai.OpenAI, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    end = time.monotonic() + 10
    while not done(told := health(client)):
        assert time.monotonic() < end, told
        time.sleep(0.02)
    return told


def test_the_model_is_listed(ask: Client) -> None:
    assert [model.id for model in ask("x").models.list()] == ["parrot"]


def test_a_whole_answer_has_its_thinking_apart(ask: Client) -> None:
    said = ask(THOUGHT).chat.completions.create(model="parrot", messages=ASKED)
    message = said.choices[0].message
    assert message.content == "It is 42."
    assert message.model_extra == {"reasoning_content": "Let me think."}
    assert said.choices[0].finish_reason == "stop"
    assert said.usage is not None
    assert said.usage.completion_tokens_details is not None
    assert said.usage.completion_tokens_details.reasoning_tokens == 15
    assert said.usage.total_tokens == said.usage.prompt_tokens + said.usage.completion_tokens


def test_a_second_question_finds_the_first_still_read(ask: Client) -> None:
    client = ask("Hello.")
    client.chat.completions.create(model="parrot", messages=ASKED)
    again = client.chat.completions.create(model="parrot", messages=ASKED)
    assert again.usage is not None
    assert again.usage.prompt_tokens_details is not None
    assert again.usage.prompt_tokens_details.cached_tokens == again.usage.prompt_tokens - 1


def test_a_stream_says_the_same_in_pieces(ask: Client) -> None:
    stream = ask(THOUGHT).chat.completions.create(
        model="parrot", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "It is 42."
    thought = [(delta.model_extra or {}).get("reasoning_content", "") for delta in deltas]
    assert "".join(thought) == "Let me think."
    assert deltas[0].role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert len(chunks) > 10


def test_calls_are_parsed_and_typed(ask: Client) -> None:
    said = ask(CALLS).chat.completions.create(model="parrot", messages=ASKED, tools=[WEATHER])
    message = said.choices[0].message
    assert (message.content, said.choices[0].finish_reason) == ("I will look.", "tool_calls")
    calls: list[Any] = list(message.tool_calls or ())
    assert [call.function.name for call in calls] == ["weather", "weather"]
    assert [json.loads(call.function.arguments) for call in calls] == [
        {"city": "São Paulo", "days": 3},
        {"city": "5"},
    ]
    assert len({call.id for call in calls}) == 2


def test_calls_stream_in_pieces(ask: Client) -> None:
    with ask(CALLS).chat.completions.stream(
        model="parrot", messages=ASKED, tools=[WEATHER]
    ) as stream:
        pieces = [event for event in stream if event.type == "tool_calls.function.arguments.delta"]
        final = stream.get_final_completion()
    calls: list[Any] = list(final.choices[0].message.tool_calls or ())
    assert [json.loads(call.function.arguments) for call in calls] == [
        {"city": "São Paulo", "days": 3},
        {"city": "5"},
    ]
    assert final.choices[0].finish_reason == "tool_calls"
    assert len(pieces) > 8


def test_a_conversation_with_a_tool_goes_on(ask: Client) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    turns: list[Any] = [
        *ASKED,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "sunny"},
    ]
    said = ask("Sunny.").chat.completions.create(model="parrot", messages=turns, tools=[WEATHER])
    assert said.choices[0].message.content == "Sunny."


def test_an_answer_at_random_is_held_to_its_schema(ask: Client) -> None:
    schema = {
        "type": "object",
        "properties": {
            "colour": {"enum": ["red", "green", "blue"]},
            "count": {"type": "integer", "minimum": 0, "maximum": 99},
            "seen": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        },
        "required": ["colour", "count", "seen"],
        "additionalProperties": False,
    }
    form: Any = {"type": "json_schema", "json_schema": {"name": "figure", "schema": schema}}
    client = ask(None)
    for seed in range(4):
        said = client.chat.completions.create(
            model="parrot",
            messages=ASKED,
            response_format=form,
            temperature=1.0,
            seed=seed,
            extra_body={"chat_template_kwargs": {"enable_thinking": False}},
        )
        assert said.choices[0].finish_reason == "stop"
        jsonschema.validate(json.loads(said.choices[0].message.content or ""), schema)


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "now"}}])
def test_a_call_that_must_be_is_made_even_at_random(ask: Client, choice: Any) -> None:
    now: Any = {"type": "function", "function": {"name": "now"}}
    city = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    other: Any = {"type": "function", "function": {"name": "count", "parameters": city}}
    said = ask(None).chat.completions.create(
        model="parrot",
        messages=ASKED,
        tools=[now, other],
        tool_choice=choice,
        parallel_tool_calls=False,
        temperature=1.0,
        seed=3,
        extra_body={"chat_template_kwargs": {"enable_thinking": False}},
    )
    calls: list[Any] = list(said.choices[0].message.tool_calls or ())
    assert (len(calls), said.choices[0].finish_reason) == (1, "tool_calls")
    assert calls[0].function.name in (("now", "count") if choice == "required" else ("now",))
    assert isinstance(json.loads(calls[0].function.arguments), dict)


def test_each_token_has_its_logprob_whole_and_streamed(ask: Client) -> None:
    client = ask("Café.")
    asked: Any = {"model": "parrot", "messages": ASKED, "logprobs": True, "top_logprobs": 2}
    said = client.chat.completions.create(**asked).choices[0].logprobs
    assert said is not None
    tokens = said.content or []
    assert bytes(byte for token in tokens for byte in token.bytes or ()) == "Café.".encode()
    assert [len(token.top_logprobs) for token in tokens] == [2] * len(tokens)
    assert all(token.top_logprobs[0].token == token.token for token in tokens)
    assert all(-0.1 < token.logprob <= 0 for token in tokens)
    chunks = list(client.chat.completions.create(**asked, stream=True))
    streamed = [c.choices[0].logprobs for c in chunks]
    assert [t for part in streamed if part for t in part.content or []] == tokens


def test_hanging_up_stops_the_work_before_its_end(ask: Client) -> None:
    client = ask("a" * 3000, pause=0.01)
    stream = client.chat.completions.create(
        model="parrot", messages=ASKED, stream=True, max_tokens=3000
    )
    for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    assert health(client)["running"] == 1
    stream.close()
    told = until(client, lambda told: told["working"] == 0)
    assert told["tokens"] < 300
    time.sleep(0.1)
    assert health(client)["tokens"] == told["tokens"]


def test_hanging_up_on_a_whole_answer_stops_it_too(ask: Client) -> None:
    client = ask("a" * 3000, pause=0.01)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(
            model="parrot", messages=ASKED, max_tokens=3000
        )
    assert until(client, lambda told: told["working"] == 0)["tokens"] < 300


def test_what_is_wrong_with_a_request_is_told_as_openai_does(ask: Client) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask("x").chat.completions.create(model="parrot", messages=ASKED, temperature=-1)
    assert (caught.value.param, caught.value.code) == ("temperature", "invalid_request")
    with pytest.raises(openai.NotFoundError):
        ask("x").chat.completions.create(model="gpt-9", messages=ASKED)
    with pytest.raises(openai.BadRequestError) as caught:
        ask("x").chat.completions.create(
            model="parrot", messages=[{"role": "user", "content": "long " * 1000}]
        )
    assert caught.value.code == "context_length_exceeded"
