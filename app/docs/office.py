"""Runs LibreOffice without a window to turn a presentation into a PDF; knows no slide.

It uses a profile of its own with macros and links switched off. LibreOffice ends with exit code 0
also where it could not load a file, so only the PDF it leaves counts.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import psutil

from app.docs.request import Limits
from app.vocabulary import DocumentFault

_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.exe",
)
_FILTER = 'pdf:impress_pdf_Export:{"ExportHiddenSlides":{"type":"boolean","value":"true"}}'
_POLL = 0.1  # seconds
_ITEM = (
    '<item oor:path="/org.openoffice.Office.Common/{path}"><prop oor:name="{name}" oor:op="fuse">'
    "<value>{value}</value></prop></item>"
)
_SETTINGS = (
    ("Security/Scripting", "MacroSecurityLevel", "3"),
    ("Security/Scripting", "DisableMacrosExecution", "true"),
    ("Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Misc", "FirstRun", "false"),
)


def find_soffice() -> str | None:
    """LibreOffice's command on the PATH, or where macOS and Windows keep it."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return found or next((place for place in _PLACES if Path(place).exists()), None)


def to_pdf(soffice: str, deck: Path, form: str, limits: Limits) -> bytes | None:
    """The deck as PDF bytes, None where LibreOffice can't load it. `form` is the real suffix.

    DocumentFault `too_large` where it takes more than `limits.memory`.
    """
    with tempfile.TemporaryDirectory(prefix="convert-", ignore_cleanup_errors=True) as room:
        folder = Path(room)
        # a plain name: one that begins with a dash would be read as an option, and one with the
        # wrong suffix be loaded by the wrong filter
        copy = folder / f"deck.{form}"
        shutil.copyfile(deck, copy)
        _run(soffice, copy, limits, deck.name)
        made = folder / "deck.pdf"
        return made.read_bytes() if made.exists() and made.stat().st_size else None


def _run(soffice: str, copy: Path, limits: Limits, name: str) -> None:
    command = [
        soffice,
        f"-env:UserInstallation={_profile().as_uri()}",
        *("--headless", "--norestore", "--nologo", "--nodefault", "--nolockcheck"),
        *("--convert-to", _FILTER, "--outdir", str(copy.parent), str(copy)),
    ]
    with (
        _dies_with_us(),
        subprocess.Popen(
            command,
            cwd=copy.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as child,
    ):
        try:
            while child.poll() is None:
                if _memory() > limits.memory:
                    raise DocumentFault(
                        "too_large",
                        f"{name} needs more than {limits.memory >> 20} MB of memory to draw; "
                        "save its slides as a PDF and give that.",
                    )
                time.sleep(_POLL)
        finally:
            _kill()


def _profile() -> Path:
    """A profile beside the temporary files: the first start costs seconds, the next ones don't."""
    profile = Path(tempfile.gettempdir()) / f"sightline-office-{os.getpid()}"
    user = profile / "user"
    if not user.exists():
        user.mkdir(parents=True, mode=0o700)
        items = "".join(_ITEM.format(path=p, name=n, value=v) for p, n, v in _SETTINGS)
        (user / "registrymodifications.xcu").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
            f"{items}</oor:items>\n",
            encoding="utf-8",
        )
    return profile


def _memory() -> int:
    total = 0
    for child in psutil.Process().children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:
            continue  # it ended in this moment
    return total


def _kill() -> None:
    """soffice is a script that starts the program proper: all of its family has to go."""
    family = psutil.Process().children(recursive=True)
    for child in family:
        try:
            child.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(family, timeout=5)


@contextmanager
def _dies_with_us() -> Iterator[None]:
    """While LibreOffice runs, the signal that says our parent died ends the whole group."""
    if sys.platform == "win32":
        yield
        return

    def end_all(_number: int, _frame: FrameType | None) -> None:
        os.killpg(0, signal.SIGKILL)

    before = signal.signal(signal.SIGTERM, end_all)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
