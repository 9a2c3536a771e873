"""`sightline filter`: JSON lines in, JSON lines out, the same end for every chunk."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
CHUNKS = (0, 1, 7)


def through(sightline, name: str, *records: dict[str, object]):  # type: ignore[no-untyped-def]
    ran = sightline("filter", name, stdin="".join(json.dumps(r) + "\n" for r in records))
    return ran, [json.loads(line) for line in ran.stdout.splitlines()]


def test_the_id_is_carried_over(sightline) -> None:
    _, out = through(sightline, "split", {"id": "a", "text": "<think>x</think>y"})
    assert out == [{"id": "a", "thinking": "x", "answer": "y"}]


def test_a_prompt_that_opened_the_thinking_is_taken_into_account(sightline) -> None:
    _, out = through(sightline, "split", {"text": "x</think>y", "prompt_tail": "<think>"})
    assert out == [{"thinking": "x", "answer": "y"}]


@pytest.mark.parametrize("name", ["split", "html", "repair"])
def test_every_chunking_gives_the_same_end(sightline, name: str) -> None:
    text = "<think>a</think>See:\n\n<!DOCTYPE html>\n<html><body>\n<p>1</p>\n</body></html>\n**x"
    _, out = through(sightline, name, *({"text": text, "chunk": n} for n in CHUNKS))
    assert out[0] == out[1] == out[2]


def test_a_growing_answer_shows_no_stray_markers(sightline) -> None:
    _, out = through(sightline, "repair", {"text": "a **bold", "final": False})
    assert out == [{"markdown": "a **bold**"}]


def test_a_stream_gives_its_answer_its_usage_and_its_error(sightline) -> None:
    body = (
        b'data: {"choices":[{"delta":{"content":"four"}}]}\n\n'
        b'data: {"error":{"message":"the disk is full"}}\n\n'
    )
    record = {"body_b64": base64.b64encode(body).decode()}
    _, out = through(sightline, "sse", *({**record, "chunk": n} for n in CHUNKS))
    assert out[0] == out[1] == out[2]
    assert out[0]["answer"] == "four" and out[0]["done"] is False
    assert "the disk is full" in out[0]["error"]["message"]


def test_boxes_are_fractions_of_the_picture(sightline) -> None:
    _, out = through(sightline, "boxes", {"text": "<think>[[1,2,3,4]]</think>[[10, 20, 30, 40]]"})
    assert out[0]["boxes"] == [{"label": None, "box": [0.01, 0.02, 0.03, 0.04]}]


def test_a_line_that_is_no_json_is_answered_and_the_rest_goes_on(sightline) -> None:
    ran = sightline("filter", "split", stdin='{"id":1,"text":\n{"id":2,"text":"y"}\n')
    out = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 1
    assert out[0]["error"]["kind"] == "bad_input" and out[1]["answer"] == "y"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
def test_recorded_streams_end_as_recorded(sightline) -> None:
    expected = json.loads((SHARED / "sse" / "expected.json").read_text())["streams"]
    records = [
        {
            "id": name,
            "body_b64": base64.b64encode((SHARED / "sse" / case["file"]).read_bytes()).decode(),
            "status": case.get("status", 200),
            "content_type": case.get("content_type", "text/event-stream"),
        }
        for name, case in expected.items()
    ]
    _, out = through(sightline, "sse", *records)
    for got in out:
        want = expected[got["id"]]
        after = want.get("after_split", want["expect"])
        assert got["answer"] == after["content"], got["id"]
        assert got["thinking"] == after["reasoning"], got["id"]
        assert got["finish_reason"] == want["expect"]["finish_reason"], got["id"]
        assert got["done"] == want["expect"]["done"], got["id"]
