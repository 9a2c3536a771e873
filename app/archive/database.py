"""One SQLite file, opened, in order and up to date, and what its errors mean to a person; knows
no table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.archive.migrations import bring_up, check, damaged
from app.disk import disk_fault, no_space
from app.vocabulary import StoreFault

_WAIT = 10.0  # seconds for another program to finish what it writes
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # a killed program loses nothing, a power cut the last moment
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # deleted words are overwritten, for half a millisecond a save
    "PRAGMA journal_size_limit = 16777216",
)
_PRIMARY = 0xFF  # the part of an extended result code that names its family


class Database:
    """Belongs to the thread that made it. Opening raises StoreFault, and so does what stands
    inside `reading` and `writing`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self.reading("open the conversations"):
            check(path)
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
            try:
                self._connection.row_factory = sqlite3.Row
                for setting in _SETTINGS:
                    self._connection.execute(setting)
                bring_up(self._connection, path.parent / "backups")
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """The last program to close folds the log into the database."""
        with self.reading("close the conversations"):
            self._connection.close()

    def execute(
        self, sql: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    def check_whole(self) -> None:
        """Reads all of the file. Raises StoreFault when a part of it is damaged."""
        with self.reading("read the conversations"):
            (verdict,) = self.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damaged(self._path, verdict)

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """All that is written inside, or nothing of it; other programs wait meanwhile."""
        with self.reading(what):
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite has ended it itself on a full disk
                    self.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Turns an error of the database or the disk into a StoreFault; `what` could not be done
        then, for example "save the answer"."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # the program is wrong, not the disk
        except sqlite3.Error as error:
            raise _fault(error, what, self._path) from error
        except OSError as error:
            raise disk_fault(error, what, self._path.parent) from error


def _fault(error: sqlite3.Error, what: str, path: Path) -> StoreFault:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    detail = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    # a quota or a limit on file sizes shows as a failed write, not as a full disk
    if code in (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE):
        return no_space(path.parent, detail)
    match code & _PRIMARY:
        case sqlite3.SQLITE_FULL:
            return no_space(path.parent, detail)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, detail)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreFault(
                "failed", f"Sightline may not {what}: {path} can't be written to.", detail
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreFault(
                "failed",
                f"Sightline can't {what}: another program holds {path}. Close it and try again.",
                detail,
            )
    return StoreFault("failed", f"Sightline can't {what}: {error}.", detail)
