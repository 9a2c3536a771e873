"""A program in the engine's place that can be kept waiting: it holds an answer, or its own start,
until it is let go, and answers with its model and how it was told to think."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOME, MODEL = Path(sys.argv[1]), sys.argv[2]  # where files say what to wait for


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        told = body.get("chat_template_kwargs", {}).get("enable_thinking")
        self._say({"choices": [{"index": 0, "delta": {"content": f"{MODEL} {told}"}}]})
        while "Hold" in str(body["messages"][-1]["content"]) and not (HOME / "let-go").exists():
            time.sleep(0.01)
        self._say({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, chunk: dict[str, object]) -> None:
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    with (HOME / "starts").open("a", encoding="utf-8") as file:
        file.write(f"{MODEL} {os.getpid()}\n")
    if MODEL == "heavy":  # it never gets ready
        sys.stdin.read()
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    ready = {"ready": True, "base_url": url, "model": MODEL, "pid": os.getpid()}
    print(json.dumps(ready), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
