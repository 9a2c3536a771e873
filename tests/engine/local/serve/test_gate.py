from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.engine.local.serve.gate import BodyTooLargeError, Gate


async def _room(scope: Scope, receive: Receive, send: Send) -> None:
    """What the gate stands before: reads the body and says how long it is."""
    try:
        body = await Request(scope, receive).body()
    except BodyTooLargeError:
        await PlainTextResponse("too large", 413)(scope, receive, send)
        return
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def _ask(
    headers: dict[str, str] | None = None, *, exposed: bool = False, content: bytes = b""
) -> httpx.Response:
    async def ask() -> httpx.Response:
        gate = Gate(_room, token="s3cret", exposed=exposed)
        transport = httpx.ASGITransport(gate)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            known = {"Authorization": "Bearer s3cret", **(headers or {})}
            return await client.post("/", headers=known, content=content)

    return asyncio.run(ask())


def test_the_token_opens_it() -> None:
    assert _ask().status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", "s3cret", "Basic s3cret"])
def test_anything_but_the_token_does_not(value: str) -> None:
    response = _ask({"Authorization": value})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80", "localhost:1234", "[::1]:9", "127.8.8.8", "LOCALHOST"]
)
def test_this_machine_has_several_names(host: str) -> None:
    assert _ask({"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "a:b:c", "[::1"],
)
def test_a_foreign_host_is_refused(host: str) -> None:
    assert _ask({"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"]
)
def test_a_page_of_this_machine_may_ask(origin: str) -> None:
    assert _ask({"Origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://localhost.evil.example", "file://"]
)
def test_a_foreign_page_may_not(origin: str) -> None:
    assert _ask({"Origin": origin}).status_code == 403


def test_an_engine_that_listens_to_the_network_takes_any_host_but_no_foreign_page() -> None:
    assert _ask({"Host": "engine.lan"}, exposed=True).status_code == 200
    assert _ask({"Origin": "https://evil.example"}, exposed=True).status_code == 403


def test_a_body_that_says_it_is_huge_is_refused() -> None:
    assert _ask({"Content-Length": str(10**9)}).status_code == 413


def test_a_body_that_does_not_say_so_is_refused_while_it_comes() -> None:
    async def ask() -> httpx.Response:
        async def parts() -> object:
            for _ in range(70):
                yield b"x" * 2**20

        transport = httpx.ASGITransport(Gate(_room, token="t"))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/", headers={"Authorization": "Bearer t"}, content=parts())

    assert asyncio.run(ask()).status_code == 413
