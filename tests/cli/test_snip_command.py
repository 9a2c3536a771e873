"""`sightline snip`: what its arguments ask for, and what is said where nothing can be done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import snip
from app.handover import Invocation
from app.vocabulary import Region

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], Invocation("region")),
        (["--region"], Invocation("region")),
        (["--region", "1,2,3,4"], Invocation("region", Region(1, 2, 3, 4))),
        (["--region=-1920,0,30,40"], Invocation("region", Region(-1920, 0, 30, 40))),
        (["--full"], Invocation("screen")),
        (["--window"], Invocation("window")),
        (["--record"], Invocation("record")),
    ],
)
def test_the_program_is_started_with_what_was_asked_for(
    arguments: list[str], said: Invocation
) -> None:
    started: list[Invocation] = []

    def start(given: Invocation) -> int:
        started.append(given)
        return 7

    assert snip.run(arguments, start) == 7
    assert started == [said]


def test_the_desktops_token_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "t0k3n" * 100)
    started: list[Invocation] = []
    snip.run([], lambda said: started.append(said) or 0)
    assert started[0].token == ("t0k3n" * 100)[:256]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--full", "--window"],
        ["--region", "1,2,3"],
        ["--region", "1,2,0,4"],
        ["--region", "a,b,c,d"],
        ["--record", "--full"],
        ["now"],
    ],
)
def test_wrong_usage_is_told_and_starts_nothing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        snip.run(arguments, lambda _: pytest.fail("it was started"))
    assert ended.value.code == 2
    assert "usage: sightline snip" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize("arguments", [["snip"], ["snip", "--record"], []])
def test_without_a_display_one_line_says_what_to_do(arguments: list[str]) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ran = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1 and ran.stdout == ""
    assert ran.stderr.count("\n") == 1 and "sightline ask" in ran.stderr


def test_nothing_of_the_window_is_loaded_to_hand_something_over() -> None:
    heavy = ("PySide6", "httpx", "app.cli.main", "app.ui", "app.engine")
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys, app.__main__; print(set(sys.modules) & {set(heavy)})"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "set()"
