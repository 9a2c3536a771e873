"""The real engine as a process: its ready line, its key, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from app.engine.child import EngineChild
from app.engine.models import DEFAULT

ROOT = Path(__file__).resolve().parents[3]
QUESTION = [{"role": "user", "content": "Tell me a long story about the sea."}]
PAGE = "The tide tables of the harbour list high water at many hours. " * 400

pytestmark = pytest.mark.slow


def _gone(pid: int, within: float = 5.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_a_killed_parent_leaves_no_engine(tiny_folder: Path, tmp_path: Path) -> None:
    script = (
        "import asyncio, sys, time; from pathlib import Path\n"
        "from app.engine.child import EngineChild\n"
        "async def live():\n"
        "    child = EngineChild(model=sys.argv[1], folder=Path(sys.argv[2]),\n"
        "        on_progress=lambda _: None)\n"
        "    await child.start()\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(live())"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tiny_folder), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        engine = int(parent.stdout.readline())
        assert psutil.pid_exists(engine)
        os.kill(parent.pid, signal.SIGKILL)
        assert _gone(engine)


def test_serve_says_one_line_and_makes_a_key_where_none_is_given(
    tiny_folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "app.engine.local", "--model", str(tiny_folder)]
    engine = subprocess.Popen(
        [*command, "--folder", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with engine:
        assert engine.stdout is not None
        assert engine.stderr is not None
        ready = json.loads(engine.stdout.readline())
        engine.terminate()
        rest, told = engine.communicate(timeout=10)
    assert ready.keys() == {"ready", "base_url", "model", "pid"}
    assert ready["base_url"].startswith("http://127.0.0.1:")
    assert ready["base_url"].endswith("/v1")
    assert (ready["model"], ready["pid"], rest) == ("tiny", engine.pid, "")
    assert "API key for this run: " in told


def test_a_process_ends_with_one_last_word_whatever_it_is_stuck_in() -> None:
    script = (
        "import sys, threading, time\n"
        "from app.engine.local.life import Ending, fail_as_words\n"
        "from app.vocabulary import EngineFault\n"
        "ending = Ending(fail_as_words)\n"
        "for _ in range(3):\n"
        "    ending.within(0.2, EngineFault('engine_failed', 'A rank is lost.'))\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "time.sleep(600)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "A rank is lost.\n")


def test_the_built_in_model_reads_an_invoice_and_stops_when_told(built_in: Path) -> None:
    async def live() -> None:
        child = EngineChild(model=DEFAULT, folder=built_in.parents[1], on_progress=lambda _: None)
        endpoint = await child.start()
        key = {"Authorization": f"Bearer {endpoint.api_key}"}
        try:
            async with httpx.AsyncClient(base_url=endpoint.base_url, headers=key, timeout=60) as c:
                assert "221.40" in await _answer(c, INVOICE, "What is the total due?")
                assert "3 December" in await _answer(c, INVOICE, "When is it due?")
                await _hang_up(c, QUESTION, after="content")
                await _hang_up(c, [{"role": "user", "content": PAGE}], after="role")
                assert "221.40" in await _answer(c, INVOICE, "What is the total due?")
                refused = await c.get("/models", headers={"Authorization": "Bearer guess"})
                assert refused.status_code == 401
        finally:
            await child.stop()

    asyncio.run(live())


async def _answer(client: httpx.AsyncClient, page: str, question: str) -> str:
    content = f"Text of invoice.png:\n{page}\n\nQuestion: {question}"
    body = {"messages": [{"role": "user", "content": content}], "max_tokens": 60}
    said = (await client.post("/chat/completions", json=body)).json()
    return str(said["choices"][0]["message"]["content"])


async def _hang_up(
    client: httpx.AsyncClient, messages: list[dict[str, str]], *, after: str
) -> None:
    """Leave in the middle of an answer; the engine is free again soon after."""
    body = {"messages": messages, "stream": True, "temperature": 0.9, "max_tokens": 900}
    async with client.stream("POST", "/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if after in line:
                break
    start = time.monotonic()
    while (await client.get(str(client.base_url).replace("/v1/", "/health"))).json()["working"]:
        assert time.monotonic() - start < 2  # 0.1 s where the machine has nothing else to do
        await asyncio.sleep(0.01)


INVOICE = """Northwind Garden Supplies
INVOICE
Invoice number: 2026-0417
Date: 3 November 2026
Due date: 3 December 2026
Bill to: Harbour Café Ltd, 2 Quay Street, Cardiff
Description Quantity Unit price Amount
Terracotta pots 12 8.50 102.00
Potting soil 25 l 6 11.25 67.50
Delivery 1 15.00 15.00
Subtotal 184.50
VAT 20% 36.90
Total due £221.40
Please pay by bank transfer within 30 days."""
