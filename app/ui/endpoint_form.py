"""The form of one endpoint: what it is called, where it is, how it is spoken to."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.settings import Profile
from app.ui.buttons import field_label, label, retone
from app.ui.services import Tested
from app.vocabulary import Dialect, PictureForm, ThinkingSwitch


class EndpointForm(QWidget):
    """`saved` carries the old name ("" for a new one), the Profile and the key typed, if any."""

    saved = Signal(str, object, str)
    removed = Signal(str)
    test_wanted = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self._taken: frozenset[str] = frozenset()
        self._context: int | None = None
        self.title = QLineEdit()
        self.url = QLineEdit()
        self.url.setPlaceholderText("https://api.example.com/v1")
        self.key = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.vault = label(tone="small", wrap=True)
        self.model = QComboBox(editable=True)
        self.sees = QCheckBox(self.tr("The model sees pictures"))
        self.films = QCheckBox(self.tr("It takes whole videos (video_url)"))
        self.dialect = _choice(
            (self.tr("Automatic"), "auto"), ("GLM-4.5V", "glm-4.5v"), ("GLM-4.1V", "glm-4.1v")
        )
        self.pictures = _choice(
            (self.tr("Data URL"), "data_url"), (self.tr("Bare Base64"), "base64")
        )
        self.switch = _choice(
            (self.tr("Not switched"), "none"),
            (self.tr("Chat template (vLLM, SGLang)"), "template"),
            ("thinking.type (Z.ai)", "zai"),
        )
        self.says = label(tone="small", wrap=True)
        self.test = QPushButton(self.tr("Test"))
        self.remove = QPushButton(self.tr("Remove"))
        self.save = QPushButton(self.tr("Save"))
        self._lay_out()
        self.sees.toggled.connect(self.films.setEnabled)
        self.test.clicked.connect(self._test)
        self.remove.clicked.connect(lambda: self.removed.emit(self.name))
        self.save.clicked.connect(self._save)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, field in (
            (self.tr("Name"), self.title),
            (self.tr("URL"), self.url),
            (self.tr("Key"), self.key),
            ("", self.vault),
            (self.tr("Model"), self.model),
            ("", self.sees),
            ("", self.films),
            (self.tr("Answers in"), self.dialect),
            (self.tr("Pictures as"), self.pictures),
            (self.tr("Thinking by"), self.switch),
        ):
            form.addRow(field_label(text, field) if text else label(), field)
        for box in (self.sees, self.films):
            box.setAccessibleName(box.text())
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.test, self.remove, self.save):
            button.setAccessibleName(button.text())
        self.save.setProperty("role", "primary")
        self.remove.setProperty("role", "danger")
        buttons.addWidget(self.test)
        buttons.addWidget(self.remove)
        buttons.addStretch(1)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self.says)
        column.addStretch(1)
        column.addLayout(buttons)

    def begin(self, taken: frozenset[str]) -> None:
        self._show(Profile("", "", ""), taken)
        self.remove.hide()
        self.title.setFocus()

    def edit(self, profile: Profile, taken: frozenset[str]) -> None:
        self._show(profile, taken)
        self.remove.show()

    def _show(self, profile: Profile, taken: frozenset[str]) -> None:
        self.name = profile.name
        self._taken = taken
        self._context = profile.context
        self.title.setText(profile.name)
        self.url.setText(profile.base_url)
        self.key.clear()
        kept = self.tr("Leave empty to keep the one you gave")
        self.key.setPlaceholderText(kept if profile.name else "")
        self.model.clear()
        self.model.setEditText(profile.model)
        self.sees.setChecked(profile.sees_pictures)
        self.films.setChecked(profile.takes_video)
        self.films.setEnabled(profile.sees_pictures)
        self.dialect.setCurrentIndex(self.dialect.findData(profile.dialect))
        self.pictures.setCurrentIndex(self.pictures.findData(profile.pictures))
        self.switch.setCurrentIndex(self.switch.findData(profile.switch))
        self._say("", "small")

    def show_tested(self, tested: Tested) -> None:
        """What the test found; the models it listed can be chosen now."""
        self.test.setEnabled(True)
        if tested.name != self.title.text().strip():
            return
        typed = self.model.currentText()
        if tested.models:
            self.model.clear()
            self.model.addItems(list(tested.models))
            self.model.setEditText(typed or tested.models[0])
        self._say(tested.message, "good" if tested.ok else "danger")

    def show_vault(self, reason: str) -> None:
        """Where a key goes that is typed here; `reason` is why no keyring takes it, if so."""
        self.vault.setText(reason or self.tr("Kept in the system's keyring."))

    def _profile(self) -> Profile:
        return Profile(
            name=self.title.text().strip(),
            base_url=self.url.text().strip().rstrip("/"),
            model=self.model.currentText().strip(),
            sees_pictures=self.sees.isChecked(),
            dialect=cast(Dialect, self.dialect.currentData()),
            pictures=cast(PictureForm, self.pictures.currentData()),
            switch=cast(ThinkingSwitch, self.switch.currentData()),
            context=self._context,
            takes_video=self.sees.isChecked() and self.films.isChecked(),
        )

    def _wrong(self, profile: Profile, *, model: bool) -> str:
        """What keeps the form from being used, in words; empty if nothing does."""
        if not profile.name:
            return self.tr("Give the endpoint a name.")
        if profile.name in self._taken:
            return self.tr("There is an endpoint of that name already.")
        if not _is_url(profile.base_url):
            return self.tr("The URL has to begin with http:// or https:// and name a host.")
        if model and not profile.model:
            return self.tr("Name the model, or press Test to list what the server has.")
        return ""

    def _test(self) -> None:
        profile = self._profile()
        wrong = self._wrong(profile, model=False)
        self._say(wrong or self.tr("Asking the server…"), "danger" if wrong else "small")
        if not wrong:
            self.test.setEnabled(False)
            self.test_wanted.emit(profile, self.key.text())

    def _save(self) -> None:
        profile = self._profile()
        wrong = self._wrong(profile, model=True)
        if wrong:
            self._say(wrong, "danger")
            return
        old, self.name = self.name, profile.name
        self.saved.emit(old, profile, self.key.text())
        self.key.clear()
        self._say(self.tr("Saved."), "good")

    def _say(self, text: str, tone: str) -> None:
        retone(self.says, "tone", tone)
        self.says.setText(text)


def _choice(*choices: tuple[str, str]) -> QComboBox:
    box = QComboBox()
    for text, value in choices:
        box.addItem(text, value)
    return box


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
