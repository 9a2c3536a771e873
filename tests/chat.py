"""A chat server on the loopback interface that answers as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ChatServer:
    """Answers every chat request with `pieces`, `pace` seconds apart, and keeps what it was
    asked; with `hang` it never ends the stream, with `breaks` it hangs up in the middle."""

    pieces: list[dict[str, object]] = field(default_factory=list)
    pace: float = 0.0
    status: int = 200
    error: str = ""
    hang: bool = False
    breaks: bool = False
    asked: list[dict[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    hung_up: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)

    def chunks(self) -> Iterator[bytes]:
        for piece in self.pieces:
            yield _event({"choices": [{"index": 0, "delta": piece}]})
            self.closing.wait(self.pace)
        while self.hang and not self.closing.wait(0.01):
            yield b": still here\n\n"
        if not self.breaks:
            yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            yield b"data: [DONE]\n\n"


def _event(data: dict[str, object]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


@contextmanager
def serving() -> Iterator[ChatServer]:
    state = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            state.asked.append(json.loads(self.rfile.read(length)))
            state.keys.append(self.headers.get("authorization", ""))
            self.send_response(state.status)
            if state.status != 200:
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps({"error": {"message": state.error}}).encode())
                return
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            try:
                for chunk in state.chunks():
                    self.wfile.write(chunk)
                    self.wfile.flush()
            except OSError:
                state.hung_up.set()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def wait_until(true: object, seconds: float = 5.0) -> bool:
    """Whether the call came true in time."""
    assert callable(true)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return False
