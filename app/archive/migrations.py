"""The numbered steps from an empty database to today's; knows SQL, and nothing of turns in Python.

A step, once released, never changes: the next change is the next step. Before a database that
holds anything is changed, a copy of it is made in `backups/`; the last three copies stay. A
database from a newer Sightline is refused before a single byte of it is written.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from app.disk import own_folder, sync_folder
from app.vocabulary import StoreFault

Step: TypeAlias = tuple[str, ...]  # the statements of one version, in order

KEPT_COPIES = 3
_HEADER = b"SQLite format 3\x00"

# A turn enters the search index when it stops streaming: an index written once a second would
# cost more than the answer. `thinking` stands last in its row, so that a scan of questions and
# answers never reads it, and it is not searched.
_FIRST: Step = (
    """CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        created REAL NOT NULL,
        updated REAL NOT NULL)""",
    "CREATE INDEX conversations_by_age ON conversations (updated DESC, id DESC)",
    """CREATE TABLE turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        state TEXT NOT NULL,
        owner TEXT NOT NULL,
        created REAL NOT NULL,
        endpoint TEXT NOT NULL,
        model TEXT NOT NULL,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        cached_tokens INTEGER,
        seconds REAL,
        first_token REAL,
        thinking_seconds REAL,
        error_kind TEXT,
        error_message TEXT,
        error_detail TEXT,
        question TEXT NOT NULL,
        answer TEXT NOT NULL DEFAULT '',
        thinking TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX turns_of_conversation ON turns (conversation, id)",
    "CREATE INDEX turns_streaming ON turns (owner) WHERE state = 'streaming'",
    """CREATE TABLE frames (
        turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        media TEXT NOT NULL,
        media_type TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        source TEXT NOT NULL,
        text_source TEXT NOT NULL,
        text TEXT NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (turn, position))""",
    "CREATE INDEX frames_of_media ON frames (media)",
    """CREATE VIRTUAL TABLE found_turns USING fts5 (
        question, answer, content='turns', content_rowid='id', tokenize='trigram')""",
    """CREATE TRIGGER turns_indexed AFTER INSERT ON turns WHEN new.state <> 'streaming' BEGIN
        INSERT INTO found_turns (rowid, question, answer)
            VALUES (new.id, new.question, new.answer);
    END""",
    """CREATE TRIGGER turns_ended AFTER UPDATE OF state, question, answer ON turns
        WHEN old.state = 'streaming' AND new.state <> 'streaming' BEGIN
        INSERT INTO found_turns (rowid, question, answer)
            VALUES (new.id, new.question, new.answer);
    END""",
    """CREATE TRIGGER turns_changed AFTER UPDATE OF state, question, answer ON turns
        WHEN old.state <> 'streaming' BEGIN
        INSERT INTO found_turns (found_turns, rowid, question, answer)
            VALUES ('delete', old.id, old.question, old.answer);
        INSERT INTO found_turns (rowid, question, answer)
            SELECT new.id, new.question, new.answer WHERE new.state <> 'streaming';
    END""",
    """CREATE TRIGGER turns_forgotten AFTER DELETE ON turns WHEN old.state <> 'streaming' BEGIN
        INSERT INTO found_turns (found_turns, rowid, question, answer)
            VALUES ('delete', old.id, old.question, old.answer);
    END""",
    """CREATE VIRTUAL TABLE found_titles USING fts5 (
        title, content='conversations', content_rowid='id', tokenize='trigram')""",
    """CREATE TRIGGER titles_indexed AFTER INSERT ON conversations BEGIN
        INSERT INTO found_titles (rowid, title) VALUES (new.id, new.title);
    END""",
    """CREATE TRIGGER titles_changed AFTER UPDATE OF title ON conversations BEGIN
        INSERT INTO found_titles (found_titles, rowid, title)
            VALUES ('delete', old.id, old.title);
        INSERT INTO found_titles (rowid, title) VALUES (new.id, new.title);
    END""",
    """CREATE TRIGGER titles_forgotten AFTER DELETE ON conversations BEGIN
        INSERT INTO found_titles (found_titles, rowid, title)
            VALUES ('delete', old.id, old.title);
    END""",
)

# Whole videos, beside the frames of a turn.
_CLIPS: Step = (
    """CREATE TABLE clips (
        turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        media TEXT NOT NULL,
        media_type TEXT NOT NULL,
        name TEXT NOT NULL,
        seconds REAL NOT NULL,
        PRIMARY KEY (turn, position))""",
    "CREATE INDEX clips_of_media ON clips (media)",
)

STEPS: tuple[Step, ...] = (_FIRST, _CLIPS)


def check(path: Path, steps: Sequence[Step] = STEPS) -> None:
    """Raises StoreFault when `path` holds what this version must not open; writes nothing."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise damaged(path, "no SQLite header")
    # without a log beside it the file is complete, and `immutable` leaves no file behind
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as database:
            held = version(database)
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error
    if held > len(steps):
        raise StoreFault(
            "newer_data",
            f"The conversations in {path.parent} were written by a newer Sightline (format {held}; "
            f"this one knows {len(steps)}). Update Sightline to open them; nothing was changed.",
        )


def version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def bring_up(
    database: sqlite3.Connection, backups: Path, steps: Sequence[Step] = STEPS
) -> Path | None:
    """Takes `database` (in autocommit) to the newest version, all steps or none; returns the copy
    that was made first, where there was something to copy. Raises sqlite3.Error and OSError."""
    held = version(database)
    if held >= len(steps):
        return None
    copy = _copy(database, backups, held) if held else None
    database.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[held:]:
            for statement in step:
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(steps)}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    return copy


def copies(backups: Path) -> list[Path]:
    """The copies that were made, newest first."""
    return sorted(backups.glob("sightline-*.db"), reverse=True)


def damaged(path: Path, detail: str) -> StoreFault:
    """The fault for a database that can't be read; names the newest copy, if there is one."""
    kept = copies(path.parent / "backups")
    way_out = f"put back the copy {kept[0]}" if kept else "start anew without it"
    return StoreFault(
        "failed",
        f"The conversations in {path} can't be read: the file is damaged. It was left as it is; "
        f"move it away to {way_out}.",
        detail,
    )


def _copy(database: sqlite3.Connection, backups: Path, held: int) -> Path:
    own_folder(backups)
    copy = backups / f"sightline-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns()}-v{held}.db"
    part = copy.with_suffix(".part")
    try:
        with closing(sqlite3.connect(part)) as target:
            database.backup(target)
        part.replace(copy)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(backups)
    for old in copies(backups)[KEPT_COPIES:]:
        old.unlink(missing_ok=True)
    return copy
