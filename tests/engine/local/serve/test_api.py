from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
import pytest

T = TypeVar("T")
PNG = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _question(text: str = "hi", **more: Any) -> dict[str, Any]:
    return {
        "model": "tiny",
        "messages": [{"role": "user", "content": text}],
        "max_tokens": 6,
        **more,
    }


def _post(client: httpx.AsyncClient, body: Any) -> httpx.Response:
    async def post() -> httpx.Response:
        async with client:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return await client.post("/chat/completions", content=content)

    return _run(post())


def _get(client: httpx.AsyncClient, path: str) -> httpx.Response:
    async def get() -> httpx.Response:
        async with client:
            return await client.get(path)

    return _run(get())


def _chunks(response: httpx.Response) -> list[dict[str, Any]]:
    events = [line[6:] for line in response.text.split("\n\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def test_health_names_the_model(client: httpx.AsyncClient) -> None:
    assert _get(client, "http://127.0.0.1/health").json()["model"] == "tiny"


def test_health_counts_what_is_done_and_what_waits(client: httpx.AsyncClient) -> None:
    said = _get(client, "http://127.0.0.1/health").json()
    assert [said[name] for name in ("working", "running", "waiting", "tokens")] == [0] * 4


def test_the_model_is_listed_with_what_it_holds(client: httpx.AsyncClient) -> None:
    (model,) = _get(client, "/models").json()["data"]
    assert (model["id"], model["max_model_len"]) == ("tiny", 128)
    assert not any(model[name] for name in ("sees_pictures", "takes_videos", "thinks"))


def test_a_whole_answer_has_text_reason_and_usage(client: httpx.AsyncClient) -> None:
    said = _post(client, _question(temperature=1, seed=4)).json()
    assert said["choices"][0]["finish_reason"] == "length"
    assert isinstance(said["choices"][0]["message"]["content"], str)
    assert said["usage"]["completion_tokens"] == 6
    assert said["usage"]["total_tokens"] == said["usage"]["prompt_tokens"] + 6


def test_a_stream_says_the_same_as_a_whole_answer(client: httpx.AsyncClient, app: Any) -> None:
    body = _question(temperature=1, seed=4, max_tokens=20)
    whole = _post(client, body).json()["choices"][0]["message"]["content"]
    again = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=client.base_url, headers=client.headers
    )
    chunks = _chunks(_post(again, {**body, "stream": True}))
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks) == whole
    assert [c["choices"][0]["finish_reason"] for c in chunks][-1] == "length"
    assert len({c["id"] for c in chunks}) == 1


def test_usage_is_streamed_only_when_asked_for(client: httpx.AsyncClient) -> None:
    asked = _question(stream=True, stream_options={"include_usage": True})
    chunks = _chunks(_post(client, asked))
    assert [("usage" in chunk) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["choices"] == []


def test_max_completion_tokens_is_the_same_limit(client: httpx.AsyncClient) -> None:
    body = {**_question(max_completion_tokens=2), "max_tokens": None}
    assert _post(client, body).json()["usage"]["completion_tokens"] <= 2


def test_settings_reach_the_template(client: httpx.AsyncClient, app: Any) -> None:
    plain = _post(client, _question()).json()["usage"]["prompt_tokens"]
    again = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=client.base_url, headers=client.headers
    )
    body = _question(chat_template_kwargs={"mood": "calm"})
    assert _post(again, body).json()["usage"]["prompt_tokens"] == plain + 4


def test_a_limit_beyond_the_context_is_lowered_to_it(client: httpx.AsyncClient) -> None:
    said = _post(client, _question(max_tokens=5000, temperature=1, seed=2)).json()
    assert said["usage"]["total_tokens"] <= 128


def test_a_refused_stream_is_refused_before_it_begins(client: httpx.AsyncClient) -> None:
    assert _post(client, _question("long " * 60, stream=True)).status_code == 400


def test_a_picture_is_refused_and_not_left_out(client: httpx.AsyncClient) -> None:
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    body = {**_question(), "messages": [{"role": "user", "content": [part]}]}
    response = _post(client, body)
    assert response.status_code == 400
    assert "does not see pictures" in response.json()["error"]["message"]


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/chat/completions", 405)])
def test_a_wrong_address_is_an_error_of_the_same_shape(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    response = _get(client, path)
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_questions_at_once_are_answered_one_after_the_other(client: httpx.AsyncClient) -> None:
    async def ask_all() -> list[httpx.Response]:
        async with client:
            bodies = [_question(str(number)) for number in range(4)]
            return await asyncio.gather(
                *(client.post("/chat/completions", json=body) for body in bodies)
            )

    assert [response.status_code for response in _run(ask_all())] == [200] * 4
