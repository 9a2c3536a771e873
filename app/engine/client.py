"""Asks any endpoint, local or remote, over HTTP.

It owns connections, time limits and what is sent where. What an answer means is the decoder's;
what to try after a refusal is `attempt`'s.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx

from app import __version__
from app.engine import trouble
from app.engine.address import Address, read_address, read_key
from app.engine.attempt import Attempt, Refused, first, following
from app.engine.certificates import certificates
from app.engine.decoder import StreamDecoder
from app.engine.wire import Json, read_models, request_body
from app.vocabulary import Endpoint, EndpointFault, Error, Event, Fault, Message, Sampling, Usage

_LINGER = 5.0  # s to wait for the counts behind a finished answer
_PARTING = 0.05  # s to wait for the end of a response, so that its connection can be kept
_KEPT_NEAR, _KEPT_FAR = 2.0, 60.0  # s that an idle connection is kept; a near one costs nothing
_REFUSAL = 64 << 10  # bytes of a refusal that are read, and
_REFUSAL_TIME = 10.0  # s that it may take
_WRITE = 60.0  # s that one piece of a request may take to be sent
_LARGEST_LIST = 16 << 20  # bytes of a list of models


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to an answer's first byte (after its headers: of its body), and
    between bytes from there on. A server's keep-alive comments are bytes too."""

    connect: float = 10.0
    first: float = 120.0
    between: float = 60.0


class Client:
    """One for the whole program; `transport` is a seam for tests.

    Connections are made when they are first needed and kept. This machine is never asked through
    a proxy; for all others the system's proxy and the system's certificates are used.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._transport = transport
        self._timeouts = timeouts or Timeouts()
        self._pools: dict[bool, httpx.AsyncClient] = {}  # by nearness
        self._opening = asyncio.Lock()
        self._bases: dict[Address, int] = {}  # which of an address's bases was found to work

    async def stream(
        self, endpoint: Endpoint, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]:
        """The answer's events; the last is the one `Done` or `Error`, and nothing is raised.

        Closing the iterator, or cancelling the task that waits for it, hangs up at once.
        """
        began = time.monotonic()
        decoder = StreamDecoder(endpoint.dialect)
        fault: Fault | None = None
        try:
            body = await asyncio.to_thread(request_body, endpoint, messages, sampling)
            async with self._ask(endpoint, body) as answer:
                while data := await answer.next(finished=decoder.finished):
                    for event in decoder.feed(data):
                        yield event
                    if decoder.ended:
                        await answer.part()
                        break
        except Fault as problem:
            fault = problem
        except Exception as problem:  # a stream's end: whatever happened, it ends in words
            fault = trouble.unexpected(problem)
        for event in decoder.close(fault):
            yield _closing(event, time.monotonic() - began, endpoint.api_key)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        """The names of the models that an endpoint offers.

        Raises:
            EndpointFault: it can't be asked, or does not answer with a list.
        """
        try:
            async with self._ask(endpoint, None) as answer:
                return read_models(await answer.whole(_LARGEST_LIST))
        except Fault as fault:
            error = _without_key(fault.as_error(), endpoint.api_key)
            raise EndpointFault(error.kind, error.message, error.detail) from None

    async def close(self) -> None:
        """Closes every kept connection."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    @asynccontextmanager
    async def _ask(self, endpoint: Endpoint, body: Json | None) -> AsyncIterator[_Answer]:
        """Sends a request until it is answered or there is nothing more to try."""
        address, key = read_address(endpoint.base_url), read_key(endpoint.api_key)
        attempt = first(address, body, self._bases.get(address, 0))
        while True:
            await asyncio.sleep(attempt.wait)
            response = await self._send(attempt, key)
            try:
                if response.is_success:
                    self._bases[address] = attempt.base
                    yield _Answer(response, self._timeouts)
                    return
                refused = await _read_refusal(response)
            finally:
                await response.aclose()
            attempt = following(attempt, refused)

    async def _send(self, attempt: Attempt, key: str) -> httpx.Response:
        """The response, its headers read."""
        where = attempt.address.host
        pool = await self._pool(attempt.address)
        body = attempt.body
        content = None if body is None else await asyncio.to_thread(_encode, body)
        request = pool.build_request(
            "GET" if body is None else "POST", attempt.url, content=content, headers=_headers(key)
        )
        try:
            response = await pool.send(request, stream=True)
        except httpx.ConnectTimeout as problem:
            raise trouble.slow_connection(where, self._timeouts.connect) from problem
        except httpx.ReadTimeout as problem:
            raise trouble.no_first_byte(where, self._timeouts.first) from problem
        except httpx.ProxyError as problem:
            raise trouble.no_proxy(where, problem) from problem
        except httpx.ConnectError as problem:
            raise trouble.no_connection(_named(request.url), problem) from problem
        except (httpx.InvalidURL, httpx.RemoteProtocolError) as problem:
            if "disconnected" in str(problem):
                raise trouble.broken_connection(where, problem) from problem
            raise trouble.unreadable(where, problem) from problem
        except httpx.HTTPError as problem:
            raise trouble.broken_connection(where, problem) from problem
        # from here on `_Answer` counts the seconds, which differ before and after the first byte
        request.extensions.get("timeout", {})["read"] = None
        return response

    async def _pool(self, address: Address) -> httpx.AsyncClient:
        async with self._opening:
            if address.near not in self._pools:
                try:  # in a thread: reading certificates takes tens of milliseconds
                    pool = await asyncio.to_thread(self._open, address.near)
                except (ValueError, ImportError, httpx.InvalidURL) as problem:
                    raise trouble.no_proxy(address.host, problem) from problem
                self._pools[address.near] = pool
            return self._pools[address.near]

    def _open(self, near: bool) -> httpx.AsyncClient:
        limits = self._timeouts
        return httpx.AsyncClient(
            transport=self._transport,
            verify=certificates(),
            trust_env=not near,
            follow_redirects=False,
            limits=httpx.Limits(keepalive_expiry=_KEPT_NEAR if near else _KEPT_FAR),
            timeout=httpx.Timeout(
                connect=limits.connect, read=limits.first, write=_WRITE, pool=None
            ),
        )


class _Answer:
    """The bytes of one response, each awaited no longer than it may take."""

    def __init__(self, response: httpx.Response, timeouts: Timeouts) -> None:
        self._host = response.url.host
        self._bytes = response.aiter_bytes()
        self._timeouts = timeouts
        self._begun = False

    async def next(self, *, finished: bool = False) -> bytes:
        """The next bytes, empty at the end; after a finished answer only a little is waited."""
        limits = self._timeouts
        limit = limits.between if self._begun else limits.first
        try:
            async with asyncio.timeout(min(limit, _LINGER) if finished else limit):
                data = await anext(self._bytes, b"")
        except TimeoutError as problem:
            late = trouble.no_more_bytes if self._begun else trouble.no_first_byte
            raise late(self._host, limit) from problem
        except httpx.DecodingError as problem:
            raise trouble.unreadable(self._host, problem) from problem
        except httpx.HTTPError as problem:
            raise trouble.broken_connection(self._host, problem) from problem
        self._begun = True
        return data

    async def part(self) -> None:
        """Reads the little that may follow the last event, for the connection to be kept."""
        try:
            async with asyncio.timeout(_PARTING):
                while await self.next():
                    pass
        except (TimeoutError, EndpointFault):
            return

    async def whole(self, largest: int) -> bytes:
        body = bytearray()
        while data := await self.next():
            body += data
            if len(body) > largest:
                raise trouble.unreadable(self._host, ValueError("it is too long"))
        return bytes(body)


async def _read_refusal(response: httpx.Response) -> Refused:
    """What a server says instead of an answer, as far as it can be read in a little time."""
    body = bytearray()
    try:
        async with asyncio.timeout(_REFUSAL_TIME):
            async for data in response.aiter_bytes():
                body += data
                if len(body) >= _REFUSAL:
                    break
    except (TimeoutError, httpx.HTTPError):
        pass  # the status alone still says what happened
    headers = response.headers
    return Refused(
        status=response.status_code,
        body=bytes(body[:_REFUSAL]),
        location=headers.get("location", ""),
        retry_after=headers.get("retry-after", ""),
        now=time.time(),
    )


def _encode(body: Json) -> bytes:
    return json.dumps(body, allow_nan=False).encode("ascii")


def _headers(key: str) -> dict[str, str]:
    headers = {
        "accept": "text/event-stream, application/json",
        "accept-encoding": "identity",  # a compressed event stream arrives in lumps
        "content-type": "application/json",
        "user-agent": f"sightline/{__version__}",
    }
    return {**headers, "authorization": f"Bearer {key}"} if key else headers


def _named(url: httpx.URL) -> str:
    return url.netloc.decode("ascii", errors="replace")


def _closing(event: Event, seconds: float, key: str) -> Event:
    """An event of the end, with what the decoder can't know: the time, and the key to hide."""
    match event:
        case Usage():
            return replace(event, seconds=seconds)
        case Error():
            return _without_key(event, key)
    return event


def _without_key(error: Error, key: str) -> Error:
    """An error without the key, which some servers repeat in their refusals."""
    key = key.strip()
    if not key:
        return error
    message, detail = error.message.replace(key, "•••"), error.detail.replace(key, "•••")
    return Error(error.kind, message, detail)
