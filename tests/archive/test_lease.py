"""Names that live as long as their process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.archive.lease import Lease, alive, alone, clear_dead

_HOLDER = """
import sys
from pathlib import Path
from app.archive.lease import Lease
lease = Lease(Path(sys.argv[1]))
print(lease.name, flush=True)
sys.stdin.read()
"""


def holder(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


def test_a_name_is_alive_until_it_is_closed(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    assert alive(tmp_path, lease.name)
    lease.close()
    assert not alive(tmp_path, lease.name)


def test_a_name_that_nobody_took_is_dead(tmp_path: Path) -> None:
    assert not alive(tmp_path, "nobody")


def test_a_killed_process_leaves_a_dead_name(tmp_path: Path) -> None:
    process, name = holder(tmp_path)
    process.kill()
    process.communicate()
    assert not alive(tmp_path, name)
    assert clear_dead(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_living_names_are_not_cleared(tmp_path: Path) -> None:
    with Lease(tmp_path) as lease:
        assert clear_dead(tmp_path) == 0
        assert alive(tmp_path, lease.name)


def test_a_child_does_not_keep_the_name_of_its_parent_alive(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = lease.name
        lease.close()
        assert not alive(tmp_path, name)
        child.communicate(b"\n")


def test_only_one_is_alone(tmp_path: Path) -> None:
    with (
        alone(tmp_path / "lock", 1),
        pytest.raises(TimeoutError),
        alone(tmp_path / "lock", 0.05),
    ):
        pass


def test_the_next_waits_until_the_first_has_finished(tmp_path: Path) -> None:
    order: list[str] = []
    entered = threading.Event()

    def first() -> None:
        with alone(tmp_path / "lock", 5):
            entered.set()
            time.sleep(0.1)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait()
    with alone(tmp_path / "lock", 5):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
