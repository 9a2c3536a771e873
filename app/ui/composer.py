"""Where a question is put together: the field, what is attached, and the buttons; it says what
the user asked for and knows not who answers."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.ui.attachment import Attachment
from app.ui.buttons import IconButton, label, retone
from app.ui.look import Look
from app.ui.prompt import Prompt
from app.ui.strip import Strip
from app.ui.theme import MEASURE

THINKING: dict[bool | None, bool | None] = {None: True, True: False, False: None}


class Composer(QWidget):
    """`asked` carries the question; `thinking_chosen` True, False or None for "as the model
    likes"."""

    asked = Signal(str)
    stopped = Signal()
    attach_wanted = Signal()
    capture_wanted = Signal()
    thinking_chosen = Signal(object)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._busy = False
        self._attachments: tuple[Attachment, ...] = ()
        self._thinking: bool | None = None
        self._sent: str | None = None  # asked, and not yet known to be kept
        self.prompt = Prompt()
        self.strip = Strip(look)
        self.attach = IconButton(look, "paperclip", self.tr("Attach files"))
        self.capture = IconButton(look, "scan", self.tr("Capture the screen"))
        self.think = QToolButton()
        self.send = IconButton(look, "arrow-up", self.tr("Send"))
        self.note = label(tone="small", wrap=True)
        self._prepare()
        self._lay_out()
        self._connect()
        self._refresh()

    def _prepare(self) -> None:
        self.setAccessibleName(self.tr("Composer"))
        self.prompt.setPlaceholderText(self.tr("Ask about your screen or a file"))
        self.prompt.setAccessibleName(self.tr("Question"))
        self.attach.say(self.tr("Attach files"), "Ctrl+O")
        self.capture.say(self.tr("Capture the screen"), "Ctrl+Shift+S")
        self.send.setProperty("role", "primary")
        self.think.setProperty("role", "chip")
        self.think.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.think.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.note.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.show_thinking(None, offered=False)
        self.note.hide()

    def _lay_out(self) -> None:
        self.card = QFrame()
        self.card.setProperty("role", "composer")
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for widget in (self.attach, self.capture, self.think):
            buttons.addWidget(widget)
        buttons.addStretch(1)
        buttons.addWidget(self.send)
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(10, 10, 10, 8)
        inside.setSpacing(6)
        inside.addWidget(self.strip)
        inside.addWidget(self.prompt)
        inside.addLayout(buttons)
        column = QWidget()
        column.setMaximumWidth(MEASURE + 40)
        stack = QVBoxLayout(column)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(6)
        stack.addWidget(self.card)
        stack.addWidget(self.note)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(20, 8, 20, 10)
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)

    def _connect(self) -> None:
        self.prompt.submitted.connect(self._submit)
        self.prompt.textChanged.connect(self._refresh)
        self.prompt.focused.connect(
            lambda here: retone(self.card, "active", "true" if here else "false")
        )
        self.send.clicked.connect(self._press)
        self.attach.clicked.connect(self.attach_wanted)
        self.capture.clicked.connect(self.capture_wanted)
        self.think.clicked.connect(lambda: self.thinking_chosen.emit(THINKING[self._thinking]))
        self._look.changed.connect(self._draw_thinking)

    def show_attachments(self, attachments: tuple[Attachment, ...]) -> None:
        self._attachments = attachments
        self.strip.show_attachments(attachments)
        self._refresh()

    def show_busy(self, busy: bool) -> None:
        self._busy = busy
        self.send.say(self.tr("Stop"), "Esc") if busy else self.send.say(self.tr("Send"))
        self._refresh()

    def show_sight(self, sees_pictures: bool, *, local: bool = False) -> None:
        """Whether the model looks at pictures or only reads the text in them; the one on this
        machine knows little besides English, which Chinese says too."""
        self.note.setText(
            self.tr("This model reads the text in your pictures; it does not see them.", "local")
            if local
            else self.tr("This model reads the text in your pictures; it does not see them.")
        )
        self.note.setVisible(not sees_pictures)

    def show_thinking(self, thinking: bool | None, *, offered: bool) -> None:
        self._thinking = thinking
        self.think.setVisible(offered)
        words = {
            None: self.tr("Thinking: auto"),
            True: self.tr("Thinking: on"),
            False: self.tr("Thinking: off"),
        }
        self.think.setText(words[thinking])
        self.think.setAccessibleName(words[thinking])
        self.think.setToolTip(self.tr("Let the model think before it answers"))
        self._draw_thinking()

    def ask_again(self, text: str) -> None:
        """Puts an earlier question back to be changed."""
        self.prompt.write(text)
        self.prompt.setFocus()

    def taken(self) -> None:
        """The question is kept now: it leaves the field, unless it was changed meanwhile."""
        if self._sent is not None and self._text() == self._sent:
            self.prompt.clear()
        self._sent = None

    def _draw_thinking(self, _theme: object = None) -> None:
        ink = "accent" if self._thinking else "ink2"
        self.think.setIcon(self._look.icons.icon("brain", ink))

    @property
    def _ready(self) -> bool:
        """There is something to send: words, or a file that can be read."""
        return bool(self._text()) or any(item.error is None for item in self._attachments)

    def _text(self) -> str:
        return self.prompt.toPlainText().strip()

    def _refresh(self) -> None:
        enabled = self._busy or self._ready
        self.send.setEnabled(enabled)
        self.send.draw("stop" if self._busy else "arrow-up", "on_accent" if enabled else "ink2")

    def _press(self) -> None:
        if self._busy:
            self.stopped.emit()
        else:
            self._submit()

    def _submit(self) -> None:
        if self._ready and not self._busy:
            self._sent = self._text()
            self.asked.emit(self._sent)
