"""The document worker: reads requests from stdin, tells what it finds on stdout, one by one.

It holds every library that touches hostile files, and nothing of the window. It ends when its
parent does.
"""

from __future__ import annotations

import ctypes
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from app.docs import wire
from app.docs.request import ROOM, Limits, Page, Request, Told
from app.docs.sniff import Sniffed, sniff
from app.vocabulary import DocumentFault, Error, Frame

if TYPE_CHECKING:
    from app.docs.ocr import Eye

Packet: TypeAlias = tuple[wire.Header, bytes]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_ADDRESSES = 6 << 30  # bytes of address space above the limit on memory: libraries map much


def main() -> int:
    _guard()
    out = _take_stdout()
    inbox: queue.SimpleQueue[Packet] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, inbox), daemon=True).start()
    worker = _Worker(out)
    idle = Limits().idle_seconds
    while True:
        try:
            head, blob = inbox.get(timeout=idle)
        except queue.Empty:
            return 0  # nobody asked for a while; the next request starts a fresh worker
        idle = worker.answer(head, blob)


class _Worker:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._eye: Eye | None = None
        self._page = 0

    def answer(self, head: wire.Header, blob: bytes) -> float:
        """Tells everything about one request, then "end"; gives the seconds to wait for more."""
        request, limits = wire.request_of(head)
        _bound_addresses(limits.memory)
        try:
            if head["type"] == "recognise":
                self._tell(self._recognised(wire.frame_of(head, blob)))
            else:
                for told in _read(request, limits):
                    self._tell(self._with_text(told, request))
        except Exception as error:  # a process's entry: everything becomes an error packet
            self._tell(_as_error(error, request))
        self._write(wire.pack({"type": "end"}))
        return limits.idle_seconds

    def _with_text(self, told: Told, request: Request) -> Told:
        """A frame with its text, where it has none of its own and OCR is wanted."""
        if isinstance(told, Page):
            self._page = told.number
        if not isinstance(told, Frame) or request.ocr == "never":
            return told
        missing = told.text_source == "none" and told.source.kind != "video"
        if not missing and request.ocr != "always":
            return told
        self._tell(Page(self._page, drawn=True))
        return self._recognised(told)

    def _recognised(self, frame: Frame) -> Frame:
        if self._eye is None:
            from app.docs.ocr import Eye  # noqa: PLC0415  (0.7 s and 130 MB, often not needed)

            self._eye = Eye()
        return self._eye.read(frame)

    def _tell(self, told: Told | Error) -> None:
        self._write(wire.pack_told(told))

    def _write(self, packet: bytes) -> None:
        self._out.write(packet)
        self._out.flush()


def _read(request: Request, limits: Limits) -> Iterator[Told]:
    """The reader for what the file really is; each brings its own libraries, loaded when needed."""
    found: Sniffed = sniff(request.path)
    match found.family:
        case "pdf":
            from app.docs import pdf  # noqa: PLC0415

            return pdf.read(request, limits)
        case "slides":
            from app.docs import slides  # noqa: PLC0415

            return slides.read(request, limits, found.form)
        case "picture":
            from app.docs import picture  # noqa: PLC0415

            return picture.read(request, limits)
        case "video":
            from app.docs import video  # noqa: PLC0415

            return video.read(request, limits, found.form)
        case "drawing":
            from app.docs import drawing  # noqa: PLC0415

            return drawing.read(request, limits)
        case "text":
            from app.docs import text  # noqa: PLC0415

            return text.read(request, limits)


def _as_error(error: Exception, request: Request) -> Error:
    if isinstance(error, DocumentFault):
        return error.as_error()
    name = request.path.name
    detail = "".join(traceback.format_exception(error))[-4000:]
    if isinstance(error, MemoryError):
        return Error(
            "too_large", f"{name} needs more memory than it may have; give a part of it.", detail
        )
    return Error("damaged", f"{name} can't be read: {error or type(error).__name__}.", detail)


def _listen(pipe: BinaryIO, inbox: queue.SimpleQueue[Packet]) -> None:
    """Hands packets on; when the pipe closes the parent is gone, and so are we at once."""
    while len(head := pipe.read(wire.HEAD.size)) == wire.HEAD.size:
        text, blob = wire.lengths(head)
        inbox.put((wire.header(pipe.read(text)), pipe.read(blob)))
    folder = Path(tempfile.gettempdir())
    if folder.name.startswith(ROOM):  # else nobody is left who would clear it away
        shutil.rmtree(folder, ignore_errors=True)
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)  # LibreOffice stands in our group
    os._exit(0)


def _take_stdout() -> BinaryIO:
    """The real stdout for packets alone: libraries that print get stderr instead."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _guard() -> None:
    """A group of our own, no core dumps, and a signal when the parent dies."""
    if sys.platform == "win32":
        return
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # SIGTERM and not SIGKILL: `office` has to take LibreOffice along
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() == 1:
            os._exit(0)


def _bound_addresses(memory: int) -> None:
    """A backstop against one allocation too large for the parent's watch to see in time."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  (does not exist on Windows)

    most = memory + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or most <= hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


if __name__ == "__main__":
    sys.exit(main())
