from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.decoder import StreamDecoder
from app.vocabulary import (
    Answer,
    Done,
    EndpointFault,
    Error,
    Event,
    Retract,
    Thinking,
    ToolCall,
    Usage,
)


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def decode(*bodies: bytes, fault: EndpointFault | None = None) -> list[Event]:
    decoder = StreamDecoder()
    return [event for body in bodies for event in decoder.feed(body)] + decoder.close(fault)


def said(events: list[Event]) -> tuple[str, str]:
    thinking, answer = "", ""
    for event in events:
        match event:
            case Thinking(text):
                thinking += text
            case Answer(text):
                answer += text
            case Retract(text):
                answer, thinking = answer[: len(answer) - len(text)], thinking + text
    return thinking, answer


def failure(events: list[Event]) -> Error:
    assert isinstance(events[-1], Error)
    return events[-1]


# --- reasoning ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_each_vendors_reasoning_key_is_thinking(key: str) -> None:
    events = decode(chunk({key: "why"}), chunk({"content": "so"}, "stop"), DONE)
    assert said(events) == ("why", "so")


def test_reasoning_details_alone_are_thinking_and_encrypted_ones_are_nothing() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "a"},
        {"type": "reasoning.text", "text": "b", "signature": None},
        {"type": "reasoning.encrypted", "data": "gAAA"},
    ]
    assert said(decode(chunk({"reasoning_details": details}), DONE)) == ("ab", "")


def test_reasoning_under_two_keys_at_once_is_not_doubled() -> None:
    details = [{"type": "reasoning.text", "text": "a"}]
    both = chunk({"reasoning": "a", "reasoning_content": "a", "reasoning_details": details})
    assert said(decode(both, DONE)) == ("a", "")


def test_reasoning_sent_again_inline_is_not_doubled() -> None:
    native = chunk({"reasoning_content": "I add.\n"})
    inline = chunk({"content": "<think>I add.</think>4"}, "stop")
    assert said(decode(native, inline, DONE)) == ("I add.\n", "4")


def test_reasoning_sent_again_under_another_key_is_not_doubled() -> None:
    again = chunk({"reasoning": "ab"})
    assert said(decode(chunk({"reasoning_content": "ab"}), again, DONE)) == ("ab", "")


def test_other_reasoning_under_another_key_is_kept() -> None:
    other = chunk({"reasoning": "cd"})
    assert said(decode(chunk({"reasoning_content": "ab"}), other, DONE)) == ("abcd", "")


def test_a_tag_that_leaks_behind_native_reasoning_takes_nothing_back() -> None:
    leaked = chunk({"content": "the first part</think>the second"}, "stop")
    thinking, answer = said(decode(chunk({"reasoning": "why"}), leaked, DONE))
    assert (thinking, answer) == ("why", "the first partthe second")


def test_content_arrays_hold_thinking_and_text() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "why"}]},
        {"type": "text", "text": "so"},
        {"type": "reference", "reference_ids": [1]},
    ]
    assert said(decode(chunk({"content": parts}, "stop"), DONE)) == ("why", "so")


def test_white_space_around_a_plain_answer_is_kept_as_sent() -> None:
    parts = [chunk({"content": text}) for text in ("\n ", "a", " \n", "\n")]
    assert said(decode(*parts, DONE)) == ("", "\n a \n\n")


def test_the_engines_own_retraction_moves_answer_to_thinking() -> None:
    late = chunk({"reasoning_content": "hm", "retract": "hm"})
    events = decode(chunk({"content": "hm"}), late, chunk({"content": "4"}, "stop"), DONE)
    assert said(events) == ("hm", "4")
    assert Retract("hm") in events


def test_a_retraction_of_more_than_was_shown_is_passed_over() -> None:
    assert said(decode(chunk({"content": "a"}), chunk({"retract": "long"}), DONE)) == ("", "a")


# --- tools ----------------------------------------------------------------------------------


def call(name: str = "", arguments: Any = "", **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


def tools(*deltas: list[dict[str, Any]]) -> list[tuple[str, str]]:
    events = decode(*(chunk({"tool_calls": delta}) for delta in deltas), DONE)
    return [(event.name, event.arguments) for event in events if isinstance(event, ToolCall)]


def test_a_tool_call_is_put_together_from_its_pieces() -> None:
    assert tools(
        [call("look", "", index=0, id="a")], [call("", '{"x"', index=0)], [call("", ":1}", index=0)]
    ) == [("look", '{"x":1}')]


def test_parallel_calls_are_told_apart_by_their_index() -> None:
    assert tools(
        [call("a", "", index=0, id="1"), call("b", "", index=1, id="2")],
        [call("", "{}", index=1), call("", '{"x":1}', index=0)],
    ) == [("a", '{"x":1}'), ("b", "{}")]


def test_parallel_calls_that_are_all_numbered_zero_stay_apart() -> None:
    assert tools([call("a", "{}", index=0, id="1")], [call("b", "{}", index=0, id="2")]) == [
        ("a", "{}"),
        ("b", "{}"),
    ]


def test_calls_without_index_go_by_their_id() -> None:
    assert tools([call("a", "{", id="1")], [call("", "}", id="1")], [call("b", "{}", id="2")]) == [
        ("a", "{}"),
        ("b", "{}"),
    ]


def test_calls_without_index_and_id_go_by_whole_arguments() -> None:
    assert tools([call("a", "{")], [call("", "}")], [call("a", "{}")]) == [("a", "{}"), ("a", "{}")]


def test_a_name_and_an_id_repeated_with_each_piece_open_one_call() -> None:
    pieces = [call("look", text, index=0, id="a") for text in ("", '{"x"', ":1}")]
    assert tools(*([piece] for piece in pieces)) == [("look", '{"x":1}')]


def test_a_fresh_id_with_each_piece_opens_one_call() -> None:
    pieces = [call("" if i else "look", text, index=0, id=str(i)) for i, text in enumerate("{}")]
    assert tools(*([piece] for piece in pieces)) == [("look", "{}")]


def test_whole_arguments_said_twice_are_heard_once() -> None:
    whole = '{"x":1}'
    assert tools([call("a", whole, index=0)], [call("", whole, index=0)]) == [("a", whole)]


def test_arguments_that_come_parsed_are_written_as_json() -> None:
    assert tools([call("a", {"x": "图"}, index=0)]) == [("a", '{"x": "图"}')]


def test_the_older_function_call_is_a_tool_call() -> None:
    events = decode(
        chunk({"function_call": {"name": "a", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}, "function_call"),
    )
    assert events == [ToolCall("a", "{}"), Done("stop")]


# --- the end --------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "eos", "COMPLETE"])
def test_a_finish_reason_without_done_is_an_end(reason: str) -> None:
    assert decode(chunk({"content": "a"}, reason))[-1] == Done("stop")


def test_done_without_a_finish_reason_is_an_end() -> None:
    assert decode(chunk({"content": "a"}), b"data:  [DONE] \n\n")[-1] == Done("stop")


@pytest.mark.parametrize("reason", ["length", "MAX_TOKENS", "model_context_window_exceeded"])
def test_an_answer_cut_for_its_length_says_so(reason: str) -> None:
    assert decode(chunk({"content": "a"}, reason), DONE)[-1] == Done("length")


@pytest.mark.parametrize("reason", ["sensitive", "content_filter", "SAFETY"])
def test_a_filtered_answer_is_refused_and_what_came_is_kept(reason: str) -> None:
    events = decode(chunk({"content": "部分"}), chunk({}, reason), DONE)
    assert said(events) == ("", "部分")
    assert failure(events).kind == "refused"


@pytest.mark.parametrize("reason", ["network_error", "error", "insufficient_system_resource"])
def test_a_finish_reason_that_names_a_fault_is_one(reason: str) -> None:
    error = failure(decode(chunk({"content": "a"}, reason), DONE))
    assert error.kind == "server_failed"
    assert reason in error.message


def test_a_stream_without_any_end_is_interrupted_and_what_came_is_kept() -> None:
    events = decode(chunk({"content": "half"}))
    assert said(events) == ("", "half")
    assert failure(events).kind == "interrupted"


def test_a_stream_cut_in_the_middle_of_an_event_is_interrupted() -> None:
    assert (
        failure(decode(chunk({"content": "a"}), b'data: {"choices":[{"del')).kind == "interrupted"
    )


def test_an_empty_body_says_that_nothing_came() -> None:
    error = failure(decode())
    assert error.kind == "interrupted"
    assert "without an answer" in error.message


def test_a_broken_connection_changes_nothing_for_a_finished_answer() -> None:
    fault = EndpointFault("interrupted", "gone")
    assert decode(chunk({"content": "a"}, "stop"), fault=fault)[-1] == Done("stop")
    assert decode(chunk({"content": "a"}), fault=fault)[-1] == fault.as_error()


def test_what_follows_done_is_not_read() -> None:
    assert said(decode(DONE, chunk({"content": "late"})))[1] == ""


def test_a_chunk_that_is_broken_json_is_told_at_the_end() -> None:
    events = decode(chunk({"content": "a"}), b"data: {oops\n\n", chunk({"content": "b"}, "stop"))
    assert said(events) == ("", "ab")
    assert failure(events).kind == "bad_response"


def test_a_keep_alive_that_is_no_json_is_passed_over() -> None:
    assert decode(b"data: ping\n\n", chunk({"content": "a"}, "stop"), DONE)[-1] == Done("stop")


def test_events_without_blank_lines_between_them_are_told_apart() -> None:
    lines = b"".join(
        part.replace(b"\n\n", b"\n")
        for part in (chunk({"content": "a\u2028"}), chunk({"content": "b"}, "stop"), DONE)
    )
    events = decode(lines)
    assert said(events) == ("", "a\u2028b")
    assert events[-1] == Done("stop")


def test_a_prefix_said_twice_is_taken_off() -> None:
    assert said(decode(b"data: " + chunk({"content": "a"}, "stop"), DONE)) == ("", "a")


# --- errors inside an answer ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        ({"error": {"message": "slow down", "code": 429}}, "rate_limited", "slow down"),
        ({"error": "model exploded"}, "server_failed", "model exploded"),
        ({"object": "error", "message": "bad top_p", "code": 400}, "bad_request", "bad top_p"),
        ({"code": "Throttling", "message": "wait", "request_id": "1"}, "rate_limited", "wait"),
        ({"code": 500, "msg": "404 NOT_FOUND", "success": False}, "server_failed", "NOT_FOUND"),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "bad_key", "login"),
        ({"x_groq": {"error": "over capacity"}}, "server_failed", "over capacity"),
        ({"type": "error", "error": {"type": "overloaded_error"}}, "server_failed", "overloaded"),
    ],
)
def test_an_error_in_a_normal_chunk_ends_the_answer(error: Any, kind: str, words: str) -> None:
    body = b"data: " + json.dumps(error).encode() + b"\n\n"
    events = decode(chunk({"content": "half"}), body, chunk({"content": "never"}))
    assert said(events) == ("", "half")
    assert failure(events).kind == kind
    assert words in failure(events).message


def test_an_error_beside_choices_keeps_their_text() -> None:
    events = decode(chunk({"content": "half"}, "error", error={"code": 502, "message": "gone"}))
    assert said(events) == ("", "half")
    assert "gone" in failure(events).message


@pytest.mark.parametrize("data", [b'{"message":"boom"}', b"boom", b'"boom"'])
def test_an_event_named_error_is_an_error(data: bytes) -> None:
    error = failure(decode(b"event: error\ndata: " + data + b"\n\n"))
    assert "boom" in error.message


def test_a_null_error_is_none() -> None:
    assert decode(chunk({"content": "a"}, "stop", error=None), DONE)[-1] == Done("stop")


# --- other forms ----------------------------------------------------------------------------

WHOLE = {
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "<think>why</think>so"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_plain_completion_is_read_where_a_stream_was_asked_for(indent: int | None) -> None:
    events = decode(b"\xef\xbb\xbf\n" + json.dumps(WHOLE, indent=indent).encode())
    assert said(events) == ("why", "so")
    assert events[-2:] == [Usage(3, 2), Done("stop")]


def test_chunks_as_json_lines_are_read() -> None:
    lines = [chunk({"content": text}).removeprefix(b"data: ").strip() for text in "ab"]
    assert said(decode(b"\n".join([*lines, chunk({}, "stop")[6:]])))[1] == "ab"


def test_a_whole_message_at_the_end_is_not_said_twice() -> None:
    end = b"data: " + json.dumps(WHOLE).encode() + b"\n\n"
    assert said(decode(chunk({"content": "so"}), end)) == ("", "so")


def test_a_web_page_is_named_by_its_title() -> None:
    page = (
        b"<!DOCTYPE html><html><head><title>Sign in &amp; pay</title></head><body>x</body></html>"
    )
    error = failure(decode(page))
    assert error.kind == "bad_response"
    assert "Sign in & pay" in error.message


def test_plain_text_is_quoted() -> None:
    error = failure(decode(b"no healthy upstream"))
    assert error.kind == "bad_response"
    assert "no healthy upstream" in error.message


def test_an_error_object_in_a_whole_body_is_an_error() -> None:
    error = failure(decode(b'[{"error":{"code":400,"message":"API key not valid"}}]'))
    assert error.kind == "bad_key"


# --- counts and choices ---------------------------------------------------------------------


def test_other_choices_are_not_mixed_in() -> None:
    both = [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]
    body = b"data: " + json.dumps({"choices": both}).encode() + b"\n\n"
    other = b'data: {"choices":[{"index":1,"delta":{"content":"B"},"finish_reason":"length"}]}\n\n'
    events = decode(body, other, DONE)
    assert said(events) == ("", "A")
    assert events[-1] == Done("stop")


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens_details": {"cached_tokens": 7}},
        {"prompt_cache_hit_tokens": 7},
        {"cached_tokens": 7},
    ],
)
def test_cached_tokens_are_counted(usage: Any) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 2, **usage}
    assert Usage(9, 2, 7) in decode(chunk({}, "stop", usage=counts), DONE)


def test_counts_that_grow_with_each_chunk_are_given_once() -> None:
    growing = [
        chunk({"content": "a"}, usage={"prompt_tokens": 9, "completion_tokens": n}) for n in (1, 2)
    ]
    events = decode(*growing, chunk({}, "stop", usage=None), DONE)
    assert [event for event in events if isinstance(event, Usage)] == [Usage(9, 2)]


def test_counts_inside_a_choice_are_found() -> None:
    body = (
        b'data: {"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":1}}]}\n\n'
    )
    assert Usage(1, 0) in decode(body)


# --- properties -----------------------------------------------------------------------------

_TEXT = st.sampled_from(["", "a", "\n", " b ", "<think>", "</think>", "<thi", "nk>", "图", "</s>"])
_NOISE = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 600) | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["content", "text", "type", "message", "index", "error", "function", "id"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
_DELTA = st.dictionaries(
    st.sampled_from(["content", "reasoning", "reasoning_content", "retract", "tool_calls"]),
    _TEXT | _NOISE,
    max_size=3,
)
_CHUNK = st.one_of(
    st.builds(chunk, _DELTA | _NOISE, st.sampled_from([None, None, "stop"])),
    st.builds(lambda v: b"data: " + json.dumps(v).encode() + b"\n\n", _NOISE),
    st.dictionaries(
        st.sampled_from(["choices", "usage", "error", "message", "x_groq", "base_resp", "object"]),
        _NOISE,
        max_size=3,
    ).map(lambda v: json.dumps(v).encode() + b"\n"),
    st.sampled_from(
        [b": c\n\n", DONE, b"\r\n", b"\xef\xbb\xbf", b"\xff", b"event: error\n", b"<p>"]
    ),
    st.binary(max_size=8),
)
_BODY = st.lists(_CHUNK, max_size=8).map(b"".join)


def cut(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(at % (len(body) + 1) for at in cuts), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


@given(_BODY, st.lists(st.integers(0, 2000), max_size=10))
def test_any_bytes_in_any_cut_end_exactly_once_and_alike(body: bytes, cuts: list[int]) -> None:
    whole, pieces = decode(body), decode(*cut(body, cuts))
    for events in (whole, pieces):
        ends = [event for event in events if isinstance(event, Done | Error)]
        assert len(ends) == 1
        assert events[-1] is ends[0]
    assert said(whole) == said(pieces)
    assert whole[-1] == pieces[-1]


@given(_BODY, st.lists(st.integers(0, 2000), max_size=10))
def test_nothing_is_taken_back_that_was_not_shown(body: bytes, cuts: list[int]) -> None:
    answer = ""
    for event in decode(*cut(body, cuts)):
        match event:
            case Answer(text):
                answer += text
            case Retract(text):
                assert len(text) <= len(answer)
                answer = answer[: len(answer) - len(text)]
