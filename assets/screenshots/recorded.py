"""A chat server that plays a recorded stream: what a larger model thought and answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

PACE = 0.008  # s from one word to the next


@dataclass(frozen=True, slots=True)
class Stream:
    thinking: str
    answer: str
    ends: bool = True  # else it stands still once everything is said


@asynccontextmanager
async def recorded(stream: Stream) -> AsyncIterator[str]:
    """Its address, while it serves."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(x for x in head.split(b"\r\n") if x.lower().startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
        writer.write(b"connection: close\r\n\r\n")
        for key, text in (("reasoning_content", stream.thinking), ("content", stream.answer)):
            for word in text.split(" "):
                data = {"choices": [{"index": 0, "delta": {key: word + " "}}]}
                writer.write(f"data: {json.dumps(data)}\n\n".encode())
                await writer.drain()
                await asyncio.sleep(PACE)
        if stream.ends:
            stop = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            writer.write(f"data: {json.dumps(stop)}\n\ndata: [DONE]\n\n".encode())
            await writer.drain()
        else:
            await over.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        over.set()
        server.close()
        await asyncio.sleep(0.1)  # the connections hear of it
