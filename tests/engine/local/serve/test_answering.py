from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parrot import TOKEN, served, speaker, words

from app.answer.calls import Argued, Opened
from app.answer.calls import gather as gather_calls
from app.answer.split import gather as gather_words
from app.engine.local.chat import TextChat
from app.engine.local.job import Chosen
from app.engine.local.serve.logprobs import entries
from app.engine.local.serve.speech import Count, Heard, Speech
from app.vocabulary import Answer, Retract, Thinking, ToolCall

SCHEMAS = {"now": {}, "say": {"properties": {"words": {"type": "string"}}}}
NOW = "<tool_call>now\n</tool_call>"
HI: list[Any] = [{"role": "user", "content": "Hi"}]


def heard(
    text: str, tail: str | None = "<|assistant|>", size: int = 0, **more: Any
) -> tuple[str, str, tuple[ToolCall, ...]]:
    """(thinking, answer, calls) of a text fed so many characters at a time."""
    speech = Speech(tail, more.pop("schemas", SCHEMAS), **more)
    pieces = [text[at : at + size] for at in range(0, len(text), size)] if size else [text]
    said: list[Heard] = [event for piece in pieces for event in speech.feed(piece)]
    said += speech.close(cut=False)
    spoken: list[Any] = [e for e in said if isinstance(e, Thinking | Answer | Retract)]
    called: list[Any] = [e for e in said if isinstance(e, Opened | Argued)]
    return (*gather_words(spoken), gather_calls(called)[1])


# --- a text's voices ------------------------------------------------------------------------


def test_thinking_answer_and_calls_are_told_apart() -> None:
    said = f"\n<think>Hm.</think>\nI look.\n{NOW}"
    assert heard(said) == ("Hm.", "I look.", (ToolCall("now", "{}"),))


def test_a_call_ends_the_thinking_that_it_stands_in() -> None:
    said = f"<think>I look. {NOW}</think>It is five."
    assert heard(said) == ("I look.", "It is five.", (ToolCall("now", "{}"),))


def test_marks_in_an_argument_are_the_arguments_own() -> None:
    said = "<think>x</think><|begin_of_box|>a</s> <think> </answer>"
    call = f"<tool_call>say<arg_key>words</arg_key><arg_value>{said}</arg_value></tool_call>"
    _, answer, (made,) = heard(f"Well. {call}")
    assert (answer, json.loads(made.arguments)) == ("Well.", {"words": said})


def test_without_tools_a_call_is_text() -> None:
    assert heard(f"Write {NOW}", schemas=None) == ("", f"Write {NOW}", ())


def test_a_model_that_does_not_think_says_what_it_says() -> None:
    assert heard("<think>a</think>\n b", tail=None, schemas=None) == (
        "",
        "<think>a</think>\n b",
        (),
    )


def test_one_call_at_the_most_drops_the_others() -> None:
    assert heard(f"{NOW}\n{NOW}", one_call=True)[2] == (ToolCall("now", "{}"),)


def test_line_breaks_behind_the_thinking_are_no_answer() -> None:
    assert heard("\n\nYes.\n\nNo.", tail="\n<think></think>")[1] == "Yes.\n\nNo."
    assert heard("<think>a</think>\n\n  code")[1] == "  code"


_PIECES = st.sampled_from(
    [
        *("<think>", "</think>", "<answer>", "</answer>", NOW, "<tool_call>", "</tool_call>"),
        *("text", " ", "\n", "`", "<", "now", "<|begin_of_box|>", "<|endoftext|>"),
        "<tool_call>say<arg_key>words</arg_key><arg_value>a <think> b</arg_value></tool_call>",
    ]
)


@given(
    st.lists(_PIECES, max_size=12).map("".join),
    st.integers(1, 7),
    st.sampled_from([None, "", "<think>", "<think></think>"]),
)
def test_any_chunking_gives_the_same_voices(text: str, size: int, tail: str | None) -> None:
    assert heard(text, tail, size) == heard(text, tail)


def test_tokens_count_as_thinking_where_their_text_is() -> None:
    count = Count()
    count.add(1, [])  # <think>
    count.add(3, [Thinking("abc")])
    count.add(1, [])  # </think>
    count.add(2, [Answer("de")])
    assert count.thinking == 4


def test_an_answer_that_is_taken_back_counts_as_thinking() -> None:
    count = Count()
    count.add(3, [Answer("abc")])
    count.add(1, [Retract("abc")])
    assert count.thinking == 4


# --- logprobs -------------------------------------------------------------------------------


def test_a_token_that_is_half_a_character_has_its_bytes() -> None:
    (entry,) = entries([Chosen(7, -0.5, ((7, -0.5), (8, float("-inf"))))], lambda token: b"\xc3")
    assert (entry["token"], entry["bytes"], entry["logprob"]) == ("\ufffd", [0xC3], -0.5)
    assert [other["logprob"] for other in entry["top_logprobs"]] == [-0.5, -9999.0]


# --- on the wire ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> TextChat:
    return words(tmp_path_factory.mktemp("words"))


def _client(url: str) -> httpx.AsyncClient:
    key = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.AsyncClient(base_url=url, headers=key, timeout=20)


async def _streamed(client: httpx.AsyncClient, **more: Any) -> list[str]:
    """The events and comments of one answer."""
    body = {"messages": HI, "stream": True, **more}
    async with client.stream("POST", "/chat/completions", json=body) as response:
        text = "".join([part async for part in response.aiter_text()])
    return text.strip().split("\n\n")


def test_one_who_waits_is_told_the_place_in_line(chat: TextChat) -> None:
    async def ask() -> list[list[str]]:
        async with _client(url) as client:
            return await asyncio.gather(*(_streamed(client) for _ in range(7)))

    with served(speaker(chat, "slow words", pause=0.02)) as url:
        streams = asyncio.run(ask())
    told = [[int(line[9:]) for line in lines if line.startswith(": waiting")] for lines in streams]
    assert {place for places in told for place in places} == {1, 2, 3}
    assert all(places == sorted(set(places), reverse=True) for places in told)
    assert sum(not places for places in told) == 4


def test_answers_at_once_are_all_whole(chat: TextChat) -> None:
    async def ask() -> list[httpx.Response]:
        async with _client(url) as client:
            asked = ({"messages": HI, "n": 1} for _ in range(9))
            return await asyncio.gather(*(client.post("/chat/completions", json=b) for b in asked))

    with served(speaker(chat, "\n<think>Hm.</think>\nYes.")) as url:
        messages = [said.json()["choices"][0]["message"] for said in asyncio.run(ask())]
    assert messages == [{"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}] * 9


def test_one_who_does_not_read_holds_nobody_up(chat: TextChat) -> None:
    async def ask() -> str:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(_client(url))
            body = {"messages": HI, "stream": True, "max_tokens": 3000}
            for _ in range(3):
                asked = client.stream("POST", "/chat/completions", json=body)
                await stack.enter_async_context(asked)  # and never read
            said = await client.post("/chat/completions", json={"messages": HI, "max_tokens": 5})
            content: str = said.json()["choices"][0]["message"]["content"]
            return content

    with served(speaker(chat, "a b c d e f " * 250, pause=0.001)) as url:
        assert asyncio.run(ask()) == "a b c"


def test_a_call_that_the_limit_cuts_is_not_made_whole(chat: TextChat) -> None:
    tool = {"type": "function", "function": {"name": "say"}}
    said = (
        "<tool_call>say\n<arg_key>words</arg_key>\n<arg_value>rm -rf /tmp</arg_value></tool_call>"
    )

    async def ask() -> Any:
        async with _client(url) as client:
            body = {"messages": HI, "tools": [tool], "max_tokens": 20}
            return (await client.post("/chat/completions", json=body)).json()["choices"][0]

    with served(speaker(chat, said)) as url:
        choice = asyncio.run(ask())
    assert choice["finish_reason"] == "length"
    (call,) = choice["message"]["tool_calls"]
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(call["function"]["arguments"])


def test_what_a_model_is_not_told_of_it_does_not_call(chat: TextChat) -> None:
    tool = {"type": "function", "function": {"name": "now"}}

    async def ask(**more: Any) -> Any:
        async with _client(url) as client:
            body = {"messages": HI, "tools": [tool], **more}
            return (await client.post("/chat/completions", json=body)).json()

    with served(speaker(chat, NOW)) as url:
        told, untold = asyncio.run(ask()), asyncio.run(ask(tool_choice="none"))
    assert told["choices"][0]["message"]["tool_calls"]
    assert untold["choices"][0]["message"]["content"] == NOW
    assert told["usage"]["prompt_tokens"] > untold["usage"]["prompt_tokens"] + 50


def test_a_failure_in_the_middle_is_the_streams_last_event(chat: TextChat) -> None:
    model = speaker(chat, "never said")
    model.network.script[5] = 10**6  # type: ignore[attr-defined]  # no such logit
    with served(model) as url:

        async def ask() -> tuple[list[str], httpx.Response]:
            async with _client(url) as client:
                lines = await _streamed(client)
                return lines, await client.post("/chat/completions", json={"messages": HI})

        lines, whole = asyncio.run(ask())
    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "engine_failed"
    assert (whole.status_code, whole.json()["error"]["code"]) == (500, "engine_failed")
