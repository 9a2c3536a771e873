"""One program for a user: the first listens, later ones are heard, a crash blocks nobody."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.handover import LONGEST, Invocation, hand_over
from app.ui import instance
from app.ui.instance import AT_ONCE, Instance
from app.vocabulary import Region

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks at the socket as a file")
Hear = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)


@pytest.fixture
def one(qt: QApplication, tmp_path: Path) -> Iterator[Instance]:
    made = Instance(tmp_path)
    assert made.listen() and made.listening
    yield made
    made.close()
    made.deleteLater()


def during(work: Callable[[], None]) -> None:
    """Runs `work` on a thread while Qt's loop goes on."""
    loop = QEventLoop()
    thread = threading.Thread(target=work)
    looking = QTimer(interval=5)
    looking.timeout.connect(lambda: thread.is_alive() or loop.quit())
    looking.start()
    thread.start()
    loop.exec()
    looking.stop()
    thread.join()


def talk(where: str, said: bytes) -> bytes:
    """What the first answers to these bytes."""
    back: list[bytes] = []

    def ask() -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(where)
            line.sendall(said)
            with line.makefile("rb") as answer:
                back.append(answer.read())

    during(ask)
    return back[0]


def test_a_second_start_is_heard_and_answered(one: Instance, hear: Hear) -> None:
    heard, taken = hear(one.invoked), list[bool]()
    said = Invocation("region", Region(-5, 6, 70, 80))
    during(lambda: taken.append(hand_over(said, one.where)))
    assert (heard, taken) == ([said], [True])


def test_only_the_owner_can_reach_the_socket(one: Instance) -> None:
    assert stat.S_IMODE(Path(one.where).stat().st_mode) & 0o077 == 0


def test_a_second_instance_sees_the_first(one: Instance, tmp_path: Path, hear: Hear) -> None:
    heard = hear(one.invoked)
    second = Instance(tmp_path)
    assert not second.listen() and not second.listening
    QTest.qWait(50)
    assert heard == []


def test_another_home_is_another_program(one: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path / "other")
    assert other.listen()
    other.close()


def test_a_socket_that_a_killed_program_left_is_taken_over(tmp_path: Path, hear: Hear) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.ui.instance import Instance
application = QCoreApplication([])
first = Instance(Path(sys.argv[1]))
assert first.listen()
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    second = Instance(tmp_path)
    assert Path(second.where).exists()
    assert second.listen() and second.listening
    heard = hear(second.invoked)
    during(lambda: hand_over(Invocation("show"), second.where))
    assert heard == [Invocation("show")]
    second.close()


def test_no_socket_stays_behind(one: Instance) -> None:
    one.close()
    assert not Path(one.where).exists()


@pytest.mark.parametrize(
    "line", [b"\n", b"GET / HTTP/1.1\r\n\r\n", b'{"verb":"dance"}\n', b"\xff\n"]
)
def test_a_malformed_line_is_refused_and_does_no_harm(
    one: Instance, hear: Hear, line: bytes
) -> None:
    heard = hear(one.invoked)
    assert talk(one.where, line).startswith(b'{"refused": "What was handed over')
    during(lambda: hand_over(Invocation("screen"), one.where))
    assert heard == [Invocation("screen")]


def test_a_line_without_end_is_cut_off(one: Instance, hear: Hear) -> None:
    heard = hear(one.invoked)
    assert b"refused" in talk(one.where, b"x" * (LONGEST + 1))
    assert heard == []


def test_a_line_in_pieces_is_heard_whole(one: Instance, hear: Hear) -> None:
    heard = hear(one.invoked)

    def ask() -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(one.where)
            for piece in (b'{"verb"', b': "win', b'dow"}', b"\n"):
                line.sendall(piece)
                threading.Event().wait(0.02)
            line.recv(100)

    during(ask)
    assert heard == [Invocation("window")]


def test_who_says_nothing_is_hung_up_on(
    one: Instance, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "PATIENCE", 50)
    assert talk(one.where, b"") == b""


def test_a_crowd_does_not_keep_the_next_one_out(
    one: Instance, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = hear(one.invoked)
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(AT_ONCE + 3)]
    for idler in crowd:
        idler.connect(one.where)
    QTest.qWait(50)
    for idler in crowd:
        idler.close()
    QTest.qWait(50)
    during(lambda: hand_over(Invocation("show"), one.where))
    assert heard == [Invocation("show")]


def test_the_desktops_token_is_there_for_the_window(one: Instance) -> None:
    during(lambda: hand_over(Invocation("show", token="t0k3n"), one.where))
    assert os.environ.pop("XDG_ACTIVATION_TOKEN") == "t0k3n"
