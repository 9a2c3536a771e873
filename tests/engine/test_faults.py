from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.faults import LONGEST, fault_of, refusal
from app.engine.said import find_error, read_body


@pytest.mark.parametrize(
    ("status", "sent", "kind"),
    [
        (401, {"error": {"message": "Incorrect API key provided"}}, "bad_key"),
        (400, {"error": {"code": 400, "message": "API key not valid."}}, "bad_key"),
        (400, {"code": "InvalidApiKey", "message": "Invalid API-key provided."}, "bad_key"),
        (403, {"error": {"message": "Your input was flagged by moderation"}}, "refused"),
        (
            403,
            {"error": {"code": "unsupported_country", "message": "region not supported"}},
            "refused",
        ),
        (403, {"message": "Forbidden"}, "bad_key"),
        (402, {"error": {"message": "Insufficient Balance"}}, "rate_limited"),
        (429, {"error": {"code": "1113", "message": "余额不足"}}, "rate_limited"),
        (404, {"error": {"code": "model_not_found", "message": "gone"}}, "no_model"),
        (404, {"error": 'model "x" not found, try pulling it first'}, "no_model"),
        (400, {"error": {"code": "1211", "message": "模型不存在"}}, "no_model"),
        (400, {"object": "error", "message": "The model `x` does not exist."}, "no_model"),
        (404, {"detail": "Not Found"}, "bad_url"),
        (405, {"detail": "Method Not Allowed"}, "bad_url"),
        (400, {"error": {"code": "context_length_exceeded", "message": "too many"}}, "too_long"),
        (500, {"error": {"type": "exceed_context_size_error", "message": "x"}}, "too_long"),
        (413, {"error": "Payload Too Large"}, "too_long"),
        (400, {"error": {"code": "1301", "message": "敏感内容"}}, "refused"),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, "bad_request"),
        (400, {"error": {"message": "Extra inputs are not permitted"}}, "bad_request"),
        (500, {"error": {"message": "CUDA error"}}, "server_failed"),
        (529, {"type": "error", "error": {"type": "overloaded_error"}}, "server_failed"),
        (504, {}, "timeout"),
        (302, {}, "bad_url"),
    ],
)
def test_what_servers_refuse_is_told_apart(status: int, sent: Any, kind: str) -> None:
    assert refusal(status, json.dumps(sent).encode()).kind == kind


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b'{"error":{"message":"no\\nway"}}', "no way"),
        (b'{"error":"no way"}', "no way"),
        (b'{"error":true,"message":"no way"}', "no way"),
        (b'{"detail":"no way"}', "no way"),
        (b'{"errors":[{"message":"no way"}]}', "no way"),
        (b'[{"error":{"message":"no way"}}]', "no way"),
        (b'{"error":{"message":"{\\"error\\":{\\"message\\":\\"no way\\"}}"}}', "no way"),
        (b'{"error":{"message":"P","metadata":{"raw":"no way"}}}', "P: no way"),
        (b"  no   way\n", "no way"),
        (b"<html><head><title>502 &mdash; no way</title></head></html>", "502 — no way"),
        (b"<html><body><style>p{}</style><p>no <b>way</b></p></body></html>", "no way"),
        (b"", ""),
    ],
)
def test_the_servers_own_words_are_found(sent: bytes, words: str) -> None:
    assert read_body(sent).words == words


@pytest.mark.parametrize(
    "chunk",
    [
        {"id": "c1"},
        {"choices": [{"delta": {"content": "error"}}]},
        {"choices": [], "usage": {}},
        {"type": "ping"},
        {"error": None, "choices": []},
        {"base_resp": {"status_code": 0, "status_msg": ""}, "choices": []},
        {"message": {"role": "assistant", "content": "x"}, "done": True},
        None,
        "text",
        [],
    ],
)
def test_what_is_no_error_is_not_taken_for_one(chunk: Any) -> None:
    assert find_error(chunk) is None


def test_a_sentence_holds_the_status_what_to_do_and_the_servers_words() -> None:
    message = refusal(401, '{"error":{"message":"身份验证失败"}}'.encode()).message
    assert message == (
        "The server refused the key (HTTP 401). Check it in Settings › Endpoints. "
        "It said: 身份验证失败"
    )


def test_an_empty_account_is_told_from_too_many_questions() -> None:
    assert "credit" in refusal(429, b'{"error":{"code":"insufficient_quota"}}').message
    assert "credit" not in refusal(429, b'{"error":"slow down"}').message


def test_a_long_refusal_is_cut_to_a_readable_length() -> None:
    assert len(refusal(500, b"x" * 10_000).message) < LONGEST + 100


def test_an_own_engines_fault_keeps_its_kind_and_its_sentence() -> None:
    said = find_error({"error": {"message": "The graphics card is full.", "code": "out_of_memory"}})
    assert said is not None
    fault = fault_of(said)
    assert (fault.kind, fault.message) == ("out_of_memory", "The graphics card is full.")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "code", "type", "detail", "msg", "metadata", "raw"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@given(_JSON | st.binary(max_size=20), st.integers(300, 599))
def test_every_refusal_becomes_one_line_of_words(sent: Any, status: int) -> None:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    message = refusal(status, body).message
    assert message
    assert message.isprintable()
