"""What a second start asks of the first, as one line of JSON, and the way to hand it over; knows
no window and nothing of what is done with it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from app.fields import read
from app.vocabulary import Region, UsageFault

LONGEST = 4_096  # bytes of a line, its end included
PATIENCE = 8.0  # s for the first to answer; it may itself have just been started

Verb = Literal["show", "region", "window", "screen", "record"]


@dataclass(frozen=True, slots=True)
class Invocation:
    """`show` raises the window, `record` starts or ends a recording, the others capture. With a
    `region`, in physical pixels of the desktop, nothing is left to be marked. `token` is what the
    desktop gives a program so that it may come to the front."""

    verb: Verb = "show"
    region: Region | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """`refused` says why nothing was done; empty where it was."""

    refused: str = ""


def encode(said: Invocation | Reply) -> bytes:
    return json.dumps(asdict(said), ensure_ascii=True).encode() + b"\n"


def decode(line: bytes) -> Invocation:
    """Raises UsageFault."""
    content = _content(line)
    try:
        found, wrong = read(Invocation, content)
    except ValueError:
        wrong = ("region",)
    if wrong or "verb" not in content:
        raise UsageFault("bad_request", "What was handed over makes no sense.", repr(line[:200]))
    if found.region is not None and min(found.region.width, found.region.height) < 1:
        raise UsageFault("bad_request", "The region that was handed over is empty.")
    return found


def decode_reply(line: bytes) -> Reply:
    """Raises UsageFault."""
    found, wrong = read(Reply, _content(line))
    if wrong:
        raise UsageFault("bad_request", "The answer makes no sense.", repr(line[:200]))
    return found


def _content(line: bytes) -> dict[str, object]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or len(line) > LONGEST:
        raise UsageFault("bad_request", "What was handed over is not a request.", repr(line[:200]))
    return content


def address(home: Path) -> str:
    """Where the first listens: one for each user and each `home`, as short as a socket's name has
    to be. A path, and on Windows the name of a pipe."""
    user = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    place = hashlib.sha256(f"{user}\n{home}".encode("utf-8", "surrogateescape")).hexdigest()[:12]
    if sys.platform == "win32":
        return f"sightline-{place}"
    name = f"sightline-{user}-{place}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(runtime) if runtime and len(runtime) < 60 else Path(tempfile.gettempdir())
    return str(folder / name)


def hand_over(said: Invocation, where: str, *, patience: float = PATIENCE) -> bool:
    """Whether a program that runs took it over; False: there is none.

    Raises:
        UsageFault: it refused, or it does not answer.
    """
    try:
        line = _ask(said, where, patience)
    except TimeoutError as late:
        raise UsageFault(
            "timeout", "Sightline runs already but does not answer. End it and try again."
        ) from late
    if not line:
        return False
    reply = decode_reply(line)
    if reply.refused:
        raise UsageFault("refused", reply.refused)
    return True


if sys.platform == "win32":

    def _ask(said: Invocation, where: str, patience: float) -> bytes:
        """The line that came back; empty where nobody listens. Reading a pipe knows no time limit
        of its own."""
        got: list[bytes] = []

        def ask() -> None:
            try:
                with Path(rf"\\.\pipe\{where}").open("r+b", buffering=0) as pipe:
                    pipe.write(encode(said))
                    got.append(pipe.readline(LONGEST))
            except OSError:
                got.append(b"")

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(patience)
        if not got:
            raise TimeoutError
        return got[0]

else:

    def _ask(said: Invocation, where: str, patience: float) -> bytes:
        """The line that came back; empty where nobody listens, or none of ours."""
        try:
            seen = Path(where).stat()
            if seen.st_uid != os.getuid() or not stat.S_ISSOCK(seen.st_mode):
                return b""
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(patience)
                line.connect(where)
                line.sendall(encode(said))
                with line.makefile("rb") as back:
                    return back.readline(LONGEST)
        except TimeoutError:
            raise
        except OSError:
            return b""
