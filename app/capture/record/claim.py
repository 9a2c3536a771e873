"""A mark on a file that some living process still writes it; it goes with the process, whatever
way that ends. Knows no format."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40  # a byte that no recording reaches: a locked one can't be read

    def claim(handle: int) -> bool:
        """Marks the open file; False where another process has."""
        at = os.lseek(handle, 0, os.SEEK_CUR)
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, at, os.SEEK_SET)
        return True

else:
    import fcntl

    def claim(handle: int) -> bool:
        """Marks the open file; False where another process has."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def claimed(path: Path) -> bool:
    """Whether a process still writes the file."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return True  # not ours to touch
    try:
        return not claim(handle)
    finally:
        os.close(handle)
