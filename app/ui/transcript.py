"""The conversation on the screen: its turns one below the other, written at a steady pace, and a
view that follows what comes unless somebody is reading back; knows no session."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, TypeAlias

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QImage, QResizeEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget

from app.store import Turn
from app.ui.buttons import label
from app.ui.dress import Dress
from app.ui.exchange import Growth
from app.ui.gallery import Gallery
from app.ui.theme import LIGHT, SPACE, Theme
from app.ui.thumbnails import Thumbnails
from app.ui.tool import Floating
from app.ui.turn import TurnView

Arrangement: TypeAlias = Literal["auto", "beside", "stacked"]

PACE = 33  # ms between two writings
SHARE = 0.008  # s of one writing
REST = 3  # a writing that took long is followed by this many times its length of rest
WIDE = 1_200  # px from which thinking stands beside the answer
EDGE = SPACE[4]  # px beside the column
BETWEEN = SPACE[5] + 4  # px between two turns
NEAR = 24  # px from the end that still count as being there


class Transcript(QWidget):
    """Shows turns. What a user does with one goes out as a signal, once it was done."""

    retried = Signal(int)  # turn
    edited = Signal(int)  # turn
    copied = Signal(str)
    frame_opened = Signal(object)  # Frame
    link_opened = Signal(QUrl)
    heightened = Signal(int)  # how high all of it is now, px

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dress = Dress.of(LIGHT)
        self._arrangement: Arrangement = "auto"
        self._turns: list[TurnView] = []
        self._busy: set[int] = set()  # turns with something to write
        self._following = True
        self._placing = False
        self._waiting_for = ""
        self.thumbnails = Thumbnails(self)
        self.thumbnails.made.connect(self._take_picture)
        if (running := QCoreApplication.instance()) is not None:
            running.aboutToQuit.connect(self.thumbnails.close)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName(self.tr("Conversation"))
        self._column = QWidget()
        self._scroll.setWidget(self._column)
        self._scroll.viewport().installEventFilter(self)
        self._bar = self._scroll.verticalScrollBar()
        self._bar.setSingleStep(44)
        self._bar.valueChanged.connect(self._look_where)
        self._bar.rangeChanged.connect(self._stay_at_end)
        self._placeholder: QWidget = self._sentence()
        self._jump = Floating(self._dress, "arrow-down", self.tr("Jump to the latest"), self)
        self._jump.clicked.connect(self.follow)
        self._jump.hide()
        self._timer = QTimer(self, interval=PACE)
        self._timer.timeout.connect(self._write)
        self._arrange()

    # --- what is shown ----------------------------------------------------------------------

    def show_turns(self, turns: Sequence[Turn]) -> None:
        """Shows these turns and no others, from their end."""
        if self._same(turns):
            return
        for view in self._turns:
            view.deleteLater()
        self._turns = [self._view(turn) for turn in turns]
        self._busy.clear()
        self.follow()

    def add_turn(self, turn: Turn) -> None:
        view = self._view(turn)
        self._turns.append(view)
        view.say_waiting(self._waiting_for)
        self.follow()

    def grow(self, growth: Growth) -> None:
        view = self._known(growth.turn)
        if view is not None:
            self._wake(view)
            view.grow(growth)
            self._begin(view)

    def end_turn(self, turn: Turn) -> None:
        view = self._known(turn.id)
        if view is not None:
            view.end(turn)
            self._begin(view)
            self._arrange()

    def remove_turn(self, turn: int) -> None:
        view = self._known(turn)
        if view is not None:
            self._turns.remove(view)
            self._busy.discard(turn)
            view.hide()
            view.deleteLater()
            self._arrange()

    def question(self, turn: int) -> str:
        """The words of a turn's question; nothing for a turn that isn't here."""
        view = self._known(turn)
        return view.turn.question if view is not None else ""

    def say_waiting(self, words: str) -> None:
        """What is happening while the first word of an answer is awaited."""
        self._waiting_for = words
        for view in self._turns:
            if view.turn.state == "streaming":
                view.say_waiting(words)

    def set_theme(self, theme: Theme) -> None:
        if theme is self._dress.theme:
            return
        self._dress = Dress.of(theme)
        self._jump.wear(self._dress)
        for view in self._turns:
            view.wear(self._dress)
            if view.awake:
                self._begin(view)
        self._write()

    def set_layout(self, arrangement: Arrangement) -> None:
        """Thinking beside the answer, above it, or as the width allows."""
        if arrangement != self._arrangement:
            self._arrangement = arrangement
            self._arrange()

    def follow(self) -> None:
        """Goes to the end and stays there while it grows."""
        self._following = True
        self._arrange()
        self._wake_near()

    # --- turns ------------------------------------------------------------------------------

    def _view(self, turn: Turn) -> TurnView:
        view = TurnView(turn, self._dress, self._column)
        view.moved.connect(self._arrange)
        view.copied.connect(self._copy)
        view.retried.connect(self.retried)
        view.edited.connect(self.edited)
        view.opened.connect(self._open_frame)
        view.followed.connect(self.link_opened)
        view.show()
        return view

    def _known(self, turn: int) -> TurnView | None:
        return next((view for view in reversed(self._turns) if view.turn.id == turn), None)

    def _same(self, turns: Sequence[Turn]) -> bool:
        """Whether these turns stand here already: a conversation that only got a new title."""
        return bool(turns) and [view.turn for view in self._turns] == list(turns)

    def _wake(self, view: TurnView) -> None:
        if not view.awake:
            view.wake(self.thumbnails)
            self._begin(view)

    def _wake_near(self) -> None:
        """Builds the turns in sight and a little beyond."""
        top = self._bar.value()
        high = self._scroll.viewport().height()
        near = [
            view
            for view in self._turns
            if not view.awake
            and view.y() < top + 1.5 * high
            and view.geometry().bottom() > top - high
        ]
        for view in near:
            self._wake(view)
        if near:
            self._write()

    # --- writing ----------------------------------------------------------------------------

    def _begin(self, view: TurnView) -> None:
        self._busy.add(view.turn.id)
        if not self._timer.isActive():
            self._timer.start(PACE)

    def _write(self) -> None:
        began = time.perf_counter()
        for view in reversed(self._turns):
            if view.turn.id in self._busy:
                left = began + SHARE - time.perf_counter()
                if left <= 0:
                    break
                if not view.work(left):
                    self._busy.discard(view.turn.id)
        self._arrange()
        self._pace(time.perf_counter() - began)

    def _pace(self, took: float) -> None:
        """The more a writing cost, the longer the others who want the loop get it."""
        if not self._busy:
            self._timer.stop()
        else:
            self._timer.start(max(PACE, round(REST * took * 1000)))

    # --- placing ----------------------------------------------------------------------------

    def _arrange(self) -> None:
        if self._placing:
            return
        self._placing = True
        held = None if self._following else self._hold()
        width = self._scroll.viewport().width()
        y = self._place_turns(width)
        heightened = y != self._column.height()
        self._column.resize(width, y)
        if held is None:
            self._bar.setValue(self._bar.maximum())
        else:
            part, above = held
            self._bar.setValue(self._height_of(part) - above)
        self._placing = False
        self._placeholder.setVisible(not self._turns)
        self._show_jump()
        if heightened:
            self.heightened.emit(y)

    def _place_turns(self, width: int) -> int:
        room = self._scroll.viewport().height()
        beside = self._arrangement == "beside" or (self._arrangement == "auto" and width >= WIDE)
        y = EDGE
        for view in self._turns:
            high = view.arrange(width - 2 * EDGE, room, beside=beside)
            view.setGeometry(EDGE, y, width - 2 * EDGE, high)
            y += high + BETWEEN
        return y - BETWEEN + EDGE if self._turns else 0

    def _hold(self) -> tuple[QWidget, int] | None:
        """What stands at the top of the view, and where: there it has to stay."""
        top = self._bar.value()
        view = next((view for view in self._turns if view.geometry().bottom() > top), None)
        if view is None:
            return None
        part = view.part_at(top - view.y())
        return part, self._height_of(part) - top

    def _height_of(self, part: QWidget) -> int:
        return part.mapTo(self._column, QPoint(0, 0)).y()

    def _look_where(self, value: int) -> None:
        if not self._placing:
            self._following = value >= self._bar.maximum() - NEAR
            self._wake_near()
            self._show_jump()

    def _stay_at_end(self, _least: int, most: int) -> None:
        """The view got lower: its end moves down only after the turns were placed."""
        if self._following and not self._placing:
            self._placing = True
            self._bar.setValue(most)
            self._placing = False

    def _show_jump(self) -> None:
        away = self._bar.maximum() - self._bar.value()
        self._jump.setVisible(not self._following and away > 4 * NEAR)
        self._jump.move((self.width() - self._jump.width()) // 2, self.height() - 44)
        self._jump.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scroll.setGeometry(self.rect())
        self._placeholder.setGeometry(self.rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._scroll.viewport():
            self._arrange()
            self._wake_near()
        return super().eventFilter(watched, event)

    # --- what the user does -----------------------------------------------------------------

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(text)

    def _open_frame(self, turn: int, at: int) -> None:
        view = self._known(turn)
        if view is not None:
            gallery = Gallery(view.turn.frames, self._dress, self, boxes=view.boxes)
            gallery.open()
            gallery.show_frame(at)
            self.frame_opened.emit(view.turn.frames[at])

    def _take_picture(self, key: tuple[int, int], image: QImage) -> None:
        view = self._known(key[0])
        if view is not None and view.awake:
            view.take_picture(key[1], image)

    def _sentence(self) -> QLabel:
        says = label(self.tr("Ask about what you see."), "quiet")
        says.setParent(self)
        says.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return says
