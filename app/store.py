"""Conversations, turns and media on disk; knows nothing of windows, models or servers.

A store belongs to the thread that made it. Several programs may hold the same folder open: all of
them read and write (SQLite's log orders them), and a turn that streams is marked `interrupted`
only once the program that streamed it is gone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from app.archive.database import Database
from app.archive.lease import Lease, alive, alone, clear_dead
from app.archive.media import Media
from app.archive.rows import (
    Conversation,
    Turn,
    TurnState,
    clean,
    clip_of,
    clip_row,
    end_row,
    frame_of,
    frame_row,
    turn_of,
)
from app.archive.search import query, words
from app.disk import disk_fault, own_folder
from app.vocabulary import Clip, Error, Frame, StoreFault, Usage

__all__ = ["Conversation", "Store", "Turn", "TurnState"]

_OPENING_WAIT = 60.0  # seconds; another program may be copying and migrating a large database


class Store:
    """All that is remembered, in `folder`: `sightline.db`, `media/`, `backups/`, `running/`.

    Every method raises StoreFault: `newer_data`, `no_space`, `not_found` or `failed`. After one
    the store can be used again, and what was not saved is not half saved.
    """

    def __init__(self, folder: Path) -> None:
        self._media = Media(folder / "media")
        self._owners = folder / "running"
        try:
            own_folder(folder)
            with alone(folder / "opening.lock", _OPENING_WAIT), ExitStack() as opened:
                self._lease = opened.enter_context(Lease(self._owners))
                self._database = opened.enter_context(closing(Database(folder / "sightline.db")))
                self._put_in_order()
                self._opened = opened.pop_all()
        except OSError as error:
            raise disk_fault(error, "open the conversations", folder) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._opened.close()

    # --- conversations ----------------------------------------------------------------------

    def conversations(self, search: str = "", limit: int = 200) -> tuple[Conversation, ...]:
        """Newest first; with `search`, those that hold each of its words in their title, a
        question or an answer."""
        with self._database.reading("search the conversations"):
            found = [self._ids_with(word) for word in words(clean(search))]
            rows = self._database.execute(
                "SELECT * FROM conversations ORDER BY updated DESC, id DESC"
            )
            kept = (row for row in rows if all(row["id"] in ids for ids in found))
            return tuple(Conversation(**row) for row in islice(kept, limit))

    def conversation(self, conversation: int) -> Conversation:
        with self._database.reading("read the conversation"):
            return self._conversation(conversation)

    def start_conversation(self, title: str) -> Conversation:
        now = time.time()
        with self._database.writing("save the conversation"):
            added = self._database.execute(
                "INSERT INTO conversations (title, created, updated) VALUES (?, ?, ?) RETURNING *",
                (clean(title), now, now),
            )
            return Conversation(**added.fetchall()[0])

    def rename(self, conversation: int, title: str) -> None:
        with self._database.writing("rename the conversation"):
            self._database.execute(
                "UPDATE conversations SET title = ? WHERE id = ?", (clean(title), conversation)
            )

    def delete(self, conversation: int) -> None:
        """Takes the conversation away with its turns, and each picture that no other turn shows."""
        with self._database.writing("delete the conversation"):
            held = self._media_of("conversation", conversation)
            self._database.execute("DELETE FROM conversations WHERE id = ?", (conversation,))
        self._drop_unused(held)

    # --- turns ------------------------------------------------------------------------------

    def turns(self, conversation: int) -> tuple[Turn, ...]:
        """Oldest first, with their pictures and videos. A picture whose file was taken away has no
        bytes; a video whose file is gone is gone, for its frames tell of it."""
        with self._database.reading("read the conversation"):
            frames, clips = self._frames(conversation), self._clips(conversation)
            rows = self._database.execute(
                "SELECT * FROM turns WHERE conversation = ? ORDER BY id", (conversation,)
            )
            return tuple(
                turn_of(row, tuple(frames.get(row["id"], ())), tuple(clips.get(row["id"], ())))
                for row in rows
            )

    def start_turn(
        self,
        conversation: int,
        question: str,
        frames: Sequence[Frame],
        endpoint: str,
        model: str,
        clips: Sequence[Clip] = (),
    ) -> Turn:
        """Saves the question with its pictures and videos, before anything is asked."""
        turn = {
            "conversation": conversation,
            "question": clean(question),
            "endpoint": clean(endpoint),
            "model": clean(model),
            "created": time.time(),
            "state": "streaming",
            "owner": self._lease.name,
        }
        put: list[str] = []
        try:
            with self._database.writing("save the question"):
                self._conversation(conversation)
                row = self._insert("turns", turn)
                for position, frame in enumerate(frames):
                    put.append(self._media.put(frame.image))
                    place = {"turn": row["id"], "position": position, "media": put[-1]}
                    self._insert("frames", frame_row(frame) | place)
                for position, clip in enumerate(clips):
                    put.append(self._media.put(clip.data))
                    place = {"turn": row["id"], "position": position, "media": put[-1]}
                    self._insert("clips", clip_row(clip) | place)
                self._touch(conversation, row["created"])
        except StoreFault:
            with suppress(StoreFault):  # a start after this one removes what it can't
                self._drop_unused(put)
            raise
        return turn_of(row, tuple(frames), tuple(clips))

    def keep_texts(self, turn: int, frames: Sequence[Frame]) -> None:
        """Keeps the text that was read out of a turn's pictures, which are the same as before."""
        with self._database.writing("save the text of the pictures"):
            for position, frame in enumerate(frames):
                read = {k: frame_row(frame)[k] for k in ("text", "text_source", "lines")}
                self._database.execute(
                    "UPDATE frames SET text = :text, text_source = :text_source, lines = :lines "
                    "WHERE turn = :turn AND position = :position",
                    read | {"turn": turn, "position": position},
                )

    def save_progress(self, turn: int, thinking: str, answer: str) -> None:
        """Keeps what has streamed so far; cheap enough for once a second, at any length. Nothing
        happens for a turn that has ended or is gone."""
        with self._database.writing("save the answer"):
            self._database.execute(
                "UPDATE turns SET thinking = ?, answer = ? WHERE id = ? AND state = 'streaming'",
                (clean(thinking), clean(answer), turn),
            )

    def end_turn(
        self,
        turn: int,
        *,
        thinking: str,
        answer: str,
        state: TurnState,
        usage: Usage | None = None,
        first_token: float | None = None,
        thinking_seconds: float | None = None,
        error: Error | None = None,
    ) -> None:
        """Keeps the whole answer and how it ended; from here on it can be searched. Nothing
        happens for a turn that is gone."""
        values = end_row(usage, error) | {
            "thinking": clean(thinking),
            "answer": clean(answer),
            "state": state,
            "first_token": first_token,
            "thinking_seconds": thinking_seconds,
        }
        columns = ", ".join(f"{name} = :{name}" for name in values)
        with self._database.writing("save the answer"):
            ended = self._database.execute(
                f"UPDATE turns SET {columns} WHERE id = :turn RETURNING conversation",
                values | {"turn": turn},
            )
            for row in ended.fetchall():
                self._touch(row["conversation"], time.time())

    def delete_turn(self, turn: int) -> None:
        with self._database.writing("delete the turn"):
            held = self._media_of("id", turn)
            self._database.execute("DELETE FROM turns WHERE id = ?", (turn,))
        self._drop_unused(held)

    # --- what they are made of --------------------------------------------------------------

    def _put_in_order(self) -> None:
        """After a program died: is the database whole, which pictures did it leave unused, and
        which turns did it not finish?"""
        if clear_dead(self._owners):
            self._database.check_whole()
            self._drop_unused(self._media.names())
        with self._database.writing("open the conversations"):
            owners = self._database.execute(
                "SELECT DISTINCT owner FROM turns WHERE state = 'streaming'"
            ).fetchall()
            for (owner,) in owners:
                if not alive(self._owners, owner):
                    self._database.execute(
                        "UPDATE turns SET state = 'interrupted' "
                        "WHERE state = 'streaming' AND owner = ?",
                        (owner,),
                    )

    def _ids_with(self, word: str) -> set[int]:
        sql, values = query(word)
        return {row[0] for row in self._database.execute(sql, values)}

    def _conversation(self, conversation: int) -> Conversation:
        row = self._database.execute(
            "SELECT * FROM conversations WHERE id = ?", (conversation,)
        ).fetchone()
        if row is None:
            raise StoreFault("not_found", "That conversation is no longer there: it was deleted.")
        return Conversation(**row)

    def _insert(
        self, table: Literal["turns", "frames", "clips"], values: dict[str, object]
    ) -> sqlite3.Row:
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        added = self._database.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING *", values
        )
        row: sqlite3.Row = added.fetchall()[0]
        return row

    def _touch(self, conversation: int, now: float) -> None:
        self._database.execute(
            "UPDATE conversations SET updated = ? WHERE id = ?", (now, conversation)
        )

    def _frames(self, conversation: int) -> dict[int, list[Frame]]:
        images: dict[str, bytes] = {}  # a picture that was asked about twice is read once
        frames: dict[int, list[Frame]] = {}
        for row in self._database.execute(
            "SELECT frames.* FROM frames JOIN turns ON turns.id = turn "
            "WHERE conversation = ? ORDER BY turn, position",
            (conversation,),
        ):
            name = row["media"]
            if name not in images:
                images[name] = self._media.get(name)
            frames.setdefault(row["turn"], []).append(frame_of(row, images[name]))
        return frames

    def _clips(self, conversation: int) -> dict[int, list[Clip]]:
        clips: dict[int, list[Clip]] = {}
        for row in self._database.execute(
            "SELECT clips.* FROM clips JOIN turns ON turns.id = turn "
            "WHERE conversation = ? ORDER BY turn, position",
            (conversation,),
        ):
            if data := self._media.get(row["media"]):
                clips.setdefault(row["turn"], []).append(clip_of(row, data))
        return clips

    def _media_of(self, column: Literal["id", "conversation"], value: int) -> list[str]:
        found = (
            f"SELECT media FROM {table} JOIN turns ON turns.id = turn WHERE {column} = :value"
            for table in ("frames", "clips")
        )
        rows = self._database.execute(" UNION ".join(found), {"value": value})
        return [name for (name,) in rows]

    def _drop_unused(self, names: Iterable[str]) -> None:
        """Removes what no turn shows among `names`. Other programs can't write meanwhile, so none
        of them is about to show one."""
        with self._database.writing("remove pictures"):
            for name in names:
                used = self._database.execute(
                    "SELECT 1 FROM frames WHERE media = :name "
                    "UNION ALL SELECT 1 FROM clips WHERE media = :name",
                    {"name": name},
                )
                if used.fetchone() is None:
                    self._media.remove(name)
