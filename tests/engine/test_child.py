"""The engine's process, with a small program in its place that says what an engine says."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.engine.child import EngineChild, Progress, command
from app.engine.models import DEFAULT
from app.vocabulary import EngineFault

READY = """
import json, os, sys
print(json.dumps({"stage": "converting", "done": 0.5, "text": "half"}), file=sys.stderr)
print("a warning of some library", file=sys.stderr, flush=True)
print(json.dumps({"ready": True, "base_url": "http://127.0.0.1:9/v1", "model": "m",
    "pid": os.getpid()}), flush=True)
"""
UNTIL_STDIN_ENDS = READY + "sys.stdin.read()"
DIES_SOON = READY + "import time; time.sleep(0.05)"
DEAF = READY + "import time; time.sleep(600)"
KILLS_ITSELF = "import os; os.kill(os.getpid(), 9)"
WORDLESS = "import sys; print('Traceback: it broke', file=sys.stderr); sys.exit(1)"
WITH_LAST_WORDS = """
import json, sys
print(json.dumps({"error": {"kind": "no_space", "message": "The disk is full.", "detail": "E28"}}),
    file=sys.stderr)
sys.exit(1)
"""
SAYS_NONSENSE = "print('hello'); import sys; sys.stdin.read()"
SAYS_ITS_TOKEN = """
import os, sys
print("token", os.environ["SIGHTLINE_ENGINE_TOKEN"], file=sys.stderr)
sys.exit(1)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "m"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(b"")
    return tmp_path


def _child(
    folder: Path,
    script: str,
    heard: Callable[[Progress], None] = lambda _: None,
    died: Callable[[EngineFault], None] = lambda _: None,
) -> EngineChild:
    def start(_model: str, _folder: Path) -> Sequence[str]:
        return (sys.executable, "-c", script)

    return EngineChild(model="m", folder=folder, on_progress=heard, on_death=died, command=start)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_a_started_engine_is_a_local_endpoint_with_a_token(model: Path) -> None:
    async def live() -> None:
        child = _child(model, UNTIL_STDIN_ENDS)
        endpoint = await child.start()
        assert (endpoint.base_url, endpoint.model) == ("http://127.0.0.1:9/v1", "m")
        assert endpoint.local
        assert not endpoint.sees_pictures
        assert len(endpoint.api_key) > 30
        assert child.running
        await child.stop()

    _run(live())


def test_thinking_is_switched_at_an_engine_whose_model_thinks(model: Path) -> None:
    async def live() -> None:
        child = _child(model, UNTIL_STDIN_ENDS)
        assert (await child.start()).switch == "none"
        await child.stop()
        (model / "models" / "m" / "chat_template.jinja").write_text("<think></think>")
        assert (await child.start()).switch == "template"
        await child.stop()

    _run(live())


def test_a_stop_that_is_itself_cancelled_still_ends_the_process(model: Path) -> None:
    async def live() -> None:
        child = _child(model, DEAF)
        await child.start()
        pid = child.pid
        assert pid is not None
        stopping = asyncio.create_task(child.stop())
        await asyncio.sleep(0.1)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        assert not psutil.pid_exists(pid)

    _run(live())


def test_stopping_ends_the_process(model: Path) -> None:
    async def live() -> None:
        child = _child(model, UNTIL_STDIN_ENDS)
        await child.start()
        pid = child.pid
        assert pid is not None
        await child.stop()
        assert not psutil.pid_exists(pid)
        assert not child.running

    _run(live())


def test_an_engine_that_does_not_listen_is_killed(model: Path) -> None:
    async def live() -> None:
        child = _child(model, DEAF)
        await child.start()
        pid = child.pid
        assert pid is not None
        await child.stop()
        assert not psutil.pid_exists(pid)

    _run(live())


def test_a_running_engine_is_not_started_again(model: Path) -> None:
    async def live() -> None:
        child = _child(model, UNTIL_STDIN_ENDS)
        first, second = await asyncio.gather(child.start(), child.start())
        assert first == second
        await child.stop()

    _run(live())


def test_a_dead_engine_is_noticed_and_started_anew_with_another_token(model: Path) -> None:
    async def live() -> None:
        child = _child(model, DIES_SOON)
        first = await child.start()
        for _ in range(200):
            await asyncio.sleep(0.02)
            if not child.running:
                break
        assert not child.running
        second = await child.start()
        assert first.api_key != second.api_key
        await child.stop()

    _run(live())


@pytest.mark.parametrize(
    ("end", "kind", "message", "detail"),
    [
        ("os.kill(os.getpid(), 9)", "out_of_memory", "most likely for lack of memory", ""),
        (
            "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.abort()",
            "engine_failed",
            r"crashed \(SIGABRT\)",
            "",
        ),
        ("os.kill(os.getpid(), 15)", "engine_failed", r"ended from outside \(SIGTERM\)", ""),
        ("sys.exit('it broke')", "engine_failed", r"exit status 1", "it broke"),
        (
            "print(json.dumps({'error': {'kind': 'out_of_memory', 'message': 'No memory is left.',"
            " 'detail': 'CUDA'}}), file=sys.stderr); sys.exit(1)",
            "out_of_memory",
            "No memory is left",
            "CUDA",
        ),
    ],
)
def test_why_a_running_engine_ended_is_told_once(
    model: Path, end: str, kind: str, message: str, detail: str
) -> None:
    async def live() -> None:
        deaths: list[EngineFault] = []
        child = _child(model, f"{READY}import time; time.sleep(0.1); {end}", died=deaths.append)
        await child.start()
        await child.noticed(10)
        (death,) = deaths
        assert death.kind == kind
        assert re.search(message, death.message)
        assert detail in death.detail
        assert not child.running
        await child.stop()
        assert len(deaths) == 1

    _run(live())


def test_an_engine_that_is_stopped_did_not_die(model: Path) -> None:
    async def live() -> None:
        deaths: list[EngineFault] = []
        for script in (UNTIL_STDIN_ENDS, DEAF):
            child = _child(model, script, died=deaths.append)
            await child.start()
            await child.stop()
        assert deaths == []

    _run(live())


def test_progress_is_passed_on(model: Path) -> None:
    async def live() -> None:
        heard: list[Progress] = []
        child = _child(model, UNTIL_STDIN_ENDS, heard.append)
        await child.start()
        await child.stop()
        assert Progress("converting", 0.5, "half") in heard

    _run(live())


@pytest.mark.parametrize(
    ("script", "kind", "message", "detail"),
    [
        (WORDLESS, "engine_failed", "stopped while it started", "Traceback: it broke"),
        (WITH_LAST_WORDS, "no_space", "The disk is full.", "E28"),
        (SAYS_NONSENSE, "engine_failed", "stopped while it started", ""),
        (KILLS_ITSELF, "out_of_memory", "killed the engine while it started", ""),
    ],
)
def test_a_failed_start_is_one_sentence_and_what_a_bug_report_needs(
    model: Path, script: str, kind: str, message: str, detail: str
) -> None:
    async def live() -> None:
        child = _child(model, script)
        with pytest.raises(EngineFault, match=message) as caught:
            await child.start()
        assert caught.value.kind == kind
        assert detail in caught.value.detail
        assert not child.running
        assert child.pid is None

    _run(live())


def test_a_start_that_is_given_up_leaves_no_process(model: Path) -> None:
    async def live() -> None:
        child = _child(model, "import sys; sys.stdin.read()")
        starting = asyncio.create_task(child.start())
        await asyncio.sleep(0.2)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert child.pid is None

    _run(live())


def test_a_program_that_is_not_there_is_one_sentence(model: Path) -> None:
    async def live() -> None:
        child = EngineChild(
            model="m",
            folder=model,
            on_progress=lambda _: None,
            command=lambda *_: ("/nowhere/python",),
        )
        with pytest.raises(EngineFault, match="can't be started"):
            await child.start()

    _run(live())


def test_a_model_that_is_not_there_is_said_before_anything_starts(model: Path) -> None:
    async def live() -> None:
        child = EngineChild(model="other", folder=model, on_progress=lambda _: None)
        with pytest.raises(EngineFault) as caught:
            await child.start()
        assert caught.value.kind == "no_model"

    _run(live())


def test_the_token_reaches_the_engine_by_its_environment_and_no_report(model: Path) -> None:
    async def live() -> None:
        child = _child(model, SAYS_ITS_TOKEN)
        with pytest.raises(EngineFault) as caught:
            await child.start()
        assert caught.value.detail == "token [the key]"

    _run(live())
    assert "SIGHTLINE_ENGINE_TOKEN" not in os.environ
    assert not any("key" in word or "token" in word for word in command(DEFAULT, Path("data")))
