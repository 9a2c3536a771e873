"""The few questions that are asked of an X server, through libxcb; knows no picture.

libxcb and not Xlib: an error there (a window that has just closed) is an answer, in Xlib it ends
the process. Sources: the X11 protocol; Extended Window Manager Hints (_NET_ACTIVE_WINDOW,
_NET_FRAME_EXTENTS).
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import (
    POINTER,
    Structure,
    c_char_p,
    c_int,
    c_int16,
    c_uint8,
    c_uint16,
    c_uint32,
    c_void_p,
)
from typing import Any, Self, TypeVar

from app.vocabulary import Region

_ANY_TYPE = 0
_POINTER_ROOT = 1


class Cookie(Structure):
    _fields_ = (("sequence", c_uint32),)


class _Screens(Structure):
    _fields_ = (("root", POINTER(c_uint32)), ("left", c_int), ("index", c_int))


class _Atom(Structure):
    _fields_ = (("head", c_uint32 * 2), ("atom", c_uint32))


class _Property(Structure):
    _fields_ = (
        ("head", c_uint32 * 2),
        ("type", c_uint32),
        ("bytes_after", c_uint32),
        ("count", c_uint32),
        ("padding", c_uint8 * 12),
        ("values", c_uint32 * 4),
    )


class _Geometry(Structure):
    _fields_ = (
        ("head", c_uint32 * 2),
        ("root", c_uint32),
        ("x", c_int16),
        ("y", c_int16),
        ("width", c_uint16),
        ("height", c_uint16),
    )


class _Focus(Structure):
    _fields_ = (("head", c_uint32 * 2), ("window", c_uint32))


class _Place(Structure):
    _fields_ = (("head", c_uint32 * 2), ("child", c_uint32), ("x", c_int16), ("y", c_int16))


T = TypeVar("T", bound=Structure)


class Desktop:
    """A connection to the X server at `display`. Raises OSError where there is none."""

    def __init__(self, display: str) -> None:
        self._xcb = ctypes.CDLL(ctypes.util.find_library("xcb") or "libxcb.so.1")
        self._libc = ctypes.CDLL(None)
        self._libc.free.argtypes = [c_void_p]
        self._xcb.xcb_connect.restype = c_void_p
        self._xcb.xcb_get_setup.restype = c_void_p
        self._xcb.xcb_setup_roots_iterator.restype = _Screens
        self._server = c_void_p(self._xcb.xcb_connect(c_char_p(display.encode()), None))
        if self._xcb.xcb_connection_has_error(self._server):
            self.close()
            raise ConnectionError(f"no X server at {display}")
        setup = c_void_p(self._xcb.xcb_get_setup(self._server))
        self._root = int(self._xcb.xcb_setup_roots_iterator(setup).root[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        self._xcb.xcb_disconnect(self._server)

    def active_window(self) -> int | None:
        values = self._cardinals(self._root, "_NET_ACTIVE_WINDOW")
        return values[0] if values and values[0] else None

    def focused_window(self) -> int | None:
        """The one that hears the keys now."""
        focus = self._ask(_Focus, "xcb_get_input_focus")
        return focus.window if focus and focus.window > _POINTER_ROOT else None

    def focus(self, window: int) -> None:
        """Gives a window the keys; nothing if it has closed."""
        revert, now = c_uint8(_POINTER_ROOT), c_uint32(0)
        self._xcb.xcb_set_input_focus(self._server, revert, c_uint32(window), now)
        self._xcb.xcb_flush(self._server)

    def outline(self, window: int) -> Region | None:
        """Where `window` stands with its frame; None if it has closed."""
        size = self._ask(_Geometry, "xcb_get_geometry", c_uint32(window))
        place = self._ask(
            _Place,
            "xcb_translate_coordinates",
            c_uint32(window),
            c_uint32(self._root),
            c_int16(0),
            c_int16(0),
        )
        if size is None or place is None:
            return None
        frame = self._cardinals(window, "_NET_FRAME_EXTENTS")
        left, right, top, bottom = frame if len(frame) == 4 else (0, 0, 0, 0)
        return Region(
            place.x - left, place.y - top, size.width + left + right, size.height + top + bottom
        )

    def _cardinals(self, window: int, name: str) -> tuple[int, ...]:
        """Up to four values of a property; empty where there is none."""
        atom = self._ask(
            _Atom, "xcb_intern_atom", c_uint8(0), c_uint16(len(name)), c_char_p(name.encode())
        )
        if atom is None:
            return ()
        found = self._ask(
            _Property,
            "xcb_get_property",
            c_uint8(0),
            c_uint32(window),
            c_uint32(atom.atom),
            c_uint32(_ANY_TYPE),
            c_uint32(0),
            c_uint32(4),
        )
        return tuple(found.values[: min(found.count, 4)]) if found else ()

    def _ask(self, kind: type[T], request: str, *arguments: Any) -> T | None:
        """Sends one request and copies its reply; None where the server says no."""
        send, reply = getattr(self._xcb, request), getattr(self._xcb, f"{request}_reply")
        send.restype, reply.restype = Cookie, c_void_p
        address = reply(self._server, send(self._server, *arguments), None)
        if not address:
            return None
        try:
            # a reply is as long as what it holds: copied no further than that
            length = 32 + 4 * c_uint32.from_address(address + 4).value
            copy = kind()
            ctypes.memmove(ctypes.byref(copy), address, min(length, ctypes.sizeof(kind)))
            return copy
        finally:
            self._libc.free(address)
