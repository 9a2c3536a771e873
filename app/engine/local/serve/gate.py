"""Who may talk to the engine: asks each request for the token, and refuses what a web page sends.

A page that the user visits can send requests to this machine, even under a name of its own that
resolves to it (DNS rebinding). Its Host or its Origin gives it away.
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.engine.local.serve.reply import refusal

_LARGEST = 64 * 2**20  # bytes of a request's body: a few dozen pages as pictures


class Gate:
    """ASGI middleware. `exposed` says that the engine listens beyond this machine, where any
    Host may be right."""

    def __init__(self, app: ASGIApp, *, token: str, exposed: bool = False) -> None:
        self._app = app
        self._token = token.encode()
        self._exposed = exposed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        said_no = self._refused(headers)
        if said_no is not None:
            status, code, message = said_no
            await refusal(status, code, message)(scope, receive, send)
            return
        await self._app(scope, _limited(receive), send)

    def _refused(self, headers: Headers) -> tuple[int, str, str] | None:
        if not self._exposed and not _is_loopback(f"//{headers.get('host', '')}"):
            return 403, "forbidden_host", "This engine answers only under this machine's own name."
        origin = headers.get("origin")
        if origin is not None and not _is_loopback(origin):
            return 403, "forbidden_origin", "This engine does not answer to web pages."
        scheme, _, token = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(token.strip().encode(), self._token)
        if scheme.lower() != "bearer" or not right:
            return 401, "invalid_api_key", "The key of this engine is missing or wrong."
        if _announced(headers) > _LARGEST:
            return 413, "too_large", _too_large()
        return None


class BodyTooLargeError(Exception):
    """A body that is larger than it may be, noticed while it came."""

    def __init__(self) -> None:
        super().__init__(_too_large())


def _too_large() -> str:
    return f"The request is larger than {_LARGEST // 2**20} MiB; send fewer pages or pictures."


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > _LARGEST:
            raise BodyTooLargeError
        return message

    return counting


def _is_loopback(url: str) -> bool:
    try:
        address = urlsplit(url)
        name = address.hostname or ""
        address.port  # noqa: B018  # raises where it is no number
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
