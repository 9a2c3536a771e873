"""Draws Office Open XML presentations with rpptx, where LibreOffice is not installed or failed.

rpptx keeps hidden slides, reports what it can't draw and knows no .ppt or .odp.
"""

from __future__ import annotations

import re
import sys
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import rpptx

from app.docs.faults import damaged

RENDERER = "rpptx"
_ANIMATION = re.compile(rb"<p:(timing|transition)\b[^>]*?(?:/>|>.*?</p:\1>)", re.DOTALL)
_FONT_ROOTS = {
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": (r"C:\Windows\Fonts",),
}
_CJK = re.compile(r"cjk|wqy|wenquan|sourcehan|pingfang|hiragino|songti|msyh|simsun|msgothic", re.I)


@dataclass(frozen=True, slots=True)
class Converted:
    """A deck as PDF bytes, who made it, and what was lost on the way."""

    pdf: bytes
    renderer: str
    remarks: tuple[str, ...] = ()


def convert(path: Path, name: str) -> Converted:
    """DocumentFault `damaged` where rpptx can't read the deck either."""
    fonts = [str(folder) for folder in _cjk_folders()]
    try:
        deck = _load(path)
        pdf, diagnostics = deck.to_pdf_with_diagnostics(font_dirs=fonts or None)
    except (rpptx.RpptxError, ValueError, RuntimeError, OSError) as error:
        raise damaged(name, f"rpptx: {error}") from error
    remarks = (f"{name} is drawn without LibreOffice, which would show it more faithfully.",)
    return Converted(pdf, RENDERER, (*remarks, *_lost(diagnostics)))


def _load(path: Path) -> rpptx.Presentation:
    try:
        return rpptx.Presentation(path)
    except rpptx.XmlError:
        # rpptx is strict about the order of animations, which a still picture does not need
        return rpptx.Presentation.from_bytes(_without_animations(path))


def _without_animations(path: Path) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(path) as deck, zipfile.ZipFile(out, "w") as still:
        for part in deck.infolist():
            data = deck.read(part)
            if part.filename.startswith("ppt/slide") and part.filename.endswith(".xml"):
                data = _ANIMATION.sub(b"", data)
            still.writestr(part.filename, data)
    return out.getvalue()


def _lost(diagnostics: tuple[str, ...]) -> tuple[str, ...]:
    kinds = sorted({one.split(":")[0].strip() for one in diagnostics})
    if not kinds:
        return ()
    shown = "; ".join(kinds[:3]) + (" and more" if len(kinds) > 3 else "")
    return (f"Some parts could not be drawn as they are: {shown}.",)


def _cjk_folders() -> list[Path]:
    """Folders of fonts with Chinese, Japanese and Korean; rpptx brings Latin ones only and does
    not look into folders within folders."""
    found: set[Path] = set()
    for root in _FONT_ROOTS.get(sys.platform, ()):
        for font in Path(root).expanduser().rglob("*.[toTO]t[fcFC]"):
            if _CJK.search(font.name):
                found.add(font.parent)
    return sorted(found)
