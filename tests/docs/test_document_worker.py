"""The worker process: frames stream, hostile files cost one worker, nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pymupdf
import pytest
from docfiles import SAMPLES, make_pdf
from PIL import Image

from app.docs.reader import DocumentWorker, Limits, Opened, Remark, Request
from app.vocabulary import DocumentFault, Frame, Source

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc as on Linux")


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def read(worker: DocumentWorker, path: Path, **options: Any) -> list[Any]:
    return [told async for told in worker.read(Request(path, **options))]


def slow_page(document: Any) -> None:
    """A page that takes seconds to draw: shadings on shadings, as a broken exporter writes them."""
    page = document.new_page()
    page.insert_text((72, 72), "slow")
    writing = b"q 1 0 0 1 %d %d cm 0.5 w 0 0 m 90 400 300 10 500 700 c S Q\n"
    stream = b"".join(writing % (n % 37, n % 41) for n in range(60_000))
    number = document.get_new_xref()
    document.update_object(number, "<<>>")
    document.update_stream(number, stream)
    page.set_contents(number)


def slow_pdf(path: Path) -> Path:
    """Three pages, of which the second is slow."""
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "first")
    slow_page(document)
    document.new_page().insert_text((72, 72), "third")
    document.save(path, deflate=True)
    return path


def test_a_file_is_opened_and_its_frames_follow() -> None:
    async def work() -> None:
        worker = DocumentWorker()
        opened, *frames = await read(worker, SAMPLES / "report.pdf", ocr="never")
        assert isinstance(opened, Opened)
        assert [frame.source.page for frame in frames] == [1, 2, 3]
        await worker.close()

    run(work())


def test_the_first_frame_comes_before_the_last_is_drawn(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker()
        path = make_pdf(tmp_path / "long.pdf", *(f"page {n}" for n in range(30)))
        began = time.monotonic()
        times = [
            time.monotonic() - began
            async for told in worker.read(Request(path))
            if isinstance(told, Frame)
        ]
        assert times[0] < times[-1] / 2
        await worker.close()

    run(work())


def test_a_fault_leaves_the_worker_ready_for_the_next_file(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker()
        (tmp_path / "empty.pdf").touch()
        with pytest.raises(DocumentFault) as caught:
            await read(worker, tmp_path / "empty.pdf")
        assert caught.value.kind == "empty"
        before = worker.pid
        assert len(await read(worker, SAMPLES / "clip.mp4")) == 6
        assert worker.pid == before
        await worker.close()

    run(work())


def test_a_page_over_its_time_is_left_out_and_the_rest_is_read(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker(Limits(page_seconds=0.4))
        _, *told = await read(worker, slow_pdf(tmp_path / "slow.pdf"), ocr="never")
        assert [frame.text for frame in told if isinstance(frame, Frame)] == ["first", "third"]
        assert Remark("Page 2 took longer than 0.4 s and was left out.") in told
        await worker.close()

    run(work())


def test_a_file_over_its_time_is_a_fault(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker(Limits(first_frame_seconds=0.3))
        with pytest.raises(DocumentFault, match=r"slow\.pdf took longer than") as caught:
            await read(worker, slow_pdf(tmp_path / "slow.pdf"), pages="2")
        assert caught.value.kind == "timeout"
        await worker.close()

    run(work())


@linux
def test_a_file_over_its_memory_is_a_fault_and_costs_one_worker(tmp_path: Path) -> None:
    async def work() -> None:
        path = tmp_path / "large.png"
        large = Image.new("RGB", (9000, 9000), "red")
        large.putpixel((0, 0), (0, 0, 0))
        large.save(path, compress_level=1)
        worker = DocumentWorker(Limits(memory=120 << 20))
        with pytest.raises(DocumentFault, match="120 MB of memory") as caught:
            await read(worker, path)
        assert caught.value.kind == "too_large"
        assert await read(worker, SAMPLES / "report.pdf", pages="1", ocr="never")
        await worker.close()

    run(work())


@linux
def test_a_file_that_kills_the_worker_is_a_fault_and_the_next_one_is_read(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker()
        with pytest.raises(DocumentFault) as caught:
            async with aclosing(
                worker.read(Request(slow_pdf(tmp_path / "a.pdf"), pages="2"))
            ) as it:
                async for told in it:
                    if isinstance(told, Opened):  # a remark follows where page 2 was begun
                        assert worker.pid
                        os.kill(worker.pid, signal.SIGKILL)
        assert (caught.value.kind, caught.value.detail) == ("damaged", "signal 9")
        assert await read(worker, SAMPLES / "report.pdf", pages="1")
        await worker.close()

    run(work())


def test_leaving_early_ends_the_worker_and_the_next_file_is_read(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker()
        path = make_pdf(tmp_path / "long.pdf", *(f"page {n}" for n in range(30)))
        async with aclosing(worker.read(Request(path))) as told:
            async for _ in told:
                break
        assert worker.pid is None
        assert len(await read(worker, path, pages="1")) == 2
        await worker.close()

    run(work())


def test_a_reading_that_is_thrown_away_ends_without_complaint(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker()
        reading = worker.read(Request(make_pdf(tmp_path / "a.pdf", "one", "two")))
        await anext(reading)
        throwing = reading.athrow(GeneratorExit)
        with pytest.raises(GeneratorExit):  # and no wait on the way: without a loop none is there
            throwing.send(None)
        assert worker.pid is None
        await worker.close()

    run(work())


def test_a_cancelled_reading_ends_the_worker(tmp_path: Path) -> None:
    async def work() -> None:
        worker = DocumentWorker()
        task = asyncio.create_task(read(worker, slow_pdf(tmp_path / "a.pdf")))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert worker.pid is None
        await worker.close()

    run(work())


def test_files_are_read_one_after_the_other() -> None:
    async def work() -> None:
        worker = DocumentWorker()
        both = await asyncio.gather(
            read(worker, SAMPLES / "report.pdf", ocr="never"), read(worker, SAMPLES / "clip.mp4")
        )
        assert [len(told) for told in both] == [4, 6]
        await worker.close()

    run(work())


def test_an_idle_worker_leaves_and_the_next_file_starts_another() -> None:
    async def work() -> None:
        worker = DocumentWorker(Limits(idle_seconds=0.1))
        await read(worker, SAMPLES / "clip.mp4", pages="1")
        first = worker.pid
        await asyncio.sleep(1)
        await read(worker, SAMPLES / "clip.mp4", pages="1")
        assert worker.pid != first
        await worker.close()

    run(work())


def test_nothing_is_left_of_the_worker_when_it_is_closed() -> None:
    async def work() -> None:
        worker = DocumentWorker()
        await worker.warm()
        pid = worker.pid
        assert pid is not None
        await worker.close()
        assert not psutil.pid_exists(pid)

    run(work())


def test_a_picture_without_text_is_read_by_ocr_only_where_that_is_wanted() -> None:
    async def work() -> None:
        worker = DocumentWorker()
        _, never = await read(worker, SAMPLES / "dialog.png", ocr="never")
        assert never.text_source == "none"
        _, auto = await read(worker, SAMPLES / "dialog.png")
        assert auto.text_source == "ocr"
        assert "Error code: 0x80070070 (ERROR_DISK_FULL)" in auto.text
        await worker.close()

    run(work())


def test_a_captured_frame_gets_its_text() -> None:
    async def work() -> None:
        worker = DocumentWorker()
        image = (SAMPLES / "dialog.png").read_bytes()
        frame = Frame(image, "image/png", 1120, 680, Source("screen", "Screen 1"))
        read_frame = await worker.recognise(frame)
        assert "The backup could not be finished" in read_frame.text
        assert (read_frame.image, read_frame.source) == (frame.image, frame.source)
        await worker.close()

    run(work())


ORPHANER = """
import asyncio, sys
from pathlib import Path
from app.docs.reader import DocumentWorker, Request

async def main():
    worker = DocumentWorker()
    async for _ in worker.read(Request(Path(sys.argv[1]))):
        print(worker.pid, flush=True)

asyncio.run(main())
"""


@linux
def test_the_worker_dies_with_its_parent_also_while_it_draws(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ORPHANER, str(slow_pdf(tmp_path / "a.pdf"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.stdout.readline()  # the first page is done, the slow one has begun
        parent.kill()
    worker.wait(timeout=5)


@linux
@pytest.mark.parametrize("way", ["timeout", "orphan"])
def test_libreoffice_is_killed_with_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    note = tmp_path / "pid"
    office = tmp_path / "soffice"  # one that hangs, as LibreOffice does on some decks
    office.write_text(
        f"#!/bin/sh\n/bin/sleep 600 &\necho $! > {note}.new\n/bin/mv {note}.new {note}\nwait\n"
    )
    office.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    async def hang() -> None:
        worker = DocumentWorker(Limits(first_frame_seconds=3))
        with pytest.raises(DocumentFault, match="took longer than 3 s"):
            await read(worker, SAMPLES / "deck.pptx")
        await worker.close()

    if way == "timeout":
        run(hang())
    else:
        command = [sys.executable, "-c", ORPHANER, str(SAMPLES / "deck.pptx")]
        with subprocess.Popen(command, cwd=ROOT) as parent:
            while not note.exists():
                time.sleep(0.05)
            parent.kill()
    _, alive = psutil.wait_procs(family(int(note.read_text())), timeout=5)
    assert not alive


def family(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid)] if psutil.pid_exists(pid) else []


def test_the_window_side_loads_no_document_library() -> None:
    code = (
        "import sys, app.docs.reader;"
        "heavy = {'pymupdf', 'fitz', 'PIL', 'av', 'cv2', 'numpy', 'onnxruntime', 'rpptx', 'pptx'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
