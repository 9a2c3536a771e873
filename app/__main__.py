"""The entry: hands a command to the command line, or builds the window and runs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given:
        # a command needs no window, the window needs no command: neither waits for the other
        from app.bench.main import run as bench  # noqa: PLC0415
        from app.cli.main import main as command  # noqa: PLC0415

        return command(given, bench)
    if not _has_display():
        print(
            "sightline: there is no display to open a window on. "
            'Ask in the terminal instead: sightline ask FILE "question"',
            file=sys.stderr,
        )
        return 1
    from app.ui.program import run  # noqa: PLC0415

    return run()


def _has_display() -> bool:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
