"""What `sightline doctor` says of the screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
NOWHERE = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "XDG_SESSION_TYPE": ""}


def findings(sightline: Run, name: str, **env: str) -> list[dict[str, Any]]:
    done = sightline("doctor", "--json", **{**NOWHERE, **env})
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [row for row in found if row["name"] == name]


def test_without_a_display_every_row_says_so(sightline: Run) -> None:
    for name in ("display", "hotkey", "tray"):
        (row,) = findings(sightline, name)
        assert row["state"] == "missing"
        assert "no display" in row["message"]


@pytest.mark.parametrize("bus", ["unix:path=/nowhere/at/all"])
def test_a_wayland_session_without_a_portal_names_the_command_to_bind(
    sightline: Run, bus: str
) -> None:
    env = {"WAYLAND_DISPLAY": "wayland-7", "DBUS_SESSION_BUS_ADDRESS": bus}
    (row,) = findings(sightline, "hotkey", **env)
    assert row["message"].startswith("GlobalShortcuts portal: ")
    assert "sightline snip" in row["remedy"]


def test_hotkeys_that_no_system_could_take_are_named(sightline: Run, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    chords = {"record": "Meta+Shift+A", "new_chat": "Hyper+N"}
    (home / "config" / "settings.json").write_text(json.dumps({"hotkeys": chords}))
    _way, *rows = findings(sightline, "hotkey")
    assert [row["state"] for row in rows] == ["failed", "failed"]
    assert "already the key for “Ask about a region”" in rows[0]["message"]
    assert "no key called “Hyper”" in rows[1]["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="parec is Linux's")
def test_the_way_to_the_microphone_is_named(sightline: Run, tmp_path: Path) -> None:
    (tmp_path / "parec").write_text("#!/bin/sh\n")
    (tmp_path / "parec").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    (row,) = findings(sightline, "microphone", PATH=path, PULSE_SERVER="unix:/nowhere")
    assert row["state"] == "ok"
    assert "PulseAudio (parec)" in row["message"]
