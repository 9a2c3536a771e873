"""Starts the program again once it has ended: never two at once, or the second would hand over to
the first. Knows nothing of why."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

_WAIT = 'while kill -0 "$0" 2>/dev/null; do sleep 0.2; done; exec "$@"'


def relaunch(command: Sequence[str] | None = None) -> None:
    """To be called just before the end; `command` is this program's own unless given. Where there
    is no shell (Windows) nothing needs it."""
    frozen = getattr(sys, "frozen", False)
    command = command or ((sys.executable,) if frozen else (sys.executable, "-m", "app"))
    subprocess.Popen(
        ("/bin/sh", "-c", _WAIT, str(os.getpid()), *command),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
