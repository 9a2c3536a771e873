"""Writing a file whole or not at all, and what a full or broken disk is called; knows no format."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from pathlib import Path

from app.vocabulary import StoreFault

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, data: bytes) -> None:
    """Puts `data` at `path` so that a reader, or a start after a crash, sees the old file or the
    new one and never a part; the file is for its owner alone. Raises OSError."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` outlast a power cut, where the system has such a call."""
    if sys.platform == "win32":
        return  # NTFS journals its directories; they can't be opened for fsync
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def own_folder(folder: Path) -> Path:
    """Makes `folder`, readable by its owner alone. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def no_space(where: Path, detail: str = "") -> StoreFault:
    return StoreFault(
        "no_space",
        f"The disk that holds {where} takes no more data. Make room there and try again; "
        "nothing that was saved before is lost.",
        detail,
    )


def disk_fault(error: OSError, what: str, where: Path) -> StoreFault:
    """What an `OSError` means to a person; `what` could not be done, for example "save the
    settings"."""
    if error.errno in _FULL:
        return no_space(where, str(error))
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return StoreFault(
            "failed", f"Sightline may not {what}: {where} can't be written to.", str(error)
        )
    return StoreFault("failed", f"Sightline can't {what}: {error.strerror or error}.", str(error))
