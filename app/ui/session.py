"""The only bridge from async work to Qt: what the user does goes in, facts come out as signals."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.docs.reader import DocumentWorker
from app.engine.child import Command, command
from app.engine.client import Client
from app.engine.prompt import compose
from app.keys import Keys
from app.settings import LOCAL, Folders, Profile, Settings, save
from app.store import Conversation, Store, Turn
from app.ui.attachment import Attachment
from app.ui.database import Database
from app.ui.exchange import Exchange
from app.ui.intake import Intake
from app.ui.places import Place, Places
from app.ui.shelf import adopt, read
from app.ui.tasks import Tasks
from app.ui.texts import Texts
from app.vocabulary import (
    EndpointFault,
    EngineFault,
    Error,
    Fault,
    Frame,
    Message,
    Sampling,
    Source,
)

TITLE = 48  # characters of a conversation's first question that become its title


@dataclass(frozen=True, slots=True)
class Shown:
    conversation: Conversation | None
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """What asking an endpoint for its models said."""

    name: str
    ok: bool
    message: str
    models: tuple[str, ...] = ()


class Session(QObject):
    """One window's work. Methods return at once; what came of them is told by the signals."""

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
    endpoint_tested = Signal(object)  # Tested
    models_listed = Signal(object)  # Shelf
    model_refused = Signal(str)  # why a folder is none, in a sentence
    noticed = Signal(object)  # Error

    def __init__(
        self, settings: Settings, folders: Folders, keys: Keys, *, engine: Command = command
    ) -> None:
        super().__init__()
        self._settings = settings
        self._folders = folders
        self._keys = keys
        self._tasks = Tasks(self.noticed.emit)
        self._database = Database(folders.data)
        self._client = Client()
        self._worker = DocumentWorker()
        self._places = Places(folders.data, keys, changed=self._place_moved, engine=engine)
        self._texts = Texts(self._worker, self._tasks)
        self._intake = Intake(self._worker, self._tasks, self._intake_changed)
        self._place: Place | None = None
        self._asking: asyncio.Task[None] | None = None
        self._conversation: Conversation | None = None
        self._turns: list[Turn] = []
        self._search = ""
        self._saving = asyncio.Lock()

    # --- what the window asks ---------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def place(self) -> Place:
        if self._place is None:
            self._place = self._here()
        return self._place

    @property
    def busy(self) -> bool:
        return self._asking is not None

    def start(self) -> None:
        """Reads the list of conversations; the window is already on the screen."""
        self._tasks.spawn(self._list(), "list")

    async def close(self) -> None:
        """Ends everything that runs, the answer so far kept."""
        await self._tasks.end()
        await self._client.close()
        await self._worker.close()
        await self._places.close()
        await self._database.close()

    # --- asking -----------------------------------------------------------------------------

    def ask(self, text: str) -> None:
        if not self.busy and (text.strip() or self._intake.attachments):
            self._begin(self._ask(text.strip()))

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def retry(self, turn: int) -> None:
        """Asks a turn's question again: in its place if nothing came, else below what came."""
        known = self._known(turn)
        if known is not None and not self.busy:
            self._begin(self._retry(known))

    def remove_turn(self, turn: int) -> None:
        self._tasks.spawn(self._remove(turn), "remove turn")

    # --- conversations ----------------------------------------------------------------------

    def new_conversation(self) -> None:
        self.stop()
        self._show(None, ())

    def open_conversation(self, conversation: int) -> None:
        self.stop()
        self._tasks.spawn(self._open(conversation), "open")

    def rename_conversation(self, conversation: int, title: str) -> None:
        self._tasks.spawn(self._rename(conversation, title), "rename", kept=True)

    def delete_conversation(self, conversation: int) -> None:
        self._tasks.spawn(self._delete(conversation), "delete", kept=True)

    def search(self, text: str) -> None:
        self._search = text
        self._tasks.spawn(self._list(), "search")

    # --- attachments ------------------------------------------------------------------------

    def attach_files(self, paths: Sequence[Path]) -> None:
        self._intake.add_files(paths)
        self._warm()

    def attach_picture(self, image: bytes, media_type: str, source: Source) -> None:
        self._intake.add_picture(image, media_type, source)
        self._warm()

    def unlock(self, attachment: int, password: str) -> None:
        self._intake.unlock(attachment, password)

    def remove_attachment(self, attachment: int) -> None:
        self._intake.remove(attachment)

    # --- endpoints and settings -------------------------------------------------------------

    def choose_endpoint(self, name: str) -> None:
        self.apply_settings(replace(self._settings, endpoint=name))

    def apply_settings(self, settings: Settings) -> None:
        self._settings = settings
        self._place_moved(self._here())
        self.settings_changed.emit(settings)
        self._tasks.spawn(self._save_settings(), "save settings", kept=True)

    def set_key(self, profile: str, key: str) -> None:
        self._tasks.spawn(self._set_key(profile, key), "keep key", kept=True)

    def test_endpoint(self, profile: Profile, key: str) -> None:
        self._tasks.spawn(self._test(profile, key), "test endpoint")

    def list_models(self) -> None:
        self._tasks.spawn(self._list_models(), "list models")

    def use_model(self, path: Path) -> None:
        """Chooses the model in a folder anywhere, or says why it can't be."""
        self._tasks.spawn(self._use_model(path), "use a model")

    # --- the work behind it -----------------------------------------------------------------

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        self._asking = self._tasks.spawn(work, "ask")
        self._asking.add_done_callback(self._ended)
        self.busy_changed.emit(True)

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._asking = None
        self.busy_changed.emit(False)

    async def _ask(self, text: str) -> None:
        await self._intake.settled()
        frames = self._intake.frames
        if not frames and not text:
            return  # every attachment failed; each says why in its place
        turn = await self._add_turn(text, frames)
        self._intake.clear()
        await self._answer(turn)

    async def _retry(self, old: Turn) -> None:
        if not old.answer and not old.thinking:
            await self._remove(old.id)
        await self._answer(await self._add_turn(old.question, old.frames))

    async def _add_turn(self, text: str, frames: tuple[Frame, ...]) -> Turn:
        if self._conversation is None:
            title = _title(text, frames)
            self._conversation = await self._database.call(Store.start_conversation, title)
        turn = await self._database.call(
            Store.start_turn,
            self._conversation.id,
            text,
            frames,
            self._settings.endpoint,
            self._model(),
        )
        self._turns.append(turn)
        self.turn_added.emit(turn)
        await self._list()
        return turn

    async def _answer(self, turn: Turn) -> None:
        exchange = Exchange(turn, self._database, self._tasks, self.turn_grew.emit)
        history = self._history(before=turn)
        try:
            async with self._places.held(self._settings) as endpoint:
                if not endpoint.sees_pictures:
                    turn = exchange.turn = await self._read_texts(turn)
                question = Message("user", turn.question, turn.frames)
                system = self._settings.system_prompt
                messages = compose(endpoint, question, history, system)
                events = self._client.stream(endpoint, messages, self._sampling())
                ended = await exchange.run(self._places.answer(endpoint, events))
        except asyncio.CancelledError:
            ended = await exchange.cancel()
        except Fault as fault:
            ended = await exchange.finish(fault.as_error())
        self._turns = [ended if known.id == ended.id else known for known in self._turns]
        self.turn_ended.emit(ended)

    async def _read_texts(self, turn: Turn) -> Turn:
        """The turn, every picture of it with its text, kept for the questions to come."""
        self.waiting_changed.emit(self.tr("Reading the text in the pictures"))
        frames = await self._texts.of(turn.frames)
        self.waiting_changed.emit("")
        if frames != turn.frames:
            await self._database.call(Store.keep_texts, turn.id, frames)
        self._texts.forget()
        return replace(turn, frames=frames)

    def _history(self, before: Turn) -> tuple[Message, ...]:
        past = [t for t in self._turns if t.id != before.id and t.answer]
        said = past[len(past) - min(len(past), self._settings.history_turns) :]
        return tuple(
            message
            for t in said
            for message in (Message("user", t.question, t.frames), Message("assistant", t.answer))
        )

    def _sampling(self) -> Sampling:
        s = self._settings
        return Sampling(s.max_tokens, s.temperature, s.top_p, thinking=s.thinking)

    def _model(self) -> str:
        for profile in self._settings.profiles:
            if profile.name == self._settings.endpoint:
                return profile.model
        return self._settings.local_model

    def _known(self, turn: int) -> Turn | None:
        return next((known for known in self._turns if known.id == turn), None)

    async def _remove(self, turn: int) -> None:
        await self._database.call(Store.delete_turn, turn)
        self._turns = [known for known in self._turns if known.id != turn]
        self.turn_removed.emit(turn)

    async def _list(self) -> None:
        found = await self._database.call(Store.conversations, self._search)
        self.conversations_listed.emit(found)

    async def _open(self, conversation: int) -> None:
        turns = await self._database.call(Store.turns, conversation)
        listed = await self._database.call(Store.conversations)
        self._show(next((c for c in listed if c.id == conversation), None), turns)

    async def _rename(self, conversation: int, title: str) -> None:
        await self._database.call(Store.rename, conversation, title)
        await self._list()
        if self._conversation is not None and self._conversation.id == conversation:
            self._show(replace(self._conversation, title=title), tuple(self._turns))

    async def _delete(self, conversation: int) -> None:
        if self._conversation is not None and self._conversation.id == conversation:
            self.new_conversation()
        await self._database.call(Store.delete, conversation)
        await self._list()

    def _show(self, conversation: Conversation | None, turns: tuple[Turn, ...]) -> None:
        self._conversation = conversation
        self._turns = list(turns)
        self.conversation_shown.emit(Shown(conversation, turns))

    async def _save_settings(self) -> None:
        async with self._saving:  # one after the other, each the newest
            await asyncio.to_thread(save, self._settings, self._folders.config)

    async def _set_key(self, profile: str, key: str) -> None:
        if not await asyncio.to_thread(self._keys.set, profile, key):
            self.noticed.emit(Error("no_keyring", self._keys.reason))

    async def _test(self, profile: Profile, key: str) -> None:
        key = key or await asyncio.to_thread(self._keys.get, profile.name)
        try:
            models = await self._client.models(profile.endpoint(key))
        except EndpointFault as fault:
            self.endpoint_tested.emit(Tested(profile.name, False, fault.message))
            return
        self.endpoint_tested.emit(Tested(profile.name, True, "It answers.", models))

    async def _list_models(self) -> None:
        chosen = self._settings.local_model
        self.models_listed.emit(await asyncio.to_thread(read, self._folders.data, chosen))

    async def _use_model(self, path: Path) -> None:
        try:
            model = await asyncio.to_thread(adopt, path, self._folders.data)
        except EngineFault as fault:
            self.model_refused.emit(fault.message)
            return
        self.apply_settings(replace(self._settings, local_model=model))

    def _warm(self) -> None:
        """Starts the engine while the question is still being written."""
        if self.place.local and self.place.state in ("cold", "failed"):
            self._tasks.spawn(self._start_engine(), "warm")

    async def _start_engine(self) -> None:
        await self._places.endpoint(self._settings)

    def _here(self) -> Place:
        return self._places.place(self._settings)

    def _place_moved(self, place: Place) -> None:
        if place.local and self._settings.endpoint != LOCAL:
            return  # the engine goes on with what it does, but questions go elsewhere
        self._place = place
        self.place_changed.emit(place)
        self.waiting_changed.emit(place.text if place.state == "starting" else "")

    def _intake_changed(self, attachments: tuple[Attachment, ...]) -> None:
        self.attachments_changed.emit(attachments)
        if not self.place.sees_pictures:
            self._texts.begin(frame for item in attachments for frame in item.frames)


def _title(text: str, frames: tuple[Frame, ...]) -> str:
    first = text.split("\n", 1)[0].strip() or (frames[0].source.name if frames else "")
    return first if len(first) <= TITLE else first[: TITLE - 1].rstrip() + "…"
