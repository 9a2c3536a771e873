from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette

from app.engine.local.serve.server import Server, configured
from app.vocabulary import EngineFault


async def _served(faults: list[EngineFault]) -> bool:
    """Serve until a fault comes; whether it answered before."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = Server(configured(Starlette()), "ready", faults)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient() as client:
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
            answered = (await client.get(f"http://127.0.0.1:{port}/")).status_code == 404
        faults.append(EngineFault("engine_failed", "The GPU failed."))
        async with asyncio.timeout(5):
            await serving
    return answered


def test_a_server_whose_device_broke_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(_served([]))
    assert capsys.readouterr().out == "ready\n"
