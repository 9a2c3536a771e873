"""Steps from one version to the next, over real files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.archive.migrations import STEPS, Step, bring_up, check, copies, version
from app.vocabulary import StoreFault

ONE: Step = ("CREATE TABLE words (word TEXT)", "INSERT INTO words VALUES ('kept')")
TWO: Step = ("ALTER TABLE words ADD COLUMN length INTEGER", "UPDATE words SET length = 4")
BROKEN: Step = ("CREATE TABLE half (a)", "INSERT INTO nowhere VALUES (1)")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "sightline.db", isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        yield opened


def words(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute("SELECT * FROM words").fetchall()


def test_a_new_database_takes_all_steps_and_no_copy(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    assert bring_up(database, tmp_path / "backups", (ONE, TWO)) is None
    assert version(database) == 2
    assert words(tmp_path / "sightline.db") == [("kept", 4)]


def test_an_old_database_is_copied_before_it_changes(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    bring_up(database, tmp_path / "backups", (ONE,))
    copy = bring_up(database, tmp_path / "backups", (ONE, TWO))
    assert copy is not None
    assert words(copy) == [("kept",)]
    assert words(tmp_path / "sightline.db") == [("kept", 4)]


def test_a_database_of_today_is_left_alone(database: sqlite3.Connection, tmp_path: Path) -> None:
    bring_up(database, tmp_path / "backups", (ONE,))
    assert bring_up(database, tmp_path / "backups", (ONE,)) is None
    assert copies(tmp_path / "backups") == []


def test_a_failed_step_leaves_the_version_before_it_whole(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    bring_up(database, tmp_path / "backups", (ONE,))
    with pytest.raises(sqlite3.OperationalError):
        bring_up(database, tmp_path / "backups", (ONE, TWO, BROKEN))
    assert version(database) == 1
    assert words(tmp_path / "sightline.db") == [("kept",)]


def test_the_last_three_copies_stay(database: sqlite3.Connection, tmp_path: Path) -> None:
    steps: tuple[Step, ...] = (ONE,)
    bring_up(database, tmp_path / "backups", steps)
    for _ in range(5):
        steps = (*steps, ("UPDATE words SET word = word || '+'",))
        bring_up(database, tmp_path / "backups", steps)
    kept = [words(path) for path in copies(tmp_path / "backups")]
    assert kept == [[("kept++++",)], [("kept+++",)], [("kept++",)]]


def test_no_half_copy_is_left(database: sqlite3.Connection, tmp_path: Path) -> None:
    bring_up(database, tmp_path / "backups", (ONE,))
    bring_up(database, tmp_path / "backups", (ONE, TWO))
    assert [path.suffix for path in (tmp_path / "backups").iterdir()] == [".db"]


def test_a_newer_version_still_in_the_log_is_refused(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    bring_up(database, tmp_path / "backups", (ONE, TWO))
    path = tmp_path / "sightline.db"
    before = path.read_bytes()
    with pytest.raises(StoreFault) as caught:
        check(path, (ONE,))
    assert caught.value.kind == "newer_data"
    assert path.read_bytes() == before


def test_a_refused_database_gets_no_file_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "sightline.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        bring_up(opened, tmp_path / "backups", (ONE, TWO))
    with pytest.raises(StoreFault):
        check(path, (ONE,))
    assert [found.name for found in tmp_path.iterdir()] == ["sightline.db"]


def test_the_index_agrees_with_the_tables_after_every_kind_of_change(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as opened:
        opened.execute("PRAGMA foreign_keys = ON")
        bring_up(opened, tmp_path / "backups", STEPS)
        opened.executescript(
            """
            INSERT INTO conversations VALUES (1, 'title', 0, 0), (2, 'other', 0, 0);
            INSERT INTO turns (id, conversation, state, owner, created, endpoint, model, question,
                answer) VALUES (1, 1, 'streaming', 'o', 0, '', '', 'first question', ''),
                (2, 1, 'done', 'o', 0, '', '', 'second question', 'answer'),
                (3, 2, 'streaming', 'o', 0, '', '', 'third question', '');
            UPDATE turns SET answer = 'growing' WHERE id = 1;
            UPDATE turns SET answer = 'grown', state = 'done' WHERE id = 1;
            UPDATE turns SET answer = 'changed later' WHERE id = 1;
            UPDATE turns SET answer = '', state = 'streaming' WHERE id = 2;
            UPDATE conversations SET title = 'renamed' WHERE id = 1;
            DELETE FROM conversations WHERE id = 2;
            DELETE FROM turns WHERE id = 2;
            INSERT INTO found_turns (found_turns, rank) VALUES ('integrity-check', 1);
            INSERT INTO found_titles (found_titles, rank) VALUES ('integrity-check', 1);
            """
        )
        found = opened.execute("SELECT rowid FROM found_turns WHERE found_turns MATCH 'later'")
        assert found.fetchall() == [(1,)]
