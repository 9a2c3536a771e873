"""Microphones for the tests: a sound server with a tone, ALSA with a file, programs that fail; and
what a film lets one hear."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
import pytest

RATE = 48_000
TONE = 440


@contextmanager
def pulse(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A PulseAudio of the test's own with a microphone that hears a tone, in real time."""
    if shutil.which("pulseaudio") is None or shutil.which("parec") is None:
        pytest.skip("PulseAudio is not installed")
    runtime, address = home / "runtime", f"unix:{home}/native"
    runtime.mkdir(mode=0o700)
    quiet(home, monkeypatch)
    serves = f"module-native-protocol-unix auth-anonymous=1 socket={home}/native"
    server = subprocess.Popen(
        [
            *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
            *("--disable-shm=yes", "-L", serves, "-L", "module-null-sink sink_name=air"),
            *("-L", "module-remap-source source_name=microphone master=air.monitor"),
        ],
        env={**os.environ, "HOME": str(home), "PULSE_RUNTIME_PATH": str(runtime)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    monkeypatch.setenv("PULSE_SERVER", address)
    try:
        asked = ["pactl", "get-default-source"]
        until = time.monotonic() + 10
        while subprocess.run(asked, capture_output=True, check=False).returncode:
            assert time.monotonic() < until, "PulseAudio does not answer"
            time.sleep(0.1)
        subprocess.run(["pactl", "set-default-source", "microphone"], check=True)
        with subprocess.Popen(_PLAYER, stdin=subprocess.PIPE, bufsize=0) as player:
            assert player.stdin is not None
            singer = threading.Thread(target=_sing, args=(player.stdin,), daemon=True)
            singer.start()
            yield address
            player.terminate()
            singer.join()
    finally:
        server.terminate()
        server.wait(10)


_PLAYER = ("pacat", "--raw", "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=50")


def _sing(pipe: IO[bytes]) -> None:
    wave = 12_000 * np.sin(2 * np.pi * TONE * np.arange(RATE) / RATE)
    with suppress(BrokenPipeError, ValueError):
        while True:
            pipe.write(wave.astype("<i2").tobytes())


def alsa(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ALSA's default device gives a tone from a file, as fast as it is read."""
    if shutil.which("arecord") is None:
        pytest.skip("alsa-utils is not installed")
    quiet(home, monkeypatch)
    wave = 12_000 * np.sin(2 * np.pi * TONE * np.arange(30 * RATE) / RATE)
    (home / "tone.raw").write_bytes(wave.astype("<i2").tobytes())
    slave = "slave.pcm { type null }"
    file = f'file "/dev/null" infile "{home}/tone.raw" format raw'
    config = home / "asound.conf"
    config.write_text(f"pcm.!default {{ type file {slave} {file} }}\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(config))


def quiet(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own is heard."""
    for name in ("PULSE_SERVER", "ALSA_CONFIG_PATH", "PIPEWIRE_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    monkeypatch.setenv("HOME", str(home))


def program(home: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "parec") -> None:
    """A sound program that does as `script` says in Python, before any other; the tools stand in a
    folder, one run is a line in `home/runs`."""
    quiet(home, monkeypatch)
    folder = home / "programs"
    folder.mkdir()
    log = f"open({str(home / 'runs')!r}, 'a').write(f'{{os.getpid()}}\\n')"
    text = f"#!{sys.executable}\nimport os, sys, time\n{log}\n{script}\n"
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PULSE_SERVER", f"unix:{home}/nobody")


def runs(home: Path) -> list[int]:
    """The ids of the programs that were started."""
    log = home / "runs"
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def sound(path: Path) -> Any:
    """What a film lets one hear, from -1 to 1; the first sample stands at its time."""
    with av.open(str(path)) as container:
        even = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts = [
            (frame.time, part.to_ndarray().reshape(-1))
            for frame in container.decode(audio=0)
            for part in even.resample(frame)
        ]
    lead = np.zeros(max(0, round(parts[0][0] * RATE)), np.float32)
    return np.concatenate([lead, *(part for _, part in parts)])


def pitch(samples: Any) -> float:
    """The loudest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.fft.rfftfreq(samples.size, 1 / RATE)[spectrum.argmax()])


def loud(samples: Any) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))
