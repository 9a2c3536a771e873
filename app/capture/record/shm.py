"""Memory shared with an X server, and the requests that python-xlib lacks for it and for regions.

Sources: the MIT Shared Memory Extension (opcodes 1, 2 and 4), the X Fixes extension (opcodes 5,
10 and 19), shmget(2).
"""

from __future__ import annotations

import ctypes
import os
from ctypes import c_int, c_size_t, c_uint8, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray
from Xlib.protocol import rq

from app.capture.record.canvas import Pixels
from app.vocabulary import Region

EXTENSION = "MIT-SHM"
_PRIVATE, _CREATE_OWN, _REMOVE = 0, 0o1600, 0
_Z_PIXMAP, _ALL_PLANES = 2, 0xFFFFFFFF


class _Attach(rq.Request):  # type: ignore[misc]
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(1),
        rq.RequestLength(),
        rq.Card32("segment"),
        rq.Card32("memory"),
        rq.Bool("read_only"),
        rq.Pad(3),
    )


class _Detach(rq.Request):  # type: ignore[misc]
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(2), rq.RequestLength(), rq.Card32("segment"))


class _GetImage(rq.ReplyRequest):  # type: ignore[misc]
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(4),
        rq.RequestLength(),
        rq.Drawable("drawable"),
        rq.Int16("x"),
        rq.Int16("y"),
        rq.Card16("width"),
        rq.Card16("height"),
        rq.Card32("planes"),
        rq.Card8("format"),
        rq.Pad(3),
        rq.Card32("segment"),
        rq.Card32("offset"),
    )
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Card8("depth"),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Card32("visual"),
        rq.Card32("size"),
        rq.Pad(16),
    )


class _CreateRegion(rq.Request):  # type: ignore[misc]
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(5), rq.RequestLength(), rq.Card32("region"))


class _FetchRegion(rq.ReplyRequest):  # type: ignore[misc]
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(19), rq.RequestLength(), rq.Card32("region"))
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Pad(1),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Int16("x"),
        rq.Int16("y"),
        rq.Card16("width"),
        rq.Card16("height"),
        rq.Pad(16),
        rq.Binary("rectangles"),
    )


class Shared:
    """A piece of memory that the X server draws into. Raises OSError where there is none, as for
    a server on another machine."""

    def __init__(self, display: Any, size: int) -> None:
        self._display = display
        self._opcode = display.query_extension(EXTENSION).major_opcode
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmget.argtypes = [c_int, c_size_t, c_int]
        libc.shmat.argtypes, libc.shmat.restype = [c_int, c_void_p, c_int], c_void_p
        libc.shmdt.argtypes = [c_void_p]
        self._libc = libc
        memory = libc.shmget(_PRIVATE, size, _CREATE_OWN)
        if memory < 0:
            raise _error()
        self._address = libc.shmat(memory, None, 0)
        if self._address == c_void_p(-1).value:
            failure = _error()
            libc.shmctl(memory, _REMOVE, None)
            raise failure
        self._segment = display.display.allocate_resource_id()
        self._send(_Attach, segment=self._segment, memory=memory, read_only=False)
        display.sync()
        # goes by itself with the last that holds it, however this process ends
        libc.shmctl(memory, _REMOVE, None)
        self._bytes: NDArray[np.uint8] = np.ctypeslib.as_array(
            (c_uint8 * size).from_address(self._address)
        )

    def draw(self, drawable: int, place: Region) -> Pixels:
        """What the drawable shows there; holds until the next call. Raises an Xlib XError."""
        self._send(
            _GetImage,
            drawable=drawable,
            x=place.x,
            y=place.y,
            width=place.width,
            height=place.height,
            planes=_ALL_PLANES,
            format=_Z_PIXMAP,
            segment=self._segment,
            offset=0,
        )
        used = self._bytes[: place.width * place.height * 4]
        return used.reshape(place.height, place.width, 4)

    def close(self) -> None:
        self._send(_Detach, segment=self._segment)
        self._bytes = np.zeros(0, np.uint8)
        self._libc.shmdt(self._address)

    def _send(self, request: Any, **fields: Any) -> Any:
        return request(display=self._display.display, opcode=self._opcode, **fields)


class Places:
    """A region that the X server keeps, as X Fixes has it."""

    def __init__(self, display: Any) -> None:
        self._display = display.display
        self._opcode = display.query_extension("XFIXES").major_opcode
        self.id = self._display.allocate_resource_id()
        _CreateRegion(display=self._display, opcode=self._opcode, region=self.id)

    def rectangles(self) -> list[Region]:
        answer = _FetchRegion(display=self._display, opcode=self._opcode, region=self.id)
        numbers = np.frombuffer(answer.rectangles, np.int16).reshape(-1, 4)
        sizes = numbers.view(np.uint16)
        return [
            Region(int(place[0]), int(place[1]), int(size[2]), int(size[3]))
            for place, size in zip(numbers, sizes, strict=True)
        ]


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
