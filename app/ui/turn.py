"""One turn on the screen: the question, the thinking, the answer, how it ended. It places its
parts itself; knows nothing of the turns beside it."""

from __future__ import annotations

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.answer.boxes import LabelledBox, find
from app.store import Turn
from app.ui.dress import Dress
from app.ui.exchange import Growth
from app.ui.footer import HEIGHT as FOOT
from app.ui.footer import INSET, Footer, Notice, Waiting
from app.ui.page import Page
from app.ui.panes import HEAD as PANE_HEAD
from app.ui.panes import ThinkingPane
from app.ui.question import Question
from app.ui.theme import MEASURE, SPACE
from app.ui.thumbnails import Thumbnails
from app.vocabulary import Answer, Done, Error, Retract, Thinking, ToolCall, Usage

GAP = SPACE[3]  # px between the parts of a turn
SHARE = 0.36  # of the width that the thinking gets beside the answer
GUTTER = SPACE[4]  # px between the two
LOW, HIGH = 0.30, 0.62  # of the window's height that thinking gets above or beside the answer
LETTERS = 90  # characters that a line holds, about: for turns not looked at yet


class TurnView(QWidget):
    """A turn is built when it is first looked at (`wake`); until then it only has a height."""

    moved = Signal()  # its height may have changed by the user's hand
    copied = Signal(str)
    retried = Signal(int)
    edited = Signal(int)
    opened = Signal(int, int)  # turn, number of the frame
    followed = Signal(QUrl)

    def __init__(self, turn: Turn, dress: Dress, parent: QWidget) -> None:
        super().__init__(parent)
        self.turn = turn
        self.awake = False
        self._dress = dress
        self._beside = False
        self._placed: tuple[int, int, bool] | None = None  # for what its parts stand
        self._high = 0
        self._waiting_for = ""
        self._thinking: ThinkingPane | None = None
        self._boxes: tuple[LabelledBox, ...] = ()
        self.setAccessibleName(turn.question)

    # --- building ---------------------------------------------------------------------------

    def wake(self, thumbnails: Thumbnails) -> None:
        """Builds what is shown. The texts are written by `work`."""
        self.awake = True
        turn, dress = self.turn, self._dress
        self._question = Question(turn.question, turn.frames, dress, self)
        self._question.opened.connect(lambda at: self.opened.emit(turn.id, at))
        self._question.grew.connect(self._move)
        self._question.draw_pictures(thumbnails, turn.id)
        self._answer = Page(dress, self.tr("Answer"))
        self._answer.setParent(self)
        self._answer.copied.connect(self.copied)
        self._answer.followed.connect(self.followed)
        self._waiting = Waiting(dress, self)
        self._footer = Footer(dress, self)
        self._footer.copied.connect(lambda: self.copied.emit(self._answer.markdown))
        self._footer.retried.connect(lambda: self.retried.emit(turn.id))
        self._footer.edited.connect(lambda: self.edited.emit(turn.id))
        self._notice = Notice(self)
        self._notice.retried.connect(lambda: self.retried.emit(turn.id))
        self._fill(turn)
        for child in (self._question, self._answer, self._footer):
            child.show()

    def _fill(self, turn: Turn) -> None:
        self._think(turn.thinking)
        self._answer.feed(turn.answer)
        if turn.state == "streaming":
            self._notice.hide()
            self._footer.show_streaming(None)
            self._say_waiting()
        else:
            self._finish(turn)

    def _pane(self) -> ThinkingPane:
        if self._thinking is None:
            self._thinking = ThinkingPane(self._dress, self)
            self._thinking.moved.connect(self._move)
            self._thinking.page.copied.connect(self.copied)
            self._thinking.page.followed.connect(self.followed)
            self._thinking.show()
        return self._thinking

    def _move(self) -> None:
        self._placed = None
        self.moved.emit()

    # --- growing ----------------------------------------------------------------------------

    def grow(self, growth: Growth) -> None:
        self._placed = None
        for event in growth.events:
            match event:
                case Thinking(text):
                    self._think(text)
                case Answer(text):
                    self._answer.feed(text)
                case Retract(text):
                    self._answer.retract(len(text))
                    self._think(text)
                case ToolCall() | Usage() | Done() | Error():
                    pass
        if self._thinking is not None:
            thinking = self._answer.empty
            if thinking or self._thinking.still_thinking:
                self._thinking.set_seconds(growth.seconds, thinking=thinking)
            self._thinking.fold(not thinking and not self._beside)
        self._footer.show_streaming(growth.tokens_per_second)
        self._say_waiting()

    def end(self, turn: Turn) -> None:
        """The turn as it was kept in the end: shows what the stream may not have brought."""
        self.turn = turn
        if not self.awake:
            return
        if turn.answer != self._answer.markdown:
            self._answer.retract(len(self._answer.markdown))
            self._answer.feed(turn.answer)
        if turn.thinking != (self._thinking.text if self._thinking else ""):
            pane = self._pane()
            pane.page.retract(len(pane.text))
            self._think(turn.thinking)
        self._finish(turn)

    def _finish(self, turn: Turn) -> None:
        self._placed = None
        self._waiting.stop()
        self._answer.end()
        if self._thinking is not None:
            self._thinking.page.end()
            self._thinking.set_seconds(turn.thinking_seconds, thinking=False)
            self._thinking.fold(bool(turn.answer) and not self._beside)
        self._footer.show_turn(turn)
        self._notice.setVisible(self._notice.show_turn(turn))
        self._boxes = find(turn.answer).boxes if turn.frames else ()
        self._question.show_boxes(self._boxes)

    def _think(self, text: str) -> None:
        if text:
            self._pane().page.feed(text)

    def say_waiting(self, words: str) -> None:
        """What is happening while nothing has come yet."""
        self._waiting_for = words
        if self.awake:
            self._say_waiting()

    def _say_waiting(self) -> None:
        if not self._answer.empty or self.turn.state != "streaming":
            self._waiting.stop()
            return
        thinking = self._thinking is not None
        self._waiting.say("" if thinking else self._waiting_for or self.tr("Waiting for the model"))
        self._waiting.start()

    # --- showing ----------------------------------------------------------------------------

    @property
    def boxes(self) -> tuple[LabelledBox, ...]:
        return self._boxes

    def take_picture(self, number: int, image: QImage) -> None:
        self._question.take_picture(number, image)

    def wear(self, dress: Dress) -> None:
        self._dress = dress
        self._placed = None
        if not self.awake:
            return
        for part in (self._question, self._answer, self._waiting, self._footer):
            part.wear(dress)
        if self._thinking is not None:
            self._thinking.wear(dress)

    def work(self, seconds: float) -> bool:
        """Writes for about `seconds`; True where more is left."""
        if not self.awake:
            return False
        self._placed = None
        more = self._answer.work(seconds)
        if self._thinking is not None:
            more = self._thinking.page.work(seconds / 2) or more
        return more

    # --- placing ----------------------------------------------------------------------------

    def arrange(self, width: int, room: int, *, beside: bool) -> int:
        """Puts its parts in place at this width, `room` being the height of the window's view of
        them; its own height."""
        if not self.awake:
            return self._guess(width)
        if self._placed != (width, room, beside):
            self._high = self._place(width, room, beside=beside)
            self._placed = (width, room, beside)
        return self._high

    def part_at(self, y: int) -> QWidget:
        """What stands at the height `y`: it is what a reader looks at."""
        if not self.awake:
            return self
        parts: list[QWidget] = [self._question, self._answer, self._footer]
        if self._thinking is not None and not self._beside:
            parts.insert(1, self._thinking)
        return next((part for part in parts if part.geometry().bottom() > y), self._footer)

    def _place(self, width: int, room: int, *, beside: bool) -> int:
        self._stand(beside=beside and self._thinking is not None)
        total = min(width, round(MEASURE / (1 - SHARE)) + GUTTER if self._beside else MEASURE)
        left = (width - total) // 2
        y = self._question.arrange(total)
        self._question.setGeometry(left, 0, total, y)
        y += GAP
        if self._thinking is None:
            return y + self._arrange_answer(left, y, total)
        if self._beside:
            return y + self._arrange_beside(self._thinking, (left, y, total), room)
        high = self._thinking.arrange(total, round(room * LOW) - PANE_HEAD)
        out = self._thinking.outset
        self._thinking.setGeometry(left - out, y, total + out, high)
        y += high + (SPACE[0] if self._thinking.folded else SPACE[2])
        return y + self._arrange_answer(left, y, total)

    def _stand(self, *, beside: bool) -> None:
        """Thinking beside the answer stays open; above it, it folds when the answer is there."""
        if beside != self._beside and self._thinking is not None:
            self._beside = beside
            self._thinking.fold(not beside and not self._answer.empty)

    def _arrange_beside(self, pane: ThinkingPane, place: tuple[int, int, int], room: int) -> int:
        left, y, total = place
        narrow = round((total - GUTTER) * SHARE)
        answer = self._arrange_answer(left + narrow + GUTTER, y, total - GUTTER - narrow)
        high = pane.arrange(narrow, max(answer - PANE_HEAD, round(room * HIGH)))
        pane.setGeometry(left - pane.outset, y, narrow + pane.outset, high)
        return max(answer, high)

    def _arrange_answer(self, left: int, y: int, width: int) -> int:
        top = y
        if not self._waiting.isHidden():
            self._waiting.setGeometry(left, y, width, self._waiting.height())
            y += self._waiting.height()
        if not self._answer.empty:
            high = self._answer.height_of(width)
            self._answer.setGeometry(left, y, width, high)
            y += high + SPACE[1]
        if not self._notice.isHidden():
            high = self._notice.arrange(width)
            self._notice.setGeometry(left, y, width, high)
            y += high + SPACE[0]
        self._footer.setGeometry(left - INSET, y, width + INSET, FOOT)
        return y + FOOT - top

    def _guess(self, width: int) -> int:
        """About how high it will be, before it was ever laid out."""
        across = max(20, min(width, MEASURE) * LETTERS // MEASURE)
        lines = len(self.turn.answer) // across + self.turn.answer.count("\n")
        pictures = 76 if self.turn.frames else 0
        return 130 + pictures + 22 * (lines + min(len(self.turn.question), 1200) // across)
