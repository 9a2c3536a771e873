"""Where the quick window's parts stand, and which of them are seen; knows not what they do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.answer.boxes import LabelledBox
from app.ui.banner import Banner
from app.ui.buttons import IconButton, label
from app.ui.line import Line
from app.ui.look import Look
from app.ui.places import Place
from app.ui.popup.chips import Chips
from app.ui.popup.inquiry import Inquiry
from app.ui.popup.picture import Picture
from app.ui.transcript import Transcript
from app.vocabulary import Frame

EDGE = 14  # px between the window's frame and its parts
SMALL = QSize(112, 52)  # px, the most that the small picture gets
LEAST = 120  # px of the turns
SHARE = 0.3  # of the window's height that the large picture gets
translate = QCoreApplication.translate


class Plan:
    """The parts, laid out in their window."""

    def __init__(self, window: QWidget, look: Look) -> None:
        self.small = Picture(look, SMALL)
        self.large = Picture(look, SMALL)
        self.title = Line()
        self.details = Line("small")
        self.pin = IconButton(look, "pin", translate("Quick", "Keep open"), size=28)
        self.pin.setCheckable(True)
        self.pin.toggled.connect(self._show_pinned)
        self.onward = IconButton(
            look, "app-window", translate("Quick", "Open in the window"), size=28
        )
        self.leave = IconButton(look, "x", translate("Quick", "Close"), size=28)
        self.banner = Banner(look)
        self.transcript = Transcript()
        self.transcript.set_layout("stacked")
        self.transcript.setMinimumHeight(LEAST)
        self.chips = Chips(look)
        self.inquiry = Inquiry()
        self.sight = label(tone="small", wrap=True)
        self.large.hide()
        self.sight.hide()
        self._lay_out(window)

    def _lay_out(self, window: QWidget) -> None:
        column = self.column = QVBoxLayout(window)
        column.setContentsMargins(1, 10, 1, EDGE)
        column.setSpacing(10)
        column.addLayout(self._head())
        column.addLayout(_inset(self.large, Qt.AlignmentFlag.AlignHCenter))
        column.addLayout(_inset(self.banner))
        column.addWidget(self.transcript, 1)
        column.addLayout(_inset(self.chips))
        column.addLayout(_inset(self.inquiry))
        column.addLayout(_inset(self.sight))

    def _head(self) -> QHBoxLayout:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self.title)
        words.addWidget(self.details)
        words.addStretch(1)
        row = QHBoxLayout()
        row.setContentsMargins(EDGE - 1, 4, 9, 0)
        row.setSpacing(2)
        row.addWidget(self.small)
        row.addSpacing(10)
        row.addLayout(words, 1)
        for button in (self.pin, self.onward, self.leave):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    # --- what is seen -----------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self.small.show_frame(frame)
        self.title.say(translate("Quick", "From your screen"))
        self.details.say(f"{frame.width} × {frame.height}")
        self._frame = frame

    def show_asked(self, asked: bool) -> None:
        """Before the first question there is something to choose from, after it the turns."""
        self.transcript.setVisible(asked)
        self.chips.setVisible(not asked)
        if asked:
            self.inquiry.prompt.setPlaceholderText(translate("Quick", "Ask more about it"))

    def show_boxes(self, boxes: Sequence[LabelledBox]) -> None:
        """On the picture as large as there is room; the small one is in its way then."""
        self.small.hide()
        self.large.show_boxes(tuple(boxes))
        self.large.show_frame(self._frame)
        self.large.show()

    def fit_large(self, window: QSize) -> None:
        room = QSize(window.width() - 2 * EDGE, max(120, round(window.height() * SHARE)))
        self.large.fit(room)

    def show_sight(self, place: Place) -> None:
        """A model that only reads text is said, as the composer says it."""
        says = "This model reads the text in your pictures; it does not see them."
        self.sight.setText(translate("Composer", says, "local" if place.local else ""))
        self.sight.setVisible(not place.sees_pictures)

    def close_up(self) -> None:
        """Waits for pictures that are still made."""
        for maker in (self.small, self.large):
            maker.close_up()
        self.transcript.thumbnails.close()

    def _show_pinned(self, pinned: bool) -> None:
        self.pin.draw("pin", "accent" if pinned else "ink2")


def _inset(widget: QWidget, how: Qt.AlignmentFlag | None = None) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(EDGE - 1, 0, EDGE - 1, 0)
    if how is None:
        row.addWidget(widget)
    else:
        row.addWidget(widget, 0, how)
    return row
