"""The windows of Windows, topmost first; knows no picture.

Sources: EnumWindows (its order is the stacking order); DWMWA_EXTENDED_FRAME_BOUNDS, a window
without its shadow in physical pixels; DWMWA_CLOAKED, which is set on what is not shown: windows of
other desktops, and store programs that sleep.
"""

from __future__ import annotations

import sys

from app.capture.windows import DesktopWindow, plain_name
from app.vocabulary import Region

_FRAME, _CLOAKED = 9, 14  # of DwmGetWindowAttribute
_EXTENDED, _LAYERED, _THROUGH = -20, 0x80000, 0x20  # of a window's style
_QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_DESKTOP = frozenset(("Progman", "WorkerW"))
_MENUS = frozenset(("#32768", "tooltips_class32"))

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _user, _dwm, _kernel = ctypes.windll.user32, ctypes.windll.dwmapi, ctypes.windll.kernel32

    def windows() -> tuple[DesktopWindow, ...]:
        handles: list[int] = []
        kind = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)

        def see(handle: int, _: int) -> bool:
            handles.append(handle)
            return True

        _user.EnumWindows(kind(see), 0)
        found = (_window(handle) for handle in handles)
        return tuple(window for window in found if window is not None)

    def _window(handle: int) -> DesktopWindow | None:
        """None for what is not shown."""
        if not _user.IsWindowVisible(handle) or _user.IsIconic(handle) or _cloaked(handle):
            return None
        edges = (ctypes.c_long * 4)()
        size = ctypes.sizeof(edges)
        if _dwm.DwmGetWindowAttribute(wintypes.HWND(handle), _FRAME, edges, size):
            return None
        left, top, right, bottom = edges
        if right <= left or bottom <= top:
            return None
        place = Region(left, top, right - left, bottom - top)
        style, sort = _user.GetWindowLongW(handle, _EXTENDED), _text(_user.GetClassNameW, handle)
        pid = wintypes.DWORD()
        _user.GetWindowThreadProcessId(handle, ctypes.byref(pid))
        file = _file(pid.value)
        # what lets the pointer through is drawn over others and meant by nobody
        aside = sort in _MENUS or bool(style & _THROUGH)
        return DesktopWindow(
            id=handle,
            title=_text(_user.GetWindowTextW, handle),
            program=plain_name(file),
            pid=pid.value,
            place=place,
            names=frozenset((plain_name(file),)) if file else frozenset(),
            kind="desktop" if sort in _DESKTOP else "popup" if aside else "window",
            opaque=() if style & _LAYERED else (place,),
        )

    def _cloaked(handle: int) -> bool:
        cloaked = wintypes.DWORD()
        _dwm.DwmGetWindowAttribute(wintypes.HWND(handle), _CLOAKED, ctypes.byref(cloaked), 4)
        return bool(cloaked.value)

    def _text(ask: ctypes._NamedFuncPointer, handle: int) -> str:
        text = ctypes.create_unicode_buffer(512)
        ask(handle, text, len(text))
        return text.value

    def _file(pid: int) -> str:
        """The file that a process runs; empty where Windows does not tell."""
        process = _kernel.OpenProcess(_QUERY, False, pid)
        if not process:
            return ""
        try:
            text, length = ctypes.create_unicode_buffer(1024), wintypes.DWORD(1024)
            _kernel.QueryFullProcessImageNameW(process, 0, text, ctypes.byref(length))
            return text.value
        finally:
            _kernel.CloseHandle(process)
