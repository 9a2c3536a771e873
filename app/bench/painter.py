"""A screen to be recorded, as a process of its own: `python -m app.bench.painter typing|scrolling`.

Everything that is painted carries its number in pixels and appears at once, by one copy from a
picture kept aside: so whoever has the recording can tell which of them are missing.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from Xlib.display import Display

BITS, CELL, LEFT, TOP = 20, 16, 64, 64  # the number: cells of black and white, the lowest bit left
TYPED = 6.0  # changes a second while someone types
BURST = 20.0  # changes a second while something moves
_LINE, _LETTER = 22, 9  # px


def read_number(grey: NDArray[np.uint8]) -> int:
    """The number that a picture carries."""
    row = grey[TOP + CELL // 2, LEFT + CELL // 2 : LEFT + BITS * CELL : CELL]
    return sum(1 << bit for bit, shade in enumerate(row[:BITS]) if shade > 127)


class Painter:
    def __init__(self) -> None:
        self._display = Display()
        screen = self._display.screen()
        self._size = (screen.width_in_pixels, screen.height_in_pixels)
        self._window = screen.root.create_window(
            0, 0, *self._size, 0, screen.root_depth, override_redirect=True
        )
        # taller than the screen: scrolling shows another part of it
        self._page = self._window.create_pixmap(
            *self._size[:1], 2 * self._size[1], screen.root_depth
        )
        self._shown = self._window.create_pixmap(*self._size, screen.root_depth)
        self._pen = self._window.create_gc(graphics_exposures=False)
        self._random = random.Random(7)
        self._number = 0
        self._write(self._page, 0, 0, self._size[0], 2 * self._size[1])
        self._window.map()
        self._turn(0)

    def type(self, seconds: float) -> None:
        """Someone types; each two seconds a part of the screen moves for half a second, each five
        another page comes up."""
        began = time.monotonic()
        letters = 0
        while (at := time.monotonic() - began) < seconds:
            letters += 1
            if letters % 30 == 0:
                self._turn(self._random.randrange(self._size[1]))
            elif at % 2 > 1.5:
                self._move(letters)
            else:
                self._letter(letters)
            time.sleep(1 / (BURST if at % 2 > 1.5 else TYPED))

    def scroll(self, seconds: float) -> None:
        """The whole screen moves, thirty times a second."""
        began = time.monotonic()
        step = 0
        while (at := time.monotonic() - began) < seconds:
            step += 1
            self._turn(4 * step % self._size[1])
            time.sleep(max(0.0, step / 30 - at))

    def _letter(self, number: int) -> None:
        x, y = LEFT + number % 80 * _LETTER, TOP + 3 * CELL
        self._fill(self._shown, 0x202020, x, y, 6, 12)
        self._show(LEFT, TOP, BITS * CELL + 80 * _LETTER, 4 * CELL)

    def _move(self, number: int) -> None:
        """A window of 800 by 600 that moves."""
        x, y = LEFT + number * 8 % 200, TOP
        self._pen.change(foreground=0)
        self._shown.copy_area(self._pen, self._page, 0, number, 800, 600, x, y)
        self._show(LEFT, TOP, 1000, 600)

    def _turn(self, line: int) -> None:
        self._shown.copy_area(self._pen, self._page, 0, line, *self._size, 0, 0)
        self._show(0, 0, *self._size)

    def _show(self, x: int, y: int, width: int, height: int) -> None:
        """All that was painted since, at once, under a new number."""
        self._number += 1
        for bit in range(BITS):
            shade = 0xFFFFFF if self._number >> bit & 1 else 0
            self._fill(self._shown, shade, LEFT + bit * CELL, TOP, CELL, CELL)
        self._window.copy_area(self._pen, self._shown, x, y, width, height, x, y)
        self._display.flush()

    def _write(self, page: Any, x: int, y: int, width: int, height: int) -> None:
        """Lines of something like type."""
        self._fill(page, 0xFFFFFF, x, y, width, height)
        self._pen.change(foreground=0x303030)
        for top in range(y + _LINE, y + height - _LINE, _LINE):
            shapes = [
                (left, top + self._random.randrange(5), 2 + self._random.randrange(5), 7)
                for left in range(x + _LETTER, x + width - _LETTER, _LETTER)
                if self._random.random() < 0.8
            ]
            page.poly_fill_rectangle(self._pen, shapes)

    def _fill(self, where: Any, shade: int, x: int, y: int, width: int, height: int) -> None:
        self._pen.change(foreground=shade)
        where.fill_rectangle(self._pen, x, y, width, height)


def main() -> int:
    painter = Painter()
    print("painted", flush=True)
    painter.type(3600) if sys.argv[1] == "typing" else painter.scroll(3600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
