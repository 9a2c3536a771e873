"""An engine with several ranks as the window has it: what its client and the window are told when a
rank is lost, and that nothing is left of it, however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from app.engine.child import EngineChild
from app.vocabulary import Endpoint, EngineFault

ROOT = Path(__file__).resolve().parents[4]
ENGINE = Path(__file__).with_name("engine.py")
PROMPTLY = 5.0  # seconds

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with what looks like a model from outside."""
    model = tmp_path / "models" / "m"
    model.mkdir(parents=True)
    (model / "config.json").write_text('{"model_type": "llama"}')
    (model / "model.safetensors").write_bytes(b"")
    return tmp_path


def _child(
    folder: Path, deaths: list[EngineFault], *, ranks: int = 2, mishap: str = ""
) -> EngineChild:
    def start(_model: str, _folder: Path) -> Sequence[str]:
        return (sys.executable, str(ENGINE), str(ranks), mishap)

    return EngineChild(
        model="m", folder=folder, on_progress=lambda _: None, on_death=deaths.append, command=start
    )


async def _asked(endpoint: Endpoint, begun: Callable[[], None] = lambda: None) -> list[str]:
    """Ask for a long answer; the errors that the stream told of."""
    body = {
        "messages": [{"role": "user", "content": "a long story"}],
        "stream": True,
        "max_tokens": 5000,
    }
    key = {"Authorization": f"Bearer {endpoint.api_key}"}
    errors = []
    async with (
        httpx.AsyncClient(base_url=endpoint.base_url, headers=key, timeout=60) as client,
        client.stream("POST", "/chat/completions", json=body) as response,
    ):
        async for line in response.aiter_lines():
            said = json.loads(line[6:]) if line.startswith("data: {") else {}
            if "error" in said:
                errors.append(said["error"]["message"])
            elif said.get("choices", [{}])[0].get("delta", {}).get("content"):
                begun()
    return errors


def _ranks(engine: int) -> list[psutil.Process]:
    return psutil.Process(engine).children(recursive=True)


def _gone(processes: list[psutil.Process]) -> bool:
    _, left = psutil.wait_procs(processes, timeout=PROMPTLY)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in left)


def test_a_rank_that_is_killed_ends_the_request_and_the_engine_and_a_new_one_starts(
    folder: Path,
) -> None:
    async def live() -> None:
        deaths: list[EngineFault] = []
        child = _child(folder, deaths)
        endpoint = await child.start()
        assert child.pid is not None
        ranks = _ranks(child.pid)
        assert len(ranks) == 1
        begun = asyncio.Event()
        asking = asyncio.create_task(_asked(endpoint, begun.set))
        await begun.wait()
        start = time.monotonic()
        ranks[0].kill()
        (error,) = await asking
        await child.noticed(PROMPTLY)
        assert time.monotonic() - start < PROMPTLY
        (death,) = deaths
        assert death.message == error
        assert "killed a part of the engine" in error
        assert death.kind == "out_of_memory"
        assert _gone(ranks)
        await child.start()
        await child.stop()

    asyncio.run(live())


def test_an_engine_whose_own_thread_never_comes_back_ends_with_its_fault(folder: Path) -> None:
    async def live() -> None:
        deaths: list[EngineFault] = []
        child = _child(folder, deaths, mishap="stuck")
        endpoint = await child.start()
        assert child.pid is not None
        ranks = _ranks(child.pid)
        start = time.monotonic()
        (error,) = await _asked(endpoint)
        await child.noticed(PROMPTLY)
        assert time.monotonic() - start < PROMPTLY
        assert [death.message for death in deaths] == [error]
        assert "does not answer" in error
        assert _gone(ranks)
        await child.stop()

    asyncio.run(live())


def test_an_engine_that_is_killed_leaves_no_rank_not_even_a_stopped_one(folder: Path) -> None:
    async def live() -> None:
        child = _child(folder, [], ranks=3)
        await child.start()
        assert child.pid is not None
        ranks = _ranks(child.pid)
        assert len(ranks) == 2
        ranks[1].send_signal(signal.SIGSTOP)
        os.kill(child.pid, signal.SIGKILL)
        assert _gone(ranks)
        await child.stop()

    asyncio.run(live())


def test_a_window_that_is_killed_leaves_no_engine_and_no_rank(folder: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "sys.path[:0] = sys.argv[2:]\n"
        "from test_end import _child\n"
        "async def live():\n"
        "    child = _child(Path(sys.argv[1]), [])\n"
        "    await child.start()\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(live())"
    )
    window = subprocess.Popen(
        [sys.executable, "-c", script, str(folder), str(ROOT), str(ENGINE.parent)],
        stdout=subprocess.PIPE,
    )
    with window:
        assert window.stdout is not None
        engine = psutil.Process(int(window.stdout.readline()))
        everything = [engine, *_ranks(engine.pid)]
        assert len(everything) == 2
        window.kill()
        assert _gone(everything)
