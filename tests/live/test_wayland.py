"""The screen of a real Wayland compositor, through the real desktop portal.

sway without a display of its own, with xdg-desktop-portal and its part for wlroots, as a user who
is not root (sway refuses to run as one who is).
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtGui import QColor, QImage

ROOT = Path(__file__).parents[2]
NEEDED = ("sway", "swaymsg", "swaybg", "grim", "pipewire", "dbus-run-session", "setpriv")
PORTALS = ("xdg-desktop-portal", "xdg-desktop-portal-wlr")
WIDTH, HEIGHT = 640, 400
LEFT, RIGHT = "#c81e28", "#0f7b6c"

pytestmark = pytest.mark.live

_CONFIG = """
output * resolution {width}x{height} position 0 0
output * bg {picture} stretch
exec {command}
"""
# the portals are started by the bus, which must know of the compositor; the one for wlroots ends
# at once where there is no PipeWire, though no picture goes through it, and one that is started by
# the very question that it is to answer may overlook it (0.7.0)
_COMMAND = """#!/bin/sh
dbus-update-activation-environment WAYLAND_DISPLAY XDG_CURRENT_DESKTOP
pipewire &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S "$XDG_RUNTIME_DIR/pipewire-0" ] || sleep 0.3; done
"$PART" &
sleep 1
"$PYTHON" -c "$SCRIPT" >"$HOME/said.json" 2>"$HOME/errors"
kill $server
swaymsg exit
"""
_SCRIPT = """
import asyncio, json, os, time
from app.capture.encode import as_image
from app.capture.grab import grab_shots
from app.capture.hotkey.hotkeys import open_hotkeys
from app.capture.probe import reasons

places = [(5, 5), (310, 390), (330, 10), (635, 395)]
until = time.monotonic() + 15  # the compositor draws its background when it comes to it
while time.monotonic() < until:
    (shot,) = asyncio.run(grab_shots())
    image = as_image(shot)
    if image.pixelColor(5, 5).name() == os.environ["LEFT"]:
        break
hotkeys = asyncio.run(open_hotkeys(lambda _action: None))
print(json.dumps({
    "size": [shot.width, shot.height],
    "colours": [image.pixelColor(x, y).name() for x, y in places],
    "ways": {way.name: way.ok for way in reasons()},
    "hotkeys": [getattr(hotkeys, "reason", ""), getattr(hotkeys, "remedy", "")],
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the program says of the screen, from inside such a session."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    missing += [name for name in PORTALS if _program(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    home = Path("/tmp") / tmp_path_factory.mktemp("wayland").name
    home.mkdir(mode=0o700)
    try:
        yield _session(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _program(name: str) -> Path | None:
    """Where a system keeps what only other programs start."""
    places = (Path(folder) / name for folder in ("/usr/libexec", "/usr/lib", "/usr/lib64"))
    return next((place for place in places if place.is_file()), None)


def _session(home: Path) -> dict[str, Any]:
    user, prefix = _someone()
    _prepare(home, user)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CURRENT_DESKTOP": "sway",
        "XDG_SESSION_TYPE": "wayland",
        "WLR_BACKENDS": "headless",
        "WLR_RENDERER": "pixman",
        "WLR_LIBINPUT_NO_DEVICES": "1",
        "PYTHON": _python(prefix),
        "PYTHONPATH": os.pathsep.join((str(ROOT), *(path for path in sys.path if path))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PART": str(_program(PORTALS[1])),
        "SCRIPT": _SCRIPT,
        "LEFT": LEFT,
    }
    command = [*prefix, "dbus-run-session", "--", "sway", "-c", str(home / "config")]
    with (home / "session").open("w") as log:
        try:
            subprocess.run(
                command, env=environment, cwd=home, stderr=log, stdout=log, timeout=60, check=False
            )
        finally:
            _end(home)
    said, wrong = home / "said.json", home / "errors"
    if not said.is_file():
        pytest.skip(f"sway does not run here: {(home / 'session').read_text()[-300:]}")
    text = said.read_text()
    assert text, (home / "session").read_text()[-6000:] + wrong.read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def _someone() -> tuple[int, list[str]]:
    """Who runs it: this user, or nobody in place of root."""
    if os.getuid():
        return os.getuid(), []
    nobody = pwd.getpwnam("nobody")
    who = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return nobody.pw_uid, ["setpriv", *who]


def _python(prefix: list[str]) -> str:
    """A Python that this user may run: ours may lie in root's own folder."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/python{here}"):
        tried = [*prefix, "sh", "-c", f"{python} -c ''"]
        if subprocess.run(tried, check=False, stderr=subprocess.DEVNULL).returncode == 0:
            return python
    pytest.skip("nobody but root can run Python here")


def _prepare(home: Path, user: int) -> None:
    picture = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            picture.setPixelColor(x, y, QColor(LEFT if x < WIDTH // 2 else RIGHT))
    picture.save(str(home / "picture.png"))
    command = home / "command"
    command.write_text(_COMMAND)
    command.chmod(0o755)
    (home / "config").write_text(
        _CONFIG.format(width=WIDTH, height=HEIGHT, picture=home / "picture.png", command=command)
    )
    for path in (home, *home.iterdir()):
        os.chown(path, user, -1)


def _end(home: Path) -> None:
    """Whoever of the session is still there; a compositor's children are in no group of ours."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("XDG_RUNTIME_DIR") == str(home):
                process.kill()


def test_the_portals_picture_holds_the_screens_own_pixels(said: dict[str, Any]) -> None:
    assert said["size"] == [WIDTH, HEIGHT]
    assert said["colours"] == [LEFT, LEFT, RIGHT, RIGHT]


def test_the_doctor_finds_the_portal_and_not_x11(said: dict[str, Any]) -> None:
    assert said["ways"] == {"X11": False, "QScreen": False, "Wayland portal": True}


def test_a_desktop_without_hotkeys_names_the_command_to_bind(said: dict[str, Any]) -> None:
    reason, remedy = said["hotkeys"]
    assert "gives programs no global hotkeys" in reason
    assert "sightline snip" in remedy
