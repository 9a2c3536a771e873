"""`sightline bench docs`: how fast the document worker turns files into frames and text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from app.bench.sample import samples
from app.bench.table import Row
from app.docs.reader import DocumentWorker, Request
from app.vocabulary import Frame

FILES = ("report.pdf", "deck.pptx", "clip.mp4", "invoice.png")

RUNS = 5  # unless told otherwise


def measure(runs: int) -> Sequence[Row]:
    """Seconds to the first frame and to the last, cold and warm, and seconds for OCR."""
    return asyncio.run(_measure(runs))


async def _measure(runs: int) -> list[Row]:
    rows = [Row("first frame of report.pdf, worker cold", "s", await _cold(runs))]
    worker = DocumentWorker()
    try:
        for name in FILES:
            times = [await _read(worker, name) for _ in range(runs + 1)][1:]
            rows.append(Row(f"{name}, all frames, worker warm", "s", tuple(times)))
        rows.append(Row("OCR of invoice.png", "s", await _recognise(worker, runs)))
    finally:
        await worker.close()
    return rows


async def _cold(runs: int) -> tuple[float, ...]:
    times = []
    for _ in range(runs):
        worker, began = DocumentWorker(), time.perf_counter()
        async for found in worker.read(Request(samples() / "report.pdf", ocr="never")):
            if isinstance(found, Frame):
                break
        times.append(time.perf_counter() - began)
        await worker.close()
    return tuple(times)


async def _read(worker: DocumentWorker, name: str) -> float:
    began = time.perf_counter()
    async for _ in worker.read(Request(samples() / name, ocr="never")):
        pass
    return time.perf_counter() - began


async def _recognise(worker: DocumentWorker, runs: int) -> tuple[float, ...]:
    frames = [
        found
        async for found in worker.read(Request(samples() / "invoice.png", ocr="never"))
        if isinstance(found, Frame)
    ]
    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        await worker.recognise(frames[0])
        times.append(time.perf_counter() - began)
    return tuple(times[1:])
