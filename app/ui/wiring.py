"""Who hears whom: the window's parts and the session, connected in this one place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QObject
from PySide6.QtGui import QImage

from app.settings import Settings
from app.store import Turn
from app.ui.actions import Actions
from app.ui.exchange import Growth
from app.ui.given import Given
from app.ui.links import open_link
from app.ui.places import Place
from app.ui.session import Session, Shown
from app.ui.welcome import Sample
from app.vocabulary import Error, Source

if TYPE_CHECKING:  # the window owns its wiring
    from app.ui.window import Window


class Wiring(QObject):
    """Lives as long as its window."""

    def __init__(self, window: Window, session: Session, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._actions = actions
        self._conversation: int | None = None
        self._questions: dict[int, str] = {}  # of the turns shown
        self._settings = session.settings
        self._connect_session()
        self._connect_parts()
        self._take_settings(session.settings)
        self._take_place(session.place)

    # --- the session's facts ----------------------------------------------------------------

    def _connect_session(self) -> None:
        session, window = self._session, self._window
        session.turn_added.connect(self._take_turn)
        session.turn_removed.connect(self._lose_turn)
        session.turn_grew.connect(self._take_growth)
        session.turn_ended.connect(self._end_turn)
        session.conversation_shown.connect(self._show_conversation)
        session.conversations_listed.connect(self._list)
        session.attachments_changed.connect(window.composer.show_attachments)
        session.place_changed.connect(self._take_place)
        session.busy_changed.connect(window.composer.show_busy)
        session.waiting_changed.connect(window.transcript.say_waiting)
        session.settings_changed.connect(self._take_settings)
        session.noticed.connect(self._warn)
        window.look.changed.connect(window.transcript.set_theme)
        window.transcript.set_theme(window.look.theme)

    def _take_turn(self, turn: Turn) -> None:
        self._conversation = turn.conversation
        self._questions[turn.id] = turn.question
        self._window.composer.taken()
        self._window.status.clear_turn()
        self._window.transcript.add_turn(turn)
        self._window.show_transcript()
        self._window.library.show_current(turn.conversation)

    def _lose_turn(self, turn: int) -> None:
        self._window.transcript.remove_turn(turn)
        self._questions.pop(turn, None)

    def _take_growth(self, growth: Growth) -> None:
        self._window.transcript.grow(growth)
        self._window.status.show_pace(growth.tokens_per_second)

    def _end_turn(self, turn: Turn) -> None:
        self._window.transcript.end_turn(turn)
        self._window.status.show_turn(turn)

    def _show_conversation(self, shown: Shown) -> None:
        window, conversation = self._window, shown.conversation
        self._conversation = None if conversation is None else conversation.id
        self._questions = {turn.id: turn.question for turn in shown.turns}
        window.transcript.show_turns(shown.turns)
        window.status.clear_turn()
        window.library.show_current(self._conversation)
        if shown.turns:
            window.show_transcript()
            window.status.show_turn(shown.turns[-1])
        else:
            window.show_start()
        self._show_title("" if conversation is None else conversation.title)
        window.composer.prompt.setFocus()

    def _list(self, conversations: tuple[object, ...]) -> None:
        self._window.library.show_conversations(conversations)  # type: ignore[arg-type]
        title = self._window.library.title(self._conversation)
        if title is not None:
            self._show_title(title)

    def _show_title(self, title: str) -> None:
        self._window.header.show_title(title)
        self._window.setWindowTitle(f"{title} – Sightline" if title else "Sightline")

    def _take_place(self, place: Place) -> None:
        self._window.status.show_place(place)
        self._window.composer.show_sight(place.sees_pictures, local=place.local)
        self._window.composer.show_thinking(self._settings.thinking, offered=place.thinks)

    def _take_settings(self, settings: Settings) -> None:
        window, self._settings = self._window, settings
        window.header.show_settings(settings)
        window.look.choose(settings.theme)
        window.transcript.set_layout(settings.layout)
        window.composer.show_thinking(settings.thinking, offered=self._session.place.thinks)

    def _warn(self, error: Error) -> None:
        if error.kind in ("bad_key", "no_model", "bad_url"):
            self._window.banner.warn(
                error.message, self.tr("Open settings"), self._actions.preferences
            )
        else:
            self._window.banner.warn(error.message)

    # --- what the parts ask for -------------------------------------------------------------

    def _connect_parts(self) -> None:
        session, window = self._session, self._window
        library, composer, header = window.library, window.composer, window.header
        library.opened.connect(session.open_conversation)
        library.renamed.connect(session.rename_conversation)
        library.searched.connect(session.search)
        library.delete_wanted.connect(self._delete)
        library.new_wanted.connect(session.new_conversation)
        library.preferences_wanted.connect(self._actions.preferences)
        library.help_wanted.connect(self._actions.help)
        header.library_wanted.connect(window.toggle_library)
        header.endpoint_chosen.connect(session.choose_endpoint)
        header.add_wanted.connect(self._actions.add_endpoint)
        composer.asked.connect(session.ask)
        composer.stopped.connect(session.stop)
        composer.attach_wanted.connect(self._actions.attach)
        composer.capture_wanted.connect(self._actions.capture)
        composer.thinking_chosen.connect(self._choose_thinking)
        composer.prompt.given.connect(self._take)
        composer.strip.removed.connect(session.remove_attachment)
        composer.strip.unlocked.connect(session.unlock)
        composer.strip.opened.connect(self._actions.view)
        self._connect_transcript()
        window.welcome.sample_chosen.connect(self._try)
        window.welcome.capture_wanted.connect(self._actions.capture)
        window.dropped.connect(self._take)
        window.escaped.connect(self._escape)
        window.closed.connect(self._keep_geometry)

    def _connect_transcript(self) -> None:
        transcript = self._window.transcript
        transcript.retried.connect(self._session.retry)
        transcript.edited.connect(self._edit)
        transcript.link_opened.connect(open_link)

    def _take(self, given: Given) -> None:
        """What was pasted or dropped, all of it or named in refusal."""
        if given.files:
            self._session.attach_files(given.files)
        if given.picture is not None:
            image, media_type = given.picture
            self._session.attach_picture(image, media_type, self._pasted())
        if given.image is not None:
            self._actions.tasks.spawn(self._encode(given.image), "encode a pasted picture")
        if given.text:
            self._window.composer.prompt.insertPlainText(given.text)
        if given.refused:
            names = ", ".join(given.refused)
            self._window.banner.warn(
                self.tr("Only files on this machine can be attached: {names}").format(names=names)
            )
        self._window.composer.prompt.setFocus()

    async def _encode(self, image: QImage) -> None:
        encoded = await asyncio.to_thread(_png, image)
        self._session.attach_picture(encoded, "image/png", self._pasted())

    def _pasted(self) -> Source:
        return Source("paste", self.tr("Pasted picture"))

    def _try(self, sample: Sample) -> None:
        self._session.attach_files([sample.file])
        self._session.ask(sample.question)

    def _edit(self, turn: int) -> None:
        if turn in self._questions:
            self._window.composer.ask_again(self._questions[turn])

    def _choose_thinking(self, thinking: bool | None) -> None:
        self._session.apply_settings(replace(self._settings, thinking=thinking))

    def _delete(self, conversation: int) -> None:
        """Out of sight at once, out of the store when it is no longer wanted back."""
        library = self._window.library
        title = library.title(conversation) or ""
        library.hide_conversation(conversation)
        shown = conversation == self._conversation
        if shown:
            self._session.new_conversation()
        self._window.banner.offer(
            self.tr("“{title}” is deleted.").format(title=title),
            self.tr("Undo"),
            lambda: self._restore(conversation, shown=shown),
            expired=lambda: self._session.delete_conversation(conversation),
        )

    def _restore(self, conversation: int, *, shown: bool) -> None:
        self._window.library.show_again(conversation)
        if shown:
            self._session.open_conversation(conversation)

    # --- the end ----------------------------------------------------------------------------

    def _escape(self) -> None:
        """Closes the innermost thing: a notice, then the answer under way."""
        if not self._window.banner.isHidden():
            self._window.banner.dismiss()
        elif self._session.busy:
            self._session.stop()

    def _keep_geometry(self) -> None:
        self._window.banner.dismiss()  # what waits to be undone is meant
        geometry = self._window.geometry_text()
        if geometry != self._settings.geometry:
            self._session.apply_settings(replace(self._settings, geometry=geometry))


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())
