"""The frozen selection before it is asked about: marks are made on it, secrets in it are offered
to be hidden, and it is copied, saved, pinned, read or asked about; knows neither how a selection is
made nor what becomes of the question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Literal

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.capture.secrets import Secret
from app.ui.look import Look
from app.ui.places import HERE
from app.ui.screen.hand import WIDTHS
from app.ui.screen.ink import burn
from app.ui.screen.keeping import Keeper
from app.ui.screen.marks import Pixelate, Redact, rect
from app.ui.screen.pin import Pins
from app.ui.screen.reading import Reading
from app.ui.screen.sketch import Sketch
from app.ui.screen.tools import DEED_KEYS, KEYS, Bar, colours
from app.ui.tasks import Tasks
from app.ui.texts import Texts
from app.vocabulary import Fault, Region

Purpose = Literal["ask", "attach"]
SAID = 2_600  # ms that a note stands
DONE = 1_100  # ms to read how much was copied, before the overlay goes
ARROWS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}


@dataclass(frozen=True, slots=True)
class Aids:
    """What the studio needs of the program; `where` says where a question would go now."""

    texts: Texts
    tasks: Tasks
    pins: Pins
    keeper: Keeper
    where: Callable[[], str]


class Studio(Sketch):
    """Marks, and all that can be done with what is marked. The pane closes on each of the signals
    from `asked` to `cancelled`, and calls `show_region` when the selection is another."""

    asked = Signal()
    attached = Signal()
    copied = Signal()
    saved = Signal(object)  # Path
    pinned = Signal()
    cancelled = Signal()

    def __init__(
        self, pane: QWidget, look: Look, still: QImage, aids: Aids, *, deed: Purpose = "ask"
    ) -> None:
        super().__init__(pane, still)
        self._look, self._aids, self._purpose = look, aids, deed
        self.hand.colour = colours(look.theme)[1]
        self._secrets: tuple[Secret, ...] = ()
        self._reading = Reading(still, aids.texts, aids.tasks, self)
        self._reading.found.connect(self._take_secrets)
        self._job: asyncio.Task[None] | None = None
        self._leaving = QTimer(self, singleShot=True, interval=DONE)
        self._leaving.timeout.connect(self.copied)
        self._quiet = QTimer(self, singleShot=True, interval=SAID)
        self._quiet.timeout.connect(self._show_offer)
        self.bar = Bar(pane, look, deed=deed)
        self.bar.chosen.connect(self.choose_tool)
        self.bar.coloured.connect(self._choose_colour)
        self.bar.weighed.connect(self._choose_weight)
        self.bar.pressed.connect(self.do)
        self._keys = self._make_keys()
        self._leave_key = self._key("Esc", self.step_back)
        self._mark_keys = self._make_mark_keys()
        self.drawn.connect(self._show_state)
        self.touched.connect(self._leaving.stop)
        self.show_where(aids.where())
        self.bar.hide()
        self.hide()

    # --- what the pane tells and asks -------------------------------------------------------

    def show_region(self, region: Region | None) -> None:
        """The selection in the still's pixels; None while there is none or it is being dragged."""
        self.enter(region)
        self._reading.settle(region)
        self._listen(region is not None)
        self.setVisible(region is not None)
        self.bar.setVisible(region is not None)
        self.raise_()
        self.bar.raise_()
        self._show_state()

    def show_where(self, where: str) -> None:
        self.bar.show_where(self.tr("this machine") if where == HERE else where)

    def picture(self) -> QImage:
        """The selection with everything burnt in: what is hidden is in it no more."""
        self.end_field()
        assert self._region is not None, "a picture is asked for only while something is selected"
        return burn(self._still, self._region, self.hand.sheet.marks, self._mosaic)

    def end(self) -> None:
        """The pane goes: nothing is read for it any more."""
        self._reading.stop()
        for timer in (self._leaving, self._quiet):
            timer.stop()
        if self._job is not None:
            self._job.cancel()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not self._pane.isVisible():
            self.end()

    # --- keys -------------------------------------------------------------------------------

    def _make_keys(self) -> list[QShortcut]:
        """Those that hold while there is a selection."""
        made = [
            self._key(key, partial(self.choose_tool, tool))
            for tool, keys in KEYS.items()
            for key in keys
        ]
        made += [self._key(key, partial(self.do, deed)) for deed, key in DEED_KEYS.items()]
        made.append(self._key("Ctrl+Y", lambda: self.do("redo")))
        made.append(self._key("C", self._next_colour))
        made.append(self._key("[", lambda: self._choose_weight(self.hand.weight - 1)))
        made.append(self._key("]", lambda: self._choose_weight(self.hand.weight + 1)))
        return made

    def _make_mark_keys(self) -> list[QShortcut]:
        """Those that are the pane's until a mark is taken up."""
        made = [self._key(key, self._remove) for key in ("Del", "Backspace")]
        for key, (dx, dy) in ARROWS.items():
            made.append(self._key(key, partial(self._nudge, dx, dy)))
            made.append(self._key(f"Shift+{key}", partial(self._nudge, 10 * dx, 10 * dy)))
        return made

    def _key(self, keys: str, does: Callable[[], None]) -> QShortcut:
        made = QShortcut(QKeySequence(keys), self._pane)
        made.activated.connect(does)
        made.setEnabled(False)
        return made

    def _listen(self, on: bool) -> None:
        """Whether the keys mean something here."""
        for key in self._keys:
            key.setEnabled(on)
        selected = on and self._region is not None
        self._leave_key.setEnabled(selected and self.engaged)
        for key in self._mark_keys:
            key.setEnabled(selected and self.hand.chosen is not None)

    def _choose_colour(self, colour: str) -> None:
        self.hand.colour = colour
        self.show_change(self.hand.restyle())

    def _next_colour(self) -> None:
        shades = colours(self._look.theme)
        at = shades.index(self.hand.colour) if self.hand.colour in shades else -1
        self._choose_colour(shades[(at + 1) % len(shades)])

    def _choose_weight(self, weight: int) -> None:
        self.hand.weight = min(max(0, weight), len(WIDTHS) - 1)
        self.show_change(self.hand.restyle())

    def _nudge(self, dx: int, dy: int) -> None:
        self.show_change(self.hand.nudge(dx, dy))

    def _remove(self) -> None:
        self.show_change(self.hand.remove())

    def _show_state(self) -> None:
        """The bar and the keys say what is now."""
        hand, sheet = self.hand, self.hand.sheet
        styled = hand.chosen is not None and not isinstance(hand.chosen, Redact | Pixelate)
        self.bar.show_tool(hand.tool, hand.colour, hand.weight, styled=styled)
        self.bar.show_steps(back=bool(sheet.before), on=bool(sheet.after))
        self._listen(self._region is not None)
        self._show_offer()

    # --- what is done with the picture ------------------------------------------------------

    def do(self, deed: str) -> None:
        """What a button of the bar says, by its name."""
        self.end_field()
        self._leaving.stop()
        match deed:
            case "undo":
                self.show_change(self.hand.undo())
            case "redo":
                self.show_change(self.hand.redo())
            case "hide":
                self._hide_secrets()
            case "text":
                self._start(self._copy_text())
            case "save":
                self._start(self._save())
            case "copy":
                QGuiApplication.clipboard().setImage(self.picture())
                self.copied.emit()
            case "pin":
                self._pin()
            case "take":
                (self.asked if self._purpose == "ask" else self.attached).emit()
            case "leave":
                self.cancelled.emit()

    def _pin(self) -> None:
        assert self._region is not None
        corner = self._pane.mapToGlobal(self._logical(rect(self._region).toRectF()).topLeft())
        picture = self.picture()
        self.pinned.emit()  # first: a pin under the overlay would not be in front
        self._aids.pins.pin(picture, corner.toPoint())

    # --- secrets ----------------------------------------------------------------------------

    def _take_secrets(self, secrets: tuple[Secret, ...]) -> None:
        self._secrets = secrets
        self._show_offer()

    def _open_secrets(self) -> tuple[Secret, ...]:
        """Those that can still be read."""
        return tuple(
            secret
            for secret in self._secrets
            if self._region is not None
            and any(rect(part).intersects(rect(self._region)) for part in secret.regions)
            and not all(self.hand.hides(part) for part in secret.regions)
        )

    def _show_offer(self) -> None:
        if self._quiet.isActive():
            return  # what was said is read first
        found = len(self._open_secrets())
        text = self.tr("1 secret found") if found == 1 else self.tr("{count} secrets found")
        self.bar.show_note(
            text.format(count=found) if found else "", "shield-alert", hide=bool(found)
        )
        self._place()

    def _hide_secrets(self) -> None:
        secrets = self._open_secrets()
        if secrets:
            parts = [part for secret in secrets for part in secret.regions]
            around = self.hand.hide(part for part in parts if not self.hand.hides(part))
            count = len(secrets)
            text = self.tr("1 secret hidden") if count == 1 else self.tr("{count} secrets hidden")
            self._say(text.format(count=count), "check")
            self.show_change(around)

    def _say(self, text: str, icon: str = "info") -> None:
        self.bar.show_note(text, icon)
        self._quiet.start()
        self._place()

    # --- what takes a while -----------------------------------------------------------------

    def _start(self, work: Coroutine[object, object, None]) -> None:
        """One at a time."""
        if self._job is not None and not self._job.done():
            work.close()
            return
        self._job = self._aids.tasks.spawn(self._told(work), "work on the selection")

    async def _told(self, work: Coroutine[object, object, None]) -> None:
        """What goes wrong is said where it was asked for."""
        try:
            await work
        except Fault as fault:
            self._say(fault.message, "circle-alert")

    async def _copy_text(self) -> None:
        self._quiet.stop()
        self.bar.show_note(self.tr("Reading the text…"), "scan-text")
        self._place()
        text = await self._reading.text(self.picture())
        if not text:
            self._say(self.tr("There is no text to be read here."))
            return
        QGuiApplication.clipboard().setText(text)
        one = len(text) == 1
        said = self.tr("Copied 1 character") if one else self.tr("Copied {count} characters")
        self._say(said.format(count=len(text)), "check")
        self._leaving.start()

    async def _save(self) -> None:
        self._listen(False)  # letters are a file's name now, and no tools
        try:
            path = await self._aids.keeper.keep(self._pane, self.picture())
        finally:
            self._listen(True)
            self._pane.activateWindow()
            self._pane.setFocus()
        if path is not None:
            self.saved.emit(path)

    def _place(self) -> None:
        if self._region is not None:
            box = self._logical(rect(self._region).toRectF()).toAlignedRect()
            self.bar.beside(box, self._pane.rect())
