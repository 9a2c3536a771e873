"""Runs the real program for the live tests and prints what happens to it, a JSON line a fact."""

from __future__ import annotations

import json
import sys
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRect, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.cli import snip
from app.handover import Invocation
from app.ui.desk import Desk
from app.ui.program import run
from app.ui.screen.pane import Pane


def tell(kind: str, **facts: Any) -> None:
    print(json.dumps({"kind": kind, **facts}), flush=True)


class Watch(QObject):
    """Tells when a window of ours comes and goes."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QWidget) and watched.isWindow():
            name = type(watched).__name__
            if event.type() == QEvent.Type.WindowActivate:
                tell(
                    "active",
                    window=name,
                    title=watched.windowTitle(),
                    place=_sides(watched.geometry()),
                    marked=isinstance(watched, Pane) and watched.marking.region is not None,
                )
            elif event.type() == QEvent.Type.Hide:
                tell("hidden", window=name)
            elif event.type() == QEvent.Type.Show and isinstance(watched, QMenu):
                QTimer.singleShot(100, watched, lambda: _tell_menu(watched))
        return False


def _tell_menu(menu: QMenu) -> None:
    """Where each entry stands, by its text."""
    corner = menu.mapToGlobal(menu.rect().topLeft())
    entries = {
        action.text().split("\t")[0]: _sides(menu.actionGeometry(action).translated(corner))
        for action in menu.actions()
        if action.text()
    }
    tell("menu", entries=entries)


def _tell_attachments(attachments: tuple[Any, ...]) -> None:
    for item in attachments:
        if not item.done:
            continue
        frame = item.frames[0]
        image = QImage.fromData(frame.image)
        region = frame.source.region
        tell(
            "attached",
            name=item.name,
            size=[frame.width, frame.height],
            region=None if region is None else [region.x, region.y, region.width, region.height],
            corner=image.pixelColor(0, 0).name(),
        )


def _sides(place: QRect) -> list[int]:
    return [place.x(), place.y(), place.width(), place.height()]


def built(desk: Desk) -> None:
    """Before anything is shown: hears everything that a test may wait for."""
    application = QApplication.instance()
    assert application is not None
    application.installEventFilter(Watch(desk))
    window = desk.window
    desk.session.attachments_changed.connect(_tell_attachments)
    desk.quitted.connect(lambda: tell("closed", text=window.composer.prompt.toPlainText()))
    desk.bindings.refused.connect(
        lambda refused: tell("keys", refused=[refusal.action for refusal in refused])
    )
    desk.session.conversations_listed.connect(lambda listed: tell("listed", count=len(listed)))
    desk.session.noticed.connect(lambda error: tell("notice", text=error.message))
    desk.recorder.state_changed.connect(lambda state: tell("recording", state=state))
    looking = QTimer(desk, interval=100)
    seen: list[QRect] = []

    def look() -> None:
        """Where the icon stands once the panel has laid itself out."""
        seen.append(desk.tray.place)
        if not seen[-1].isEmpty() and seen[-5:] == [seen[-1]] * 5:
            looking.stop()
            tell("tray", place=_sides(seen[-1]))

    looking.timeout.connect(look)
    looking.start()


def main(arguments: list[str]) -> int:
    def start(said: Invocation) -> int:
        return run(said, built)

    if arguments[:1] == ["snip"]:
        return snip.run(arguments[1:], start)
    return snip.go(Invocation("show"), start)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
