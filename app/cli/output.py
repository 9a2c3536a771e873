"""What the commands print: words for a person or JSON lines, progress only to a terminal."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from app.vocabulary import Error


def emit(record: dict[str, object]) -> None:
    """One JSON line on stdout, flushed, so that a reader sees it when it happens."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    print(text, flush=True)


def fail(error: Error, *, as_json: bool) -> int:
    """One clear line on stderr, and with `--json` a last line on stdout; the exit status."""
    progress("")
    print(f"sightline: {error.message}", file=sys.stderr, flush=True)
    if as_json:
        emit({"type": "error", "kind": error.kind, "message": error.message})
    return 1


def progress(text: str) -> None:
    """Replaces the terminal's last line of progress; nothing where stderr is no terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()


def dim(text: str, stream: TextIO) -> str:
    return f"\x1b[2m{text}\x1b[22m" if stream.isatty() else text
