"""Whole videos in the store: kept with their turn, gone with it, and a way up from older files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.archive.migrations import STEPS, bring_up, copies, version
from app.store import Store, Turn
from app.vocabulary import Clip, Frame, Source

CLIP = Clip(b"mp4 bytes", "video/mp4", "screen.mkv", 4.5)
STILL = Frame(b"\xff\xd8\xff", "image/jpeg", 4, 3, Source("video", "screen.mkv", time=1.0))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "data") as opened:
        yield opened


def asked(store: Store, *clips: Clip, frames: tuple[Frame, ...] = (STILL,)) -> Turn:
    talk = store.start_conversation("A talk").id
    return store.start_turn(talk, "What happens?", frames, "local", "m", clips)


def media(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (folder / "media").glob("*/*"))


def test_a_clip_is_there_when_the_conversation_is_opened_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        turn = asked(store, CLIP, replace(CLIP, name="b.mkv", data=b"other"))
    with Store(tmp_path) as store:
        assert store.turns(turn.conversation) == (replace(turn, state="interrupted"),)
        assert [clip.name for clip in turn.clips] == ["screen.mkv", "b.mkv"]


def test_a_clip_goes_with_its_turn_and_no_sooner(store: Store, tmp_path: Path) -> None:
    first, second = asked(store, CLIP), asked(store, CLIP, frames=())
    store.delete_turn(first.id)
    assert media(tmp_path / "data") == [CLIP.data]
    store.delete(second.conversation)
    assert media(tmp_path / "data") == []


def test_a_clip_whose_file_was_taken_away_leaves_its_frames(store: Store, tmp_path: Path) -> None:
    turn = asked(store, CLIP)
    for path in (tmp_path / "data" / "media").glob("*/*"):
        if path.read_bytes() == CLIP.data:
            path.unlink()
    assert store.turns(turn.conversation) == (replace(turn, clips=()),)


def test_an_older_database_is_copied_and_keeps_its_turns(tmp_path: Path) -> None:
    path = tmp_path / "sightline.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        bring_up(old, tmp_path / "backups", STEPS[:1])
        old.execute("INSERT INTO conversations VALUES (1, 'old', 0, 0)")
        old.execute(
            "INSERT INTO turns (conversation, state, owner, created, endpoint, model, question, "
            "answer) VALUES (1, 'done', 'o', 0, 'e', 'm', 'Still here?', 'Yes.')"
        )
    with Store(tmp_path) as store:
        (turn,) = store.turns(1)
        assert (turn.question, turn.answer, turn.clips) == ("Still here?", "Yes.", ())
        asked(store, CLIP)
    (copy,) = copies(tmp_path / "backups")
    with closing(sqlite3.connect(copy)) as kept:
        assert version(kept) == 1
        assert kept.execute("SELECT question FROM turns").fetchall() == [("Still here?",)]
