"""The windows of an X server in the order in which they lie on each other; knows no picture.

The order is that of the root's children, for that is what is seen; what a window is called and
whether it is one that a person handles comes from the window manager. Sources: the X11 protocol;
Extended Window Manager Hints; `_GTK_FRAME_EXTENTS` is the shadow that GTK draws within a window.
"""

from __future__ import annotations

import ctypes
import os
import struct
from ctypes import c_char_p, c_uint8, c_uint16, c_uint32, c_void_p
from pathlib import Path
from typing import Any

from app.capture.obstacle import Obstacle
from app.capture.windows import DesktopWindow, plain_name
from app.capture.x11 import Cookie, Desktop
from app.vocabulary import Region

_VIEWABLE, _DRAWN = 2, 1  # of a window's attributes: map state, class
_ALPHA = 32  # bits of a pixel that has one
_EVERYWHERE = 0xFFFFFFFF  # a window on all desktops; an opacity of 1
_HEAD = 32  # bytes before what a reply carries
_WORDS = 4096  # of a property, at most


def windows() -> tuple[DesktopWindow, ...]:
    """Raises CaptureFault where the display does not answer."""
    display = os.environ["DISPLAY"]
    try:
        with _Stacking(display) as desktop:
            return desktop.windows()
    except OSError as error:
        reason = f"the display {display} does not answer"
        raise Obstacle(reason, kind="no_display").fault() from error


class _Stacking(Desktop):
    def __init__(self, display: str) -> None:
        super().__init__(display)
        self._atoms: dict[str, int] = {}

    def windows(self) -> tuple[DesktopWindow, ...]:
        frames = {self._frame(client): client for client in self._clients()}
        blends = self._owned("_NET_WM_CM_S0")
        now = self._numbers(self._root, "_NET_CURRENT_DESKTOP")[:1]
        found = (
            self._window(child, frames.get(child), now, blends)
            for child in reversed(self._children(self._root))
        )
        return tuple(window for window in found if window is not None)

    def _clients(self) -> tuple[int, ...]:
        stacked = self._numbers(self._root, "_NET_CLIENT_LIST_STACKING")
        return stacked or self._numbers(self._root, "_NET_CLIENT_LIST")

    def _frame(self, client: int) -> int:
        """The root's child that `client` is in."""
        at = client
        while True:
            reply = self._reply("xcb_query_tree", c_uint32(at))
            if reply is None:
                return client
            parent: int = struct.unpack_from("=I", reply, 12)[0]
            if parent in (self._root, 0):
                return at
            at = parent

    def _children(self, window: int) -> tuple[int, ...]:
        reply = self._reply("xcb_query_tree", c_uint32(window))
        if reply is None:
            return ()
        count: int = struct.unpack_from("=H", reply, 16)[0]
        return struct.unpack_from(f"={count}I", reply, _HEAD)

    def _window(
        self, child: int, client: int | None, now: tuple[int, ...], blends: bool
    ) -> DesktopWindow | None:
        """None for what is not shown."""
        if not self._shown(child):
            return None
        at = child if client is None else client
        if client is not None and not self._here(client, now):
            return None
        size = self._reply("xcb_get_geometry", c_uint32(at))
        place = self.outline(at)
        if size is None or place is None:
            return None
        place = _without_shadow(place, self._numbers(at, "_GTK_FRAME_EXTENTS"))
        names, program, pid = self._program(at)
        return DesktopWindow(
            id=at,
            title=self._title(at),
            program=program,
            pid=pid,
            place=place,
            names=names,
            kind=self._kind(client),
            opaque=self._opaque(at, child, place, blends and size[1] == _ALPHA),
        )

    def _shown(self, window: int) -> bool:
        reply = self._reply("xcb_get_window_attributes", c_uint32(window))
        if reply is None:
            return False
        drawn: int = struct.unpack_from("=H", reply, 12)[0]
        return drawn == _DRAWN and reply[26] == _VIEWABLE

    def _here(self, client: int, now: tuple[int, ...]) -> bool:
        """Whether it is on this desktop and not put away: some managers keep others mapped."""
        desktop = self._numbers(client, "_NET_WM_DESKTOP")[:1]
        if now and desktop and desktop not in (now, (_EVERYWHERE,)):
            return False
        return self._atom("_NET_WM_STATE_HIDDEN") not in self._numbers(client, "_NET_WM_STATE")

    def _kind(self, client: int | None) -> Any:
        if client is None:
            return "popup"
        desktop = self._atom("_NET_WM_WINDOW_TYPE_DESKTOP")
        return "desktop" if desktop in self._numbers(client, "_NET_WM_WINDOW_TYPE") else "window"

    def _opaque(self, at: int, frame: int, place: Region, alpha: bool) -> tuple[Region, ...]:
        """What hides everything below: all of it, unless the program or the user let it shine."""
        for window in {at, frame}:
            opacity = self._numbers(window, "_NET_WM_WINDOW_OPACITY")
            if opacity and opacity[0] != _EVERYWHERE:
                return ()
        if not alpha:
            return (place,)
        inner = self._origin(at)
        said = self._numbers(at, "_NET_WM_OPAQUE_REGION")
        if inner is None:
            return ()
        fours = (said[start : start + 4] for start in range(0, len(said) - 3, 4))
        return tuple(Region(inner[0] + x, inner[1] + y, w, h) for x, y, w, h in fours if w and h)

    def _origin(self, window: int) -> tuple[int, int] | None:
        """Where the inside of a window begins."""
        reply = self._reply(
            "xcb_translate_coordinates",
            c_uint32(window),
            c_uint32(self._root),
            c_uint16(0),
            c_uint16(0),
        )
        if reply is None:
            return None
        x, y = struct.unpack_from("=hh", reply, 12)
        return int(x), int(y)

    def _program(self, window: int) -> tuple[frozenset[str], str, int]:
        """All that the program goes by, what to call it, and its process."""
        classes = self._bytes(window, "WM_CLASS").decode("utf-8", "replace").split("\0")
        pid = (*self._numbers(window, "_NET_WM_PID"), 0)[0]
        known = [*_process_names(pid), *classes]
        names = frozenset(plain_name(name) for name in known if name.strip())
        called = next((name for name in reversed(classes) if name), "") or next(iter(known), "")
        return names, called, pid

    def _title(self, window: int) -> str:
        raw = self._bytes(window, "_NET_WM_NAME") or self._bytes(window, "WM_NAME")
        return raw.decode("utf-8", "replace")

    # --- the protocol ---------------------------------------------------------------------------

    def _owned(self, selection: str) -> bool:
        atom = c_uint32(self._atom(selection))
        reply = self._reply("xcb_get_selection_owner", atom)
        return reply is not None and struct.unpack_from("=I", reply, 8)[0] != 0

    def _numbers(self, window: int, name: str) -> tuple[int, ...]:
        raw = self._bytes(window, name)
        return struct.unpack(f"={len(raw) // 4}I", raw[: len(raw) // 4 * 4])

    def _bytes(self, window: int, name: str) -> bytes:
        """A property as it stands there; empty where there is none."""
        reply = self._reply(
            "xcb_get_property",
            c_uint8(0),
            c_uint32(window),
            c_uint32(self._atom(name)),
            c_uint32(0),
            c_uint32(0),
            c_uint32(_WORDS),
        )
        if reply is None:
            return b""
        count: int = struct.unpack_from("=I", reply, 16)[0]
        return reply[_HEAD : _HEAD + count * reply[1] // 8]

    def _atom(self, name: str) -> int:
        if name not in self._atoms:
            raw = name.encode()
            reply = self._reply("xcb_intern_atom", c_uint8(0), c_uint16(len(raw)), c_char_p(raw))
            self._atoms[name] = struct.unpack_from("=I", reply, 8)[0] if reply else 0
        return self._atoms[name]

    def _reply(self, request: str, *arguments: Any) -> bytes | None:
        """One request's whole reply; None where the server says no."""
        send, reply = getattr(self._xcb, request), getattr(self._xcb, f"{request}_reply")
        send.restype, reply.restype = Cookie, c_void_p
        address = reply(self._server, send(self._server, *arguments), None)
        if not address:
            return None
        try:
            more = c_uint32.from_address(address + 4).value
            return ctypes.string_at(address, _HEAD + 4 * more)
        finally:
            self._libc.free(c_void_p(address))


def _without_shadow(place: Region, shadow: tuple[int, ...]) -> Region:
    if len(shadow) != 4:
        return place
    left, right, top, bottom = shadow
    width, height = place.width - left - right, place.height - top - bottom
    return Region(place.x + left, place.y + top, max(1, width), max(1, height))


def _process_names(pid: int) -> list[str]:
    """What a process of this machine is called: by itself, by its file, by how it was called."""
    if pid <= 0:
        return []
    process = Path("/proc") / str(pid)
    names: list[str] = []
    try:
        names.append((process / "comm").read_text(errors="replace").strip())
        names.append((process / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace"))
        names.append(str((process / "exe").readlink()))
    except OSError:  # it has ended, or is another user's
        pass
    return [name for name in names if name]
