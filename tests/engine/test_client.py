from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.client import Client, Timeouts
from app.vocabulary import (
    Answer,
    Done,
    Endpoint,
    EndpointFault,
    Error,
    Event,
    Message,
    Sampling,
    Usage,
)

KEY = "sk-very-secret-0123456789"
ASKED = (Message("user", "What is it?"),)
HELLO = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
QUICK = Timeouts(connect=2.0, first=0.2, between=0.2)


def endpoint(base_url: str = "https://api.example.com/v1", **more: Any) -> Endpoint:
    return Endpoint("test", base_url, "m", **{"api_key": KEY, **more})


def answer(*parts: bytes, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, content=b"".join(parts), headers=headers)


def ask(
    respond: Callable[[httpx.Request], httpx.Response],
    place: Endpoint | None = None,
    sampling: Sampling | None = None,
) -> list[Event]:
    """All events of one question put to a server that is a function."""

    async def run() -> list[Event]:
        client = Client(transport=httpx.MockTransport(respond))
        events = client.stream(place or endpoint(), ASKED, sampling or Sampling())
        try:
            return [event async for event in events]
        finally:
            await client.close()

    return asyncio.run(run())


class Recorder:
    """A server that answers with each response in turn and keeps what it was asked."""

    def __init__(self, *responses: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._responses = list(responses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._responses[len(self.requests) - 1]

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.requests]


def failure(events: list[Event]) -> Error:
    assert isinstance(events[-1], Error)
    return events[-1]


# --- a real server on this machine ------------------------------------------------------------

Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Endpoint]:
    """A server on this machine that hands each connection's first request to `handle`."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await read_request(reader)
            await handle(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.ensure_future(converse(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield endpoint(f"http{'s' if tls else ''}://127.0.0.1:{port}/v1", local=True)
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next((line for line in head.split("\r\n") if line.startswith("content-length:")), ":0")
    body = await reader.readexactly(int(length.partition(":")[2]))
    return json.loads(body) if body else {}


async def send(writer: asyncio.StreamWriter, *parts: bytes) -> None:
    writer.writelines(parts)
    await writer.drain()


def converse(handle: Handler, timeouts: Timeouts = QUICK) -> list[Event]:
    async def run() -> list[Event]:
        client = Client(timeouts=timeouts)
        try:
            async with serving(handle) as place:
                return [event async for event in client.stream(place, ASKED, Sampling())]
        finally:
            await client.close()

    return asyncio.run(run())


# --- an answer --------------------------------------------------------------------------------


def test_an_answer_arrives_with_its_counts_and_its_time() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\n'
    events = ask(lambda _: answer(HELLO, STOP, usage, DONE))
    assert events[0] == Answer("hello")
    assert isinstance(events[1], Usage)
    assert events[1].prompt == 5
    assert events[1].seconds > 0
    assert events[2:] == [Done("stop")]


def test_the_request_carries_the_key_and_the_question() -> None:
    server = Recorder(answer(HELLO, STOP))
    ask(server)
    request = server.requests[0]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content)["messages"] == [{"role": "user", "content": "What is it?"}]


def test_without_a_key_no_authorization_is_sent() -> None:
    server = Recorder(answer(HELLO, STOP))
    ask(server, endpoint(api_key=""))
    assert "authorization" not in server.requests[0].headers


def test_events_come_while_the_server_still_writes() -> None:
    async def run() -> float:
        async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await send(writer, OK, HELLO)
            await asyncio.sleep(0.5)
            await send(writer, STOP, DONE)

        client = Client()
        async with serving(slow) as place:
            began = time.monotonic()
            async with aclosing(client.stream(place, ASKED, Sampling())) as events:
                assert await anext(events) == Answer("hello")
                waited = time.monotonic() - began
        await client.close()
        return waited

    assert asyncio.run(run()) < 0.4


def test_one_connection_serves_one_question_after_another() -> None:
    opened: list[int] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(1)
        body = HELLO + STOP + DONE
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        await send(writer, head, body)
        await read_request(reader)
        await send(writer, head, body)

    async def run() -> list[Event]:
        client = Client()
        async with serving(keep) as place:
            first = [event async for event in client.stream(place, ASKED, Sampling())]
            second = [event async for event in client.stream(place, ASKED, Sampling())]
        await client.close()
        return first + second

    assert asyncio.run(run()) == [Answer("hello"), Done("stop")] * 2
    assert len(opened) == 1


def test_the_models_of_a_server_are_listed() -> None:
    async def run() -> tuple[str, ...]:
        server = Recorder(answer(b'{"data":[{"id":"a"},{"id":"b"}]}'))
        return await Client(transport=httpx.MockTransport(server)).models(endpoint())

    assert asyncio.run(run()) == ("a", "b")


def test_a_list_of_models_that_is_none_is_a_fault_without_the_key() -> None:
    async def run() -> tuple[str, ...]:
        server = Recorder(answer(f"no models for {KEY}".encode()))
        return await Client(transport=httpx.MockTransport(server)).models(endpoint())

    with pytest.raises(EndpointFault) as caught:
        asyncio.run(run())
    assert caught.value.kind == "bad_response"
    assert KEY not in caught.value.message + caught.value.detail


# --- hanging up -------------------------------------------------------------------------------


def hang_up(leave: Callable[[Client, Endpoint], Awaitable[None]]) -> float:
    """Seconds from leaving a stream until the server sees that the connection is gone."""

    async def run() -> float:
        gone: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await send(writer, OK, HELLO)
            await reader.read()
            gone.set_result(time.monotonic())

        client = Client()
        async with serving(endless) as place:
            await leave(client, place)
            left = time.monotonic()
            seen = await asyncio.wait_for(gone, 2)
        await client.close()
        return seen - left

    return asyncio.run(run())


def test_closing_the_iterator_hangs_up_at_once() -> None:
    async def leave(client: Client, place: Endpoint) -> None:
        events = client.stream(place, ASKED, Sampling())
        assert await anext(events) == Answer("hello")
        await events.aclose()

    assert hang_up(leave) < 0.1


def test_cancelling_the_waiting_task_hangs_up_at_once() -> None:
    async def leave(client: Client, place: Endpoint) -> None:
        async def follow() -> None:
            async for _ in client.stream(place, ASKED, Sampling()):
                started.set()

        started = asyncio.Event()
        task = asyncio.create_task(follow())
        await started.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert hang_up(leave) < 0.1


def test_a_wait_that_a_server_asked_for_can_be_cancelled() -> None:
    async def run() -> float:
        server = Recorder(answer(status=429, **{"retry-after": "20"}))
        client = Client(transport=httpx.MockTransport(server))
        events = client.stream(endpoint(), ASKED, Sampling())
        task = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return time.monotonic() - began

    assert asyncio.run(run()) < 0.1


# --- time limits and broken connections -------------------------------------------------------


def test_a_server_that_never_answers_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    error = failure(converse(silent))
    assert error.kind == "timeout"
    assert "0.2 s" in error.message


def test_headers_alone_are_no_first_byte() -> None:
    async def heads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await send(writer, OK)
        await reader.read()

    assert failure(converse(heads)).kind == "timeout"


def test_a_server_that_falls_silent_is_given_up_and_what_came_is_kept() -> None:
    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await send(writer, OK, HELLO)
        await reader.read()

    events = converse(stalls, Timeouts(connect=2, first=5, between=0.2))
    assert events[0] == Answer("hello")
    assert failure(events).kind == "interrupted"
    assert "stopped" in failure(events).message


def test_keep_alive_comments_hold_a_slow_answer_open() -> None:
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await send(writer, OK)
        for _ in range(5):
            await send(writer, b": working\n\n")
            await asyncio.sleep(0.1)
        await send(writer, HELLO, STOP, DONE)

    assert converse(slow)[-1] == Done("stop")


def test_a_finished_answer_does_not_wait_long_for_a_silent_server() -> None:
    async def lingers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await send(writer, OK, HELLO, STOP)
        await reader.read()

    assert converse(lingers)[-1] == Done("stop")


def test_a_connection_that_breaks_in_the_middle_is_interrupted() -> None:
    async def breaks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await send(writer, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        await send(writer, f"{len(HELLO):x}\r\n".encode(), HELLO, b"\r\nff\r\nhalf")

    events = converse(breaks)
    assert events[0] == Answer("hello")
    assert failure(events).kind == "interrupted"


def test_a_server_that_closes_without_a_word_is_told() -> None:
    async def closes(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        return

    assert failure(converse(closes)).kind == "interrupted"


def test_what_does_not_speak_http_is_told() -> None:
    async def other(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await send(writer, b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    assert failure(converse(other)).kind == "bad_response"


def test_nothing_listening_is_unreachable() -> None:
    async def run() -> list[Event]:
        async with serving(lambda *_: asyncio.sleep(0)) as place:
            pass
        return [event async for event in Client().stream(place, ASKED, Sampling())]

    error = failure(asyncio.run(run()))
    assert error.kind == "unreachable"
    assert "Is the server running?" in error.message


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs openssl to make a certificate")
    made = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "1"]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*made, *files, *subject], cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    heard: list[int] = []

    async def listen(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        heard.append(1)

    async def run() -> list[Event]:
        async with serving(listen, tls) as place:
            return [event async for event in Client().stream(place, ASKED, Sampling())]

    error = failure(asyncio.run(run()))
    assert error.kind == "unreachable"
    assert "could not prove who it is" in error.message
    assert not heard


def test_https_where_only_http_is_spoken_is_told() -> None:
    async def run() -> list[Event]:
        def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        place = endpoint(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        async with server:
            return [event async for event in Client().stream(place, ASKED, Sampling())]

    error = failure(asyncio.run(run()))
    assert error.kind == "unreachable"
    assert "http://" in error.message


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error":{"code":"1000","message":"\xe8\xba\xab\xe4\xbb\xbd"}}', "bad_key"),
        (404, b'{"error":{"message":"The model `m` does not exist"}}', "no_model"),
        (404, b'{"detail":"Not Found"}', "bad_url"),
        (400, b'{"error":{"message":"maximum context length is 8192 tokens"}}', "too_long"),
        (429, b'{"error":{"message":"slow"}}', "rate_limited"),
        (503, b"no healthy upstream", "server_failed"),
    ],
)
def test_a_refusal_is_told_in_the_servers_own_words(status: int, body: bytes, kind: str) -> None:
    error = failure(ask(lambda _: answer(body, status=status)))
    assert error.kind == kind
    assert f"HTTP {status}" in error.message


def test_a_key_that_a_server_repeats_is_hidden() -> None:
    error = failure(ask(lambda _: answer(f"bad key {KEY}!".encode(), status=401)))
    assert KEY not in error.message + error.detail
    assert "•••" in error.message


@pytest.mark.parametrize("key", ["schlüssel", "line\nbreak", "two words", "nul\0"])
def test_a_key_that_can_be_none_is_told_without_being_repeated(key: str) -> None:
    error = failure(ask(lambda _: answer(HELLO), endpoint(api_key=key)))
    assert error.kind == "bad_key"
    assert key not in error.message + error.detail


@pytest.mark.parametrize("url", ["", "not a url", "ftp://x/v1", "http://", "https://h:99999/v1"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    assert failure(ask(lambda _: answer(HELLO), endpoint(url))).kind == "bad_url"


def test_a_fault_of_our_own_still_ends_the_stream_in_words() -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise RuntimeError(f"boom {KEY}")

    error = failure(ask(broken))
    assert error.kind == "failed"
    assert KEY not in error.message + error.detail


# --- trying again -----------------------------------------------------------------------------


def test_a_short_wait_that_a_server_asks_for_is_waited() -> None:
    server = Recorder(answer(status=429, **{"retry-after": "0.1"}), answer(HELLO, STOP))
    assert ask(server)[-1] == Done("stop")
    assert len(server.requests) == 2


def test_a_wait_until_a_date_is_understood() -> None:
    server = Recorder(
        answer(status=503, **{"retry-after": formatdate(time.time() - 5, usegmt=True)}),
        answer(HELLO, STOP),
    )
    assert ask(server)[-1] == Done("stop")


def test_two_waits_are_enough() -> None:
    busy = [answer(b"busy", status=503, **{"retry-after": "0"}) for _ in range(4)]
    server = Recorder(*busy)
    assert "busy" in failure(ask(server)).message
    assert len(server.requests) == 3


@pytest.mark.parametrize("headers", [{}, {"retry-after": "3600"}, {"retry-after": "soon"}])
def test_a_long_or_unknown_wait_is_left_to_the_user(headers: dict[str, str]) -> None:
    server = Recorder(answer(b"busy", status=429, **headers))
    assert failure(ask(server)).kind == "rate_limited"
    assert len(server.requests) == 1


def test_a_bare_host_is_tried_with_and_without_v1_and_remembered() -> None:
    server = Recorder(answer(status=404), answer(HELLO, STOP), answer(HELLO, STOP))

    async def run() -> None:
        client = Client(transport=httpx.MockTransport(server))
        for _ in range(2):
            place = endpoint("https://api.example.com/")
            async for _ in client.stream(place, ASKED, Sampling()):
                pass

    asyncio.run(run())
    host = "https://api.example.com"
    assert server.urls == [
        f"{host}/v1/chat/completions",
        f"{host}/chat/completions",
        f"{host}/chat/completions",
    ]


def test_a_pasted_whole_address_is_used_as_it_is() -> None:
    server = Recorder(answer(HELLO, STOP))
    ask(server, endpoint("https://h.example/api/paas/v4/chat/completions"))
    assert server.urls == ["https://h.example/api/paas/v4/chat/completions"]


def test_a_server_that_wants_the_newer_name_of_a_limit_gets_it() -> None:
    words = b'{"error":{"message":"Use \'max_completion_tokens\' instead of \'max_tokens\'."}}'
    server = Recorder(answer(words, status=400), answer(HELLO, STOP))
    assert ask(server, sampling=Sampling(max_tokens=9))[-1] == Done("stop")
    again = json.loads(server.requests[1].content)
    assert again["max_completion_tokens"] == 9
    assert "max_tokens" not in again


# --- redirects --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_server_is_followed_with_the_question(status: int) -> None:
    server = Recorder(answer(status=status, location="/v2/chat"), answer(HELLO, STOP))
    assert ask(server)[-1] == Done("stop")
    assert server.requests[1].method == "POST"
    assert server.requests[1].headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(server.requests[1].content)["model"] == "m"


@pytest.mark.parametrize(
    "location",
    [
        "https://other.example/v1/chat/completions",
        "//other.example/x",
        "http://api.example.com/v1/chat/completions",
        "https://api.example.com:8443/v1",
        "https://api.example.com@other.example/",
        "https://[bad/",
    ],
)
def test_a_redirect_to_another_server_is_refused_and_gets_no_key(location: str) -> None:
    server = Recorder(answer(status=307, location=location))
    error = failure(ask(server))
    assert error.kind == "bad_url"
    assert len(server.requests) == 1


def test_a_redirect_in_circles_ends() -> None:
    def circle(request: httpx.Request) -> httpx.Response:
        return answer(status=307, location=str(request.url))

    assert failure(ask(circle)).kind == "bad_url"


# --- proxies ----------------------------------------------------------------------------------


def test_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await send(writer, OK, HELLO, STOP, DONE)

    assert converse(hello)[-1] == Done("stop")


def test_a_proxy_setting_that_can_not_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:9")

    async def run() -> list[Event]:
        return [event async for event in Client().stream(endpoint(), ASKED, Sampling())]

    error = failure(asyncio.run(run()))
    assert error.kind == "unreachable"
    assert "proxy" in error.message


# --- one end, always --------------------------------------------------------------------------

_PARTS = st.sampled_from(
    [HELLO, STOP, DONE, b"data: {", b"\r\n", b"<html>", b"{}", b"\xff", b": c"]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(_PARTS, max_size=6), st.sampled_from([200, 204, 304, 400, 404, 500]))
def test_every_stream_ends_exactly_once(parts: list[bytes], status: int) -> None:
    events = ask(lambda _: answer(*parts, status=status))
    assert [isinstance(event, Done | Error) for event in events].count(True) == 1
    assert isinstance(events[-1], Done | Error)
