"""Small buttons in as many rows as they need; knows an offer's name and icon, not what it asks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from app.ui.look import Look
from app.ui.popup.offers import Offer

HIGH = 30  # px
BETWEEN = 6  # px
MOST = 200  # px, the widest that one gets
NUMBERED = 9  # that have a key


class Chips(QWidget):
    """`chosen` carries the Offer; Ctrl+1 to Ctrl+9 choose too."""

    chosen = Signal(object)  # Offer

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._offers: tuple[Offer, ...] = ()
        self.buttons: list[QToolButton] = []
        self.setAccessibleName(self.tr("Quick actions"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        look.changed.connect(self._draw)

    def show_offers(self, offers: Sequence[Offer]) -> None:
        """Shows these and no others."""
        if tuple(offers) == self._offers:
            return
        self._offers = tuple(offers)
        for button in self.buttons:
            button.deleteLater()
        self.buttons = [self._button(number, offer) for number, offer in enumerate(offers, 1)]
        self._draw()
        self._place(self.width())
        self.updateGeometry()

    def _button(self, number: int, offer: Offer) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("role", "pill")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(15, 15))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setText(f" {offer.name}")  # a little air after the icon
        button.setAccessibleName(offer.name)
        tip = offer.question or self.tr("Read the text in the picture and copy it. Asks no model.")
        if number <= NUMBERED:
            button.setShortcut(f"Ctrl+{number}")
            tip = (
                f"{tip}\n{button.shortcut().toString(button.shortcut().SequenceFormat.NativeText)}"
            )
        button.setToolTip(tip)
        button.clicked.connect(lambda: self.chosen.emit(offer))
        button.show()
        return button

    def _draw(self, _theme: object = None) -> None:
        for button, offer in zip(self.buttons, self._offers, strict=True):
            button.setIcon(self._look.icons.icon(offer.icon, "ink2", 15))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(width, moving=False)

    def sizeHint(self) -> QSize:
        return QSize(360, self.heightForWidth(max(self.width(), 360)))

    def minimumSizeHint(self) -> QSize:
        return QSize(MOST, HIGH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place(event.size().width())

    def _place(self, width: int, *, moving: bool = True) -> int:
        """The height that the rows need at this width; puts the buttons there."""
        at = QPoint(0, 0)
        for button in self.buttons:
            wide = min(button.sizeHint().width(), MOST, width)
            if at.x() > 0 and at.x() + wide > width:
                at = QPoint(0, at.y() + HIGH + BETWEEN)
            if moving:
                button.setGeometry(at.x(), at.y(), wide, HIGH)
            at.setX(at.x() + wide + BETWEEN)
        return at.y() + HIGH if self.buttons else 0
