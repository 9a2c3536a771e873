"""Where an endpoint's requests go and with which key, from what people really type; no network."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from app.vocabulary import EndpointFault

_EXAMPLE = "It should look like https://api.example.com/v1. Correct it in Settings › Endpoints."
_PASTED = ("/chat/completions", "/completions", "/models", "/chat")  # ends of pasted full addresses
_VERSIONED = re.compile(r"/v\d+\w*(/|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base addresses, the likeliest first; `query` is what each request repeats."""

    bases: tuple[str, ...]
    query: str
    host: str
    near: bool  # on this machine: never through a proxy

    def chat(self, base: int = 0) -> str:
        return f"{self.bases[base]}/chat/completions{self.query}"

    def models(self, base: int = 0) -> str:
        return f"{self.bases[base]}/models{self.query}"


def read_address(text: str) -> Address:
    """An address as typed: with or without scheme, `/v1`, a slash at the end, or pasted whole.

    Raises:
        EndpointFault: `bad_url`, where it can't be an address of the web.
    """
    typed = text.strip()
    parts = _split(typed if "://" in typed else f"{_scheme(typed)}://{typed}", typed)
    host = parts.hostname or ""
    root = f"{parts.scheme}://{parts.netloc}"
    path = parts.path.rstrip("/")
    pasted = next((end for end in _PASTED if path.endswith(end)), "")
    bases = _bases(root, path.removesuffix(pasted).rstrip("/"), exact=bool(pasted))
    query = f"?{parts.query}" if parts.query else ""
    return Address(bases, query, host, is_near(host))


def _bases(root: str, path: str, *, exact: bool) -> tuple[str, ...]:
    if exact or _VERSIONED.search(path):
        return (root + path,)
    guessed = f"{root}{path}/v1"
    # a path was meant as typed; a bare host almost always wants /v1
    return (root + path, guessed) if path else (guessed, root)


def is_near(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _ip(host)
    return address is not None and address.is_loopback


def read_key(key: str) -> str:
    """A key as it can stand in a header.

    Raises:
        EndpointFault: `bad_key`, where it holds what no key holds; the key is not repeated.
    """
    key = key.strip().removeprefix("Bearer ").strip()
    if all("!" <= letter <= "~" for letter in key):
        return key
    raise EndpointFault(
        "bad_key",
        "The key holds characters that no key has (a line break, a space, or letters beyond "
        "ASCII). Copy it again and put it into Settings › Endpoints.",
    )


def _split(url: str, typed: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s<>\"\\^`{|}]", url) or not _named(parts.hostname or ""):
        shown = f"“{_shown(typed)}”" if typed else "The empty address"
        raise EndpointFault("bad_url", f"{shown} is not the address of a server. {_EXAMPLE}")
    if parts.username or parts.password:
        raise EndpointFault(
            "bad_url", "The address holds a user name or password. Give the key in its own field."
        )
    return parts


def _named(host: str) -> bool:
    return not any(len(label) > 63 for label in host.split(".")) and ".." not in host


def _shown(typed: str) -> str:
    """The address without what may be secret in it."""
    bare = re.sub(r"//[^/@]*@", "//", typed.partition("?")[0])
    return bare if len(bare) <= 80 else bare[:79] + "…"


def _scheme(typed: str) -> str:
    """http for this machine and private networks, https for everything else."""
    host = re.split(r"[/?#]", typed, maxsplit=1)[0]
    host = re.sub(r":\d*$", "", host).strip("[]")
    address = _ip(host)
    private = address is not None and address.is_private
    local = is_near(host) or "." not in host or host.endswith((".local", ".lan", ".internal"))
    return "http" if private or (local and address is None) else "https"


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
