"""By which way the microphone can be heard here: the desktop's own programs on Linux, which write
48 kHz mono s16 to a pipe; FFmpeg's devices on Windows and macOS. Hears nothing itself.

The devices of Windows and macOS are written after FFmpeg's manual and were not run there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from app.capture.obstacle import Obstacle
from app.capture.record.track import RATE

_SHAPE = (f"--rate={RATE}", "--channels=1")
_RAW = ("-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "1")
_OWN = (".asoundrc", ".config/alsa/asoundrc")  # ALSA's own configuration, in the home
_ASKED = 2.0  # seconds for a sound server to answer
_NONE = Obstacle(
    "there is no sound server and no sound card to record from",
    "plug a microphone in, and install pipewire-bin, pulseaudio-utils or alsa-utils",
)
_NO_DEVICES = Obstacle(
    "this build of PyAV has no devices of the system", "pip install av from a build that has them"
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that writes what the microphone hears."""

    name: str
    arguments: tuple[str, ...]
    system: str


# what they keep back is told to each: left alone, PulseAudio's holds two seconds
PIPEWIRE = Tool("pw-record", ("--latency=20ms", *_SHAPE, "--format=s16", "-"), "PipeWire")
PULSE = Tool("parec", ("--raw", "--latency-msec=30", *_SHAPE, "--format=s16le"), "PulseAudio")
ALSA = Tool("arecord", (*_RAW, "--buffer-time=200000", "--period-time=20000", "-"), "ALSA")


def tools() -> tuple[Tool, ...]:
    """Linux's programs that may work here, the best first."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    remote = os.environ.get("PIPEWIRE_REMOTE", "pipewire-0")
    found = (
        (PIPEWIRE, (runtime / remote).exists()),
        (PULSE, bool(os.environ.get("PULSE_SERVER")) or (runtime / "pulse/native").exists()),
        (ALSA, _card()),
    )
    return tuple(tool for tool, there in found if there and shutil.which(tool.name))


def device() -> str | None:
    """FFmpeg's kind of device on Windows and macOS; None elsewhere."""
    return {"win32": "dshow", "darwin": "avfoundation"}.get(sys.platform)


def obstacle() -> Obstacle | None:
    """Why the microphone can't be recorded; None if it may be."""
    kind = device()
    if kind is None:
        return None if tools() else _NONE
    from app.capture.record.device import supported  # noqa: PLC0415 (loads PyAV)

    return None if supported(kind) else _NO_DEVICES


def way() -> str:
    """By which way it goes here."""
    kind = device()
    if kind is None:
        return ", ".join(f"{tool.system} ({tool.name})" for tool in tools())
    return f"FFmpeg's {kind}"


def command(tool: Tool) -> tuple[str, ...] | None:
    """What is run; None where it can't be. New versions of pw-record write a file's header unless
    they are told not to, in a word that others don't know; old ones make a file named `-`."""
    raw: tuple[str, ...] = ()
    if tool is PIPEWIRE:
        known = _said(tool.name, "--help")
        if "|-" not in known:
            return None
        raw = ("--raw",) if "--raw" in known else ()
    return (tool.name, *raw, *tool.arguments)


def echoes(tool: Tool) -> bool:
    """Whether what the program would record is not a microphone but what the machine plays:
    PulseAudio falls back to that where nothing else is plugged in."""
    return tool is PULSE and _said("pactl", "get-default-source").strip().endswith(".monitor")


def _said(*asked: str) -> str:
    """What a program prints; nothing where it is not there or does not answer."""
    try:
        done = subprocess.run(
            asked,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_ASKED,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _card() -> bool:
    """Whether ALSA knows something to record from: a card, or a configuration of the user's."""
    if os.environ.get("ALSA_CONFIG_PATH") or any((Path.home() / name).is_file() for name in _OWN):
        return True
    try:
        return "capture" in Path("/proc/asound/pcm").read_text(encoding="utf-8")
    except OSError:
        return Path("/etc/asound.conf").is_file()
