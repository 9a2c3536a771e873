"""An area of an X11 desktop: what changed by the server's own account (DAMAGE), its pixels through
shared memory, the pointer by X Fixes; knows no file.

Some drivers draw past the DAMAGE extension. So all of the area is compared once a second; where
that finds what was not told, the account is no longer believed and every look compares everything.
The order of one connection makes it sound: damage is taken first, pixels after.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from Xlib import X
from Xlib import display as xdisplay
from Xlib.error import ConnectionClosedError, DisplayError, XauthError, XError
from Xlib.ext import damage, xfixes

from app.capture.obstacle import Obstacle
from app.capture.record.canvas import Pixels, Pointer, merged
from app.capture.record.eye import Over, inside
from app.capture.record.facts import Area
from app.capture.record.shm import EXTENSION, Places, Shared
from app.vocabulary import CaptureFault, Region

_GONE = "The window that was recorded was closed; the recording ended there."
_NO_WINDOW = "The window to record is not there any more; choose another."
_CHANGED = "The screen changed its size; the recording ended there."
_CLOSED = "The desktop's session ended; the recording ended there."
_NEEDED = (EXTENSION, "XFIXES", "DAMAGE")
_DEPTHS = (24, 32)  # bits a pixel that come as four bytes of eight bits each


class Lacking(Exception):
    """This display has no shared memory, as one on another machine, or no DAMAGE extension."""


class Screen:
    """Raises CaptureFault where the area can't be looked at, Lacking where another way must."""

    def __init__(self, area: Area, *, pointer: bool) -> None:
        self.width, self.height = area.region.width, area.region.height
        self._area = area
        self._place = area.region  # where it stands on the desktop now
        self._display = _opened()
        self._root = self._display.screen().root
        self._window: Any = None
        self._offset = (0, 0)  # of the area from its window's corner
        self._doubted = self._distrusted = self._resized = False
        self._unread = pointer  # whether the pointer's picture is still to be asked for
        self._drawn: tuple[int, int, int, Pixels] | None = None  # hot spot, serial, picture
        try:
            self._begin(pointer)
        except Over as gone:
            self._display.close()
            raise CaptureFault("capture_failed", _NO_WINDOW) from gone
        except BaseException:
            self._display.close()
            raise

    def _begin(self, pointer: bool) -> None:
        if inside(self._place, *self._desktop()) is None:
            raise CaptureFault("bad_input", "The area to record lies on no screen.")
        self._shown = inside(self._place, *self._desktop())
        self._size = self._desktop()
        if self._display.screen().root_depth not in _DEPTHS:
            raise Lacking
        if any(self._display.query_extension(name) is None for name in _NEEDED):
            raise Lacking
        self._display.damage_query_version()
        self._display.xfixes_query_version()
        self._account = self._root.damage_create(damage.DamageReportNonEmpty)
        self._told = Places(self._display)
        self._root.change_attributes(event_mask=X.StructureNotifyMask)
        if pointer:
            mask = xfixes.XFixesDisplayCursorNotifyMask
            self._display.xfixes_select_cursor_input(self._root, mask)
        if self._area.window is not None:
            self._window = self._display.create_resource_object("window", self._area.window)
            corner = self._window_corner()
            self._offset = (self._place.x - corner[0], self._place.y - corner[1])
        try:
            self._shared = Shared(self._display, self.width * self.height * 4)
        except OSError as error:
            raise Lacking from error

    def look(self, *, whole: bool) -> Iterator[tuple[int, int, Pixels]]:
        try:
            yield from self._look(whole)
        except (ConnectionClosedError, OSError) as error:
            raise Over("screen", _CLOSED) from error

    def doubt(self) -> None:
        """A whole look found a change that no account had told of. It may have been told since;
        if it was not, the account is believed no more."""
        self._doubted = True

    def pointer(self) -> Pointer | None:
        try:
            if self._unread:
                self._drawn, self._unread = self._pointer_picture(), False
            if self._drawn is None:
                return None
            at = self._root.query_pointer()
        except (ConnectionClosedError, OSError) as error:
            raise Over("screen", _CLOSED) from error
        hot_x, hot_y, serial, picture = self._drawn
        x, y = at.root_x - hot_x - self._place.x, at.root_y - hot_y - self._place.y
        return Pointer(x, y, picture, serial)

    def corner(self) -> tuple[int, int]:
        return self._place.x, self._place.y

    def close(self) -> None:
        try:
            self._shared.close()
            self._display.close()
        except (ConnectionClosedError, OSError):
            pass  # the server went first

    def _look(self, whole: bool) -> Iterator[tuple[int, int, Pixels]]:
        self._display.damage_subtract(self._account, X.NONE, self._told.id)
        told = self._told.rectangles()
        if self._doubted:
            self._distrusted |= not any(inside_of(part, self._place) for part in told)
            self._doubted = False
        self._hear()
        before = self._place
        if not self._followed():
            return  # a window that is not shown: what stands there now is none of our business
        if whole or self._distrusted or self._place != before:
            yield 0, 0, self._everything()
            return
        parts = [part for each in told if (part := inside_of(each, self._place)) is not None]
        for part in merged(parts):
            shown = inside(part, *self._size)
            if shown is not None:
                yield shown.x - self._place.x, shown.y - self._place.y, self._pixels(shown)

    def _everything(self) -> Pixels:
        """The whole area; what of it lies off the desktop is black."""
        shown = inside(self._place, *self._size)
        if shown == self._place:
            return self._pixels(shown)
        black = np.zeros((self.height, self.width, 4), np.uint8)
        if shown is not None:
            x, y = shown.x - self._place.x, shown.y - self._place.y
            black[y : y + shown.height, x : x + shown.width] = self._pixels(shown)
        return black

    def _pixels(self, shown: Region) -> Pixels:
        try:
            return self._shared.draw(self._root.id, shown)
        except XError as error:  # the screen is smaller by now
            raise Over("screen", _CHANGED) from error

    def _hear(self) -> None:
        for _ in range(self._display.pending_events()):
            event = self._display.next_event()
            if event.type == X.ConfigureNotify and event.window == self._root:
                self._resized = True
            elif type(event).__name__ in ("DisplayCursorNotify", "XFixesDisplayCursorNotify"):
                self._unread = True
        if self._resized:
            self._resized = False
            self._check_size()

    def _check_size(self) -> None:
        """A region that still lies on the desktop goes on; a screen is no longer what it was."""
        size = self._desktop()
        if size == self._size:
            return
        if self._area.kind == "screen" or inside(self._place, *size) != self._shown:
            raise Over("screen", _CHANGED)
        self._size = size

    def _followed(self) -> bool:
        """Goes where the window went; whether there is something to see."""
        if self._window is None:
            return True
        try:
            corner = self._window_corner()
            viewable = self._window.get_attributes().map_state == X.IsViewable
        except XError as error:
            raise Over("window", _GONE) from error
        x, y = corner[0] + self._offset[0], corner[1] + self._offset[1]
        if (x, y) != (self._place.x, self._place.y) and viewable:
            self._place = Region(x, y, self.width, self.height)
            self._shown = inside(self._place, *self._size)
        return bool(viewable)

    def _window_corner(self) -> tuple[int, int]:
        try:
            at = self._root.translate_coords(self._window, 0, 0)
        except XError as error:
            raise Over("window", _GONE) from error
        return at.x, at.y

    def _desktop(self) -> tuple[int, int]:
        size = self._root.get_geometry()
        return size.width, size.height

    def _pointer_picture(self) -> tuple[int, int, int, Pixels]:
        seen = self._display.xfixes_get_cursor_image(self._root)
        words = np.asarray(seen.cursor_image, np.uint32)
        picture = words.view(np.uint8).reshape(seen.height, seen.width, 4)
        return seen.xhot, seen.yhot, seen.cursor_serial, picture


def inside_of(part: Region, place: Region) -> Region | None:
    """What both have in common."""
    moved = Region(part.x - place.x, part.y - place.y, part.width, part.height)
    common = inside(moved, place.width, place.height)
    if common is None:
        return None
    return Region(common.x + place.x, common.y + place.y, common.width, common.height)


def _opened() -> Any:
    name = os.environ["DISPLAY"]
    try:
        return xdisplay.Display(name)
    except (DisplayError, XauthError, ConnectionClosedError, OSError) as error:
        reason = f"the display {name} does not answer ({error})"
        raise Obstacle(reason, kind="no_display").fault() from error
