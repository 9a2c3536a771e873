"""A program in the engine's place: it says what an engine says, answers every question, and dies
of some. Run as a process of its own; ends when its stdin does."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        question = str(body["messages"][-1]["content"])
        if self.headers["authorization"] != f"Bearer {os.environ['SIGHTLINE_ENGINE_TOKEN']}":
            self.send_error(401)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self._say({"choices": [{"index": 0, "delta": {"content": f"I am {os.getpid()}."}}]})
        if "Run out of memory" in question:
            os.kill(os.getpid(), signal.SIGKILL)
        if "Crash" in question:
            sys.stderr.write("Segmentation fault of some kernel\n")
            sys.stderr.flush()
            os._exit(3)
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self._say({"choices": [end]})
        self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, chunk: dict[str, object]) -> None:
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    starts = Path(sys.argv[1])  # one line a start: how often, and by whom
    with starts.open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    loading = {"stage": "loading", "done": 0.5, "text": "Loading the model"}
    print(json.dumps(loading), file=sys.stderr, flush=True)
    ready = {"ready": True, "base_url": url, "model": "stub", "pid": os.getpid()}
    print(json.dumps(ready), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
