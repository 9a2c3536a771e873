"""What a stranger can send: each wrong request gets one sentence that names the field, and the
engine still answers the next one."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from checkpoints import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parrot import TOKEN, speaker, words
from PIL import Image
from starlette.applications import Starlette

from app.engine.local.chat import TextChat
from app.engine.local.model import Loading, Model, load
from app.engine.local.scheduler import Scheduler
from app.engine.local.serve.api import Api

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOL = {"type": "function", "function": {"name": "now"}}


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> TextChat:
    return words(tmp_path_factory.mktemp("words"))


@pytest.fixture
def parrot(chat: TextChat) -> Iterator[Starlette]:
    model = speaker(chat, "Yes.")
    scheduler = Scheduler(model)
    yield Api(model, scheduler).app(TOKEN, exposed=False)
    scheduler.close()


def post(app: Starlette, body: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1/v1", headers=headers
        ) as client:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return await client.post("/chat/completions", content=content)

    return asyncio.run(ask())


def asked(content: Any = "Hi", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}], **more}


def picture(url: str) -> list[dict[str, Any]]:
    return [{"type": "image_url", "image_url": {"url": url}}]


def form(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


@pytest.mark.parametrize(
    ("body", "status", "code", "param", "word"),
    [
        (b"", 400, "invalid_json", None, "JSON"),
        (b"{not json", 400, "invalid_json", None, "JSON"),
        (b"\xff\xfe", 400, "invalid_json", None, "JSON"),
        (b"[" * 100_000, 400, "invalid_json", None, "JSON"),
        (b'{"messages": NaN}', 400, "invalid_json", None, "JSON"),
        (b"[1]", 400, "invalid_request", "messages", "object"),
        (b'{"x":' * 900 + b"1" + b"}" * 900, 400, "invalid_request", "messages", "deeply"),
        ({}, 400, "invalid_request", "messages", "list"),
        (asked(temperature="hot"), 400, "invalid_request", "temperature", "number"),
        (asked(5), 400, "invalid_request", "messages[0].content", "text"),
        (asked(n=2), 400, "invalid_request", "n", "leave it out"),
        (asked(model="gpt-9"), 404, "model_not_found", "model", "parrot"),
        (asked(model="\ud83d"), 404, "model_not_found", "model", "parrot"),
        (asked("long " * 1000), 400, "context_length_exceeded", "messages", "4,096"),
        (asked(picture(PNG)), 400, "pictures_unsupported", "messages", "does not see"),
        (
            asked([{"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}]),
            400,
            "videos_unsupported",
            "messages",
            "does not take videos",
        ),
        (
            asked(picture("http://h/x.png")),
            400,
            "invalid_request",
            "messages[0].content[0].image_url.url",
            "nothing is fetched",
        ),
        (
            asked(chat_template_kwargs={"chat_template": "{{ 1 }}"}),
            400,
            "invalid_request",
            "chat_template_kwargs",
            "chat_template",
        ),
        (
            asked(response_format=form({"type": "banana"})),
            400,
            "invalid_request",
            "response_format",
            "banana",
        ),
        (
            asked(response_format=form({"type": "string", "pattern": "("})),
            400,
            "invalid_request",
            "response_format",
            "can't be followed",
        ),
        (
            asked(
                tools=[
                    {
                        "type": "function",
                        "function": {
                            "name": "f",
                            "parameters": {"properties": {"a": {"type": "banana"}}},
                        },
                    }
                ],
                tool_choice="required",
            ),
            400,
            "invalid_request",
            "tools",
            "banana",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_can_not_be_answered_is_refused_in_one_sentence(
    parrot: Starlette,
    body: Any,
    status: int,
    code: str,
    param: str | None,
    word: str,
    stream: bool,
) -> None:
    response = post(parrot, {**body, "stream": True} if stream and isinstance(body, dict) else body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)
    assert word in error["message"]
    assert post(parrot, asked()).json()["choices"][0]["message"]["content"] == "Yes."


def test_a_model_whose_template_knows_no_tools_says_so(tmp_path: Path) -> None:
    model = speaker(words(tmp_path, "glm-4.1v"), "Yes.")
    scheduler = Scheduler(model)
    app = Api(model, scheduler).app(TOKEN, exposed=False)
    error = post(app, asked(tools=[TOOL])).json()["error"]
    assert (error["code"], error["param"]) == ("tools_unsupported", "tools")
    assert post(app, asked(tools=[TOOL], tool_choice="none")).status_code == 200
    scheduler.close()


def test_a_form_without_the_library_for_it_is_refused(
    parrot: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)
    error = post(parrot, asked(response_format={"type": "json_object"})).json()["error"]
    assert (error["code"], error["param"]) == ("unsupported", "response_format")
    assert "llguidance" in error["message"]


def test_a_full_line_sends_the_next_one_away(chat: TextChat) -> None:
    model = speaker(chat, "Yes.")
    scheduler = Scheduler(model, line=0)
    app = Api(model, scheduler).app(TOKEN, exposed=False)
    for stream in (False, True):
        response = post(app, asked(stream=stream))
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert response.json()["error"]["code"] == "rate_limited"
    scheduler.close()


# --- pictures and videos --------------------------------------------------------------------


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A small GLM-4.5V with random weights."""
    folder = write(tmp_path_factory.mktemp("models") / "eye", "glm4v_moe")
    return load(Loading("eye", folder, gpus=0, dtype=torch.float32))


@pytest.fixture
def seeing(eye: Model) -> Iterator[Starlette]:
    scheduler = Scheduler(eye)
    yield Api(eye, scheduler).app(TOKEN, exposed=False)
    scheduler.close()


def drawn(width: int, height: int, kind: str = "PNG") -> str:
    """A picture in base64."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def film(frames: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": "video_url", "video_url": {"url": f"data:video/{frames}", **more}}]


HALF = base64.b64encode(base64.b64decode(drawn(64, 64))[:60]).decode()
JPEG = drawn(40, 40, "JPEG")


@pytest.mark.parametrize(
    "content",
    [
        picture(drawn(1, 1)),
        picture(drawn(90, 50)),
        picture(drawn(30, 30, "GIF")),
        picture(drawn(28, 28)) * 400,
        film(f"jpeg;base64,{JPEG}"),
        film("jpeg;base64," + ",".join([JPEG] * 5), fps=2),
        film("jpeg;base64," + ",".join([JPEG] * 20), timestamps=[360 * n for n in range(20)]),
    ],
    ids=["1x1", "usual", "gif", "400 pictures", "one frame", "frames", "two hours"],
)
def test_what_can_be_seen_is_answered(seeing: Starlette, content: Any) -> None:
    said = post(seeing, asked([*content, "What?"], max_tokens=2)).json()
    assert said["choices"][0]["finish_reason"] in ("stop", "length"), said


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (picture(drawn(20_000, 2)), "invalid_request", "20000"),
        (picture("data:image/png;base64,"), "invalid_request", "empty"),
        (picture(HALF), "invalid_request", "damaged"),
        (picture(drawn(20_000, 20_000)), "invalid_request", "20000"),
        (picture(drawn(280, 280)) * 400, "context_length_exceeded", "40,810"),
        (film("mp4;base64,AAAA"), "unsupported", "video"),
    ],
    ids=["20000x2", "0 bytes", "half", "too many pixels", "too many tokens", "no video"],
)
def test_what_can_not_be_seen_is_refused_and_the_next_one_answered(
    seeing: Starlette, content: Any, code: str, word: str
) -> None:
    response = post(seeing, asked([*content, "What?"]))
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, code)
    assert error["param"].startswith("messages")
    assert word in error["message"]
    assert post(seeing, asked(max_tokens=1)).status_code == 200


# --- whatever comes -------------------------------------------------------------------------

_FIELDS = [
    "messages", "model", "stream", "stream_options", "max_tokens", "temperature", "top_p", "top_k",
    "min_p", "repetition_penalty", "seed", "stop", "thinking", "enable_thinking",
    "thinking_budget", "chat_template_kwargs", "tools", "tool_choice", "parallel_tool_calls",
    "response_format", "logprobs", "top_logprobs", "prompt_lookup_num_tokens", "speculative",
]  # fmt: skip
_RIGHT: dict[str, Any] = {
    "messages": asked()["messages"],
    "stream": True,
    "max_tokens": 3,
    "tools": [TOOL],
    "tool_choice": "required",
    "response_format": form({"type": "integer"}),
    "logprobs": True,
    "top_logprobs": 2,
}
_WORDS = st.sampled_from(
    [
        *("user", "assistant", "tool", "text", "image_url", "function", "json_schema", "é\ud800"),
        *("type", "role", "content", "name", "properties", "$ref", "#", "<|user|>", "required"),
        f"data:image/png;base64,{base64.b64encode(b'x').decode()}",
    ]
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_WORDS, inner, max_size=3)
        | inner.map(lambda value: [{"role": "user", "content": value}])
        | inner.map(
            lambda value: [{"type": "function", "function": {"name": "f", "parameters": value}}]
        )
        | inner.map(form)
    ),
    max_leaves=8,
)
_BODIES = st.builds(
    lambda right, wrong: {**{name: _RIGHT[name] for name in right}, **wrong},
    st.sets(st.sampled_from(sorted(_RIGHT))).map(lambda names: names | {"messages"}),
    st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=3),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_BODIES)
def test_nothing_that_is_sent_breaks_the_engine(parrot: Starlette, body: Any) -> None:
    response = post(parrot, body)
    assert response.status_code in (200, 400, 404), response.text
    if response.status_code != 200:
        error = response.json()["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        assert error["param"] or error["code"] == "invalid_json"
    elif body.get("stream") is True:
        assert response.text.endswith("data: [DONE]\n\n")
        assert '"error"' not in response.text
    else:
        assert response.json()["choices"][0]["finish_reason"]
