from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.request.body import read_request
from app.engine.wire import read_models, request_body, textual
from app.vocabulary import Endpoint, EndpointFault, Frame, Message, Sampling, Source

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEUlEQVR4nGP8z8AAR0wMCA4AFhIBBPoE8OMAAAAASUVORK5CYII="
)


def endpoint(**more: Any) -> Endpoint:
    return Endpoint("e", "https://h/v1", "m", **more)


def frame(name: str = "invoice.png", text: str = "Total due: 12", **more: Any) -> Frame:
    return Frame(PNG, "image/png", 3, 2, Source("picture", name, **more), text)


def body(message: Message, sampling: Sampling | None = None, **more: Any) -> dict[str, Any]:
    return request_body(endpoint(**more), [message], sampling or Sampling())


# --- written --------------------------------------------------------------------------------


def test_a_plain_question_asks_for_a_stream_with_counts() -> None:
    assert body(Message("user", "Hi")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_sampling_stands_in_the_request_only_where_it_is_set() -> None:
    sampling = Sampling(max_tokens=5, temperature=0.0, stop=("x",))
    assert {"max_tokens": 5, "temperature": 0.0, "stop": ["x"]}.items() <= body(
        Message("user", "Hi"), sampling
    ).items()
    assert "top_p" not in body(Message("user", "Hi"), sampling)


def test_pictures_come_before_the_question_as_data_urls() -> None:
    content = body(Message("user", "What?", (frame(),)))["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url", "text"]
    assert content[0]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


def test_pictures_are_bare_base64_where_the_server_wants_that() -> None:
    content = body(Message("user", "What?", (frame(),)), pictures="base64")["messages"][0][
        "content"
    ]
    assert base64.b64decode(content[0]["image_url"]["url"]) == PNG


@pytest.mark.parametrize(
    ("switch", "thinking", "field"),
    [
        ("template", True, {"chat_template_kwargs": {"enable_thinking": True}}),
        ("template", False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("zai", True, {"thinking": {"type": "enabled"}}),
        ("zai", False, {"thinking": {"type": "disabled"}}),
    ],
)
def test_thinking_is_switched_as_the_server_understands(
    switch: str, thinking: bool, field: dict[str, Any]
) -> None:
    sampling = Sampling(thinking=thinking)
    assert field.items() <= body(Message("user", "Hi"), sampling, switch=switch).items()


@pytest.mark.parametrize("switch", ["none", "template", "zai"])
def test_thinking_left_alone_is_not_mentioned(switch: str) -> None:
    assert len(body(Message("user", "Hi"), switch=switch)) == 4


def test_a_model_that_only_reads_gets_text_in_every_turn_and_no_picture() -> None:
    turns = [Message("user", "A?", (frame(),)), Message("assistant", "12"), Message("user", "B?")]
    sent = request_body(endpoint(sees_pictures=False), turns, Sampling())["messages"]
    assert "Total due: 12" in sent[0]["content"]
    assert all(isinstance(message["content"], str) for message in sent)


def test_half_a_surrogate_pair_does_not_reach_the_server() -> None:
    sent = json.dumps(body(Message("user", "a\ud83d b\ud83d\ude00"))).encode()
    assert json.loads(sent)["messages"][0]["content"] == "a\ufffd b😀"


# --- the text layer -------------------------------------------------------------------------


def test_each_frames_text_stands_under_its_name_before_the_question() -> None:
    message = Message(
        "user", "Total?", (frame("a.pdf", "one", page=2), frame("b.mp4", "", time=65))
    )
    assert textual(message) == (
        'Text of a.pdf, page 2:\n"""\none\n"""\n\n'
        "b.mp4, at 1:05 has no text that could be read.\n\n"
        "Question: Total?"
    )


def test_the_lines_that_share_words_with_the_question_stand_before_it() -> None:
    page = "Invoice date: 1 May\nDue date: 9 June"
    said = textual(Message("user", "When is it due?", (frame("a", page),)))
    assert said.endswith(
        "\n\nLines that may hold the answer:\nDue date: 9 June\n\nQuestion: When is it due?"
    )


def test_a_frame_without_a_name_is_numbered() -> None:
    assert textual(Message("user", "", (frame("", "x"),))) == 'Text of picture 1:\n"""\nx\n"""'


def test_a_message_without_frames_is_its_text() -> None:
    assert textual(Message("user", " as typed ")) == " as typed "


# --- read back ------------------------------------------------------------------------------

_SAMPLING = st.builds(
    Sampling,
    max_tokens=st.none() | st.integers(1, 9000),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(-1, 100),
    min_p=st.none() | st.floats(0, 1),
    repetition_penalty=st.none() | st.floats(0.5, 2),
    stop=st.lists(st.text(min_size=1), max_size=3).map(tuple),
    seed=st.none() | st.integers(0, 2**31),
    thinking=st.none() | st.booleans(),
    thinking_budget=st.none() | st.integers(0, 9000),
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_MESSAGE = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant"]),
    _TEXT,
    st.sampled_from([(), (frame(""),)]),
)


@given(
    st.lists(_MESSAGE, min_size=1, max_size=4), _SAMPLING, st.sampled_from(["data_url", "base64"])
)
def test_what_the_client_writes_a_server_reads_back(
    messages: list[Message], sampling: Sampling, pictures: str
) -> None:
    place = endpoint(pictures=pictures, switch="template")
    read = read_request(json.loads(json.dumps(request_body(place, messages, sampling))))
    assert read.sampling == sampling
    assert [(turn.role, turn.text) for turn in read.turns] == [(m.role, m.text) for m in messages]
    pictures_read = [[p for p in turn.parts if isinstance(p, Frame)] for turn in read.turns]
    assert [len(seen) for seen in pictures_read] == [len(m.frames) for m in messages]
    assert (read.model, read.stream, read.include_usage) == ("m", True, True)


# --- lists of models ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "listed", [{"data": [{"id": "a"}]}, {"models": [{"name": "a"}]}, [{"id": "a"}]]
)
def test_lists_of_models_are_read_in_each_shape(listed: Any) -> None:
    assert read_models(json.dumps(listed).encode()) == ("a",)


@pytest.mark.parametrize("sent", [b"<html><title>Hi</title></html>", b"[", b"5", b'{"data":null}'])
def test_what_is_no_list_of_models_is_a_bad_response(sent: bytes) -> None:
    with pytest.raises(EndpointFault) as caught:
        read_models(sent)
    assert caught.value.kind == "bad_response"
