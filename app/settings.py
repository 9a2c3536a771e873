"""What the user has chosen, as one frozen value, its file, and the folders the program writes in;
knows no key and nothing that uses a setting."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import platformdirs

from app.disk import disk_fault, own_folder, write_whole
from app.fields import read
from app.vocabulary import Dialect, Endpoint, PictureForm, ThinkingSwitch

LOCAL = "local"  # the name of the embedded engine; no profile may have it
_FILE = "settings.json"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files go: what the user chose, what must not be lost, what can be made again, what
    was written down for bug reports."""

    config: Path
    data: Path
    cache: Path
    logs: Path


@dataclass(frozen=True, slots=True)
class Profile:
    """A server the user has set up, without its key; the fields are those of `Endpoint`."""

    name: str
    base_url: str
    model: str
    sees_pictures: bool = True
    dialect: Dialect = "auto"
    pictures: PictureForm = "data_url"
    switch: ThinkingSwitch = "none"
    context: int | None = field(default=None, metadata={"least": 1})
    takes_video: bool = False

    def endpoint(self, api_key: str) -> Endpoint:
        return Endpoint(
            name=self.name,
            base_url=self.base_url,
            model=self.model,
            api_key=api_key,
            sees_pictures=self.sees_pictures,
            dialect=self.dialect,
            pictures=self.pictures,
            switch=self.switch,
            context=self.context,
            takes_video=self.takes_video,
        )


# Meta is the key with the desktop's sign on it; on a Mac it belongs to the program in front
_LEAD = "Ctrl+Alt+" if sys.platform == "darwin" else "Meta+Shift+"


@dataclass(frozen=True, slots=True)
class Hotkeys:
    """What each key pressed anywhere does: modifiers (Ctrl, Alt, Shift, Meta) and one key with `+`
    between them, as `app.capture.hotkey.chord` reads it; empty for none."""

    ask_region: str = f"{_LEAD}A"
    ask_window: str = f"{_LEAD}W"
    ask_screen: str = f"{_LEAD}F"
    record: str = f"{_LEAD}R"
    show_window: str = f"{_LEAD}O"
    new_chat: str = f"{_LEAD}N"


@dataclass(frozen=True, slots=True)
class Recording:
    """How the screen is recorded: frames a second, seconds before it begins, and where it stops by
    itself."""

    frame_rate: int = field(default=30, metadata={"least": 1, "most": 60})
    pointer: bool = True
    delay: int = field(default=0, metadata={"least": 0, "most": 60})  # s
    longest: int = field(default=600, metadata={"least": 1, "most": 86_400})  # s
    largest: int = field(default=500, metadata={"least": 1})  # MB
    microphone: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A question that is asked often: `name` stands on its button."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A region marked once, in physical pixels of the desktop."""

    x: int
    y: int
    width: int = field(metadata={"least": 1})
    height: int = field(metadata={"least": 1})


@dataclass(frozen=True, slots=True)
class Settings:
    """`endpoint` is LOCAL or the name of a profile; `None` leaves a choice to the server."""

    theme: Literal["system", "light", "dark"] = "system"
    language: Literal["system", "en", "zh"] = "system"
    endpoint: str = LOCAL
    profiles: tuple[Profile, ...] = ()
    layout: Literal["auto", "beside", "stacked"] = "auto"
    thinking: bool | None = None
    max_tokens: int = field(default=2048, metadata={"least": 1})
    temperature: float | None = field(default=None, metadata={"least": 0, "most": 2})
    top_p: float | None = field(default=None, metadata={"least": 0, "most": 1})
    system_prompt: str = ""
    history_turns: int = field(default=4, metadata={"least": 0})
    geometry: str = ""  # base64 of what Qt saves of a window's place
    local_model: str = "smollm2-135m-instruct"
    hotkeys: Hotkeys = Hotkeys()
    tray_click: Literal["snip", "window", "record"] = "snip"
    close_to_tray: bool = True
    tray_missed: bool = False  # that the desktop has no tray was said
    sign: Literal["flash", "sound", "none"] = "flash"  # of a capture
    never_captured: tuple[str, ...] = ()  # names of programs
    recording: Recording = Recording()
    templates: tuple[Template, ...] = ()
    regions: tuple[Mark, ...] = ()  # marked before, the newest first
    hinted: bool = False  # the overlay's keys were shown
    quick_size: str = ""  # base64 of what Qt saves of the quick window's size
    save_folder: str = ""  # where a picture was saved last

    def profile(self, name: str) -> Profile | None:
        return next((profile for profile in self.profiles if profile.name == name), None)


def folders() -> Folders:
    """SIGHTLINE_HOME's four folders if it is set, else the system's places for them."""
    home = os.environ.get("SIGHTLINE_HOME")
    if home:
        root = Path(home).expanduser().absolute()
        return Folders(root / "config", root / "data", root / "cache", root / "logs")
    places = platformdirs.PlatformDirs("sightline", appauthor=False)
    return Folders(
        places.user_config_path, places.user_data_path, places.user_cache_path, places.user_log_path
    )


def load(folder: Path) -> tuple[Settings, str | None]:
    """The settings in `folder`, and a sentence for the user about what could not be read. A file
    that is no settings file at all is kept aside as `settings.json.bad`."""
    path = folder / _FILE
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return Settings(), None
    except OSError as error:
        return Settings(), f"The settings in {path} can't be read: {error.strerror}. Defaults hold."
    except (ValueError, RecursionError):
        return Settings(), _keep_aside(path)
    if not isinstance(content, dict):
        return Settings(), _keep_aside(path)
    return _of_json(content, path)


def save(settings: Settings, folder: Path) -> None:
    """Replaces the file whole or not at all. Raises StoreFault."""
    path = folder / _FILE
    text = json.dumps(asdict(settings), indent=2, ensure_ascii=False) + "\n"
    try:
        own_folder(folder)
        write_whole(path, text.encode("utf-8", "replace"))
    except OSError as error:
        raise disk_fault(error, "save the settings", folder) from error


def _of_json(content: dict[str, object], path: Path) -> tuple[Settings, str | None]:
    settings, wrong = read(Settings, content)
    settings, refused = _consistent(settings)
    if not (wrong or refused):
        return settings, None
    named = ", ".join((*wrong, *refused))
    return settings, f"Some settings in {path} make no sense and were left out: {named}."


def _consistent(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """What no field can tell by itself: names that clash, a chosen profile that is not there."""
    kept: dict[str, Profile] = {}
    wrong: list[str] = []
    for place, profile in enumerate(settings.profiles, 1):
        if profile.name in ("", LOCAL) or profile.name in kept:
            wrong.append(f"profiles {place} name")
        else:
            kept[profile.name] = profile
    endpoint = settings.endpoint
    if endpoint != LOCAL and endpoint not in kept:
        wrong.append("endpoint")
        endpoint = LOCAL
    return replace(settings, profiles=tuple(kept.values()), endpoint=endpoint), tuple(wrong)


def _keep_aside(path: Path) -> str:
    aside = path.with_name(f"{path.name}.bad")
    try:
        path.replace(aside)
    except OSError as error:
        return (
            f"The settings in {path} are damaged and stay there: {error.strerror}. Defaults hold."
        )
    return f"The settings were damaged and are kept as {aside}; defaults hold until you set them."
