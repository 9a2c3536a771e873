"""After a recording: which part of it, which frames, what is asked about it and where that goes;
nothing is sent before Ask. Knows no session: what was decided is told by `asked`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLocale, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QImage, QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.capture.record.facts import Recorded
from app.ui.buttons import label, retone
from app.ui.film import clock
from app.ui.film.cut import LARGEST, Chosen, Cut, Part, cost, cost_whole
from app.ui.film.filmstrip import Filmstrip
from app.ui.film.picks import Picks
from app.ui.film.projection import Projection
from app.ui.look import Look
from app.ui.places import Place
from app.ui.prompt import Prompt
from app.ui.tasks import Tasks
from app.vocabulary import CaptureFault, Clip, Frame

SIZE = QSize(860, 760)
FRAME = QSize(24, 56)  # px of the screen that are left to the window's own frame
REST = 250  # ms after the last change before the frames are chosen anew
MOSTS = (4, 8, 16, 32, 64)
MOST = 16


@dataclass(frozen=True, slots=True)
class Film:
    """What is asked about a recording. `clips` holds it whole where the endpoint takes videos;
    `path` is gone once everybody has been told."""

    frames: tuple[Frame, ...]
    path: Path
    start: float
    end: float
    question: str
    name: str = ""
    clips: tuple[Clip, ...] = ()


class Trim(QWidget):
    """The window of one recording. `discarded` is Discard, Esc or the window's cross."""

    asked = Signal(object)  # Film
    saved = Signal(object)  # Path
    discarded = Signal()

    def __init__(
        self,
        look: Look,
        recorded: Recorded,
        tasks: Tasks,
        place: Place,
        *,
        largest: int = LARGEST,
    ) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self._tasks = tasks
        self._place = place
        self._chosen: Chosen | None = None
        self._wanted = False  # asked while the frames were still being chosen
        self._ended = False
        self.cut = Cut(recorded, tasks, largest=largest)
        self.setProperty("ground", "paper")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(self.tr("Recording"))
        self.projection = Projection(look, QSize(recorded.width, recorded.height))
        self.strip = Filmstrip(look)
        self.picks = Picks()
        self.range = label("", "small")
        self.count = label()
        self.cost = label("", "small")
        self.most = QComboBox()
        self.whole = QCheckBox(self.tr("Send the whole video"))
        self.prompt = Prompt()
        self.says = label("", "small", wrap=True)
        self.discard = QPushButton(self.tr("Discard"))
        self.save = QPushButton(self.tr("Save as file…"))
        self.ask = QPushButton()
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._prepare()
        self._lay_out()
        self._connect()
        self.show_place(place)
        self._begin()

    @property
    def part(self) -> Part:
        return Part(self.strip.start, self.strip.end, int(self.most.currentData()))

    def _prepare(self) -> None:
        self.prompt.setPlaceholderText(self.tr("Ask about the recording"))
        self.prompt.setAccessibleName(self.tr("Question"))
        self.most.setAccessibleName(self.tr("Frames at most"))
        for count in MOSTS:
            self.most.addItem(self.tr("At most {count}").format(count=count), count)
        self.most.setCurrentIndex(MOSTS.index(MOST))
        self.discard.setProperty("role", "danger")
        self.ask.setProperty("role", "primary")
        for button in (self.discard, self.save):
            button.setAccessibleName(button.text())
        self.whole.setAccessibleName(self.whole.text())

    def _lay_out(self) -> None:
        card = QFrame()
        card.setProperty("role", "composer")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(10, 8, 10, 8)
        inside.addWidget(self.prompt)
        self._card = card
        head = QHBoxLayout()
        head.setSpacing(12)
        for widget in (self.count, self.most, self.whole):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.cost)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.discard)
        buttons.addWidget(self.save)
        buttons.addWidget(self.says, 1)
        buttons.addWidget(self.ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(10)
        column.addWidget(self.projection, 1)
        column.addWidget(self.strip)
        column.addWidget(self.range, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(head)
        column.addWidget(self.picks)
        column.addWidget(card)
        column.addLayout(buttons)
        room = QGuiApplication.primaryScreen().availableSize()
        self.resize(SIZE.boundedTo(room - FRAME))

    def _connect(self) -> None:
        self.cut.strip_made.connect(self.strip.show_pictures)
        self.cut.seen.connect(self._show_seen)
        self.cut.chosen.connect(self._show_chosen)
        self.cut.failed.connect(self._fail)
        self.strip.moved.connect(self._moved)
        self.strip.looked.connect(self._look_at)
        self.picks.looked.connect(self._look_at)
        self.most.currentIndexChanged.connect(lambda _: self._choose())
        self.whole.toggled.connect(lambda _: self._count())
        self._rest.timeout.connect(self._choose)
        self.prompt.submitted.connect(self._ask)
        self.prompt.focused.connect(
            lambda here: retone(self._card, "active", "true" if here else "false")
        )
        self.ask.clicked.connect(self._ask)
        self.save.clicked.connect(self._save)
        self.discard.clicked.connect(self.close)

    def _begin(self) -> None:
        recorded = self.cut.recorded
        self.strip.show_length(recorded.seconds)
        self.projection.say(self.tr("Reading the recording…"))
        self.cut.make_strip()
        self._look_at(0.0)
        self._say(self._note(recorded))
        self._choose()
        self._moved()
        self.prompt.setFocus()

    def _note(self, recorded: Recorded) -> str:
        """Why it ended, where that was not the user's wish; else what becomes of it."""
        if recorded.note:
            return recorded.note
        match recorded.why:
            case "time":
                return self.tr("It ended by itself at the longest time that is set.")
            case "size":
                return self.tr("It ended by itself at the largest size that is set.")
            case _:
                return self.tr("Once it is sent, the recording goes. Save it to keep it.")

    # --- what it shows ----------------------------------------------------------------------

    def show_place(self, place: Place) -> None:
        """Where Ask sends it, which may change while the window is open."""
        self._place = place
        where = self.tr("this machine") if place.local else place.where
        self.ask.setText(self.tr("Ask · {where}").format(where=where))
        self.ask.setAccessibleName(self.tr("Ask {where}").format(where=where))
        if place.local:
            self.ask.setToolTip(self.tr("Nothing leaves this machine"))
        else:
            self.ask.setToolTip(
                self.tr("The frames and the question go to {where}").format(where=where)
            )
        self.whole.setVisible(place.takes_video)
        self._count()

    def _moved(self) -> None:
        part = self.part
        self.range.setText(
            self.tr("{start} – {end}  ·  {seconds} s of {all} s").format(
                start=clock.moment(part.start),
                end=clock.moment(part.end),
                seconds=QLocale().toString(part.seconds, "f", 1),
                all=QLocale().toString(float(self.cut.recorded.seconds), "f", 1),
            )
        )
        self._rest.start()

    def _look_at(self, seconds: float) -> None:
        self.strip.show_moment(seconds)
        if not (near := self.strip.near(seconds)).isNull():
            self.projection.show_frame(seconds, near)  # until the frame itself is there
        self.cut.look(seconds)

    def _show_seen(self, seconds: float, image: QImage) -> None:
        self.projection.show_frame(seconds, image)

    def _choose(self) -> None:
        self._rest.stop()
        self._chosen = None
        self.count.setText(self.tr("Choosing frames…"))
        self.cost.setText("")
        self.cut.choose(self.part)

    def _show_chosen(self, chosen: Chosen) -> None:
        if chosen.part != self.part:
            return  # another part was marked meanwhile; its frames are on their way
        self._chosen = chosen
        self.picks.show_frames(chosen.frames, chosen.pictures)
        self._count()
        if self._wanted:
            self._ask()

    def _count(self) -> None:
        """How many will be sent, and what that costs, as far as anybody can tell before."""
        whole = self._goes_whole
        self.picks.setEnabled(not whole)
        self.most.setEnabled(not whole)
        if self._chosen is None:
            return
        frames = self._chosen.frames
        if whole:
            self.count.setText(
                self.tr("The whole video will be sent, with sound")
                if self.cut.recorded.sound
                else self.tr("The whole video will be sent")
            )
            tokens = cost_whole(self.cut.recorded, self._chosen.part.seconds)
        else:
            self.count.setText(
                self.tr("1 frame will be sent")
                if len(frames) == 1
                else self.tr("{count} frames will be sent").format(count=len(frames))
            )
            paired = self._place.local and self._place.takes_video
            tokens = cost(frames, paired=paired)
        if self._place.sees_pictures:
            about = QLocale().toString(_rounded(tokens))
            self.cost.setText(self.tr("about {count} tokens (estimate)").format(count=about))
        else:
            self.cost.setText(self.tr("This model reads the text in them; it sees no pictures."))

    @property
    def _goes_whole(self) -> bool:
        return self._place.takes_video and self.whole.isChecked()

    def _say(self, text: str, tone: str = "small") -> None:
        retone(self.says, "tone", tone)
        self.says.setText(text)

    def _fail(self, message: str) -> None:
        self._wanted = False
        self._say(message, "danger")
        self.projection.say("")

    # --- what becomes of it -----------------------------------------------------------------

    def _ask(self) -> None:
        if self._ended:
            return
        if self._chosen is None or self._rest.isActive():
            self._wanted = True
            if self._rest.isActive():
                self._choose()
            return
        self._wanted = False
        self._tasks.spawn(self._send(self._chosen), "ask about a recording")

    async def _send(self, chosen: Chosen) -> None:
        recorded = self.cut.recorded
        name = chosen.frames[0].source.name if chosen.frames else recorded.path.name
        clips: tuple[Clip, ...] = ()
        self._busy(True)
        try:
            if self._goes_whole:
                self._say(self.tr("Cutting the video…"))
                clips = (await self.cut.clip(chosen.part, name),)
        except CaptureFault as fault:
            self._say(fault.message, "danger")
            return
        finally:
            self._busy(False)
        self._ended = True
        question = self.prompt.toPlainText().strip()
        part = chosen.part
        self.asked.emit(
            Film(chosen.frames, recorded.path, part.start, part.end, question, name, clips)
        )

    def _busy(self, busy: bool) -> None:
        for widget in (self.ask, self.save, self.discard):
            widget.setEnabled(not busy)

    def _save(self) -> None:
        dialog = QFileDialog(self, self.tr("Save the recording"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("Video (*.mp4)"))
        dialog.setDefaultSuffix("mp4")
        dialog.selectFile(f"{self.cut.recorded.path.stem}.mp4")
        dialog.fileSelected.connect(lambda name: self.save_to(Path(name)))
        dialog.open()

    def save_to(self, path: Path) -> None:
        """Writes what is kept of the recording there."""
        self._tasks.spawn(self._write(path), "save a recording", kept=True)

    async def _write(self, path: Path) -> None:
        self._busy(True)
        self._say(self.tr("Saving…"))
        try:
            await self.cut.save(self.part, path)
        except CaptureFault as fault:
            self._say(fault.message, "danger")
            return
        finally:
            self._busy(False)
        self._say(self.tr("Saved as {name}.").format(name=path.name), "good")
        self.saved.emit(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if not self._ended:
            self.discarded.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def _rounded(tokens: int) -> int:
    """An estimate has two figures."""
    figures = len(str(tokens))
    return int(round(tokens, min(0, 2 - figures)))
