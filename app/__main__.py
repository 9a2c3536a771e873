"""The entry: hands a command to the command line, or builds the program and runs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app.cli import snip
from app.handover import Invocation


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        return snip.go(Invocation("show", token=snip.token()), _start)
    if given[0] == "snip":  # a key was pressed: nothing else is loaded before it is handed over
        return snip.run(given[1:], _start)
    # a command needs no window, the window needs no command: neither waits for the other
    from app.bench.main import run as bench  # noqa: PLC0415
    from app.cli.main import main as command  # noqa: PLC0415

    return command(given, bench)


def _start(said: Invocation) -> int:
    from app.ui.program import run  # noqa: PLC0415

    return run(said)


if __name__ == "__main__":
    sys.exit(main())
