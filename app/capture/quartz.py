"""The windows of macOS, front to back; knows no picture.

Source: CGWindowListCopyWindowInfo, whose order is the stacking order. A title is there only where
the user has allowed the screen to be recorded; places are points, and so are a still's on macOS
until they are multiplied by the screen's scale.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from ctypes import c_bool, c_char_p, c_double, c_int32, c_int64, c_long, c_uint32, c_void_p

from app.capture.windows import DesktopWindow, plain_name
from app.vocabulary import Region

_ON_SCREEN, _NOT_DESKTOP = 1, 16  # kCGWindowListOption…
_UTF8, _INT64, _DOUBLE = 0x08000100, 4, 13
_NORMAL, _MENU_BAR = 0, 24  # window layers; what lies higher is a menu or a tip


class _Rect(ctypes.Structure):
    _fields_ = (("x", c_double), ("y", c_double), ("width", c_double), ("height", c_double))


if sys.platform == "darwin":
    _FRAMEWORKS = "/System/Library/Frameworks"
    _graphics = ctypes.CDLL(f"{_FRAMEWORKS}/CoreGraphics.framework/CoreGraphics")
    _core = ctypes.CDLL(f"{_FRAMEWORKS}/CoreFoundation.framework/CoreFoundation")
    _graphics.CGWindowListCopyWindowInfo.restype = c_void_p
    _graphics.CGWindowListCopyWindowInfo.argtypes = [c_uint32, c_uint32]
    _graphics.CGRectMakeWithDictionaryRepresentation.restype = c_bool
    _graphics.CGRectMakeWithDictionaryRepresentation.argtypes = [c_void_p, c_void_p]
    _graphics.CGMainDisplayID.restype = c_uint32
    _graphics.CGDisplayCopyDisplayMode.restype = c_void_p
    _graphics.CGDisplayCopyDisplayMode.argtypes = [c_uint32]
    _graphics.CGDisplayModeRelease.argtypes = [c_void_p]
    for _ask in (_graphics.CGDisplayModeGetWidth, _graphics.CGDisplayModeGetPixelWidth):
        _ask.restype, _ask.argtypes = c_long, [c_void_p]
    _core.CFArrayGetCount.restype, _core.CFArrayGetCount.argtypes = c_long, [c_void_p]
    _core.CFArrayGetValueAtIndex.restype = c_void_p
    _core.CFArrayGetValueAtIndex.argtypes = [c_void_p, c_long]
    _core.CFDictionaryGetValue.restype = c_void_p
    _core.CFDictionaryGetValue.argtypes = [c_void_p, c_void_p]
    _core.CFStringCreateWithCString.restype = c_void_p
    _core.CFStringCreateWithCString.argtypes = [c_void_p, c_char_p, c_uint32]
    _core.CFStringGetCString.restype = c_bool
    _core.CFStringGetCString.argtypes = [c_void_p, c_char_p, c_long, c_uint32]
    _core.CFNumberGetValue.argtypes = [c_void_p, c_int32, c_void_p]
    _core.CFRelease.argtypes = [c_void_p]

    def windows() -> tuple[DesktopWindow, ...]:
        scale = _scale()
        listed = _graphics.CGWindowListCopyWindowInfo(_ON_SCREEN | _NOT_DESKTOP, 0)
        if not listed:
            return ()
        try:
            return tuple(_windows(listed, scale))
        finally:
            _core.CFRelease(listed)

    def _windows(listed: int, scale: float) -> Iterator[DesktopWindow]:
        for at in range(_core.CFArrayGetCount(listed)):
            told = _core.CFArrayGetValueAtIndex(listed, at)
            layer, alpha = _number(told, "kCGWindowLayer"), _real(told, "kCGWindowAlpha")
            place = _place(told, scale)
            if alpha <= 0 or place.width <= 0 or place.height <= 0:
                continue
            program = _text(told, "kCGWindowOwnerName")
            yield DesktopWindow(
                id=_number(told, "kCGWindowNumber"),
                title=_text(told, "kCGWindowName"),
                program=program,
                pid=_number(told, "kCGWindowOwnerPID"),
                place=place,
                names=frozenset((plain_name(program),)) if program else frozenset(),
                kind="window" if _NORMAL <= layer < _MENU_BAR else "popup",
                opaque=(place,) if alpha >= 1 and layer == _NORMAL else (),
            )

    def _scale() -> float:
        """Pixels a point on the first screen."""
        mode = _graphics.CGDisplayCopyDisplayMode(_graphics.CGMainDisplayID())
        if not mode:
            return 1.0
        try:
            points = _graphics.CGDisplayModeGetWidth(mode)
            return float(_graphics.CGDisplayModeGetPixelWidth(mode) / points) if points else 1.0
        finally:
            _graphics.CGDisplayModeRelease(mode)

    def _place(told: int, scale: float) -> Region:
        rect = _Rect()
        bounds = _value(told, "kCGWindowBounds")
        if bounds:
            _graphics.CGRectMakeWithDictionaryRepresentation(bounds, ctypes.byref(rect))
        sides = (rect.x, rect.y, rect.width, rect.height)
        return Region(*(round(side * scale) for side in sides))

    def _value(told: int, key: str) -> int | None:
        name = _core.CFStringCreateWithCString(None, key.encode(), _UTF8)
        try:
            found: int | None = _core.CFDictionaryGetValue(told, name)
            return found
        finally:
            _core.CFRelease(name)

    def _number(told: int, key: str) -> int:
        number, value = c_int64(), _value(told, key)
        if value:
            _core.CFNumberGetValue(value, _INT64, ctypes.byref(number))
        return number.value

    def _real(told: int, key: str) -> float:
        number, value = c_double(1.0), _value(told, key)
        if value:
            _core.CFNumberGetValue(value, _DOUBLE, ctypes.byref(number))
        return number.value

    def _text(told: int, key: str) -> str:
        text, value = ctypes.create_string_buffer(1024), _value(told, key)
        if not value or not _core.CFStringGetCString(value, text, len(text), _UTF8):
            return ""
        return text.value.decode("utf-8", "replace")
