"""What all sessions share: the store, the client, the document worker, the endpoints, the settings
and the conversations that are open; knows no session and no window."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.docs.reader import DocumentWorker
from app.engine.child import Command, command
from app.engine.client import Client
from app.keys import Keys
from app.settings import LOCAL, Folders, Profile, Settings, save
from app.store import Store
from app.ui.database import Database
from app.ui.places import Place, Places
from app.ui.shelf import adopt, read
from app.ui.talk import Talk
from app.ui.tasks import Tasks
from app.ui.texts import Texts
from app.vocabulary import EndpointFault, EngineFault, Error


@dataclass(frozen=True, slots=True)
class Tested:
    """What asking an endpoint for its models said."""

    name: str
    ok: bool
    message: str
    models: tuple[str, ...] = ()


class Services(QObject):
    """Made once for a program. Methods return at once; what came of them is told by the signals,
    to every session."""

    settings_changed = Signal(object)  # Settings
    place_changed = Signal(object)  # Place
    conversations_changed = Signal()  # one was begun, asked in, renamed or deleted
    conversation_deleted = Signal(int)
    endpoint_tested = Signal(object)  # Tested
    models_listed = Signal(object)  # Shelf
    model_refused = Signal(str)  # why a folder is none, in a sentence
    noticed = Signal(object)  # Error

    def __init__(
        self, settings: Settings, folders: Folders, keys: Keys, *, engine: Command = command
    ) -> None:
        super().__init__()
        self._settings = settings
        self.folders = folders
        self.keys = keys
        self.tasks = Tasks(self.noticed.emit)
        self.database = Database(folders.data)
        self.client = Client()
        self.worker = DocumentWorker()
        self.places = Places(folders.data, keys, changed=self._place_moved, engine=engine)
        self.texts = Texts(self.worker, self.tasks)
        self._place: Place | None = None
        self._talks: dict[int, Talk] = {}  # those that are followed or asked
        self._saving = asyncio.Lock()

    async def close(self) -> None:
        """Ends everything that runs, answers so far kept; after the sessions' own ends."""
        await self.tasks.end()
        await self.client.close()
        await self.worker.close()
        await self.places.close()
        await self.database.close()

    # --- conversations ----------------------------------------------------------------------

    def new_talk(self) -> Talk:
        """A conversation that begins with its first question."""
        return Talk(self)

    def talk(self, conversation: int) -> Talk | None:
        """The conversation, if a session follows it or it is asked something."""
        return self._talks.get(conversation)

    async def open_talk(self, conversation: int) -> Talk:
        """The conversation as it stands now, whoever else follows it.

        Raises:
            StoreFault: it isn't there, or can't be read.
        """
        if conversation not in self._talks:
            known = await self.database.call(Store.conversation, conversation)
            turns = await self.database.call(Store.turns, conversation)
            self._talks.setdefault(conversation, Talk(self, known, turns))
        return self._talks[conversation]

    def keep_talk(self, talk: Talk) -> None:
        """A conversation was begun; others can follow it from now on."""
        if talk.conversation is not None:
            self._talks[talk.conversation.id] = talk

    def drop_talk(self, talk: Talk) -> None:
        """Nobody follows it any more."""
        if talk.conversation is not None and self._talks.get(talk.conversation.id) is talk:
            del self._talks[talk.conversation.id]

    def rename_conversation(self, conversation: int, title: str) -> None:
        self.tasks.spawn(self._rename(conversation, title), "rename", kept=True)

    def delete_conversation(self, conversation: int) -> None:
        self.tasks.spawn(self._delete(conversation), "delete", kept=True)

    async def _rename(self, conversation: int, title: str) -> None:
        await self.database.call(Store.rename, conversation, title)
        talk = self._talks.get(conversation)
        if talk is not None:
            talk.take_title(title)
        self.conversations_changed.emit()

    async def _delete(self, conversation: int) -> None:
        talk = self._talks.pop(conversation, None)
        self.conversation_deleted.emit(conversation)
        if talk is not None:
            await talk.ended()  # its last words are written before they go
        await self.database.call(Store.delete, conversation)
        self.conversations_changed.emit()

    # --- settings and keys ------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return self._settings

    def apply_settings(self, settings: Settings) -> None:
        self._settings = settings
        self._place_moved(self._here())
        self.settings_changed.emit(settings)
        self.tasks.spawn(self._save_settings(), "save settings", kept=True)

    def set_key(self, profile: str, key: str) -> None:
        self.tasks.spawn(self._set_key(profile, key), "keep key", kept=True)

    async def _save_settings(self) -> None:
        async with self._saving:  # one after the other, each the newest
            await asyncio.to_thread(save, self._settings, self.folders.config)

    async def _set_key(self, profile: str, key: str) -> None:
        if not await asyncio.to_thread(self.keys.set, profile, key):
            self.noticed.emit(Error("no_keyring", self.keys.reason))

    # --- endpoints and models ---------------------------------------------------------------

    @property
    def place(self) -> Place:
        """Where questions go now."""
        if self._place is None:
            self._place = self._here()
        return self._place

    def choose_endpoint(self, name: str) -> None:
        self.apply_settings(replace(self._settings, endpoint=name))

    def warm(self) -> None:
        """Starts the engine while the question is still being written."""
        if self.place.local and self.place.state in ("cold", "failed"):
            self.tasks.spawn(self._start_engine(), "warm")

    def test_endpoint(self, profile: Profile, key: str) -> None:
        self.tasks.spawn(self._test(profile, key), "test endpoint")

    def list_models(self) -> None:
        self.tasks.spawn(self._list_models(), "list models")

    def use_model(self, path: Path) -> None:
        """Chooses the model in a folder anywhere, or says why it can't be."""
        self.tasks.spawn(self._use_model(path), "use a model")

    async def _start_engine(self) -> None:
        await self.places.endpoint(self._settings)

    async def _test(self, profile: Profile, key: str) -> None:
        key = key or await asyncio.to_thread(self.keys.get, profile.name)
        try:
            models = await self.client.models(profile.endpoint(key))
        except EndpointFault as fault:
            self.endpoint_tested.emit(Tested(profile.name, False, fault.message))
            return
        self.endpoint_tested.emit(Tested(profile.name, True, "It answers.", models))

    async def _list_models(self) -> None:
        chosen = self._settings.local_model
        self.models_listed.emit(await asyncio.to_thread(read, self.folders.data, chosen))

    async def _use_model(self, path: Path) -> None:
        try:
            model = await asyncio.to_thread(adopt, path, self.folders.data)
        except EngineFault as fault:
            self.model_refused.emit(fault.message)
            return
        self.apply_settings(replace(self._settings, local_model=model))

    def _here(self) -> Place:
        return self.places.place(self._settings)

    def _place_moved(self, place: Place) -> None:
        if place.local and self._settings.endpoint != LOCAL:
            return  # the engine goes on with what it does, but questions go elsewhere
        self._place = place
        self.place_changed.emit(place)
