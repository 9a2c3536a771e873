"""Who has most likely taken a key that is refused: no system tells, but who runs is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import psutil

# programs that take keys from everyone, by the name of their process
_TAKERS: dict[str, str] = {
    "gsd-media-keys": "GNOME's keyboard settings",
    "csd-media-keys": "Cinnamon's keyboard settings",
    "mate-settings-daemon": "MATE's keyboard settings",
    "xfsettingsd": "Xfce's keyboard settings",
    **dict.fromkeys(("kglobalaccel5", "kglobalacceld"), "KDE's shortcut settings"),
    "lxqt-globalkeysd": "LXQt's shortcut settings",
    "OneDrive.exe": "OneDrive",
    "Dropbox.exe": "Dropbox",
    "ShareX.exe": "ShareX",
    "Snipaste.exe": "Snipaste",
    "Greenshot.exe": "Greenshot",
    "Lightshot.exe": "Lightshot",
    "PowerToys.exe": "PowerToys",
    "AutoHotkey.exe": "AutoHotkey",
    "GameBar.exe": "the Xbox Game Bar",
    **{
        name: name
        for name in (
            *("sxhkd", "xbindkeys", "flameshot", "ksnip", "spectacle", "shutter", "copyq"),
            *("autokey-gtk", "autokey-qt", "espanso", "albert", "ulauncher", "guake", "yakuake"),
            *("tilda", "obs", "peek", "Discord", "mumble"),
        )
    },
}
_NOBODY_KNOWN = "the desktop or a program that started earlier"


def culprit(system: str, programs: Iterable[str]) -> str:
    """The suspects as the end of a sentence: the part of the system called `system`, if any, and
    those among the processes of these names that are known to take keys."""
    names = set(programs)
    suspects = list(dict.fromkeys(said for name, said in _TAKERS.items() if name in names))
    if system:
        suspects.append(system)
    return _either(suspects) if suspects else _NOBODY_KNOWN


def running() -> Collection[str]:
    """The names of all processes: some ten milliseconds, so not for the loop's thread."""
    return {process.info["name"] or "" for process in psutil.process_iter(["name"])}


def _either(suspects: list[str]) -> str:
    *most, last = suspects
    return f"{', '.join(most)} or {last}" if most else last
