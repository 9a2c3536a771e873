"""Why a way of capturing does not serve here, in words; knows no way of capturing."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from app.vocabulary import CaptureFault, FaultKind


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`reason` is the middle of a sentence, `remedy` what a person can do, if anything."""

    reason: str
    remedy: str = ""
    kind: FaultKind = "capture_failed"

    def fault(self) -> CaptureFault:
        ending = f" {self.remedy[0].upper()}{self.remedy[1:]}." if self.remedy else ""
        return CaptureFault(self.kind, f"The screen can't be captured: {self.reason}.{ending}")


NO_DISPLAY = Obstacle(
    "this session has no display",
    "start Sightline in a desktop session, or give it a picture file",
    "no_display",
)


def wayland() -> bool:
    """Whether this desktop is Wayland; X programs run there too, but see only each other."""
    if sys.platform != "linux":
        return False
    return bool(os.environ.get("WAYLAND_DISPLAY")) or (
        os.environ.get("XDG_SESSION_TYPE") == "wayland"
    )


def no_display() -> bool:
    return sys.platform == "linux" and not (os.environ.get("DISPLAY") or wayland())
