"""A rank's entry: `python -m app.engine.local.ranks FD`, started by rank 0 with one end of a line
to it under that number, and a stdin that closes when rank 0 ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from app.engine.local import life
from app.engine.local.ranks.follower import follow


def main() -> None:
    life.end_with_parent()
    line = int(sys.argv[1])
    os.set_inheritable(line, False)  # what a compiler is started for is none of ours
    with suppress(EOFError, OSError):  # rank 0 is gone, and with it all that there was to do
        follow(Connection(line))
    sys.stderr.flush()
    os._exit(0)  # libraries that take leave of ranks which are gone already would wait for them


if __name__ == "__main__":
    main()
