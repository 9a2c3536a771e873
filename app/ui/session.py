"""The bridge from a window to async work: what its user does goes in, facts come out as signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, SignalInstance

from app.settings import Settings
from app.store import Conversation, Store, Turn
from app.ui.attachment import Attachment
from app.ui.intake import Intake
from app.ui.places import Place
from app.ui.services import Services
from app.ui.talk import Talk
from app.ui.tasks import Tasks
from app.vocabulary import Clip, Frame, Source


@dataclass(frozen=True, slots=True)
class Shown:
    conversation: Conversation | None
    turns: tuple[Turn, ...]


class Session(QObject):
    """One window's work: the conversation it shows and what waits to be sent. Methods return at
    once; what came of them is told by the signals."""

    turn_added = Signal(object)  # Turn
    turn_removed = Signal(int)
    turn_grew = Signal(object)  # Growth
    turn_ended = Signal(object)  # Turn
    conversation_shown = Signal(object)  # Shown
    conversations_listed = Signal(object)  # tuple[Conversation, ...]
    attachments_changed = Signal(object)  # tuple[Attachment, ...]
    place_changed = Signal(object)  # Place
    busy_changed = Signal(bool)
    waiting_changed = Signal(str)  # what is happening while the first word is awaited
    settings_changed = Signal(object)  # Settings
    noticed = Signal(object)  # Error
    _retitled = Signal(object)  # Conversation

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self._tasks = Tasks(self.noticed.emit)
        self._intake = Intake(services.worker, self._tasks, self._intake_changed)
        self._search = ""
        self._talk = services.new_talk()
        self._talk.follow()
        self._hear(self._talk)
        self._retitled.connect(self._reshow)
        services.settings_changed.connect(self.settings_changed)
        services.place_changed.connect(self._place_moved)
        services.conversation_deleted.connect(self._lose)
        services.noticed.connect(self.noticed)

    # --- what the window asks ---------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def place(self) -> Place:
        return self.services.place

    @property
    def busy(self) -> bool:
        return self._talk.busy

    @property
    def conversation(self) -> Conversation | None:
        return self._talk.conversation

    def start(self) -> None:
        """Reads the list of conversations, now and whenever it changes."""
        self.services.conversations_changed.connect(self._relist)
        self._relist()

    async def close(self, *, going_on: bool = False) -> None:
        """Leaves the conversation, which ends an answer that nobody else follows, what came of it
        kept; `going_on` lets it come to its end. The services live on."""
        self.services.disconnect(self)
        talk = self._talk
        self._deafen(talk)
        talk.leave(going_on=going_on)
        await self._tasks.end()

    # --- asking -----------------------------------------------------------------------------

    def ask(self, text: str) -> None:
        if not self.busy and (text.strip() or self._intake.attachments):
            self._talk.ask(text.strip(), self._intake)

    def stop(self) -> None:
        self._talk.stop()

    def retry(self, turn: int) -> None:
        """Asks a turn's question again: in its place if nothing came, else below what came."""
        self._talk.retry(turn)

    def remove_turn(self, turn: int) -> None:
        self._tasks.spawn(self._talk.remove(turn), "remove turn")

    # --- conversations ----------------------------------------------------------------------

    def new_conversation(self) -> None:
        self._show(self.services.new_talk())

    def open_conversation(self, conversation: int) -> None:
        """Shows it, also while it is asked something elsewhere: what comes is told here too."""
        talk = self.services.talk(conversation)
        if talk is not None:
            self._show(talk)
        else:
            self._tasks.spawn(self._open(conversation), "open")

    def rename_conversation(self, conversation: int, title: str) -> None:
        self.services.rename_conversation(conversation, title)

    def delete_conversation(self, conversation: int) -> None:
        self.services.delete_conversation(conversation)

    def search(self, text: str) -> None:
        self._search = text
        self._relist()

    # --- attachments ------------------------------------------------------------------------

    def attach_files(self, paths: Sequence[Path]) -> None:
        self._intake.add_files(paths)
        self.services.warm()

    def attach_picture(self, image: bytes, media_type: str, source: Source) -> None:
        self._intake.add_picture(image, media_type, source)
        self.services.warm()

    def attach_frames(self, name: str, frames: Sequence[Frame], clips: Sequence[Clip] = ()) -> None:
        """What is pictures already: a capture, the chosen moments of a recording; the recording
        beside them, where it may go whole."""
        self._intake.add_frames(name, frames, clips)
        self.services.warm()

    def unlock(self, attachment: int, password: str) -> None:
        self._intake.unlock(attachment, password)

    def remove_attachment(self, attachment: int) -> None:
        gone = [item for item in self._intake.attachments if item.id == attachment]
        self._intake.remove(attachment)
        self.services.texts.forget(frame for item in gone for frame in item.frames)

    # --- settings ---------------------------------------------------------------------------

    def choose_endpoint(self, name: str) -> None:
        self.services.choose_endpoint(name)

    def apply_settings(self, settings: Settings) -> None:
        self.services.apply_settings(settings)

    # --- the work behind it -----------------------------------------------------------------

    async def _open(self, conversation: int) -> None:
        self._show(await self.services.open_talk(conversation))

    def _show(self, talk: Talk) -> None:
        before, self._talk = self._talk, talk
        talk.follow()
        self._deafen(before)
        was = before.busy
        before.leave()
        shown = Shown(talk.conversation, talk.turns)  # before anything more of it is heard
        self._hear(talk)
        self.conversation_shown.emit(shown)
        if talk.busy != was:
            self.busy_changed.emit(talk.busy)

    def _hear(self, talk: Talk) -> None:
        for fact, told in self._facts(talk):
            fact.connect(told)

    def _deafen(self, talk: Talk) -> None:
        for fact, told in self._facts(talk):
            fact.disconnect(told)

    def _facts(self, talk: Talk) -> tuple[tuple[SignalInstance, SignalInstance], ...]:
        """What a conversation tells, and what is told here for it."""
        return (
            (talk.turn_added, self.turn_added),
            (talk.turn_removed, self.turn_removed),
            (talk.turn_grew, self.turn_grew),
            (talk.turn_ended, self.turn_ended),
            (talk.busy_changed, self.busy_changed),
            (talk.waiting_changed, self.waiting_changed),
            (talk.retitled, self._retitled),
        )

    def _reshow(self, conversation: Conversation) -> None:
        self.conversation_shown.emit(Shown(conversation, self._talk.turns))

    def _lose(self, conversation: int) -> None:
        if self.conversation is not None and self.conversation.id == conversation:
            self.new_conversation()

    def _relist(self) -> None:
        self._tasks.spawn(self._list(), "list")

    async def _list(self) -> None:
        found = await self.services.database.call(Store.conversations, self._search)
        self.conversations_listed.emit(found)

    def _place_moved(self, place: Place) -> None:
        self.place_changed.emit(place)
        self.waiting_changed.emit(place.text if place.state == "starting" else "")

    def _intake_changed(self, attachments: tuple[Attachment, ...]) -> None:
        self.attachments_changed.emit(attachments)
        if not self.place.sees_pictures:
            self.services.texts.begin(frame for item in attachments for frame in item.frames)
