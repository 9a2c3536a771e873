from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.engine.recording import read_stream

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "sse"


def streams() -> dict[str, Any]:
    listed = SAMPLES / "expected.json"
    return json.loads(listed.read_text("utf-8"))["streams"] if listed.exists() else {}


@pytest.mark.skipif(not streams(), reason="the shared samples are not beside this checkout")
@pytest.mark.parametrize("chunk", [0, 1, 7, 4096])
@pytest.mark.parametrize("name", streams() or [None])
def test_a_recorded_stream_comes_to_what_it_should(name: str, chunk: int) -> None:
    sample = streams()[name]
    expected = sample["expect"]
    shown = sample.get("after_split", expected)
    read = read_stream(
        (SAMPLES / sample["file"]).read_bytes(),
        status=sample.get("status", 200),
        content_type=sample.get("content_type", "text/event-stream"),
        chunk=chunk,
    )
    assert (read.thinking, read.answer) == (shown["reasoning"], shown["content"])
    assert read.finish_reason == expected["finish_reason"]
    assert read.usage == expected["usage"]
    assert [
        {"name": call.name, "arguments": call.arguments} for call in read.tool_calls
    ] == expected["tool_calls"]
    assert read.done == expected["done"]
    assert (read.error is None) == (expected["error"] is None)


def test_a_filtered_answer_is_told_by_its_finish_reason_alone() -> None:
    body = b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"content_filter"}]}\n\n'
    read = read_stream(body)
    assert read.finish_reason == "content_filter"
    assert read.error is None


def test_the_total_is_the_servers_where_it_counts_more() -> None:
    usage = b'{"prompt_tokens":1,"completion_tokens":2,"total_tokens":9}'
    read = read_stream(b'data: {"choices":[],"usage":' + usage + b"}\n\ndata: [DONE]\n\n")
    assert read.usage == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9}


def test_a_refused_request_is_an_error_with_the_servers_words() -> None:
    read = read_stream(b'{"error":{"message":"no"}}', status=401)
    assert read.error is not None
    assert read.error.kind == "bad_key"
    assert "no" in read.error.message
    assert not read.done
