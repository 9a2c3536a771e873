"""The recorder's own process: `python -m app.capture.record`. It holds the encoder and the decoder
for our recordings, and nothing of the window.

In, on stdin: a line of JSON with a "verb" and what it needs; while it records, lines with "do"
(pause, resume, hide, finish, cancel). Where stdin closes the parent is gone: a recording is ended
and kept. Out, on stdout: lines of JSON with a "type", the last of which is "end" or "fault".
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from app.capture.record.facts import Progress, order_of_json
from app.vocabulary import Fault

Told = dict[str, Any]
# without a buffer: one that a thread reads from would hold up the end of the process
_IN = os.fdopen(0, "rb", buffering=0, closefd=False)


def main() -> int:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the parent, which then closes stdin
    out = _take_stdout()
    try:
        asked = json.loads(_IN.readline())
        for told in _VERBS[asked.pop("verb")](asked, out):
            _say(out, told)
        _say(out, {"type": "end"})
    except Exception as error:  # a process's entry: everything becomes a line
        _say(out, _as_fault(error))
        return 1
    return 0


def _record(asked: Told, out: BinaryIO) -> Iterator[Told]:
    from app.capture.record.eye import open_eye  # noqa: PLC0415 (each verb loads its own)
    from app.capture.record.take import Take  # noqa: PLC0415

    def tell(progress: Progress) -> None:
        _say(out, {"type": "progress", **asdict(progress)})

    order = order_of_json(asked)
    eye = open_eye(order)
    try:
        yield {"type": "started", "width": eye.width, "height": eye.height}
        inbox: queue.SimpleQueue[Told] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
        done = Take(order, eye, inbox, tell).run()
    finally:
        eye.close()
    if done is not None:
        yield {"type": "recorded", **asdict(done), "path": str(done.path)}


def _choose(asked: Told, _out: BinaryIO) -> Iterator[Told]:
    from app.capture.record.film import choose  # noqa: PLC0415

    return choose(**asked)


def _thumbnails(asked: Told, _out: BinaryIO) -> Iterator[Told]:
    from app.capture.record.film import thumbnails  # noqa: PLC0415

    return thumbnails(**asked)


def _trim(asked: Told, _out: BinaryIO) -> Iterator[Told]:
    from app.capture.record.cutting import trim  # noqa: PLC0415

    return trim(**asked)


def _inspect(asked: Told, _out: BinaryIO) -> Iterator[Told]:
    from app.capture.record.film import inspect  # noqa: PLC0415

    return inspect(**asked)


_VERBS = {
    "record": _record,
    "choose": _choose,
    "thumbnails": _thumbnails,
    "trim": _trim,
    "inspect": _inspect,
}


def _listen(inbox: queue.SimpleQueue[Told]) -> None:
    for line in _IN:
        inbox.put(json.loads(line))
    inbox.put({"do": "finish"})


def _take_stdout() -> BinaryIO:
    """The real stdout for lines alone: libraries that print get stderr instead."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _say(out: BinaryIO, told: Told) -> None:
    try:
        out.write(json.dumps(told).encode() + b"\n")
        out.flush()
    except BrokenPipeError:
        pass  # the parent is gone; the recording is still to be ended


def _as_fault(error: Exception) -> Told:
    if isinstance(error, Fault):
        return {
            "type": "fault",
            "kind": error.kind,
            "message": error.message,
            "detail": error.detail,
        }
    message = "The recorder failed; what was recorded before is kept."
    detail = "".join(traceback.format_exception(error))[-4000:]
    return {"type": "fault", "kind": "capture_failed", "message": message, "detail": detail}


if __name__ == "__main__":
    sys.exit(main())
