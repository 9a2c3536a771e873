"""The frames that will be sent, in a row, each with its number and its time; knows no file."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from app.ui.film import clock
from app.vocabulary import Frame

PICTURE = QSize(112, 70)  # px
CELL = QSize(128, 100)


class Picks(QListWidget):
    """`looked` carries the time of the frame that is gone to, by mouse or keys."""

    looked = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Frames that will be sent"))
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListWidget.Movement.Static)
        self.setIconSize(PICTURE)
        self.setGridSize(CELL)
        self.setUniformItemSizes(True)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(CELL.height() + 16)
        aside = (CELL.width() - PICTURE.width()) // 2
        self.setViewportMargins(-aside, 0, -aside, 0)  # the first stands at the column's edge
        self.currentItemChanged.connect(self._look)

    def show_frames(self, frames: Sequence[Frame], pictures: Sequence[QImage]) -> None:
        self.blockSignals(True)
        self.clear()
        for number, (frame, picture) in enumerate(zip(frames, pictures, strict=True), 1):
            self.addItem(_item(number, frame, picture))
        self.blockSignals(False)

    def _look(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.looked.emit(float(item.data(Qt.ItemDataRole.UserRole)))


def _item(number: int, frame: Frame, picture: QImage) -> QListWidgetItem:
    time = frame.source.time or 0.0
    icon = QIcon(QPixmap.fromImage(picture))
    item = QListWidgetItem(icon, f"{number} · {clock.moment(time)}")
    item.setData(Qt.ItemDataRole.UserRole, time)
    item.setData(
        Qt.ItemDataRole.AccessibleTextRole,
        f"{number}, {clock.moment(time)}, {frame.width} × {frame.height}",
    )
    return item
