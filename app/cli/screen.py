"""What the doctor finds of the screen: display, captures, hotkeys, tray; asks nobody anything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from app.capture import probe
from app.capture.hotkey import hotkeys
from app.capture.hotkey.wish import settled
from app.capture.record import microphone
from app.capture.record import probe as recording
from app.cli.finding import Finding
from app.settings import Hotkeys, Settings


def screen(settings: Settings) -> Iterator[Finding]:
    yield _display()
    yield from _ways("capture", probe.reasons())
    yield _recorder()
    yield _microphone()
    yield from _ways("hotkey", hotkeys.reasons())
    yield from _wishes(settings.hotkeys)
    yield _tray()


def _display() -> Finding:
    if sys.platform != "linux":
        return Finding("display", "ok", "the system's own")
    wayland, x11 = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("DISPLAY")
    if wayland:
        return Finding("display", "ok", f"Wayland ({wayland})")
    if x11:
        return Finding("display", "ok", f"X11 ({x11})")
    return Finding(
        "display",
        "missing",
        "no display: the window can't open",
        'ask in the terminal with sightline ask FILE "question", or start a desktop session',
    )


def _ways(name: str, states: Iterable[probe.BackendState]) -> Iterator[Finding]:
    for way in states:
        if way.ok:
            yield Finding(name, "ok", f"{way.name}: works")
        else:
            yield Finding(name, "missing", f"{way.name}: {way.reason}", way.remedy)


def _recorder() -> Finding:
    found = recording.obstacle()
    if found is None:
        return Finding("recorder", "ok", f"{recording.way()}: works")
    return Finding("recorder", "missing", found.reason, found.remedy)


def _microphone() -> Finding:
    found = microphone.obstacle()
    if found is None:
        return Finding("microphone", "ok", microphone.way())
    return Finding("microphone", "missing", found.reason, found.remedy)


def _wishes(wished: Hotkeys) -> Iterator[Finding]:
    """Chords in the settings that no system could take."""
    for refusal in settled(asdict(wished))[1]:
        yield Finding("hotkey", "failed", refusal.reason, "choose another in Settings › Hotkeys")


def _tray() -> Finding:
    if sys.platform != "linux":
        return Finding("tray", "ok", "the system's own")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return Finding("tray", "missing", "no display, no tray")
    probe = "from PySide6.QtWidgets import QApplication, QSystemTrayIcon as T\nQApplication([])\n"
    asked = [sys.executable, "-c", f"{probe}raise SystemExit(not T.isSystemTrayAvailable())"]
    try:
        there = subprocess.run(asked, capture_output=True, timeout=20, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        there = False
    if there:
        return Finding("tray", "ok", "the desktop has a tray")
    remedy = (
        "plain GNOME needs the AppIndicator extension; other desktops a tray or panel. Until then "
        "sightline brings the window back, and sightline snip captures"
    )
    return Finding("tray", "missing", "the desktop shows no tray", remedy)
