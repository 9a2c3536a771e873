"""What happens to a link that was clicked; knows no page."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def open_link(url: QUrl) -> None:
    """Only what a browser or a mail program opens; a model's answer can name anything."""
    if url.scheme() in ("http", "https", "mailto"):
        QDesktopServices.openUrl(url)
