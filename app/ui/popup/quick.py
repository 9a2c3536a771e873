"""The quick window: asks about one picture beside where it was taken, and shows the answer there;
its conversation is kept like any other. Knows no capture and no main window."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QRect, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)

from app.answer.boxes import LabelledBox, find
from app.settings import Settings
from app.store import Turn
from app.ui.dress import Dress
from app.ui.gallery import Gallery
from app.ui.links import open_link
from app.ui.look import Look
from app.ui.places import Place
from app.ui.popup.casing import Casing
from app.ui.popup.offers import Offer, offers
from app.ui.popup.plan import Plan
from app.ui.popup.stature import Stature
from app.ui.services import Services
from app.ui.session import Session, Shown
from app.ui.tasks import Tasks
from app.vocabulary import DocumentFault, Error, Frame

LARGE = 0.7  # of the screen that the picture gets in the gallery


class Quick(Casing):
    """Built hidden, shown by `open`, gone with `closed`; `end` then waits for what is under way.

    `opened_in_window` carries the conversation, which goes on, also in the middle of an answer,
    and `words_moved` what was typed meanwhile; `moved_to_window` the picture and the words where
    nothing was asked yet.
    """

    opened_in_window = Signal(int)
    words_moved = Signal(str)
    moved_to_window = Signal(object, str)  # Frame, words
    settings_wanted = Signal()
    closed = Signal()

    def __init__(self, services: Services, look: Look) -> None:
        super().__init__(look)
        self._services = services
        self.session = Session(services)
        self._tasks = Tasks(self.session.noticed.emit)
        self._frame: Frame | None = None
        self._boxes: tuple[LabelledBox, ...] = ()
        self._going_on = False
        self._wished = False  # to be opened in the window
        self.setWindowTitle(self.tr("Ask Sightline"))
        self.plan = Plan(self, look)
        self.stature = Stature(self, self.plan)
        self._connect_parts()
        self._connect_session()
        self._take_settings(services.settings)
        self._take_place(services.place)
        self._wear()
        self.plan.show_asked(False)
        self.ensurePolished()

    # --- who hears whom ---------------------------------------------------------------------

    def _connect_parts(self) -> None:
        plan, session = self.plan, self.session
        plan.inquiry.asked.connect(session.ask)
        plan.inquiry.stopped.connect(session.stop)
        plan.chips.chosen.connect(self._choose)
        plan.transcript.retried.connect(session.retry)
        plan.transcript.edited.connect(self._edit)
        plan.transcript.link_opened.connect(open_link)
        plan.onward.clicked.connect(self._open_in_window)
        plan.leave.clicked.connect(self.close)
        for picture in (plan.small, plan.large):
            picture.clicked.connect(self._view)
        self.look.changed.connect(self._wear)
        QShortcut(QKeySequence.StandardKey.Close, self).activated.connect(self.close)

    def _connect_session(self) -> None:
        session, plan = self.session, self.plan
        session.turn_added.connect(self._take_turn)
        session.turn_grew.connect(plan.transcript.grow)
        session.turn_ended.connect(self._end_turn)
        session.turn_removed.connect(plan.transcript.remove_turn)
        session.busy_changed.connect(plan.inquiry.show_busy)
        session.waiting_changed.connect(plan.transcript.say_waiting)
        session.place_changed.connect(self._take_place)
        session.settings_changed.connect(self._take_settings)
        session.conversation_shown.connect(self._take_conversation)
        session.noticed.connect(self._warn)

    # --- its life ---------------------------------------------------------------------------

    def open(self, frame: Frame, place: QRect) -> None:
        """Shows itself beside `place` (logical pixels of the desktop), ready to be typed in."""
        self._frame = frame
        self.session.attach_frames(frame.source.name, [frame])
        self.plan.show_frame(frame)
        self.stature.stand(place, self._services.settings.quick_size)
        self.show()
        self.raise_()
        self.activateWindow()
        self.plan.inquiry.prompt.setFocus()

    @property
    def pinned(self) -> bool:
        return self.plan.pin.isChecked()

    @property
    def busy(self) -> bool:
        return self.session.busy

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.hide()
        settings, kept = self._services.settings, self.stature.kept
        if kept and kept != settings.quick_size:
            self._services.apply_settings(replace(settings, quick_size=kept))
        self.closed.emit()

    async def end(self) -> None:
        """Ends what runs on its behalf: an answer too, unless it went to the window."""
        await self._tasks.end()
        await self.session.close(going_on=self._going_on)
        if self._frame is not None and not self._going_on:
            self._services.texts.forget([self._frame])
        self.plan.close_up()

    # --- asking -----------------------------------------------------------------------------

    def _choose(self, offer: Offer) -> None:
        if offer.question:
            self.plan.inquiry.ask(offer.question)
        else:
            self._tasks.spawn(self._copy_text(), "copy the text of a picture")

    async def _copy_text(self) -> None:
        if self._frame is None:
            return
        inquiry = self.plan.inquiry
        inquiry.say(self.tr("Reading the text…"))
        try:
            (read,) = await self._services.texts.of((self._frame,))
        except DocumentFault as fault:
            inquiry.say(fault.message, "danger")
            return
        text = read.text.strip()
        if text:
            QGuiApplication.clipboard().setText(text)
        count = len(text.splitlines())
        copied = (
            self.tr("Text copied · 1 line")
            if count == 1
            else self.tr("Text copied · {count} lines")
        )
        inquiry.say(copied.format(count=count) if text else self.tr("No text found."))

    def _edit(self, turn: int) -> None:
        self.plan.inquiry.write(self.plan.transcript.question(turn))

    # --- the session's facts ----------------------------------------------------------------

    def _take_turn(self, turn: Turn) -> None:
        self.plan.inquiry.taken()
        self.plan.inquiry.say("")
        self.plan.show_asked(True)
        self.stature.show_asked()
        # the picture stands above, once for all questions
        self.plan.transcript.add_turn(replace(turn, frames=()))
        self.stature.fit()
        if self._wished:
            self._open_in_window()

    def _end_turn(self, turn: Turn) -> None:
        self.plan.transcript.end_turn(replace(turn, frames=()))
        boxes = find(turn.answer).boxes
        if boxes:
            self._boxes = boxes
            self.plan.show_boxes(boxes)
            self.stature.fit()

    def _take_conversation(self, shown: Shown) -> None:
        if shown.conversation is None:
            self.close()  # it was deleted elsewhere
        else:
            self.setWindowTitle(shown.conversation.title)

    def _take_place(self, place: Place) -> None:
        self.plan.inquiry.show_place(place)
        self.plan.show_sight(place)

    def _take_settings(self, settings: Settings) -> None:
        self.plan.chips.show_offers(offers(settings.templates))

    def _warn(self, error: Error) -> None:
        if self._frame is None:
            return  # it waits hidden; what fails now is none of its business
        if error.kind in ("bad_key", "no_model", "bad_url"):
            settings = self.tr("Open settings")
            self.plan.banner.warn(error.message, settings, self.settings_wanted.emit)
        else:
            self.plan.banner.warn(error.message)

    def _wear(self, _theme: object = None) -> None:
        self.plan.transcript.set_theme(self.look.theme)

    # --- what else it does ------------------------------------------------------------------

    def _view(self) -> None:
        if self._frame is not None:
            dress = Dress.of(self.look.theme)
            gallery = Gallery([self._frame], dress, self, boxes=self._boxes)
            gallery.resize(self.screen().availableSize() * LARGE)
            gallery.show_frame(0)
            gallery.open()

    def _open_in_window(self) -> None:
        conversation, words = self.session.conversation, self.plan.inquiry.text
        if conversation is None and self.busy:
            self._wished = True  # the question is being written down: when that is done
            return
        self._going_on = True
        if conversation is not None:
            self.opened_in_window.emit(conversation.id)
            if words:
                self.words_moved.emit(words)
        elif self._frame is not None:
            self.moved_to_window.emit(self._frame, words)
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Cancel):
            self._escape()
        else:
            super().keyPressEvent(event)

    def _escape(self) -> None:
        """Closes the innermost thing: a notice, the answer under way, the window."""
        if not self.plan.banner.isHidden():
            self.plan.banner.dismiss()
        elif self.busy:
            self.session.stop()
        elif not self.pinned:
            self.close()

    # --- its size ---------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.stature.fit()
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.plan.fit_large(event.size())
        if event.size().width() != event.oldSize().width():
            self.stature.fit()
