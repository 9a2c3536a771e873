"""An area of a Wayland desktop: the portal's stream, shown by GStreamer, as an eye sees it. Knows
no file."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import BinaryIO, cast

from app.capture.record import pipeline
from app.capture.record.canvas import Pixels, Pointer
from app.capture.record.eye import Over
from app.capture.record.facts import Order
from app.capture.record.screencast import Cast, Sharing
from app.capture.record.writer import drawn
from app.vocabulary import CaptureFault, Region

_FIRST = 10.0  # seconds for the first picture
_ENDED = "The desktop ended the sharing of the screen; the recording ended there."


class Stream:
    """Raises CaptureFault where the desktop shares nothing, or it can't be shown."""

    def __init__(self, order: Order) -> None:
        obstacle = pipeline.obstacle()
        if obstacle is not None:
            raise obstacle.fault()
        self._sharing = _Shared(order)
        shared = self._sharing.cast()
        self._latest: bytes | None = None
        self._over = False
        self._news = threading.Condition()
        self._program = self._started(shared, order.frame_rate)
        self._reader = threading.Thread(target=self._read, name="stream", daemon=True)
        try:
            self._shape = self._first_shape()
            self._reader.start()
            self._await_picture()
        except BaseException:
            self.close()
            raise
        part = Region(0, 0, self._shape.width, self._shape.height)
        if order.area.kind == "region":
            part = pipeline.part(order.area.region, self._shape, shared.position, shared.size)
        self._part = part
        self.width, self.height = part.width, part.height

    def look(self, *, whole: bool) -> Iterator[tuple[int, int, Pixels]]:
        with self._news:
            data, self._latest = self._latest, None
            over = self._over
        if data is not None:
            pixels = drawn(data, self._shape.width, self._shape.height)
            part = self._part
            yield 0, 0, pixels[part.y : part.y + part.height, part.x : part.x + part.width]
        elif over or self._sharing.over:
            raise Over("screen", _ENDED)

    def pointer(self) -> Pointer | None:
        return None  # the desktop draws it

    def corner(self) -> tuple[int, int]:
        return self._part.x, self._part.y

    def doubt(self) -> None:
        """The desktop tells of every change."""

    def close(self) -> None:
        self._program.kill()
        self._program.wait()
        if self._reader.is_alive():
            self._reader.join(2)
        assert self._program.stdout is not None
        self._program.stdout.close()
        self._sharing.close()

    def _started(self, shared: Cast, frame_rate: int) -> subprocess.Popen[bytes]:
        given = pipeline.arguments(shared.handle, shared.node, frame_rate)
        try:
            return subprocess.Popen(
                given,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[shared.handle],
            )
        except OSError as error:
            self._sharing.close()
            raise self._unshown(str(error)) from error
        finally:
            os.close(shared.handle)

    def _first_shape(self) -> pipeline.Shape:
        """The header, or a sentence after ten seconds."""
        watch = threading.Timer(_FIRST, self._program.kill)
        watch.start()
        try:
            shape = pipeline.read_shape(self._pipe)
        except ValueError as error:
            raise self._unshown(str(error)) from error
        finally:
            watch.cancel()
            watch.join()
        if shape is None:
            raise self._unshown(f"exit status {self._program.wait()}")
        return shape

    def _await_picture(self) -> None:
        with self._news:
            self._news.wait_for(lambda: self._latest is not None or self._over, _FIRST)
            if self._latest is None:
                raise self._unshown("no picture")

    @property
    def _pipe(self) -> BinaryIO:
        return cast(BinaryIO, self._program.stdout)

    def _read(self) -> None:
        while (data := pipeline.read_picture(self._pipe, self._shape)) is not None:
            with self._news:
                self._latest = data
                self._news.notify()
        with self._news:
            self._over = True
            self._news.notify()

    def _unshown(self, detail: str) -> CaptureFault:
        message = (
            "GStreamer could not show the screen that the desktop shares. Install "
            "gstreamer1.0-pipewire and gstreamer1.0-plugins-good, or restart PipeWire."
        )
        return CaptureFault("capture_failed", message, detail)


class _Shared:
    """The portal's session on a loop of its own: it is open as long as the connection is."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._found: Future[Cast] = Future()
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()
        self._portal: Sharing | None = None
        self._thread = threading.Thread(target=self._run, name="portal", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        return self._portal is not None and self._portal.closed.is_set()

    def cast(self) -> Cast:
        """Raises CaptureFault."""
        try:
            return self._found.result()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join(5)

    def _run(self) -> None:
        self._loop.run_until_complete(self._share())
        self._loop.close()

    async def _share(self) -> None:
        self._portal = Sharing()
        order = self._order
        try:
            found = await self._portal.open(
                order.area.kind, pointer=order.pointer, memory=order.memory
            )
        except Exception as error:  # a thread's entry: the one that waits has to hear of it
            self._found.set_exception(error)
            return
        self._found.set_result(found)
        await self._done.wait()
        await self._portal.close()
