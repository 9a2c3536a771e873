"""The store over a real SQLite file in a temporary folder."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store import Store, Turn
from app.vocabulary import Box, Error, Frame, Region, Source, StoreFault, TextLine, Usage


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "data") as opened:
        yield opened


def frame(image: bytes = b"\x89PNG one", **changes: object) -> Frame:
    made = Frame(image, "image/png", 4, 3, Source("paste", "clipboard"))
    return replace(made, **changes)  # type: ignore[arg-type]


def asked(store: Store, question: str = "What is it?", *frames: Frame) -> Turn:
    return store.start_turn(
        store.start_conversation("A talk").id, question, frames, "local", "smollm2"
    )


def answered(store: Store, answer: str, thinking: str = "", question: str = "What?") -> Turn:
    turn = asked(store, question)
    store.end_turn(turn.id, thinking=thinking, answer=answer, state="done")
    return turn


def media(folder: Path) -> list[Path]:
    return [path for path in (folder / "media").glob("*/*") if path.is_file()]


# --- conversations and turns ----------------------------------------------------------------


def test_a_new_conversation_is_listed_first(store: Store) -> None:
    first, second = store.start_conversation("one"), store.start_conversation("two")
    assert store.conversations() == (second, first)


def test_a_turn_brings_its_conversation_to_the_top(store: Store) -> None:
    first = store.start_conversation("one")
    store.start_conversation("two")
    store.start_turn(first.id, "?", (), "local", "m")
    assert store.conversations()[0].id == first.id


def test_a_conversation_gets_its_new_title(store: Store) -> None:
    made = store.start_conversation("one")
    store.rename(made.id, "eins")
    assert store.conversation(made.id).title == "eins"


def test_the_list_is_cut_at_its_limit(store: Store) -> None:
    for number in range(5):
        store.start_conversation(str(number))
    assert [made.title for made in store.conversations(limit=2)] == ["4", "3"]


def test_a_question_is_there_before_its_answer(store: Store) -> None:
    turn = asked(store, "What is it?", frame())
    assert store.turns(turn.conversation) == (turn,)
    assert turn.state == "streaming"


def test_progress_is_kept(store: Store) -> None:
    turn = asked(store)
    store.save_progress(turn.id, "hm", "It is")
    assert store.turns(turn.conversation) == (replace(turn, thinking="hm", answer="It is"),)


def test_the_end_of_a_turn_is_kept_whole(store: Store) -> None:
    turn = asked(store)
    end = {
        "thinking": "hm",
        "answer": "It is.",
        "state": "failed",
        "usage": Usage(10, 20, 3, 1.25),
        "first_token": 0.5,
        "thinking_seconds": 0.75,
        "error": Error("interrupted", "It broke off.", "EOF"),
    }
    store.end_turn(turn.id, **end)  # type: ignore[arg-type]
    assert store.turns(turn.conversation) == (replace(turn, **end),)  # type: ignore[arg-type]


def test_progress_after_the_end_changes_nothing(store: Store) -> None:
    turn = answered(store, "whole")
    store.save_progress(turn.id, "", "who")
    assert store.turns(turn.conversation)[0].answer == "whole"


def test_a_turn_deleted_while_it_streams_stays_deleted(store: Store) -> None:
    turn = asked(store)
    store.delete_turn(turn.id)
    store.save_progress(turn.id, "", "It")
    store.end_turn(turn.id, thinking="", answer="It is", state="done")
    assert store.turns(turn.conversation) == ()


def test_a_question_in_a_deleted_conversation_is_a_clear_fault(store: Store) -> None:
    made = store.start_conversation("gone")
    store.delete(made.id)
    with pytest.raises(StoreFault, match="no longer there") as caught:
        store.start_turn(made.id, "?", [frame()], "local", "m")
    assert caught.value.kind == "not_found"


def test_half_an_emoji_does_not_stop_the_save(store: Store) -> None:
    turn = asked(store, "\ud83d?")
    store.end_turn(turn.id, thinking="", answer="a\ud83db", state="done")
    assert store.turns(turn.conversation)[0].answer == "a\ufffdb"


# --- frames and media -----------------------------------------------------------------------

_fractions = st.floats(0, 1)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_frames = st.builds(
    Frame,
    image=st.binary(min_size=1, max_size=40),
    media_type=st.sampled_from(["image/png", "image/jpeg"]),
    width=st.integers(1, 9999),
    height=st.integers(1, 9999),
    source=st.builds(
        Source,
        kind=st.sampled_from(["picture", "pdf", "slides", "video", "screen", "paste"]),
        name=_texts,
        page=st.none() | st.integers(1, 999),
        time=st.none() | st.floats(0, 1e6),
        region=st.none()
        | st.builds(Region, st.integers(-9999, 9999), st.integers(), st.integers(), st.integers()),
        scale=st.floats(0.5, 4),
    ),
    text=_texts,
    text_source=st.sampled_from(["layer", "ocr", "none"]),
    lines=st.lists(
        st.builds(TextLine, _texts, st.builds(Box, *[_fractions] * 4), confidence=_fractions),
        max_size=3,
    ).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(_frames, max_size=3))
def test_frames_come_back_equal_and_in_order(store: Store, frames: list[Frame]) -> None:
    turn = asked(store, "?", *frames)
    assert store.turns(turn.conversation)[0].frames == tuple(frames)


def test_the_same_picture_is_kept_once(store: Store, tmp_path: Path) -> None:
    asked(store, "?", frame(), frame())
    asked(store, "again?", frame())
    assert len(media(tmp_path / "data")) == 1


def test_a_picture_goes_with_the_last_turn_that_shows_it(store: Store, tmp_path: Path) -> None:
    first, second = asked(store, "?", frame()), asked(store, "?", frame(), frame(b"two"))
    store.delete_turn(second.id)
    assert [path.read_bytes() for path in media(tmp_path / "data")] == [frame().image]
    store.delete(first.conversation)
    assert media(tmp_path / "data") == []


def test_a_lost_picture_does_not_lose_the_words(store: Store, tmp_path: Path) -> None:
    turn = asked(store, "?", frame())
    media(tmp_path / "data")[0].unlink()
    assert store.turns(turn.conversation)[0].frames == (frame(b""),)


def test_deleting_a_conversation_leaves_no_row(store: Store, tmp_path: Path) -> None:
    turn = asked(store, "?", frame())
    store.end_turn(turn.id, thinking="", answer="gone soon", state="done")
    store.delete(turn.conversation)
    with closing(sqlite3.connect(tmp_path / "data" / "sightline.db")) as database:
        counts = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("conversations", "turns", "frames")
        ]
    assert counts == [0, 0, 0]
    assert store.conversations("gone soon") == ()


def test_deleted_words_are_not_left_in_the_file(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        kept, turn = answered(store, "kept words"), answered(store, "private words " * 999)
        store.delete(turn.conversation)
        assert store.turns(kept.conversation)
    files = b"".join(path.read_bytes() for path in tmp_path.glob("sightline.db*"))
    assert b"kept words" in files
    assert b"private words" not in files


@pytest.mark.skipif(os.name != "posix", reason="the rights of files are POSIX's")
def test_others_can_read_neither_words_nor_pictures(store: Store, tmp_path: Path) -> None:
    asked(store, "?", frame())
    folder = tmp_path / "data"
    for path in (folder / "sightline.db", *media(folder)):
        assert path.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


# --- search ---------------------------------------------------------------------------------


def test_titles_questions_and_answers_are_searched(store: Store) -> None:
    made = store.start_conversation("Invoices of October")
    turn = store.start_turn(made.id, "Which total?", (), "local", "m")
    store.end_turn(turn.id, thinking="", answer="It is 42.17 euros.", state="done")
    for word in ("october", "TOTAL", "42.17", "ber", "es of Oc"):
        assert [found.id for found in store.conversations(word)] == [made.id], word


@pytest.mark.parametrize("word", ["视频", "视", "视频内容", "内容 视频", "A1", "频内"])
def test_chinese_words_of_any_length_are_found(store: Store, word: str) -> None:
    turn = answered(store, "这段视频内容是一张发票A1。")
    assert [found.id for found in store.conversations(word)] == [turn.conversation]


def test_every_word_must_be_found_but_not_in_the_same_place(store: Store) -> None:
    turn = answered(store, "a red house", question="and the garden?")
    assert [found.id for found in store.conversations("garden red")] == [turn.conversation]
    assert store.conversations("garden blue") == ()


def test_quoted_words_stay_together(store: Store) -> None:
    answered(store, "a red old house")
    assert store.conversations('"red house"') == ()


def test_thinking_is_not_searched(store: Store) -> None:
    answered(store, "plain", thinking="secretly")
    assert store.conversations("secretly") == ()


def test_an_answer_that_still_streams_is_found(store: Store) -> None:
    turn = asked(store, "streaming question")
    store.save_progress(turn.id, "", "partial answer")
    assert [found.id for found in store.conversations("partial")] == [turn.conversation]


def test_a_renamed_conversation_is_found_by_its_new_title_only(store: Store) -> None:
    made = store.start_conversation("before")
    store.rename(made.id, "afterwards")
    assert store.conversations("before") == ()
    assert store.conversations("afterwards")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.text(max_size=12))
def test_no_search_text_is_an_error(store: Store, search: str) -> None:
    store.conversations(search)


@pytest.mark.parametrize("mark", ["%", "_", "\\", "*", "AND", "NEAR(", "-", "'"])
def test_marks_of_the_query_language_are_plain_text(store: Store, mark: str) -> None:
    answered(store, "nothing special")
    assert store.conversations(mark) == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    text=st.text("视频内容ab c", min_size=1, max_size=12),
    start=st.integers(0, 11),
    length=st.integers(1, 6),
)
def test_every_part_of_an_answer_is_found(store: Store, text: str, start: int, length: int) -> None:
    turn = answered(store, text)
    part = text[start : start + length].strip()
    assert not part or turn.conversation in {
        found.id for found in store.conversations(f'"{part}"', limit=9999)
    }


# --- what happens when the program dies -----------------------------------------------------

_WRITER = """
import sys
from pathlib import Path
from app.store import Store
from app.vocabulary import Frame, Source
store = Store(Path(sys.argv[1]))
talk = store.start_conversation("killed")
picture = Frame(b"picture", "image/png", 1, 1, Source("paste", "p"))
turn = store.start_turn(talk.id, "?", [picture], "local", "m")
answer = ""
while True:
    answer += "word "
    store.save_progress(turn.id, "thought", answer)
    print(len(answer), flush=True)
"""


def writer(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )


def kill_after(process: subprocess.Popen[str], lines: int) -> int:
    """Kills with SIGKILL after `lines` saves; the characters that were certainly saved."""
    assert process.stdout
    saved = 0
    for _ in range(lines):
        saved = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    saved = max([saved, *(int(line) for line in process.stdout if line.endswith("\n"))])
    process.stdout.close()
    return saved


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("lines", [1, 7, 60])
def test_a_killed_program_loses_nothing_that_was_saved(tmp_path: Path, lines: int) -> None:
    saved = kill_after(writer(tmp_path), lines)
    with Store(tmp_path) as store:
        (turn,) = store.turns(store.conversations()[0].id)
    assert turn.state == "interrupted"
    assert len(turn.answer) >= saved
    assert turn.frames[0].image == b"picture"


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_an_interrupted_answer_can_be_found(tmp_path: Path) -> None:
    kill_after(writer(tmp_path), 3)
    with Store(tmp_path) as store:
        assert store.conversations("word")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_second_program_leaves_the_turn_of_a_living_one_alone(tmp_path: Path) -> None:
    process = writer(tmp_path)
    assert process.stdout
    process.stdout.readline()
    with Store(tmp_path) as second:
        state = second.turns(second.conversations()[0].id)[0].state
        mine = answered(second, "written meanwhile")
        assert second.turns(mine.conversation)[0].answer == "written meanwhile"
    kill_after(process, 1)
    assert state == "streaming"


def test_a_turn_left_streaming_at_a_clean_close_is_interrupted(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        turn = asked(store)
    with Store(tmp_path) as store:
        assert store.turns(turn.conversation)[0].state == "interrupted"


def test_pictures_that_a_dead_program_left_unused_are_removed(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        asked(store, "?", frame())
    stray = tmp_path / "media" / "ab" / "abcd.1234.part"
    stray.parent.mkdir()
    stray.write_bytes(b"half")
    (tmp_path / "running" / "0123456789abcdef.lock").touch()
    with Store(tmp_path):
        assert [path.read_bytes() for path in media(tmp_path)] == [frame().image]


# --- bad disks and bad files ----------------------------------------------------------------


def test_a_newer_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    with Store(tmp_path):
        pass
    path = tmp_path / "sightline.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreFault, match="newer Sightline") as caught:
        Store(tmp_path)
    assert caught.value.kind == "newer_data"
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"x" * 10, b"not a database" * 999, b"\x00" * 8192])
def test_what_is_no_database_is_refused_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sightline.db"
    path.write_bytes(content)
    with pytest.raises(StoreFault, match="damaged"):
        Store(tmp_path)
    assert path.read_bytes() == content


def test_a_database_damaged_inside_is_a_clear_fault_and_not_touched(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        answered(store, "words " * 9999)
    path = tmp_path / "sightline.db"
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreFault, match="damaged"):
        Store(tmp_path)
    assert path.read_bytes() == content


def test_a_damaged_database_names_the_copy_to_put_back(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    copy = tmp_path / "backups" / "sightline-20260101-000000-1-v1.db"
    copy.touch()
    (tmp_path / "sightline.db").write_bytes(b"x" * 10)
    with pytest.raises(StoreFault, match=copy.name):
        Store(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_can_not_be_written_is_a_clear_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreFault, match="can't be written"):
        Store(tmp_path / "data")


def test_a_file_in_the_way_of_the_folder_is_a_clear_fault(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StoreFault, match="can't open the conversations"):
        Store(tmp_path / "data")


_FULL = """
import resource, signal, sys
from pathlib import Path
from app.store import Store
from app.vocabulary import Frame, Source, StoreFault
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(Path(sys.argv[1]))
talk = store.start_conversation("full")
turn = store.start_turn(talk.id, "?", [], "local", "m")
store.save_progress(turn.id, "", "before")

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def tried(call):
    try:
        call()
    except StoreFault as fault:
        print(fault.kind, "|", fault.message)
    else:
        print("saved")

picture = Frame(b"x" * 200_000, "image/png", 1, 1, Source("paste", "p"))
limit(64 * 1024)
tried(lambda: store.save_progress(turn.id, "", "long " * 99_999))
tried(lambda: store.start_turn(talk.id, "with a picture", [picture], "local", "m"))
print(store.turns(talk.id)[0].answer, len(store.turns(talk.id)))
limit(resource.RLIM_INFINITY)
tried(lambda: store.save_progress(turn.id, "", "long " * 99_999))
tried(lambda: store.start_turn(talk.id, "with a picture", [picture], "local", "m"))
print(len(store.turns(talk.id)[0].answer), len(store.turns(talk.id)))
"""


@pytest.mark.skipif(os.name != "posix", reason="limits on file sizes are POSIX's")
def test_a_full_disk_is_said_and_the_store_goes_on_once_there_is_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        check=True,
    )
    first, second, kept, *after = done.stdout.splitlines()
    assert first.startswith("no_space | The disk that holds")
    assert second.startswith("no_space | The disk that holds")
    assert kept == "before 1"
    assert after == ["saved", "saved", "499995 2"]
