"""Where the files that travel with the program lie; knows no more of them than their folders."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"
ICONS = ASSETS / "icons"
MARK = ASSETS / "mark"
SAMPLES = ASSETS / "samples"
TRANSLATIONS = ASSETS / "translations"
SOUNDS = ASSETS / "sounds"
