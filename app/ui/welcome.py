"""What stands where no conversation does yet: the mark, one sentence, things to try."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.assets import SAMPLES
from app.ui.buttons import label
from app.ui.icons import mark
from app.ui.look import Look

WIDTH = 420  # px


@dataclass(frozen=True, slots=True)
class Sample:
    """A file to attach, a question to ask about it in the file's own English, which every model
    knows, and how the button puts it."""

    file: Path
    question: str
    says: str


class Welcome(QWidget):
    """`sample_chosen` carries a Sample."""

    sample_chosen = Signal(object)
    capture_wanted = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setAccessibleName(self.tr("Start"))
        self._icons: list[tuple[QPushButton, str, str]] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        picture = QLabel()
        picture.setPixmap(mark(56))
        picture.setFixedHeight(60)
        picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        title = label(self.tr("Show it, and ask."), "display")
        says = label(
            self.tr("Capture the screen, or drop a picture, PDF, deck or video."),
            "quiet",
            wrap=True,
        )
        for words in (title, says):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(picture)
        self._column.addSpacing(8)
        self._column.addWidget(title)
        self._column.addWidget(says)
        self._column.addSpacing(16)
        self._offer()
        self._place()
        look.changed.connect(self._draw)
        self._draw()

    def _offer(self) -> None:
        capture = self._button(self.tr("Capture the screen"), "scan", "on_accent")
        capture.setProperty("role", "primary")
        capture.clicked.connect(self.capture_wanted)
        self._column.addWidget(capture)
        self._column.addSpacing(12)
        for icon, sample in self._samples():
            button = self._button(sample.says, icon, "ink2")
            button.setProperty("role", "card")
            button.setToolTip(self.tr("Try it with {name}").format(name=sample.file.name))
            button.clicked.connect(lambda _=False, s=sample: self.sample_chosen.emit(s))
            self._column.addWidget(button)

    def _samples(self) -> list[tuple[str, Sample]]:
        found = (
            ("image", "invoice.png", "What is the total due?", self.tr("What is the total due?")),
            (
                "file-text",
                "report.pdf",
                "What is the warning mark?",
                self.tr("At what level does the river station warn?"),
            ),
            ("circle-alert", "dialog.png", "What is the error?", self.tr("What is the error?")),
        )
        offered = ((icon, Sample(SAMPLES / name, asked, says)) for icon, name, asked, says in found)
        return [(icon, sample) for icon, sample in offered if sample.file.exists()]

    def _button(self, text: str, icon: str, ink: str) -> QPushButton:
        button = QPushButton(f" {text}")  # a little air after the icon
        button.setAccessibleName(text)
        button.setIconSize(QSize(18, 18))
        self._icons.append((button, icon, ink))
        return button

    def _place(self) -> None:
        column = QWidget()
        column.setMaximumWidth(WIDTH)
        column.setLayout(self._column)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(column, 1000)
        across.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 0, 24, 0)
        outer.addStretch(2)
        outer.addLayout(across)
        outer.addStretch(3)

    def _draw(self, _theme: object = None) -> None:
        for button, icon, ink in self._icons:
            button.setIcon(self._look.icons.icon(icon, ink))
