"""The list of past conversations: found, opened, renamed, deleted; knows no store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.store import Conversation
from app.ui.buttons import IconButton, label
from app.ui.look import Look
from app.ui.menu import Menu
from app.ui.theme import SMALL

ID = int(Qt.ItemDataRole.UserRole)
ROW, HEAD = 32, 30  # px
WIDTH = 256  # px


class Conversations(QListWidget):
    """The rows. Enter opens, F2 renames, Delete deletes."""

    chosen = Signal(int)
    delete_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "conversations")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(False)
        self.itemClicked.connect(self._choose)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(ID) is not None:
            self.chosen.emit(item.data(ID))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        editing = self.state() == QAbstractItemView.State.EditingState
        if editing:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.currentItem())
        elif event.key() == Qt.Key.Key_Delete and self.currentItem() is not None:
            self.delete_wanted.emit(self.currentItem().data(ID))
        else:
            super().keyPressEvent(event)


class Library(QWidget):
    """`opened` and `delete_wanted` carry a conversation's id, `renamed` its new title too."""

    opened = Signal(int)
    renamed = Signal(int, str)
    delete_wanted = Signal(int)
    searched = Signal(str)
    new_wanted = Signal()
    preferences_wanted = Signal()
    help_wanted = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._shown: tuple[Conversation, ...] = ()
        self._hidden: set[int] = set()  # deleted, and still to be had back
        self._current: int | None = None
        self.setProperty("ground", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Conversations"))
        self.setFixedWidth(WIDTH)
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setProperty("role", "search")
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search conversations"))
        self.new = IconButton(look, "square-pen", self.tr("New conversation"))
        self.rows = Conversations()
        self.rows.setAccessibleName(self.tr("Past conversations"))
        self.empty = label(tone="quiet", wrap=True)
        self.settings = IconButton(look, "settings", self.tr("Settings"))
        self.help = IconButton(look, "circle-help", self.tr("Shortcuts"))
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.new.say(self.tr("New conversation"), "Ctrl+N")
        self.settings.say(self.tr("Settings"), "Ctrl+,")
        self.help.say(self.tr("Shortcuts"), "F1")
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.search, 1)
        top.addWidget(self.new)
        foot = QHBoxLayout()
        foot.addWidget(self.settings)
        foot.addStretch(1)
        foot.addWidget(self.help)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.empty)
        column.addWidget(self.rows, 1)
        column.addLayout(foot)
        self.empty.setContentsMargins(8, 8, 8, 8)
        self._fill()

    def _connect(self) -> None:
        self.search.textChanged.connect(self.searched)
        self.new.clicked.connect(self.new_wanted)
        self.settings.clicked.connect(self.preferences_wanted)
        self.help.clicked.connect(self.help_wanted)
        self.rows.chosen.connect(self.opened)
        self.rows.delete_wanted.connect(self.delete_wanted)
        self.rows.itemChanged.connect(self._rename)
        self.rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.rows.customContextMenuRequested.connect(self._offer)

    def show_conversations(self, conversations: tuple[Conversation, ...]) -> None:
        self._shown = conversations
        self._fill()

    def show_current(self, conversation: int | None) -> None:
        self._current = conversation
        self._mark()

    def hide_conversation(self, conversation: int) -> None:
        self._hidden.add(conversation)
        self._fill()

    def show_again(self, conversation: int) -> None:
        self._hidden.discard(conversation)
        self._fill()

    def title(self, conversation: int | None) -> str | None:
        return next((c.title for c in self._shown if c.id == conversation), None)

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        return tuple(c for c in self._shown if c.id not in self._hidden)

    def _fill(self) -> None:
        self.rows.blockSignals(True)
        scrolled = self.rows.verticalScrollBar().value()
        self.rows.clear()
        group = ""
        for conversation in self.conversations:
            name = self._group(conversation.updated)
            if name != group:
                group = name
                self.rows.addItem(_head(name))
            self.rows.addItem(_row(conversation))
        self._mark()
        self.rows.verticalScrollBar().setValue(scrolled)
        self.rows.blockSignals(False)
        self._explain()

    def _explain(self) -> None:
        searching = bool(self.search.text())
        self.empty.setText(
            self.tr("Nothing found.") if searching else self.tr("Your conversations appear here.")
        )
        self.empty.setVisible(not self.conversations)

    def _group(self, when: float) -> str:
        days = (date.today() - datetime.fromtimestamp(when).date()).days
        if days <= 0:
            return self.tr("Today")
        return self.tr("Yesterday") if days == 1 else self.tr("Earlier")

    def _mark(self) -> None:
        for item in self._items():
            if item.data(ID) == self._current:
                self.rows.setCurrentItem(item)
                return
        self.rows.setCurrentRow(-1)

    def _items(self) -> Iterable[QListWidgetItem]:
        for at in range(self.rows.count()):
            if self.rows.item(at).data(ID) is not None:
                yield self.rows.item(at)

    def _rename(self, item: QListWidgetItem) -> None:
        title = item.text().strip()
        old = self.title(item.data(ID))
        if not title:
            self._fill()
        elif title != old:
            self.renamed.emit(item.data(ID), title)

    def _offer(self, at: QPoint) -> None:
        """The menu of the row under the pointer."""
        item = self.rows.itemAt(at)
        if item is None or item.data(ID) is None:
            return
        menu = Menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, keys, run in (
            (self.tr("Rename"), "F2", lambda: self.rows.editItem(item)),
            (self.tr("Delete"), "Del", lambda: self.delete_wanted.emit(item.data(ID))),
        ):
            action = QAction(text, menu)
            action.setShortcut(keys)
            action.setShortcutVisibleInContextMenu(True)
            action.triggered.connect(run)
            menu.addAction(action)
        menu.popup(self.rows.viewport().mapToGlobal(at))


def _head(name: str) -> QListWidgetItem:
    item = QListWidgetItem(name)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    item.setSizeHint(QSize(0, HEAD))
    small = QFont()
    small.setPixelSize(SMALL)
    small.setWeight(QFont.Weight.DemiBold)
    item.setFont(small)
    item.setTextAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
    return item


def _row(conversation: Conversation) -> QListWidgetItem:
    item = QListWidgetItem(conversation.title)
    item.setData(ID, conversation.id)
    item.setToolTip(conversation.title)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
    item.setSizeHint(QSize(0, ROW))
    return item
