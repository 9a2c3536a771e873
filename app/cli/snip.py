"""`sightline snip`: what its arguments ask for, handed to the program that runs, or to one that is
started for it; knows no window."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from app.handover import Invocation, address, hand_over
from app.settings import folders
from app.vocabulary import Fault, Region

Start = Callable[[Invocation], int]
ABOUT = "capture a part of the screen and ask about it"


def run(arguments: Sequence[str], start: Start) -> int:
    """`sightline snip …`, without the words before its own; `start` becomes the program."""
    parser = argparse.ArgumentParser(
        prog="sightline snip",
        description=f"{ABOUT[0].upper()}{ABOUT[1:]}, in the Sightline that runs or in a new one. "
        "Bind it to a key in the desktop's settings where programs can take none themselves.",
    )
    add(parser)
    return go(_invocation(parser.parse_args(list(arguments))), start)


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments; without any, a region is marked by hand."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--full", action="store_true", help="the screen with the pointer")
    what.add_argument("--window", action="store_true", help="the window under the pointer")
    what.add_argument(
        "--region",
        nargs="?",
        type=region,
        metavar="X,Y,W,H",
        help="a region, in pixels of the desktop; without them it is marked by hand",
    )
    what.add_argument("--record", action="store_true", help="start recording, or finish it")


def go(said: Invocation, start: Start) -> int:
    """Hands it over, or becomes the program that does it; the exit status."""
    try:
        if hand_over(said, address(folders().config)):
            return 0
    except Fault as fault:
        print(f"sightline: {fault.message}", file=sys.stderr)
        return 1
    if not has_display():
        print(
            "sightline: there is no display to capture or to open a window on. "
            'Ask in the terminal instead: sightline ask FILE "question"',
            file=sys.stderr,
        )
        return 1
    return start(said)


def token() -> str:
    """What the desktop gave this process so that the program may come to the front."""
    return os.environ.get("XDG_ACTIVATION_TOKEN", "")[:256]


def has_display() -> bool:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def region(text: str) -> Region:
    """X,Y,W,H. Raises ArgumentTypeError."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not X,Y,W,H in whole pixels") from None
    if width < 1 or height < 1:
        raise argparse.ArgumentTypeError("the region is empty: W and H must be above 0")
    return Region(x, y, width, height)


def _invocation(given: argparse.Namespace) -> Invocation:
    if given.record:
        return Invocation("record", token=token())
    if given.full:
        return Invocation("screen", token=token())
    if given.window:
        return Invocation("window", token=token())
    return Invocation("region", given.region, token())
