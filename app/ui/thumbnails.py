"""Small pictures of large ones, made on a thread of their own; knows no widget."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageReader

from app.vocabulary import Frame


class Thumbnails(QObject):
    """`made` carries (key, image) for each picture asked for, in the window's own thread."""

    made = Signal(object, QImage)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def ask(self, key: object, frame: Frame, size: QSize) -> None:
        """A picture of `frame` that covers `size` (physical pixels), cut to it."""
        self._pool.start(lambda: self.made.emit(key, shrink(frame.image, size)))

    def close(self) -> None:
        self._pool.clear()
        self._pool.waitForDone()


def shrink(encoded: bytes, size: QSize) -> QImage:
    """The middle of the picture, covering `size`; null where the bytes are no picture."""
    holder = QByteArray(encoded)
    buffer = QBuffer(holder)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    if reader.size().isValid():  # a JPEG is then never unpacked whole
        reader.setScaledSize(
            reader.size().scaled(size, Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        )
    image = reader.read()
    if image.isNull():
        return image
    left = max(0, (image.width() - size.width()) // 2)
    return image.copy(left, 0, min(size.width(), image.width()), min(size.height(), image.height()))
