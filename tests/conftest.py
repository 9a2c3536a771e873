"""What holds for every test: its own home, no display, and nothing left behind."""

from __future__ import annotations

import os
import shutil

# before Qt or a tokenizer is imported anywhere
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# the models here are so small that a second thread only waits: five times slower on two cores
os.environ.setdefault("OMP_NUM_THREADS", "1")
# the kernels run in Triton's interpreter where there is no GPU; said before it is imported
if shutil.which("nvidia-smi") is None:
    os.environ.setdefault("TRITON_INTERPRET", "1")
os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")  # or 3.9 warns

import gc
import sys
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import psutil
import pytest
from chat import ChatServer, serving

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every file that the program writes goes under the test's own folder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SIGHTLINE_HOME", str(folder))
    return folder


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    """A real server on the loopback interface, told what to answer."""
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """A thread or a child process that outlives its test fails it."""
    threads, children = set(threading.enumerate()), set(psutil.Process().children())
    yield
    for thread in set(threading.enumerate()) - threads:
        if not thread.daemon:
            thread.join(5)
            assert not thread.is_alive(), f"the thread {thread.name} outlived its test"
    left = [child for child in set(psutil.Process().children()) - children if _lives(child)]
    _gone, alive = psutil.wait_procs(left, timeout=5)
    assert not alive, f"processes outlived their test: {alive}"


@pytest.fixture(autouse=True)
def garbage_goes_on_this_thread() -> Iterator[None]:
    """As in the program (app/ui/sweeper.py): no worker's thread destroys a Qt object."""
    gc.disable()
    gc.freeze()  # so that the collection below looks at this test's objects only
    yield
    gc.collect()
    gc.unfreeze()
    gc.enable()


@pytest.fixture(autouse=True)
def no_qt_warnings() -> Iterator[None]:
    """A warning that Qt prints fails the test that caused it."""
    if "PySide6.QtCore" not in sys.modules:
        yield
        return
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler  # noqa: PLC0415

    said: list[str] = []
    bad = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg)
    before = qInstallMessageHandler(
        lambda kind, _where, text: said.append(text) if kind in bad else None
    )
    yield
    qInstallMessageHandler(before)
    ours = [text for text in said if not text.startswith(HARMLESS)]
    assert not ours, f"Qt warned: {ours}"


# the offscreen platform has no window manager to ask; the real windows are tried in tests/live
HARMLESS = (
    "This plugin does not support",
    "QFont::setPointSizeF",
    "propagateSizeHints",
    "QObject::connect: No such signal QPlatformNativeInterface::systemTrayWindowChanged",
)


def _lives(child: psutil.Process) -> bool:
    """Python's own tracker serves all tests, and where one ends it the next that needs it starts
    another."""
    if child.pid == resource_tracker._resource_tracker._pid:  # type: ignore[attr-defined]
        return False
    return child.is_running() and child.status() != psutil.STATUS_ZOMBIE
