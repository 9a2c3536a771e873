"""Keeping a picture as a file: the question where, the folder that is remembered, the writing;
knows nothing of where the picture comes from."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from functools import partial
from itertools import chain, count
from pathlib import Path

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QObject, QStandardPaths, Qt, Signal
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QFileDialog, QFrame, QLineEdit, QWidget

from app.disk import disk_fault, write_whole
from app.vocabulary import StoreFault

SUFFIX = ".png"


class Keeper(QObject):
    """`folder` is where a picture was kept last; `saved` carries the path of each."""

    saved = Signal(object)  # Path

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self._folder = folder

    async def keep(self, parent: QWidget, image: QImage) -> Path | None:
        """Asks where and writes it there as PNG; None if the user would rather not.

        Raises:
            StoreFault: it can't be written there.
        """
        path = await self._ask(parent)
        if path is None:
            return None
        await asyncio.to_thread(write_picture, image, path)
        self._folder = path.parent
        self.saved.emit(path)
        return path

    async def _ask(self, parent: QWidget) -> Path | None:
        dialog = QFileDialog(parent, self.tr("Save the picture"), str(self._first()))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("PNG pictures (*.png)"))
        dialog.setDefaultSuffix("png")
        # Qt's own catalogue has no Chinese for these
        dialog.setLabelText(QFileDialog.DialogLabel.LookIn, self.tr("Folder:"))
        dialog.setLabelText(QFileDialog.DialogLabel.FileType, self.tr("Type:"))
        # a portal's dialog would open under a window that stays on top
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog, sys.platform == "linux")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        dialog.finished.connect(partial(_settle, done))
        around: QWidget = dialog
        if parent.window().windowFlags() & Qt.WindowType.BypassWindowManagerHint:
            around = Cover(parent.window(), dialog)
        else:
            dialog.open()
        try:
            accepted = await done
            chosen = dialog.selectedFiles()
        finally:
            around.hide()
            around.deleteLater()
        if not accepted or not chosen:
            return None
        path = _named(Path(chosen[0]))
        return path if around is dialog else _free(path)

    def _first(self) -> Path:
        places = QStandardPaths.StandardLocation
        pictures = QStandardPaths.writableLocation(places.PicturesLocation)
        folder = self._folder if self._folder and self._folder.is_dir() else Path(pictures)
        return (folder if folder.is_dir() else Path.home()) / name(datetime.now())


def name(now: datetime) -> str:
    return f"Sightline {now:%Y-%m-%d %H.%M.%S}{SUFFIX}"


def write_picture(image: QImage, path: Path) -> None:
    """The whole file or nothing. Raises StoreFault."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not QImageWriter(buffer, b"png").write(image):
        raise StoreFault("failed", "The picture can't be written as PNG.")
    try:
        write_whole(path, bytes(buffer.data().data()))
    except OSError as error:
        raise disk_fault(error, "save the picture", path.parent) from error


class Cover(QWidget):
    """A dialog inside a window that no window manager knows: another window would be put under it,
    or take the keys away with it when it goes. Nothing else of the window is reached meanwhile."""

    def __init__(self, window: QWidget, dialog: QFileDialog) -> None:
        super().__init__(window)
        self.setGeometry(window.rect())
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # it would ask in a window
        dialog.setParent(self, Qt.WindowType.Widget)
        dialog.setAutoFillBackground(True)
        dialog.setSizeGripEnabled(False)
        dialog.resize(min(760, self.width() - 32), min(460, self.height() - 32))
        dialog.move(self.rect().center() - dialog.rect().center())
        edge = QFrame(self)  # a dialog has none of its own
        edge.setProperty("role", "alone")
        edge.setGeometry(dialog.geometry().adjusted(-1, -1, 1, 1))
        edge.lower()
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.show()
        dialog.show()
        named = dialog.findChild(QLineEdit, "fileNameEdit")
        if isinstance(named, QLineEdit):
            named.setFocus()
            named.selectAll()

    def event(self, event: QEvent) -> bool:
        """What the dialog has no use for ends here."""
        return super().event(event) or event.type() in _INPUT


_INPUT = (
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.MouseButtonDblClick,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
)


def _settle(future: asyncio.Future[int], result: int) -> None:
    if not future.done():
        future.set_result(result)


def _named(path: Path) -> Path:
    """What it holds is PNG, so that is what it is called."""
    return path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)


def _free(path: Path) -> Path:
    """The name, with a number where a file has it already."""
    names = (path.with_stem(f"{path.stem} ({number})") for number in count(2))
    return next(name for name in chain([path], names) if not name.exists())
