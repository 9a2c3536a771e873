"""What to try after a server refused a request, if anything; pure: no clock, no network.

A request may be sent on by the same server, asked for again later, tried without `/v1`, or said
in the words of an older server. Everything else is a fault for the user to read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from app.engine.address import Address
from app.engine.faults import fault_of, refusal
from app.engine.said import read_body
from app.engine.wire import Json, without
from app.vocabulary import EndpointFault

REDIRECTS = 5
WAITS = 2
LONGEST_WAIT = 30.0  # s that are waited without asking the user
_CHECK = "Check its address in Settings › Endpoints."


@dataclass(frozen=True, slots=True)
class Refused:
    """A response that is no answer; `now` is when it came, in seconds since the epoch."""

    status: int
    body: bytes
    location: str
    retry_after: str
    now: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a request: `body` None for GET; `wait` seconds before it is sent."""

    address: Address
    url: str
    body: Json | None
    wait: float = 0.0
    base: int = 0
    waits: int = 0
    redirects: int = 0


def first(address: Address, body: Json | None, base: int = 0) -> Attempt:
    """The first try, at the base that is known to work or the likeliest one."""
    return Attempt(address, _url(address, body, base), body, base=base)


def following(attempt: Attempt, refused: Refused) -> Attempt:
    """The next try.

    Raises:
        EndpointFault: there is none; its message holds the server's own words.
    """
    status = refused.status
    if status in (301, 302, 307, 308) and refused.location:
        return _redirected(attempt, refused.location)
    if status in (404, 405) and attempt.base + 1 < len(attempt.address.bases):
        fault = refusal(status, refused.body)
        if fault.kind == "bad_url":
            base = attempt.base + 1
            url = _url(attempt.address, attempt.body, base)
            return replace(attempt, url=url, base=base, wait=0.0)
    if status in (400, 422) and attempt.body:
        other = without(attempt.body, refused.body.decode("utf-8", errors="replace"))
        if other:
            return replace(attempt, body=other, wait=0.0)
    if status in (429, 503):
        return _later(attempt, refused)
    raise refusal(status, refused.body)


def seconds_to_wait(retry_after: str, now: float) -> float | None:
    """`Retry-After` as seconds from now: a number, or an HTTP date (RFC 9110 §10.2.3)."""
    text = retry_after.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _url(address: Address, body: Json | None, base: int) -> str:
    return address.models(base) if body is None else address.chat(base)


def _later(attempt: Attempt, refused: Refused) -> Attempt:
    wait = seconds_to_wait(refused.retry_after, refused.now)
    fault = fault_of(read_body(refused.body), refused.status)
    if wait is None:
        raise fault
    if wait > LONGEST_WAIT:
        said = f"{fault.message} It asks to wait {round(wait)} s."
        raise EndpointFault(fault.kind, said, fault.detail)
    if attempt.waits >= WAITS:
        raise fault
    return replace(attempt, wait=wait, waits=attempt.waits + 1)


def _redirected(attempt: Attempt, location: str) -> Attempt:
    try:
        target = urljoin(attempt.url, location)
        old, new = _origin(attempt.url), _origin(target)
    except ValueError:
        raise EndpointFault("bad_url", f"The server sends requests nowhere. {_CHECK}") from None
    stepped_up = old[0] == "http" and old[2] == 80 and new == ("https", old[1], 443)
    if old != new and not stepped_up:
        raise EndpointFault(
            "bad_url",
            f"The server sends requests on to {new[1]}:{new[2]}; the key and the question were "
            "not sent there. If you trust that server, enter its address in Settings › Endpoints.",
        )
    if attempt.redirects >= REDIRECTS:
        raise EndpointFault("bad_url", f"The server sends requests in circles. {_CHECK}")
    return replace(attempt, url=target, wait=0.0, redirects=attempt.redirects + 1)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return (parts.scheme, parts.hostname or "", port)
