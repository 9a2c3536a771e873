"""The settings page of templates: questions of the user's own that the quick window offers as
buttons; knows no session."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.settings import Settings, Template
from app.ui.answers import PAUSE
from app.ui.buttons import IconButton, field_label, label
from app.ui.look import Look
from app.ui.theme import CONTROL

NAME = 24  # characters that a name has at most: it stands on a button


class Templates(QWidget):
    """`changed` carries the settings with the templates as they stand now, in their order."""

    changed = Signal(object)  # Settings

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.settings = Settings()
        self._showing = False
        self._shown = -1  # the row that the fields show
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.flush)
        self.setAccessibleName(self.tr("Templates"))
        self.rows = QListWidget()
        self.rows.setAccessibleName(self.tr("Your templates"))
        self.rows.setFixedWidth(176)
        self.add = QPushButton(self.tr("Add template"))
        self.add.setAccessibleName(self.tr("Add template"))
        self.up = IconButton(look, "arrow-up", self.tr("Move up"))
        self.down = IconButton(look, "arrow-down", self.tr("Move down"))
        self.remove = IconButton(look, "trash-2", self.tr("Remove"))
        self.name = QLineEdit()
        self.name.setMaxLength(NAME)
        self.question = QPlainTextEdit()
        self.question.setProperty("role", "field")
        self.question.setTabChangesFocus(True)
        self.question.setFixedHeight(160)
        self.question.setPlaceholderText(self.tr("What to ask about the picture"))
        self.wrong = label(tone="danger", wrap=True)
        self.empty = label(
            self.tr("A question that you ask often becomes a button beside what you capture."),
            "quiet",
            wrap=True,
        )
        self._lay_out()
        self._connect()
        self._show_form()

    def _lay_out(self) -> None:
        order = QHBoxLayout()
        order.setSpacing(4)
        for button in (self.up, self.down, self.remove):
            order.addWidget(button)
        order.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.rows, 1)
        left.addLayout(order)
        left.addWidget(self.add)
        self.form = QWidget()
        inside = QVBoxLayout(self.form)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        for text, field in ((self.tr("Name"), self.name), (self.tr("Question"), self.question)):
            inside.addWidget(field_label(text, field))
            inside.addWidget(field)
        inside.addWidget(self.wrong)
        inside.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(self.empty, 0, Qt.AlignmentFlag.AlignTop)
        right.addWidget(self.form, 1)
        body = QHBoxLayout()
        body.setSpacing(20)
        body.addLayout(left)
        body.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 20)
        column.setSpacing(16)
        column.addWidget(label(self.tr("Templates"), "display"))
        column.addLayout(body, 1)

    def _connect(self) -> None:
        self.add.clicked.connect(self.begin)
        self.up.clicked.connect(lambda: self._move(-1))
        self.down.clicked.connect(lambda: self._move(1))
        self.remove.clicked.connect(self._remove)
        self.rows.currentRowChanged.connect(self._choose)
        self.name.textChanged.connect(self._wait)
        self.question.textChanged.connect(self._wait)

    # --- what is shown ----------------------------------------------------------------------

    def show_settings(self, settings: Settings) -> None:
        if self._pause.isActive() or self._half:
            self.settings = replace(settings, templates=self.settings.templates)
            return  # what is being typed wins
        listed = settings.templates != self.settings.templates
        self.settings = settings
        if listed:
            self._shown = -1
            self._list(self.rows.currentRow())

    @property
    def _half(self) -> bool:
        """A new one is being written that has no question yet."""
        return any(not known.text for known in self.settings.templates)

    def _list(self, wanted: int) -> None:
        self.rows.blockSignals(True)
        self.rows.clear()
        for known in self.settings.templates:
            item = QListWidgetItem(known.name or self.tr("New template"))
            item.setSizeHint(QSize(0, CONTROL))
            self.rows.addItem(item)
        self.rows.blockSignals(False)
        if self.settings.templates:
            self.rows.setCurrentRow(min(max(wanted, 0), len(self.settings.templates) - 1))
        self._show_form()

    def _show_form(self) -> None:
        some, row = bool(self.settings.templates), self.rows.currentRow()
        self.form.setVisible(some)
        self.empty.setVisible(not some)
        for button in (self.up, self.down, self.remove):
            button.setVisible(some)
        self.up.setEnabled(row > 0)
        self.down.setEnabled(0 <= row < len(self.settings.templates) - 1)
        self.remove.setEnabled(row >= 0)

    def _choose(self, row: int) -> None:
        if self._apply_typed():
            self._tell()
        if 0 <= row < len(self.settings.templates):
            known = self.settings.templates[row]
            self._showing = True
            self.name.setText(known.name)
            self.question.setPlainText(known.text)
            self._showing = False
            self._shown = row
            self._complain()
        self._show_form()

    # --- what the user does -----------------------------------------------------------------

    def begin(self) -> None:
        """An empty one at the end, its name ready to be typed."""
        self.flush()
        if not self._half:
            self.settings = replace(
                self.settings, templates=(*self.settings.templates, Template("", ""))
            )
        self._list(len(self.settings.templates) - 1)
        self.name.setFocus()

    def _move(self, by: int) -> None:
        self.flush()
        row = self.rows.currentRow()
        known = list(self.settings.templates)
        known.insert(row + by, known.pop(row))
        self._change(tuple(known), row + by)

    def _remove(self) -> None:
        self._pause.stop()
        row = self.rows.currentRow()
        known = self.settings.templates
        self._shown = -1
        self._change((*known[:row], *known[row + 1 :]), row)

    def _change(self, templates: tuple[Template, ...], row: int) -> None:
        self.settings = replace(self.settings, templates=templates)
        self._shown = -1  # what the fields show stands elsewhere now
        self._list(row)
        self._tell()

    def _wait(self) -> None:
        if not self._showing:
            self._pause.start()

    def flush(self) -> None:
        """Applies what was changed a moment ago."""
        if self._apply_typed():
            self._tell()
        self._complain()

    def _apply_typed(self) -> bool:
        """Whether there was anything typed for the template in the fields."""
        self._pause.stop()
        known, row = self.settings.templates, self._shown
        if not 0 <= row < len(known):
            return False
        typed = Template(self.name.text().strip(), self.question.toPlainText().strip())
        if typed.text and not typed.name:
            typed = replace(typed, name=_name(typed.text))
        if typed == known[row]:
            return False
        self.settings = replace(self.settings, templates=(*known[:row], typed, *known[row + 1 :]))
        self.rows.item(row).setText(typed.name or self.tr("New template"))
        return True

    def _complain(self) -> None:
        empty = bool(self.name.text().strip()) and not self.question.toPlainText().strip()
        self.wrong.setText(self.tr("Write the question, too: without it there is no button."))
        self.wrong.setVisible(empty)

    def _tell(self) -> None:
        """A template without a question is not kept: there is nothing to ask with it."""
        whole = tuple(known for known in self.settings.templates if known.text)
        self.changed.emit(replace(self.settings, templates=whole))


def _name(question: str) -> str:
    """The first words of a question, for a button."""
    first = question.split("\n", 1)[0]
    return first if len(first) <= NAME else first[: NAME - 1].rstrip() + "…"
