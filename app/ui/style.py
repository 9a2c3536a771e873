"""Turns a theme into Qt's terms: a palette, a font, one style sheet; knows no window."""

from __future__ import annotations

import sys
from string import Template

from PySide6.QtCore import QLocale
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette

from app.ui.assets import ICONS
from app.ui.theme import CONTROL, RADIUS, SMALL, TEXT, Theme

# What a desktop without a font of its own falls back to: then a better one is asked for first.
PLAIN_FAMILIES = ("Sans Serif", "Sans", "DejaVu Sans", "")
BETTER_FAMILIES = ("Inter", "Noto Sans", "Cantarell", "Ubuntu", "Liberation Sans")
CJK_FAMILIES = ("PingFang SC", "Microsoft YaHei UI", "Noto Sans CJK SC", "Source Han Sans SC")

SHEET = Template("""
QWidget { color: $ink; }
QMainWindow, QDialog, QWidget[ground="paper"] { background: $paper; }
QWidget[ground="panel"] { background: $panel; }
QFrame[ground="line"] { background: $line; border: none; }
QLabel { background: transparent; }
QLabel[tone="quiet"] { color: $ink2; }
QLabel[tone="small"] { color: $ink2; font-size: ${small}px; }
QLabel[tone="title"] { font-size: 15px; font-weight: 600; }
QLabel[tone="display"] { font-size: 20px; font-weight: 600; }
QLabel[tone="group"] { color: $ink2; font-size: ${small}px; font-weight: 600; }
QLabel[tone="danger"] { color: $danger; font-size: ${small}px; }
QLabel[tone="good"] { color: $accent; font-size: ${small}px; }
QLabel[tone="field"] { min-height: ${control}px; max-height: ${control}px; }
QLabel[tone="key"] { color: $ink2; background: $panel; border: 1px solid $line;
  border-radius: 4px; padding: 1px 6px; font-size: ${small}px; }
QToolTip { color: $ink; background: $raised; border: 1px solid $line; padding: 4px 6px; }

QPushButton { background: $raised; border: 1px solid $line; border-radius: ${radius}px;
  padding: 0 14px; min-height: ${inner}px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $line; }
QPushButton:focus { border: 2px solid $accent; padding: 0 13px; min-height: ${innermost}px; }
QPushButton:disabled { color: $ink2; background: $panel; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent;
  font-weight: 600; }
QPushButton[role="primary"]:hover { background: $accent_hover; }
QPushButton[role="primary"]:focus { border-color: $ink; }
QPushButton[role="primary"]:disabled { background: $panel; color: $ink2; border-color: $line; }
QPushButton[role="danger"] { color: $danger; }
QPushButton[role="card"] { text-align: left; padding: 10px 14px; min-height: 24px; }

QToolButton { background: transparent; border: 2px solid transparent;
  border-radius: ${radius}px; padding: 3px 5px; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:checked { background: $line; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $ink2; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[role="primary"] { background: $accent; }
QToolButton[role="primary"]:hover { background: $accent_hover; }
QToolButton[role="primary"]:focus { border-color: $ink; }
QToolButton[role="primary"]:disabled { background: $line; }
QToolButton[role="thumb"] { padding: 0; }
QToolButton[role="chip"] { color: $ink2; font-size: 13px; padding: 3px 8px; }
QToolButton[role="chip"]:checked { color: $ink; }
QToolButton[role="pill"] { background: $raised; border: 1px solid $line; border-radius: 15px;
  font-size: 13px; padding: 0 11px 0 8px; min-height: 28px; }
QToolButton[role="pill"]:hover { background: $hover; }
QToolButton[role="pill"]:focus { border: 2px solid $accent; padding: 0 10px 0 7px;
  min-height: 26px; }
QToolButton[role="segment"] { background: transparent; padding: 3px 14px; border-radius: 6px; }
QToolButton[role="segment"]:checked { background: $raised; border: 1px solid $line; }
QToolButton[role="segment"]:focus { border: 2px solid $accent; }
QFrame[role="segments"] { background: $hover; border-radius: ${radius}px; }

QLineEdit, QPlainTextEdit[role="field"], QSpinBox, QDoubleSpinBox, QComboBox {
  background: $raised; border: 1px solid $edge; border-radius: ${radius}px; padding: 0 9px;
  min-height: ${inner}px; selection-background-color: $selection; selection-color: $ink; }
QPlainTextEdit[role="field"] { padding: 6px; }
QLineEdit:focus, QPlainTextEdit[role="field"]:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QComboBox:focus { border: 2px solid $accent; padding: 0 8px; min-height: ${innermost}px; }
QPlainTextEdit[role="field"]:focus { padding: 5px; }
QLineEdit:disabled, QComboBox:disabled { color: $ink2; background: $panel; }
QLineEdit[role="search"] { background: $raised; border: 1px solid $line; }
QLineEdit[role="search"]:focus { border: 2px solid $accent; }
QLineEdit[role="bare"], QLineEdit[role="bare"]:focus { border: none; background: transparent;
  font-size: 16px; padding: 0 4px; min-height: 36px; }
QLineEdit[role="inline"], QLineEdit[role="inline"]:focus { border: 2px solid $accent;
  border-radius: 4px; padding: 0 3px; min-height: 22px; }
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus { border: none; padding: 0 8px;
  background: transparent; min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: url($icons/chevron-down-$name.svg); width: 14px; height: 14px; }
QComboBox QLineEdit, QComboBox QLineEdit:focus { border: none; background: transparent;
  padding: 0; min-height: 0; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line; outline: none;
  padding: 4px; selection-background-color: $hover; selection-color: $ink; }
QLineEdit, QTextEdit, QPlainTextEdit { placeholder-text-color: $ink2; }
QCheckBox { spacing: 8px; min-height: 28px; background: transparent; }
QCheckBox:disabled { color: $ink2; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $edge; border-radius: 4px;
  background: $raised; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent;
  image: url($icons/check-$name.svg); }
QCheckBox::indicator:focus { border: 2px solid $accent; }
QCheckBox::indicator:checked:focus { border-color: $ink; }

QListView, QListWidget { background: transparent; border: none; outline: none; }
QListView::item { border-radius: 6px; padding: 0 8px; color: $ink; }
QListView::item:hover { background: $hover; }
QListView::item:selected { background: $selection; color: $ink; }
QListView::item:disabled { background: transparent; color: $ink2; }
QListView::item:focus { border: 2px solid $accent; padding: 0 6px; }

QMenu { background: $raised; border: 1px solid $edge; border-radius: ${radius}px; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 10px; border-radius: 6px; }
QMenu::icon { padding-left: 8px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $ink2; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenu::indicator { width: 14px; height: 14px; padding-left: 8px; }

QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QFrame[role="alone"] { border: 1px solid $edge; }
QFrame[role="composer"] { background: $raised; border: 1px solid $edge; border-radius: 12px; }
QFrame[role="composer"][active="true"] { border: 1px solid $accent; }
QFrame[role="composer"] QTextEdit { background: transparent; border: none;
  selection-background-color: $selection; selection-color: $ink; }
QFrame[role="shelf"] { background: $raised; border: 1px solid $line; border-radius: ${radius}px; }
QFrame[role="snippet"] { background: $panel; border: 1px solid $line;
  border-radius: ${radius}px; }
QFrame[role="card"] { background: $panel; border: 1px solid $line; border-radius: ${radius}px; }
QFrame[role="card"][failed="true"] { border: 1px solid $danger; }
QFrame[role="banner"] { background: $raised; border: 1px solid $line;
  border-left: 3px solid $danger; border-radius: 6px; }
QFrame[role="banner"][mood="calm"] { border-left: 3px solid $accent; }
QFrame[role="popup"] { background: $raised; border: 1px solid $edge; border-radius: 12px; }
QFrame[role="drop"] { background: transparent; border: 2px dashed $accent; border-radius: 16px; }

QProgressBar { background: $line; border: none; border-radius: 2px; max-height: 4px;
  min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $edge; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $line; }
""")


def sheet(theme: Theme) -> str:
    """The style sheet of the whole program in one theme."""
    names = ("name", "paper", "panel", "raised", "line", "ink", "ink2", "accent", "on_accent")
    more = ("selection", "danger", "hover", "edge", "accent_hover")
    colours = {name: str(getattr(theme, name)) for name in names + more}
    sizes = {
        "radius": RADIUS,
        "inner": CONTROL - 2,
        "innermost": CONTROL - 4,
        "control": CONTROL,
        "small": SMALL,
    }
    return SHEET.substitute(colours, icons=ICONS.as_posix(), **sizes)


def palette(theme: Theme) -> QPalette:
    """The palette under the sheet, for what Qt draws by itself."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.paper,
        role.WindowText: theme.ink,
        role.Base: theme.raised,
        role.AlternateBase: theme.panel,
        role.Text: theme.ink,
        role.Button: theme.raised,
        role.ButtonText: theme.ink,
        role.BrightText: theme.danger,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.ink,
        role.PlaceholderText: theme.ink2,
        role.Highlight: theme.selection,
        role.HighlightedText: theme.ink,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Accent: theme.accent,
        role.Light: theme.raised,
        role.Midlight: theme.panel,
        role.Mid: theme.line,
        role.Dark: theme.edge,
        role.Shadow: theme.edge,
    }
    made = QPalette()
    for name, colour in colours.items():
        made.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.ink2))
    return made


def font() -> QFont:
    """The system's font at the base size, with Chinese faces behind it; in Chinese before it, so
    that a line is as high as its characters."""
    made = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    family = made.family()
    first = BETTER_FAMILIES if family in PLAIN_FAMILIES else (family,)
    chinese = QLocale().language() == QLocale.Language.Chinese
    made.setFamilies([*CJK_FAMILIES, *first] if chinese else [*first, *CJK_FAMILIES])
    made.setPixelSize(TEXT)
    if sys.platform == "linux":  # slight hinting makes Chinese behind a Latin face look bold
        made.setHintingPreference(_hinting())
    return made


def _hinting() -> QFont.HintingPreference:
    """All of it where a pixel is a pixel, none where there are enough of them."""
    plain = QGuiApplication.primaryScreen().devicePixelRatio() == 1.0
    kinds = QFont.HintingPreference
    return kinds.PreferFullHinting if plain else kinds.PreferNoHinting
