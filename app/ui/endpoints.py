"""The settings page of endpoints: listed, added, changed, tested, removed; knows no network."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.settings import LOCAL, Profile, Settings
from app.ui.buttons import label
from app.ui.endpoint_form import EndpointForm
from app.ui.services import Tested
from app.ui.theme import CONTROL


class Endpoints(QWidget):
    """`changed` carries settings, `keyed` a profile's name and its new key, `renamed` the old and
    the new name, `removed` a name, `test_wanted` a Profile and the key typed, if any."""

    changed = Signal(object)  # Settings
    keyed = Signal(str, str)
    renamed = Signal(str, str)
    removed = Signal(str)
    test_wanted = Signal(object, str)  # Profile, key

    def __init__(self) -> None:
        super().__init__()
        self.settings = Settings()
        self.setAccessibleName(self.tr("Endpoints"))
        self.rows = QListWidget()
        self.rows.setAccessibleName(self.tr("Your endpoints"))
        self.rows.setFixedWidth(176)
        self.add = QPushButton(self.tr("Add endpoint"))
        self.add.setAccessibleName(self.tr("Add endpoint"))
        self.form = EndpointForm()
        self.empty = label(
            self.tr(
                "Without an endpoint, the model on this machine answers. Add a server that speaks "
                "the OpenAI protocol to ask a larger one."
            ),
            "quiet",
            wrap=True,
        )
        self._lay_out()
        self.add.clicked.connect(self.begin)
        self.rows.currentRowChanged.connect(self._choose)
        self.form.saved.connect(self._save)
        self.form.removed.connect(self._remove)
        self.form.test_wanted.connect(self.test_wanted)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.rows, 1)
        left.addWidget(self.add)
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
        column.addWidget(label(self.tr("Endpoints"), "display"))
        column.addLayout(body, 1)

    def show_settings(self, settings: Settings) -> None:
        listed = settings.profiles != self.settings.profiles or not self.rows.count()
        self.settings = settings
        if listed:
            self._list(self.form.name or settings.endpoint)

    def show_tested(self, tested: Tested) -> None:
        self.form.show_tested(tested)

    def show_vault(self, reason: str) -> None:
        self.form.show_vault(reason)

    def begin(self) -> None:
        """An empty form for a new endpoint."""
        self.rows.setCurrentRow(-1)
        self._show_form(True)
        self.form.begin(self._names(but=""))

    def _list(self, wanted: str) -> None:
        self.rows.blockSignals(True)
        self.rows.clear()
        names = [profile.name for profile in self.settings.profiles]
        for name in names:
            item = QListWidgetItem(name)
            item.setSizeHint(QSize(0, CONTROL))
            self.rows.addItem(item)
        self.rows.blockSignals(False)
        self._show_form(bool(names))
        if names:
            self.rows.setCurrentRow(names.index(wanted) if wanted in names else 0)

    def _show_form(self, shown: bool) -> None:
        self.form.setVisible(shown)
        self.empty.setVisible(not shown)

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self.settings.profiles):
            profile = self.settings.profiles[row]
            self.form.edit(profile, self._names(but=profile.name))

    def _names(self, *, but: str) -> frozenset[str]:
        names = {profile.name for profile in self.settings.profiles} | {LOCAL}
        return frozenset(names - {but})

    def _save(self, old: str, profile: Profile, key: str) -> None:
        known = self.settings.profiles
        if old:
            profiles = tuple(profile if known.name == old else known for known in known)
        else:
            profiles = (*known, profile)
        # a new endpoint is meant to be used; so is a chosen one under its new name
        chosen = self.settings.endpoint in (old, LOCAL) if not old else False
        in_use = self.settings.endpoint == old or chosen
        endpoint = profile.name if in_use else self.settings.endpoint
        if key:
            self.keyed.emit(profile.name, key)
        elif old and old != profile.name:
            self.renamed.emit(old, profile.name)
        self._change(replace(self.settings, profiles=profiles, endpoint=endpoint), profile.name)

    def _remove(self, name: str) -> None:
        profiles = tuple(known for known in self.settings.profiles if known.name != name)
        endpoint = LOCAL if self.settings.endpoint == name else self.settings.endpoint
        self.removed.emit(name)
        self._change(replace(self.settings, profiles=profiles, endpoint=endpoint), "")

    def _change(self, settings: Settings, shown: str) -> None:
        self.settings = settings
        self._list(shown)
        self.changed.emit(settings)
