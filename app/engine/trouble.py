"""What goes wrong on the way to a server, in one sentence for a person; knows no HTTP library."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from app.vocabulary import EndpointFault, FaultKind

_CHECK = "Check the address in Settings › Endpoints"


def no_connection(host: str, problem: BaseException) -> EndpointFault:
    """Nothing could be sent: told apart by what lies under the library's own exception."""
    causes = tuple(_causes(problem))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        said = f"There is no server called {host}, or this machine is offline. {_CHECK}."
        return _fault("unreachable", said, problem)
    certificate = next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        why = certificate.verify_message or "its certificate can't be verified"
        said = f"{host} could not prove who it is ({why}), so nothing was sent to it."
        return _fault("unreachable", said, problem)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        said = f"{host} does not speak https there. {_CHECK}, or begin it with http://."
        return _fault("unreachable", said, problem)
    said = f"Nothing answers at {host}. Is the server running? {_CHECK}."
    return _fault("unreachable", said, problem)


def slow_connection(host: str, seconds: float) -> EndpointFault:
    return EndpointFault(
        "unreachable", f"{host} did not take the connection within {seconds:g} s. {_CHECK}."
    )


def no_first_byte(host: str, seconds: float) -> EndpointFault:
    return EndpointFault(
        "timeout", f"{host} took the question but sent nothing for {seconds:g} s. Try again."
    )


def no_more_bytes(host: str, seconds: float) -> EndpointFault:
    return EndpointFault(
        "interrupted", f"{host} stopped in the middle: nothing came for {seconds:g} s. Try again."
    )


def broken_connection(host: str, problem: BaseException) -> EndpointFault:
    said = f"The connection to {host} broke off before the end of the answer. Try again."
    return _fault("interrupted", said, problem)


def no_proxy(host: str, problem: BaseException) -> EndpointFault:
    said = f"The proxy set on this system does not let requests through to {host} ({problem})."
    return _fault("unreachable", said, problem)


def unreadable(host: str, problem: BaseException) -> EndpointFault:
    said = f"What {host} sent can't be read ({problem}). {_CHECK}."
    return _fault("bad_response", said, problem)


def unexpected(problem: BaseException) -> EndpointFault:
    said = "Sightline could not go on with this answer because of a fault of its own."
    return _fault("failed", said, problem)


def _fault(kind: FaultKind, said: str, problem: BaseException) -> EndpointFault:
    return EndpointFault(kind, said, " < ".join(map(repr, _causes(problem))))


def _causes(problem: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [problem]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or cause in seen:
            continue
        seen.append(cause)
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        waiting += cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
