"""Asks a model hub over HTTP for what it has; knows no disk and keeps nothing.

Hugging Face, whatever speaks its API, and ModelScope: https://huggingface.co/docs/hub/api and
https://modelscope.cn/docs. The token goes to the hub itself and not to where it sends us on.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx

from app import __version__
from app.engine.address import is_near
from app.engine.attempt import seconds_to_wait
from app.engine.certificates import certificates
from app.engine.hub import listing
from app.engine.hub.denial import denied
from app.engine.hub.listing import Listed
from app.engine.hub.repository import Repository
from app.vocabulary import EndpointFault, Fault

T = TypeVar("T")

_REDIRECTS = 5
_LARGEST_ANSWER = 64 << 20  # bytes of a list or an index
_PAGES = 1000
_LONGEST_WAIT = 300.0  # s that a hub may ask to wait
_RANGE = re.compile(r"bytes (\d+)-\d*/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds before each further try of what failed for a moment; while a file is fetched the
    count begins anew whenever something came. `connect`, `silence`: how long nothing may happen."""

    waits: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0)
    first: tuple[float, ...] = (1.0,)
    connect: float = 15.0
    silence: float = 60.0


class Passing(Exception):
    """What may be over in a moment: `fault` is what it is if it lasts, `wait` the seconds that
    the hub asks for; `restart`: what was fetched of this file can't be gone on with."""

    def __init__(self, fault: Fault, wait: float = 0.0, *, restart: bool = False) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.wait = wait
        self.restart = restart


@dataclass(frozen=True, slots=True)
class Body:
    """A file's bytes from `start` on, and the `ETag` of what they are of ("" where it has none)."""

    start: int
    etag: str
    chunks: Iterator[bytes]


class Hub:
    """One repository on its hub. Methods raise Fault; `open` raises Passing too."""

    def __init__(self, repository: Repository, patience: Patience | None = None) -> None:
        self.repository = repository
        self.patience = patience or Patience()
        self._client = httpx.Client(
            verify=certificates(),
            trust_env=not is_near(urlsplit(repository.endpoint).hostname or ""),
            follow_redirects=True,
            max_redirects=_REDIRECTS,
            timeout=httpx.Timeout(self.patience.silence, connect=self.patience.connect),
            headers={
                "user-agent": f"sightline/{__version__}",
                "accept-encoding": "identity",  # a part of a compressed file is no part of it
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def files(self) -> list[Listed]:
        """What the repository holds."""
        address = self.repository.listing()
        base = address.partition("?")[0]
        read = listing.hugging_face if self.repository.hub == "huggingface" else listing.modelscope
        found: list[Listed] = []
        for _ in range(_PAGES):
            content, following = self._patiently(partial(self._page, address))
            try:
                found += read(json.loads(content))
            except ValueError as error:
                raise self._unreadable(str(error)) from error
            if not following:
                return found
            # of the next page's address only what it asks for: a mirror may name its origin there
            address = f"{base}?{following}"
        raise self._unreadable("its list has no end")

    def read(self, file: Listed) -> bytes:
        """A small file's content, not yet verified."""

        def whole() -> bytes:
            with self.open(file, 0) as body:
                return _limited(body.chunks)

        return self._patiently(whole)

    @contextmanager
    def open(self, file: Listed, start: int) -> Iterator[Body]:
        """The bytes of a file from `start` on, or from 0 where the hub gives no parts."""
        headers = {"range": f"bytes={start}-"} if start else {}
        with self._asked(self.repository.file(file.path), headers) as response:
            if response.status_code == 416:
                raise Passing(self._broken(), restart=True)
            self._refuse(response, file.path)
            first = 0
            if response.status_code == 206:
                found = _RANGE.fullmatch(response.headers.get("content-range", ""))
                first = int(found[1]) if found else -1
                if first != start or (found and found[2] not in ("*", str(file.size))):
                    raise Passing(self._broken(), restart=True)
            yield Body(first, response.headers.get("etag", ""), response.iter_bytes())

    def _page(self, address: str) -> tuple[bytes, str]:
        """A page of the list, and the query of the next one."""
        with self._asked(address, {"accept": "application/json"}) as response:
            self._refuse(response)
            following = response.links.get("next", {}).get("url", "")
            return _limited(response.iter_bytes()), urlsplit(following).query

    def _patiently(self, work: Callable[[], T]) -> T:
        waits = list(self.patience.first)
        while True:
            try:
                return work()
            except Passing as problem:
                if not waits:
                    raise problem.fault from problem
                time.sleep(max(waits.pop(0), problem.wait))

    @contextmanager
    def _asked(self, address: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """A response, its headers read; what breaks while it is read is told in words too."""
        try:
            with self._client.stream("GET", address, headers={**headers, **self._key()}) as got:
                yield got
        except httpx.HTTPError as problem:
            raise self._trouble(problem) from problem

    def _key(self) -> dict[str, str]:
        """ModelScope reads its token from either, Hugging Face from the first; httpx sends
        neither on to another host."""
        token = self.repository.token
        if not token:
            return {}
        key = {"authorization": f"Bearer {token}"}
        cookie = {"cookie": f"m_session_id={token}"}
        return {**key, **cookie} if self.repository.hub == "modelscope" else key

    def _refuse(self, response: httpx.Response, path: str = "") -> None:
        """Raises what a response is that is no answer."""
        encrypted = urlsplit(self.repository.endpoint).scheme == "https"
        if encrypted and response.url.scheme != "https":
            said = f"{self.repository.host} sends downloads on to an unencrypted address."
            raise EndpointFault("refused", f"{said} Nothing was fetched.")
        if response.status_code in (200, 206):
            return
        fault = denied(self.repository, response.status_code, headers=response.headers, path=path)
        if response.status_code in (408, 429) or response.status_code >= 500:
            wait = seconds_to_wait(response.headers.get("retry-after", ""), time.time()) or 0.0
            if wait <= _LONGEST_WAIT:
                raise Passing(fault, wait)
        raise fault

    def _trouble(self, problem: httpx.HTTPError) -> Exception:
        host = self.repository.host
        causes = tuple(_causes(problem))
        detail = " < ".join(map(repr, causes))
        certificate = next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)
        if certificate is not None:
            why = certificate.verify_message or "its certificate can't be verified"
            said = f"{host} could not prove who it is ({why}), so nothing was fetched."
            return EndpointFault("unreachable", said, detail)
        if isinstance(problem, httpx.TooManyRedirects):
            return EndpointFault("bad_response", f"{host} sends downloads in circles.", detail)
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            said = f"There is no server called {host}, or this machine is offline."
        elif isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout):
            said = f"Nothing answers at {host}. Is this machine online?"
        else:
            return Passing(self._broken(detail))
        return Passing(EndpointFault("unreachable", said, detail))

    def _broken(self, detail: str = "") -> Fault:
        said = f"The connection to {self.repository.host} broke off."
        return EndpointFault("interrupted", said, detail)

    def _unreadable(self, why: str) -> Fault:
        host = self.repository.host
        return EndpointFault(
            "bad_response", f"What {host} answers is no list of files. Is it a model hub?", why
        )


def _limited(chunks: Iterator[bytes]) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > _LARGEST_ANSWER:
            raise EndpointFault("bad_response", "The hub's answer has no end.")
    return bytes(content)


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__
