"""Recording a real X screen: what is seen, what is not, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from painting import HEIGHT, WIDTH, Painter, Told, near, pictures, run, served, whole
from Xlib.ext import randr

from app.capture.record.child import COMMAND
from app.capture.record.facts import Area, Recorded
from app.capture.record.recorder import Recorder, discarded, left_over, recovered
from app.capture.record.x11 import Screen
from app.settings import Recording
from app.vocabulary import CaptureFault, Region

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="X11 is Linux's here")
RED, GREEN, BLUE, WHITE = 0xC02020, 0x20A040, 0x2040C0, 0xFFFFFF
QUICK = Recording(pointer=False)


def record(folder: Path, act: Any, area: Area | None = None, how: Recording = QUICK, **more: Any):
    """Records while `act(told)` runs, and finishes."""

    async def work() -> tuple[Recorded, Told]:
        told = Told(folder)
        await told.recorder.start(area or whole(), how, **more)
        await told.until("recording")
        await act(told)
        return await told.recorder.finish(), told

    return run(work)


def wait(seconds: float) -> Any:
    return lambda told: asyncio.sleep(seconds)


async def ended(told: Told) -> Recorded:
    assert told.recorder.ended is not None
    recorded = await told.recorder.ended
    assert recorded is not None
    return recorded


def test_what_the_screen_shows_is_in_the_file(painter: Painter, tmp_path: Path) -> None:
    painter.fill(RED)

    async def act(told: Told) -> None:
        await asyncio.sleep(0.4)
        painter.fill(BLUE, 100, 100, 50, 50)
        await asyncio.sleep(0.4)

    recorded, _ = record(tmp_path, act)
    seen = pictures(recorded.path)
    assert (recorded.width, recorded.height, recorded.why) == (WIDTH, HEIGHT, "asked")
    assert recorded.path.parent == tmp_path
    assert recorded.path.suffixes[-1:] == [".mkv"]
    assert ".part" not in recorded.path.name
    assert near(seen[0][1][120, 120], RED)
    assert near(seen[-1][1][120, 120], BLUE)
    assert near(seen[-1][1][90, 90], RED)


def test_every_change_is_kept_however_small(painter: Painter, tmp_path: Path) -> None:
    painter.fill(0)
    count = 20

    async def act(told: Told) -> None:
        for number in range(1, count + 1):
            # bars as a binary number: four pixels wide, in the middle of nowhere
            for bit in range(5):
                painter.fill(WHITE if number >> bit & 1 else 0, 200 + 4 * bit, 150, 4, 4)
            await asyncio.sleep(0.1)

    recorded, told = record(tmp_path, act)
    numbers = [
        sum(
            1 << bit
            for bit in range(5)
            if image[151:153, 201 + 4 * bit : 203 + 4 * bit].mean() > 127
        )
        for _, image in pictures(recorded.path)
    ]
    assert set(range(1, count + 1)) <= set(numbers)
    assert told.progress[-1].dropped == 0


def test_a_still_screen_costs_next_to_nothing(painter: Painter, tmp_path: Path) -> None:
    painter.fill(RED)

    async def work() -> tuple[float, int]:
        told = Told(tmp_path)
        await told.recorder.start(whole(), QUICK)
        await told.until_seconds(0.5)
        child = next(one for one in psutil.Process().children() if "record" in str(one.cmdline()))
        before = child.cpu_times()
        await asyncio.sleep(2)
        after = child.cpu_times()
        frames = told.progress[-1].frames
        await told.recorder.finish()
        return after.user + after.system - before.user - before.system, frames

    seconds, frames = run(work)
    assert seconds < 0.3  # of two; on any machine
    assert frames <= 10


def test_the_file_lasts_as_long_as_the_recording(painter: Painter, tmp_path: Path) -> None:
    recorded, _ = record(tmp_path, wait(1.2))
    times = [time for time, _ in pictures(recorded.path)]
    assert times[0] == 0
    assert times[-1] == pytest.approx(recorded.seconds, abs=0.05)
    assert 1.1 < recorded.seconds < 3


def test_a_pause_leaves_no_gap(painter: Painter, tmp_path: Path) -> None:
    painter.fill(RED)

    async def act(told: Told) -> None:
        await asyncio.sleep(0.4)
        await told.recorder.pause()
        await told.until("paused")
        painter.fill(GREEN)
        await asyncio.sleep(1.0)
        painter.fill(BLUE)
        await told.recorder.resume()
        await told.until("recording")
        await asyncio.sleep(0.4)

    recorded, _ = record(tmp_path, act)
    seen = pictures(recorded.path)
    assert recorded.seconds < 1.6
    assert not any(near(image[50, 50], GREEN) for _, image in seen)
    assert near(seen[-1][1][50, 50], BLUE)
    steps = [late[0] - early[0] for early, late in pairwise(seen)]
    assert max(steps) < 0.9


def test_it_can_be_finished_while_it_is_paused(painter: Painter, tmp_path: Path) -> None:
    async def act(told: Told) -> None:
        await told.recorder.pause()
        await told.until("paused")

    recorded, _ = record(tmp_path, act)
    assert pictures(recorded.path)


def test_it_ends_by_itself_at_the_limit_of_time(painter: Painter, tmp_path: Path) -> None:
    async def work() -> Recorded:
        told = Told(tmp_path)
        await told.recorder.start(whole(), Recording(longest=1, pointer=False))
        return await ended(told)

    recorded = run(work)
    assert recorded.why == "time"
    assert recorded.seconds == pytest.approx(1, abs=0.01)
    assert pictures(recorded.path)[-1][0] == pytest.approx(1, abs=0.05)


def test_it_ends_by_itself_at_the_limit_of_size(painter: Painter, tmp_path: Path) -> None:
    async def work() -> Recorded:
        told = Told(tmp_path)
        await told.recorder.start(whole(), Recording(largest=1, pointer=False))
        ending = asyncio.ensure_future(ended(told))
        while not ending.done():
            for x in range(0, WIDTH, 8):  # noise: nothing that an encoder can make small
                for y in range(0, HEIGHT, 60):
                    painter.fill(hash((x, y, time.monotonic())) & 0xFFFFFF, x, y, 8, 60)
            await asyncio.sleep(0.01)
        return await ending

    recorded = run(work, 60)
    assert recorded.why == "size"
    assert 1_000_000 <= recorded.bytes < 1_500_000
    assert pictures(recorded.path)


def test_a_delay_is_waited_and_told(painter: Painter, tmp_path: Path) -> None:
    async def work() -> tuple[Recorded, Told]:
        told = Told(tmp_path)
        await told.recorder.start(whole(), Recording(delay=1, pointer=False))
        waiting = await told.until("waiting")
        assert 0 < waiting.seconds <= 1
        painter.fill(RED)
        await told.until("recording")
        await asyncio.sleep(0.3)
        return await told.recorder.finish(), told

    recorded, _ = run(work)
    assert near(pictures(recorded.path)[0][1][9, 9], RED)


def test_a_recording_called_off_before_it_began_leaves_nothing(
    painter: Painter, tmp_path: Path
) -> None:
    async def work() -> None:
        told = Told(tmp_path)
        await told.recorder.start(whole(), Recording(delay=60, pointer=False))
        await told.until("waiting")
        await told.recorder.cancel()

    run(work, 10)
    assert list(tmp_path.glob("*.mkv")) == []


def test_a_cancelled_recording_is_removed(painter: Painter, tmp_path: Path) -> None:
    async def work() -> Recorded | None:
        told = Told(tmp_path)
        await told.recorder.start(whole(), QUICK)
        await told.until_seconds(0.6)
        await told.recorder.cancel()
        assert told.recorder.ended is not None
        return await told.recorder.ended

    assert run(work) is None
    assert list(tmp_path.glob("*.mkv")) == []


def test_an_odd_region_keeps_its_pixels(painter: Painter, tmp_path: Path) -> None:
    painter.fill(RED)
    painter.fill(GREEN, 31, 21, 101, 77)
    recorded, _ = record(tmp_path, wait(0.3), Area("region", Region(31, 21, 101, 77)))
    image = pictures(recorded.path)[-1][1]
    assert (recorded.width, recorded.height) == (102, 78)
    for y, x in ((0, 0), (76, 100), (77, 101)):
        assert near(image[y, x], GREEN)


def test_an_area_that_reaches_over_the_edge_is_black_there(
    painter: Painter, tmp_path: Path
) -> None:
    painter.fill(GREEN)
    recorded, _ = record(tmp_path, wait(0.3), Area("region", Region(-50, -40, 100, 80)))
    image = pictures(recorded.path)[-1][1]
    assert near(image[10, 10], 0)
    assert near(image[60, 70], GREEN)


def test_an_area_on_no_screen_is_said(painter: Painter, tmp_path: Path) -> None:
    with pytest.raises(CaptureFault, match="lies on no screen"):
        record(tmp_path, wait(0), Area("region", Region(5000, 0, 100, 80)))
    assert list(tmp_path.glob("*.mkv")) == []


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (20_000, 20)])
def test_an_area_of_no_size_is_said(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(CaptureFault, match="can't be recorded"):
        record(tmp_path, wait(0), Area("region", Region(0, 0, *size)))


def test_a_display_that_does_not_answer_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with pytest.raises(CaptureFault, match="does not answer"):
        record(tmp_path, wait(0))


def test_hidden_parts_are_black_also_those_told_later(painter: Painter, tmp_path: Path) -> None:
    painter.fill(WHITE)

    async def act(told: Told) -> None:
        await asyncio.sleep(0.4)
        await told.recorder.hide((Region(200, 200, 20, 20),))
        await asyncio.sleep(0.6)

    recorded, _ = record(tmp_path, act, hidden=(Region(50, 50, 20, 20),))
    seen = pictures(recorded.path)
    assert near(seen[0][1][60, 60], 0)
    assert near(seen[0][1][210, 210], WHITE)
    assert near(seen[-1][1][210, 210], 0)
    assert near(seen[-1][1][60, 60], WHITE)


def test_the_pointer_is_drawn_where_it_is_wanted(painter: Painter, tmp_path: Path) -> None:
    painter.fill(WHITE)
    painter.root.change_attributes(cursor=_cursor(painter))
    painter.point(100, 100)

    async def act(told: Told) -> None:
        await asyncio.sleep(0.4)
        painter.point(300, 200)
        await asyncio.sleep(0.4)

    shown, _ = record(tmp_path, act, how=Recording(pointer=True))
    seen = pictures(shown.path)
    assert seen[0][1][95:115, 95:115].min() < 90
    assert seen[-1][1][195:215, 295:315].min() < 90
    assert seen[-1][1][95:115, 95:115].min() > 200
    painter.point(100, 100)
    without, _ = record(tmp_path, wait(0.3))
    assert pictures(without.path)[-1][1].min() > 200


def _cursor(painter: Painter) -> Any:
    font = painter.display.open_font("cursor")
    return font.create_glyph_cursor(font, 68, 69, (0, 0, 0), (65535, 65535, 65535))


def test_a_window_is_followed(painter: Painter, tmp_path: Path) -> None:
    painter.fill(WHITE)
    window = painter.window(RED, 40, 30, 100, 80)

    async def act(told: Told) -> None:
        await asyncio.sleep(0.4)
        window.configure(x=200, y=150)
        painter.display.sync()
        await asyncio.sleep(0.4)

    recorded, _ = record(tmp_path, act, Area("window", Region(40, 30, 100, 80), window.id))
    for _, image in pictures(recorded.path)[-2:]:
        assert near(image[2, 2], RED)
        assert near(image[77, 97], RED)


def test_what_stands_behind_a_window_that_is_hidden_is_not_recorded(
    painter: Painter, tmp_path: Path
) -> None:
    painter.fill(WHITE)
    window = painter.window(RED, 40, 30, 100, 80)

    async def act(told: Told) -> None:
        await asyncio.sleep(0.3)
        window.unmap()
        painter.fill(BLUE)
        await asyncio.sleep(1.5)

    recorded, _ = record(tmp_path, act, Area("window", Region(40, 30, 100, 80), window.id))
    assert all(near(image[40, 40], RED) for _, image in pictures(recorded.path))


def test_a_window_that_closes_ends_the_recording(painter: Painter, tmp_path: Path) -> None:
    window = painter.window(RED, 40, 30, 100, 80)

    async def work() -> Recorded:
        told = Told(tmp_path)
        area = Area("window", Region(40, 30, 100, 80), window.id)
        await told.recorder.start(area, QUICK)
        await told.until_seconds(0.5)
        window.destroy()
        painter.display.sync()
        return await ended(told)

    recorded = run(work)
    assert (recorded.why, "window" in recorded.note) == ("window", True)
    assert near(pictures(recorded.path)[-1][1][40, 40], RED)


def test_a_window_that_is_gone_already_is_said(painter: Painter, tmp_path: Path) -> None:
    with pytest.raises(CaptureFault, match="window"):
        record(tmp_path, wait(0), Area("window", Region(0, 0, 100, 80), 0x7FFFFF))


def test_a_screen_that_changes_its_size_ends_the_recording(
    painter: Painter, tmp_path: Path
) -> None:
    async def work() -> Recorded:
        told = Told(tmp_path)
        await told.recorder.start(whole(), QUICK)
        await told.until_seconds(0.5)
        _resize(painter, 320, 240)
        return await ended(told)

    recorded = run(work)
    assert recorded.why == "screen"
    assert "changed its size" in recorded.note
    assert pictures(recorded.path)


def test_a_region_that_the_smaller_screen_still_shows_goes_on(
    painter: Painter, tmp_path: Path
) -> None:
    async def act(told: Told) -> None:
        await asyncio.sleep(0.4)
        _resize(painter, 320, 240)
        painter.fill(BLUE)
        await asyncio.sleep(0.6)

    recorded, _ = record(tmp_path, act, Area("region", Region(10, 10, 100, 100)))
    assert recorded.why == "asked"
    assert near(pictures(recorded.path)[-1][1][50, 50], BLUE)


def _resize(painter: Painter, width: int, height: int) -> None:
    """As xrandr does it: the output off, the screen smaller."""
    display, root = painter.display, painter.root
    found = randr.get_screen_resources(root)
    for crtc in found.crtcs:
        randr.set_crtc_config(display, crtc, 0, 0, 0, 0, 1, [])
    randr.set_screen_size(root, width, height, 85, 64)
    display.sync()


def test_a_killed_recorder_leaves_what_it_recorded(painter: Painter, tmp_path: Path) -> None:
    painter.fill(RED)

    async def work() -> tuple[Recorded, float]:
        told = Told(tmp_path)
        await told.recorder.start(whole(), QUICK)
        await told.until_seconds(2.0)
        child = next(one for one in psutil.Process().children() if "record" in str(one.cmdline()))
        child.send_signal(signal.SIGKILL)
        return await ended(told), told.progress[-1].seconds

    recorded, seconds = run(work)
    assert recorded.why == "lost"
    assert "kept" in recorded.note
    seen = pictures(recorded.path)
    assert seen[-1][0] > seconds - 1.1
    assert near(seen[-1][1][50, 50], RED)


_PARENT = """
import asyncio, sys
from pathlib import Path
from app.capture.record.facts import Area
from app.capture.record.recorder import Recorder
from app.capture.record.x11 import Screen
from app.settings import Recording
from app.vocabulary import Region

async def main():
    recorder = Recorder(Path(sys.argv[1]), lambda told: print(told.seconds, flush=True))
    await recorder.start(Area("screen", Region(0, 0, 400, 300)), Recording(pointer=False))
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_killed_parent_leaves_a_whole_recording_that_is_found(
    painter: Painter, tmp_path: Path
) -> None:
    painter.fill(GREEN)
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        while float(parent.stdout.readline()) < 1.5:
            pass
        child = psutil.Process(parent.pid).children()[0]
        assert left_over(tmp_path) == ()  # it is still being written
        parent.kill()
        parent.wait()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()
    (part,) = left_over(tmp_path)
    recorded = run(lambda: recovered(part))
    assert recorded.why == "lost"
    assert recorded.seconds > 1.4
    assert left_over(tmp_path) == ()
    assert near(pictures(recorded.path)[-1][1][50, 50], GREEN)


def test_a_left_over_file_without_a_picture_is_said_and_can_be_removed(tmp_path: Path) -> None:
    part = tmp_path / "recording 1.part.mkv"
    part.write_bytes(b"")
    assert left_over(tmp_path) == (part,)
    with pytest.raises(CaptureFault, match="nothing that can be played"):
        run(lambda: recovered(part))
    run(lambda: discarded(part))
    assert left_over(tmp_path) == ()


def test_a_full_disk_ends_the_recording_and_keeps_it(painter: Painter, tmp_path: Path) -> None:
    limited = ("bash", "-c", 'ulimit -f 300; exec "$@"', "bash", *COMMAND)  # 300 KB

    async def work() -> Recorded:
        told = Told(tmp_path, command=limited)
        await told.recorder.start(whole(), QUICK)
        ending = asyncio.ensure_future(ended(told))
        while not ending.done():
            for x in range(0, WIDTH, 8):
                for y in range(0, HEIGHT, 60):
                    painter.fill(hash((x, y, time.monotonic())) & 0xFFFFFF, x, y, 8, 60)
            await asyncio.sleep(0.01)
        return await ending

    recorded = run(work, 60)
    assert (recorded.why, recorded.note) == (
        "disk",
        "The disk is full; the recording ended there and is kept.",
    )
    assert recorded.bytes > 200_000
    assert len(pictures(recorded.path)) > 3


def test_a_folder_that_can_not_be_written_is_said(painter: Painter, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CaptureFault, match="can't keep the recording"):
        record(tmp_path / "file" / "inside", wait(0))


def test_a_recorder_that_can_not_be_started_is_said(tmp_path: Path) -> None:
    async def work() -> None:
        recorder = Recorder(tmp_path, lambda told: None, command=("/nowhere/at/all",))
        await recorder.start(whole(), QUICK)

    with pytest.raises(CaptureFault, match="can't be started"):
        run(work)


def test_a_display_that_goes_away_ends_the_recording(
    painter: Painter, screen: str, tmp_path: Path
) -> None:
    server = next(one for one in psutil.Process().children() if one.name() == "Xvfb")
    painter.close()

    async def work() -> Recorded:
        told = Told(tmp_path)
        await told.recorder.start(whole(), QUICK)
        await told.until_seconds(0.6)
        os.kill(server.pid, signal.SIGTERM)
        return await ended(told)

    recorded = run(work)
    assert (recorded.why, "session ended" in recorded.note) == ("screen", True)
    assert pictures(recorded.path)


def test_a_screen_that_keeps_its_changes_to_itself_is_found_out(painter: Painter) -> None:
    """As with drivers that draw past DAMAGE."""
    eye = Screen(whole(), pointer=False)
    try:
        assert len(list(eye.look(whole=True))) == 1
        assert list(eye.look(whole=False)) == []
        eye.doubt()  # a whole look has just found something
        assert [found[:2] for found in eye.look(whole=False)] == [(0, 0)]
        assert [found[:2] for found in eye.look(whole=False)] == [(0, 0)]  # and from now on
    finally:
        eye.close()


def test_a_doubt_is_dispelled_by_what_is_told_next(painter: Painter) -> None:
    eye = Screen(whole(), pointer=False)
    try:
        assert len(list(eye.look(whole=True))) == 1
        painter.fill(RED, 10, 20, 30, 40)
        eye.doubt()
        told = [(x, y, pixels.shape[:2]) for x, y, pixels in eye.look(whole=False)]
        assert told == [(10, 20, (40, 30))]
        assert list(eye.look(whole=False)) == []
    finally:
        eye.close()


_PAINT = """
import sys
from painting import Painter
painter = Painter(sys.argv[1])
painter.fill(*map(int, sys.argv[2:]))
painter.close()
"""


def paint(name: str, *what: int) -> None:
    """By a process of its own: python-xlib mixes up the events of two servers that differ."""
    paths = os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parents[3])))
    given = [sys.executable, "-c", _PAINT, name, *map(str, what)]
    subprocess.run(given, env={**os.environ, "PYTHONPATH": paths}, check=True, timeout=20)


@pytest.mark.parametrize("extension", ["MIT-SHM", "DAMAGE"])
def test_a_display_that_lacks_an_extension_is_recorded_by_comparing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, extension: str
) -> None:
    async def act(told: Told) -> None:
        await asyncio.sleep(0.3)
        await asyncio.to_thread(paint, name, BLUE, 100, 100, 50, 50)
        await asyncio.sleep(0.3)

    with served(monkeypatch, "-extension", extension) as name:
        paint(name, RED)
        recorded, _ = record(tmp_path, act)
    seen = pictures(recorded.path)
    assert near(seen[0][1][120, 120], RED)
    assert near(seen[-1][1][120, 120], BLUE)
    assert near(seen[-1][1][90, 90], RED)
