"""An X server of a bench's own, with a window manager: what a hand and an eye do on it. Keys and
the pointer are real events (XTest), and what is seen is asked of the server; knows no program."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import randr, xtest
from Xlib.protocol import rq

from app.vocabulary import Region, UsageFault

PATIENCE = 10.0  # s until what does not come is given up
WHITE = 0xFFFFFF
_GLANCE = 0.0003  # s between two looks, or the eye takes a core from what it looks at


class _SetMonitor(rq.Request):  # type: ignore[misc]  # a foreign library without types
    """RandR's SetMonitor: python-xlib's own can't be told any output."""

    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(43),
        rq.RequestLength(),
        rq.Window("window"),
        rq.Card32("name"),
        rq.Bool("primary"),
        rq.Bool("automatic"),
        rq.LengthOf("outputs", 2),
        rq.Int16("x"),
        rq.Int16("y"),
        rq.Card16("width"),
        rq.Card16("height"),
        rq.Card32("across"),
        rq.Card32("down"),
        rq.List("outputs", rq.Card32Obj),
    )


@dataclass(frozen=True, slots=True)
class Desktop:
    """The display's name and a connection to it."""

    name: str
    display: Any

    @property
    def environment(self) -> dict[str, str]:
        """Of a program that opens its windows there."""
        left_out = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE")
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        return kept | {"DISPLAY": self.name}

    @property
    def root(self) -> Any:
        return self.display.screen().root

    # --- the hand -------------------------------------------------------------------------------

    def press(self, *names: str) -> None:
        """Keys by their X names, all down before any is let go."""
        codes = [self.display.keysym_to_keycode(XK.string_to_keysym(name)) for name in names]
        for code in codes:
            xtest.fake_input(self.display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.flush()

    def point(self, x: int, y: int) -> None:
        xtest.fake_input(self.display, X.MotionNotify, x=x, y=y)
        self.display.flush()

    def button(self, *, down: bool) -> None:
        xtest.fake_input(self.display, X.ButtonPress if down else X.ButtonRelease, 1)
        self.display.flush()

    # --- the eye --------------------------------------------------------------------------------

    def pixel(self, x: int, y: int) -> int:
        seen = self.root.get_image(x, y, 1, 1, X.ZPixmap, 0xFFFFFFFF)
        return int.from_bytes(seen.data[:3], "little")

    def until(self, *points: tuple[int, int], white: bool) -> float:
        """Waits until all of the points are white, or none is; when that was seen.

        Raises:
            UsageFault: it never comes.
        """
        until = time.perf_counter() + PATIENCE
        left = list(points)
        while left:
            x, y = left[0]
            if (self.pixel(x, y) == WHITE) == white:
                left.pop(0)
            elif time.perf_counter() > until:
                raise UsageFault("failed", "What the bench waits for does not come.")
            else:
                time.sleep(_GLANCE)
        return time.perf_counter()

    def focus(self) -> int:
        """The window that hears the keys."""
        window = self.display.get_input_focus().focus
        return int(getattr(window, "id", window))


@contextmanager
def desktop(screens: Sequence[Region]) -> Iterator[Desktop]:
    """A white desktop of these screens. Raises UsageFault."""
    missing = [name for name in ("Xvfb", "openbox") if shutil.which(name) is None]
    if missing:
        raise UsageFault("bad_input", f"This benchmark needs {', '.join(missing)}.")
    with ExitStack() as opened:
        name = _serve(opened, screens)
        display = Display(name)
        opened.callback(display.close)
        made = Desktop(name, display)
        if len(screens) > 1:
            _split(display, screens)
        manager = opened.enter_context(
            subprocess.Popen(
                ["openbox"],
                env=made.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        opened.callback(manager.terminate)
        made.root.change_attributes(background_pixel=WHITE)
        made.root.clear_area()
        display.sync()
        yield made


def _serve(opened: ExitStack, screens: Sequence[Region]) -> str:
    across = max(screen.x + screen.width for screen in screens)
    down = max(screen.y + screen.height for screen in screens)
    reading, writing = os.pipe()
    options = ["-screen", "0", f"{across}x{down}x24", "-nolisten", "tcp"]
    server = opened.enter_context(
        subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), *options],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
    )
    opened.callback(server.terminate)
    os.close(writing)
    with os.fdopen(reading) as told:
        return f":{told.readline().strip()}"


def _split(display: Any, screens: Sequence[Region]) -> None:
    """Virtual monitors: Xvfb has one output, and RandR lets a part of its picture be a screen."""
    root = display.screen().root
    outputs = list(root.xrandr_get_screen_resources().outputs)
    for number, screen in enumerate(screens):
        _SetMonitor(
            display=display.display,
            opcode=display.display.get_extension_major(randr.extname),
            window=root,
            name=display.intern_atom(f"screen-{number}"),
            primary=number == 0,
            automatic=False,
            x=screen.x,
            y=screen.y,
            width=screen.width,
            height=screen.height,
            across=screen.width // 4,
            down=screen.height // 4,
            outputs=outputs[:1] if number == 0 else [],
        )
    display.sync()
