"""The settings page of the models on this machine: listed, chosen, and where more come from; it
reads no disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.engine.hub.half import Half
from app.settings import LOCAL, Settings
from app.ui.buttons import label
from app.ui.choice import Choice
from app.ui.line import Line
from app.ui.look import Look
from app.ui.shelf import Listed, Shelf
from app.ui.snippet import Snippet

GET = "sightline models get owner/name"
DECIMALS = 1  # of a size


class Models(QWidget):
    """`wanted`: the page is in sight and asks for the shelf; `folder_given` carries the path of a
    folder that the user says holds a model."""

    changed = Signal(object)  # Settings
    wanted = Signal()
    folder_given = Signal(object)  # Path

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.settings = Settings()
        self._shelf: Shelf | None = None
        self.setAccessibleName(self.tr("This machine"))
        self.choices: dict[str, Choice] = {}
        self.elsewhere = label(tone="small", wrap=True)
        self.empty = label(
            self.tr("There is no model here yet. Get one in a terminal, or use a folder with one."),
            "quiet",
            wrap=True,
        )
        self.wrong = label(tone="danger", wrap=True)
        self.says = label(tone="danger", wrap=True)
        self.pick = QPushButton(self.tr("Use a model folder…"))
        self.pick.setAccessibleName(self.tr("Use a model folder…"))
        self.get = Snippet(look, GET)
        self.where = Line("small", Qt.TextElideMode.ElideMiddle)
        self.card = QFrame()
        self.card.setProperty("role", "shelf")
        self._rows = QVBoxLayout(self.card)
        self._rows.setContentsMargins(4, 4, 4, 4)
        self._rows.setSpacing(2)
        self.unfinished = QWidget()
        self._halves = QVBoxLayout(self.unfinished)
        self._halves.setContentsMargins(0, 0, 0, 0)
        self._halves.setSpacing(8)
        self._lay_out()
        self.pick.clicked.connect(self._pick)
        for widget in (self.elsewhere, self.wrong, self.empty, self.card, self.unfinished):
            widget.hide()
        self.says.hide()

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(16)
        column.addWidget(label(self.tr("This machine"), "display"))
        about = self.tr("A model here answers without sending anything anywhere.")
        column.addWidget(label(about, "quiet", wrap=True))
        for widget in (self.elsewhere, self.wrong, self.empty, self.card, self.unfinished):
            column.addWidget(widget)
        picking = QHBoxLayout()
        picking.addWidget(self.pick)
        picking.addStretch(1)
        column.addLayout(picking)
        column.addWidget(self.says)
        column.addLayout(self._more())
        column.addStretch(1)
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def _more(self) -> QVBoxLayout:
        more = QVBoxLayout()
        more.setSpacing(8)
        more.addWidget(label(self.tr("More models"), "group"))
        about = self.tr(
            "In a terminal, this fetches one from Hugging Face or ModelScope; "
            "“sightline models fit” says what this machine can hold."
        )
        more.addWidget(label(about, "small", wrap=True))
        more.addWidget(self.get)
        more.addWidget(self.where)
        return more

    # --- what is shown ----------------------------------------------------------------------

    def show_settings(self, settings: Settings) -> None:
        moved = settings.local_model != self.settings.local_model
        self.settings = settings
        away = settings.endpoint != LOCAL
        self.elsewhere.setText(
            self.tr(
                "“{name}” answers at the moment. Choose “This machine” above the conversation to "
                "ask one of these."
            ).format(name=settings.endpoint)
        )
        self.elsewhere.setVisible(away)
        if moved:
            _say(self.says, "")
            self.wanted.emit()

    def show_shelf(self, shelf: Shelf) -> None:
        if self._shelf is None or _plain(shelf) != _plain(self._shelf):
            self._fill(shelf)
        self._shelf = shelf
        for listed in shelf.models:
            self.choices[listed.called].setChecked(listed.chosen)
        _say(self.wrong, shelf.wrong)

    def refuse(self, reason: str) -> None:
        """Why a folder was not taken."""
        _say(self.says, reason)

    def _fill(self, shelf: Shelf) -> None:
        _clear(self._rows)
        _clear(self._halves)
        self.choices = {}
        for listed in shelf.models:
            choice = Choice(self._look, listed.model.name, self._details(listed))
            choice.setEnabled(not listed.lost)
            choice.clicked.connect(lambda _=False, called=listed.called: self._choose(called))
            self.choices[listed.called] = choice
            self._rows.addWidget(choice)
        for half in shelf.halves:
            self._halves.addWidget(self._half(half))
            self._halves.addWidget(Snippet(self._look, f"sightline models get {half.asked}"))
        self.card.setVisible(bool(shelf.models))
        self.unfinished.setVisible(bool(shelf.halves))
        self.empty.setVisible(not shelf.models)
        self.where.say(self.tr("Models lie in {folder}").format(folder=shelf.folder))

    def _details(self, listed: Listed) -> str:
        model = listed.model
        parts = [_size(model.bytes)]
        if not listed.lost:  # else its base, which is not here, would tell
            sees = model.sees_pictures
            parts.append(self.tr("sees pictures") if sees else self.tr("reads text"))
        if model.quantisation:
            parts.append(model.quantisation)
        if model.format == "gguf":
            parts.append(self.tr("made ready when it first runs"))
        if model.format == "adapter":
            parts.append(self._adapter(listed))
        return " · ".join(parts)

    def _adapter(self, listed: Listed) -> str:
        if not listed.base:
            return self.tr("adapter that names no model")
        if listed.lost:
            return self.tr("adapter for {base}, which is not here").format(base=listed.base)
        return self.tr("adapter for {base}").format(base=listed.base)

    def _half(self, half: Half) -> QLabel:
        share = half.done / max(half.bytes, 1)
        said = self.tr("{name} is not fetched to its end: {share} of {size} is here. To go on:")
        size = _size(half.bytes)
        return label(said.format(name=half.name, share=f"{share:.0%}", size=size), wrap=True)

    # --- what is chosen ---------------------------------------------------------------------

    def _choose(self, called: str) -> None:
        if called != self.settings.local_model:
            self.changed.emit(replace(self.settings, local_model=called))

    def _pick(self) -> None:
        dialog = QFileDialog(self, self.tr("Use a model folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.folder_given.emit(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.wanted.emit()


def _say(words: QLabel, text: str) -> None:
    words.setText(text)
    words.setAccessibleName(text)
    words.setVisible(bool(text))


def _plain(shelf: Shelf) -> Shelf:
    """What decides which rows there are."""
    rows = tuple(replace(listed, chosen=False) for listed in shelf.models)
    return replace(shelf, models=rows, wrong="")


def _size(count: int) -> str:
    return QLocale().formattedDataSize(count, DECIMALS, QLocale.DataSizeFormat.DataSizeSIFormat)


def _clear(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
