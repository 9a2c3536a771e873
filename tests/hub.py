"""A small model hub on the loopback interface: the HTTP of Hugging Face and of ModelScope, with
large files sent on to another server as the real ones do, and told what to do wrong."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

PIECE = 4096  # bytes sent at a time


@dataclass
class Asked:
    """A request as it came in: at the hub itself (`far` false) or at its store of large files."""

    path: str
    far: bool
    authorization: str
    range: str


@dataclass
class HubServer:
    """`repositories` maps `owner/name` to its files. Files from `large` bytes on are kept
    elsewhere and have a SHA-256."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    large: int = 2000
    page: int = 100  # entries of a list at a time
    gated: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)  # those that may fetch what is gated
    extra: list[dict[str, object]] = field(default_factory=list)  # entries that are listed too
    failures: list[int] = field(default_factory=list)  # statuses of the next requests
    cuts: list[int] = field(default_factory=list)  # bytes after which the next weights break off
    corrupt: Counter[str] = field(default_factory=Counter)  # how often a file is sent damaged
    parts: bool = True  # whether it heeds Range
    etag: str = "a"
    pause: float = 0.0  # s before each piece of a large file
    missing: set[str] = field(default_factory=set)  # files that are listed but not there
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    store: str = ""

    def bodies(self, path: str) -> list[Asked]:
        """The requests for a large file's bytes."""
        return [asked for asked in self.asked if asked.far and asked.path.endswith(path)]


def blob(content: bytes) -> str:
    """What Git calls a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def model(weights: bytes = b"", shards: int = 0) -> dict[str, bytes]:
    """The files of a small checkpoint, with some that no engine needs; `shards` makes an index."""
    weights = weights or safetensors(b"w" * 300_000)
    files = {
        "config.json": b'{"model_type": "glm4v", "vision_config": {}}',
        "tokenizer.json": b"{}" + b" " * 5000,
        "chat_template.jinja": b"{{ messages }}",
        "README.md": b"# A model",
        ".gitattributes": b"*.safetensors filter=lfs",
        "figures/plan.png": b"png",
        "pytorch_model.bin": b"pickle" * 1000,
    }
    if not shards:
        return {**files, "model.safetensors": weights}
    names = [f"model-{n:05}-of-{shards:05}.safetensors" for n in range(1, shards + 1)]
    index = {"metadata": {}, "weight_map": {f"t{n}": name for n, name in enumerate(names)}}
    held = {name: safetensors(bytes([n]) * 90_000, f"t{n}") for n, name in enumerate(names)}
    consolidated = {"consolidated.safetensors": b"the same again" * 1000}
    whole = {"model.safetensors.index.json": json.dumps(index).encode()}
    return {**files, **held, **whole, **consolidated}


def safetensors(content: bytes, name: str = "w") -> bytes:
    """A file of one tensor of bytes."""
    place = {"dtype": "U8", "shape": [len(content)], "data_offsets": [0, len(content)]}
    header = json.dumps({name: place}).encode()
    return len(header).to_bytes(8, "little") + header + content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: HubServer
    far: bool

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        heard = self.headers
        self.state.asked.append(
            Asked(path, self.far, heard.get("authorization", ""), heard.get("range", ""))
        )
        if self.state.failures:
            self._say(self.state.failures.pop(0), b"busy", {"retry-after": "0"})
        elif self.far:
            self._send(*self._found(path.removeprefix("/store/").split("/", 2)))
        else:
            self._near(path.strip("/").split("/"), query)

    def _near(self, path: list[str], query: dict[str, list[str]]) -> None:
        match path:
            case ["api", "models", owner, name, "tree", revision]:
                self._tree(f"{owner}/{name}", revision, int(query.get("cursor", ["0"])[0]))
            case ["api", "v1", "models", owner, name, "repo", "files"]:
                self._files(f"{owner}/{name}")
            case ["models", owner, name, "resolve", "master", *rest]:
                self._resolve(owner, name, "/".join(rest))
            case [owner, name, "resolve", "main", *rest]:
                self._resolve(owner, name, "/".join(rest))
            case _:
                self._say(404, b"<html>Nothing here</html>")

    def _tree(self, name: str, revision: str, start: int) -> None:
        files = self.state.repositories.get(name)
        if files is None:
            self._say(401, b"{}", {"x-error-code": "RepoNotFound"})
        elif revision != "main":
            self._say(404, b"{}", {"x-error-code": "RevisionNotFound"})
        else:
            listed = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": "figures"}]
            listed += [self._entry(path, content) for path, content in files.items()]
            listed += self.state.extra
            end = start + self.state.page
            # as some mirrors do: the next page is said to be at the origin
            place = (
                f"https://origin.invalid/api/models/{name}/tree/main?recursive=true&cursor={end}"
            )
            more = {"link": f'<{place}>; rel="next"'} if end < len(listed) else {}
            self._say(200, json.dumps(listed[start:end]).encode(), more)

    def _entry(self, path: str, content: bytes) -> dict[str, object]:
        entry: dict[str, object] = {"type": "file", "size": len(content), "path": path}
        if len(content) < self.state.large:
            return {**entry, "oid": blob(content)}
        large = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
        return {**entry, "oid": blob(b"pointer"), "lfs": {**large, "pointerSize": 134}}

    def _files(self, name: str) -> None:
        files = self.state.repositories.get(name)
        if files is None:
            self._say(404, b'{"Code": 10010205001, "Success": false, "Message": "not found"}')
            return
        listed = [{"Type": "tree", "Path": "figures", "Size": 0, "Sha256": ""}]
        for path, content in files.items():
            known = hashlib.sha256(content).hexdigest()
            listed.append({"Type": "blob", "Path": path, "Size": len(content), "Sha256": known})
        body = {"Code": 200, "Success": True, "Data": {"Files": listed}}
        self._say(200, json.dumps(body).encode())

    def _resolve(self, owner: str, name: str, path: str) -> None:
        repository = f"{owner}/{name}"
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        content = self.state.repositories.get(repository, {}).get(path)
        if repository in self.state.gated and token not in self.state.tokens:
            self._say(403 if token else 401, b"{}", {"x-error-code": "GatedRepo"})
        elif content is None or path in self.state.missing:
            self._say(404, b"{}", {"x-error-code": "EntryNotFound"})
        elif len(content) >= self.state.large:
            self._say(302, b"", {"location": f"{self.state.store}/store/{repository}/{path}"})
        else:
            self._send(path, content)

    def _found(self, place: list[str]) -> tuple[str, bytes]:
        owner, name, path = place
        return path, self.state.repositories[f"{owner}/{name}"][path]

    def _send(self, path: str, content: bytes) -> None:
        if self.state.corrupt[path] > 0:
            self.state.corrupt[path] -= 1
            content = content[:-1] + bytes([content[-1] ^ 1])
        wanted = self.headers.get("range", "") if self.state.parts else ""
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        if start >= len(content) > 0:
            self._say(416, b"", {"content-range": f"bytes */{len(content)}"})
            return
        self.send_response(206 if wanted else 200)
        if wanted:
            where = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.send_header("content-range", where)
        self.send_header("content-length", str(len(content) - start))
        self.send_header("etag", f'"{self.state.etag}-{path}"')
        self.end_headers()
        self._write(content[start:], path.endswith(".safetensors"))

    def _write(self, content: bytes, weights: bool) -> None:
        cut = self.state.cuts.pop(0) if weights and self.state.cuts else len(content)
        for place in range(0, min(cut, len(content)), PIECE):
            if self.far and self.state.pause:
                time.sleep(self.state.pause)
            try:
                self.wfile.write(content[place : min(place + PIECE, cut)])
            except OSError:
                break
        if cut < len(content):
            self.close_connection = True

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def hub() -> Iterator[HubServer]:
    """A hub and its store of large files, each on a port of its own."""
    state = HubServer()
    servers = [_server(state, far=far) for far in (False, True)]
    state.url, state.store = (f"http://127.0.0.1:{s.server_address[1]}" for s in servers)
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        for server in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield state
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def _server(state: HubServer, *, far: bool) -> ThreadingHTTPServer:
    handler = type("Handler", (_Handler,), {"state": state, "far": far})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True  # a connection that is kept open has nothing more to say
    return server
