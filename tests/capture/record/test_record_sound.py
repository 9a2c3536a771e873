"""Recording the microphone with the desktop's own programs: what is heard, and what happens where
nothing is."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import psutil
import pytest
from hearing import RATE, TONE, alsa, loud, pitch, program, pulse, quiet, runs, sound
from hypothesis import given
from hypothesis import strategies as st
from painting import Painter, Told, pictures, run, whole

from app.capture.record import device, microphone
from app.capture.record.facts import Recorded
from app.capture.record.review import trimmed
from app.capture.record.track import Track
from app.settings import Recording

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these programs are Linux's")
RED, BLUE = 0xC02020, 0x2040C0
WITH = Recording(pointer=False, microphone=True)
# 20 ms of a tone at a time
SPEAK = """
data = b"".join(value.to_bytes(2, "little", signed=True) * 24 for value in (8000, -8000)) * 20
def speak():
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
    time.sleep(0.02)
"""
PACED = f"{SPEAK}\nwhile True: speak()"
BRIEF = f"{SPEAK}\nfor _ in range(50): speak()"
ONCE = f"{SPEAK}\nfor _ in range(10): speak()\ntime.sleep(60)"


@pytest.fixture
def tone(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    with pulse(tmp_path_factory.mktemp("pulse"), monkeypatch) as address:
        yield address


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def record(folder: Path, act: Any, how: Recording = WITH) -> tuple[Recorded, Told]:
    async def work() -> tuple[Recorded, Told]:
        told = Told(folder)
        await told.recorder.start(whole(), how)
        await told.until("recording")
        await act(told)
        return await told.recorder.finish(), told

    return run(work, 60)


def wait(seconds: float) -> Any:
    return lambda told: told.until_seconds(seconds)


def alive(pids: list[int]) -> list[int]:
    psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=3)
    return [pid for pid in pids if psutil.pid_exists(pid)]


def streams(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return sorted(stream.type for stream in container.streams)


# --- what is heard --------------------------------------------------------------------------


def test_what_the_microphone_hears_is_in_the_film(
    tone: str, painter: Painter, tmp_path: Path
) -> None:
    painter.fill(RED)  # and then nothing moves
    recorded, told = record(tmp_path, wait(2.0))
    heard = sound(recorded.path)
    assert (recorded.sound, recorded.note) == (True, "")
    assert told.progress[-1].sound
    assert heard.size / RATE == pytest.approx(recorded.seconds, abs=0.15)
    assert pitch(heard[RATE // 2 : -RATE // 4]) == pytest.approx(TONE, abs=2)
    assert loud(heard[RATE // 2 : -RATE // 4]) > 0.1


def test_a_pause_is_a_pause_of_both(tone: str, painter: Painter, tmp_path: Path) -> None:
    async def act(told: Told) -> None:
        for _ in range(2):
            await told.until_seconds(told.progress[-1].seconds + 0.8)
            await told.recorder.pause()
            await told.until("paused")
            await asyncio.sleep(1.2)
            await told.recorder.resume()
            await told.until("recording")
        await told.until_seconds(told.progress[-1].seconds + 0.8)

    recorded, _ = record(tmp_path, act)
    heard, last = sound(recorded.path), pictures(recorded.path)[-1][0]
    assert last == pytest.approx(recorded.seconds, abs=0.05)
    assert heard.size / RATE == pytest.approx(last, abs=0.15)
    steps = heard[: heard.size // 2400 * 2400].reshape(-1, 2400)  # 50 ms each
    quiet = [number / 20 for number, step in enumerate(steps) if loud(step) < 0.05]
    assert [at for at in quiet if 0.25 <= at < last - 0.25] == []  # no hole where it was paused


def test_alsa_is_heard_where_there_is_no_server(
    home: Path, monkeypatch: pytest.MonkeyPatch, painter: Painter, tmp_path: Path
) -> None:
    alsa(home, monkeypatch)
    recorded, _ = record(tmp_path, wait(1.5))
    heard = sound(recorded.path)
    assert heard.size / RATE == pytest.approx(recorded.seconds, abs=0.15)
    assert loud(heard[RATE // 2 : -RATE // 4]) > 0.1


def test_the_part_that_is_sent_whole_has_its_sound(
    tone: str, painter: Painter, tmp_path: Path
) -> None:
    painter.fill(RED)
    recorded, _ = record(tmp_path, wait(2.5))
    out = run(lambda: trimmed(recorded.path, 0.7, 2.1, tmp_path / "part.mp4"))
    with av.open(str(out)) as container:
        (voice,) = container.streams.audio
        assert (voice.codec_context.name, voice.rate) == ("aac", RATE)
    heard = sound(out)
    assert heard.size / RATE == pytest.approx(1.4, abs=0.1)
    assert pitch(heard[RATE // 4 : -RATE // 4]) == pytest.approx(TONE, abs=2)


def test_a_killed_recorder_leaves_sound_and_no_program(
    tone: str, painter: Painter, tmp_path: Path
) -> None:
    painter.fill(BLUE)

    async def work() -> tuple[Recorded, float, list[int]]:
        told = Told(tmp_path)
        await told.recorder.start(whole(), WITH)
        await told.until_seconds(3.0)
        child = psutil.Process(told.recorder.pid)
        programs = [each.pid for each in child.children(recursive=True)]
        child.send_signal(signal.SIGKILL)
        assert told.recorder.ended is not None
        recorded = await told.recorder.ended
        assert recorded is not None
        return recorded, told.progress[-1].seconds, programs

    recorded, seconds, programs = run(work)
    assert programs
    assert alive(programs) == []
    assert (recorded.why, recorded.sound) == ("lost", True)
    assert pictures(recorded.path)[-1][0] > seconds - 1.2
    heard = sound(recorded.path)
    assert heard.size / RATE > seconds - 1.2
    assert pitch(heard[RATE // 2 :]) == pytest.approx(TONE, abs=2)


# --- where nothing is heard -----------------------------------------------------------------


def test_off_starts_no_program(
    home: Path, monkeypatch: pytest.MonkeyPatch, painter: Painter, tmp_path: Path
) -> None:
    program(home, monkeypatch, PACED)
    recorded, told = record(tmp_path, wait(0.6), Recording(pointer=False))
    assert runs(home) == []
    assert streams(recorded.path) == ["video"]
    assert (recorded.sound, recorded.note, told.progress[-1].sound) == (False, "", False)


@pytest.mark.parametrize(
    "script", ["sys.exit('denied')", "print('stream error: no node available')", "time.sleep(60)"]
)
def test_a_microphone_that_gives_nothing_is_said_and_the_film_goes_on(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    painter: Painter,
    tmp_path: Path,
    script: str,
) -> None:
    program(home, monkeypatch, script)
    painter.fill(RED)
    recorded, _ = record(tmp_path, wait(0.6))
    assert len(runs(home)) == 1
    assert alive(runs(home)) == []
    assert streams(recorded.path) == ["video"]
    assert recorded.note.startswith("No sound came from the microphone")
    assert (recorded.why, recorded.sound) == ("asked", False)
    assert pictures(recorded.path)


def test_no_program_at_all_is_said_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, painter: Painter, tmp_path: Path
) -> None:
    quiet(home, monkeypatch)
    monkeypatch.setenv("PATH", str(home))
    recorded, _ = record(tmp_path, wait(0.4))
    assert "No sound" in recorded.note
    assert pictures(recorded.path)


def test_a_microphone_that_goes_away_leaves_silence(
    home: Path, monkeypatch: pytest.MonkeyPatch, painter: Painter, tmp_path: Path
) -> None:
    program(home, monkeypatch, BRIEF)
    recorded, told = record(tmp_path, wait(2.5))
    heard = sound(recorded.path)
    assert recorded.note.startswith("The microphone stopped at 0:0")
    assert not told.progress[-1].sound
    assert heard.size / RATE == pytest.approx(recorded.seconds, abs=0.15)
    assert loud(heard[-RATE // 2 :]) < 0.001
    assert alive(runs(home)) == []


def test_what_was_cancelled_while_it_opens_ends_its_program(
    home: Path, monkeypatch: pytest.MonkeyPatch, painter: Painter, tmp_path: Path
) -> None:
    program(home, monkeypatch, "time.sleep(60)")

    async def work() -> float:
        told = Told(tmp_path)
        await told.recorder.start(whole(), WITH)
        async with asyncio.timeout(10):
            while not runs(home):  # noqa: ASYNC110 (a program of its own says so in a file)
                await asyncio.sleep(0.02)
        began = time.monotonic()
        await told.recorder.cancel()
        return time.monotonic() - began

    assert run(work) < 2
    assert alive(runs(home)) == []
    assert list(tmp_path.glob("*.mkv")) == []


def test_a_program_that_is_silent_dies_with_a_killed_recorder(
    home: Path, monkeypatch: pytest.MonkeyPatch, painter: Painter, tmp_path: Path
) -> None:
    program(home, monkeypatch, ONCE)

    async def work() -> None:
        told = Told(tmp_path)
        await told.recorder.start(whole(), WITH)
        await told.until("recording")
        psutil.Process(told.recorder.pid).kill()
        assert told.recorder.ended is not None
        await asyncio.wait([told.recorder.ended])

    run(work)
    assert len(runs(home)) == 1
    assert alive(runs(home)) == []


# --- which way there is ---------------------------------------------------------------------


def test_a_program_counts_where_its_server_or_a_card_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(home, monkeypatch, "")
    assert microphone.PULSE in microphone.tools()
    assert microphone.PIPEWIRE not in microphone.tools()
    assert microphone.obstacle() is None
    assert "PulseAudio (parec)" in microphone.way()
    monkeypatch.setenv("PATH", str(home))
    found = microphone.obstacle()
    assert found is not None
    assert "install" in found.remedy


def test_what_the_machine_plays_is_no_microphone(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(home, monkeypatch, "print('alsa_output.pci.monitor')", "pactl")
    assert microphone.echoes(microphone.PULSE)
    assert not microphone.echoes(microphone.ALSA)


@pytest.mark.parametrize(
    ("known", "begin"),
    [
        ("pw-record [options] <file>", None),
        ("pw-record [options] [<file>|-]", ("pw-record", "--latency=20ms")),
        ("pw-record [options] [<file>|-]\n -a, --raw  RAW mode", ("pw-record", "--raw")),
    ],
)
def test_each_version_of_pipewires_program_is_told_what_it_knows(
    home: Path, monkeypatch: pytest.MonkeyPatch, known: str, begin: tuple[str, ...] | None
) -> None:
    program(home, monkeypatch, f"print({known!r})", "pw-record")
    found = microphone.command(microphone.PIPEWIRE)
    assert (found[:2] if found else None) == begin


def test_devices_have_the_addresses_that_ffmpeg_opens() -> None:
    assert device.address("dshow", ("Mikrofon (ü)", "Line")) == "audio=Mikrofon (ü)"
    assert device.address("dshow", ("audio=Mikrofon",)) == "audio=Mikrofon"
    assert device.address("dshow", ()) is None
    assert device.address("avfoundation", ()) == ":default"


# --- where it stands ------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 9600)), max_size=60))
def test_sound_never_stands_far_from_its_time(chunks: list[tuple[int, int]]) -> None:
    """However unevenly it comes, at whatever pace."""
    track, now = Track(), 0.0
    for late, count in chunks:
        now += late / 1000
        before = track.at
        place = track.place(now, count)
        assert 0 <= place.skipped <= count
        assert place.silence >= 0
        assert track.at == before + place.silence + count - place.skipped
        if place.skipped < count:
            assert abs(track.at / RATE - now) <= 0.1001
        track.fill(now)
        assert now - track.at / RATE <= 0.4001
    assert track.end(now) >= 0
    assert track.at / RATE >= now - 1 / RATE


def test_a_clock_that_is_a_little_slow_is_put_right() -> None:
    track, written = Track(), 0
    for number in range(1, 30_001):  # ten minutes, 0.1 % slow
        now = number * 0.02
        place = track.place(now, 959)
        written += place.silence
    assert track.at / RATE == pytest.approx(600, abs=0.11)
    assert 0 < written < RATE


def test_nothing_of_a_pause_is_heard_after_it() -> None:
    track = Track()
    track.place(1.0, RATE)
    track.loosen()
    assert track.place(1.005, 4800).skipped == 4800 - 240
    assert track.at == round(1.005 * RATE)


def test_seconds_without_sound_are_silence_and_known() -> None:
    track = Track()
    track.place(1.0, RATE)
    assert track.fill(1.3) == 0
    assert track.fill(4.5) == round(3.3 * RATE)
    assert track.silent
    track.place(4.6, 960)
    assert not track.silent
