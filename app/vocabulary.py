"""The words every room shares: frozen values, the events of a stream, the tree of faults.

This is the page to read first. It knows nothing of Qt, disks, networks or models; it holds
what travels between the rooms that do::

    source ──► Frame ──► Message ──► Endpoint ──► events ──► session ──► panes

A stream of events ends exactly once: with one `Done` or one `Error`, and nothing after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

# --- what is seen ---------------------------------------------------------------------------

SourceKind = Literal["picture", "pdf", "slides", "video", "text", "screen", "paste"]
TextSource = Literal["layer", "ocr", "none"]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in whole pixels of the thing it was cut from; `x` and `y` may be negative
    for a screen that stands left of or above the origin."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of a picture's width and height, 0 to 1, origin top left."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Word:
    """Where characters `start` to `end` of a line stand, in fractions of the picture's width."""

    start: int
    end: int
    x1: float
    x2: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a frame's text layer and where it stands; `confidence` is 1 for real text.
    `words` are those that OCR has just found; they are not stored."""

    text: str
    box: Box
    confidence: float = 1.0
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a frame came from.

    `page` counts from 1, `time` is seconds from the start of a video, `region` is the part of
    the screen in physical pixels, `scale` is physical pixels per logical pixel there.
    """

    kind: SourceKind
    name: str
    page: int | None = None
    time: float | None = None
    region: Region | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture as it is shown and sent: encoded bytes (`image/png` or `image/jpeg`), its size
    in pixels, its text layer in reading order, and where it came from."""

    image: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    source: Source
    text: str = ""
    text_source: TextSource = "none"
    lines: tuple[TextLine, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Clip:
    """A video as a whole: its file's bytes (`video/mp4`), `name` as the frames that were cut from
    it have it in their source, and how many seconds it lasts."""

    data: bytes = field(repr=False)
    media_type: str
    name: str
    seconds: float


# --- what is asked --------------------------------------------------------------------------

Role = Literal["system", "user", "assistant"]
Dialect = Literal["auto", "glm-4.5v", "glm-4.1v"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; an assistant's `text` is its answer without the thinking. A
    clip stands beside its own frames: an endpoint gets the one or the others."""

    role: Role
    text: str
    frames: tuple[Frame, ...] = ()
    clips: tuple[Clip, ...] = ()


PictureForm = Literal["data_url", "base64"]
ThinkingSwitch = Literal["none", "template", "zai"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks OpenAI-compatible chat completions, the local engine's included.

    `base_url` ends where `/chat/completions` is appended. `sees_pictures=False` marks a text-only
    model: frames then go as their text layer. `pictures` says how a picture is written on the
    wire, `switch` how thinking is turned on and off there (`template`:
    `chat_template_kwargs.enable_thinking`; `zai`: `thinking.type`).
    """

    name: str
    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    sees_pictures: bool = True
    local: bool = False
    dialect: Dialect = "auto"
    pictures: PictureForm = "data_url"
    switch: ThinkingSwitch = "none"
    context: int | None = None  # tokens the model can hold, where known
    takes_video: bool = False  # a clip goes whole, as `video_url`, and not as its frames


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next tokens are chosen; `None` leaves it to the server."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    thinking: bool | None = None
    thinking_budget: int | None = None  # tokens


# --- what comes back ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thinking:
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    text: str


@dataclass(frozen=True, slots=True)
class Retract:
    """The last `len(text)` characters shown as answer were thinking: take them out of the answer
    and append them to the thinking."""

    text: str
    to: Literal["thinking"] = "thinking"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One whole tool call; `arguments` is the JSON text as the model wrote it."""

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them, and `seconds` from the request to the end."""

    prompt: int
    completion: int
    cached: int = 0
    seconds: float = 0.0


DoneReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Done:
    reason: DoneReason


FaultKind = Literal[
    # documents
    "needs_password",
    "wrong_password",
    "damaged",
    "empty",
    "unsupported",
    "too_large",
    "timeout",
    "missing_renderer",
    "not_found",
    # endpoints
    "bad_key",
    "bad_url",
    "unreachable",
    "no_model",
    "rate_limited",
    "too_long",
    "refused",
    "bad_request",
    "bad_response",
    "server_failed",
    "interrupted",
    # the engine and this machine
    "engine_failed",
    "out_of_memory",
    "no_display",
    "capture_failed",
    "no_keyring",
    "no_space",
    "newer_data",
    "bad_input",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Error:
    """The end of a stream that failed: `message` is one sentence for a person that says what
    happened and what to do, `detail` what a bug report needs (never a key)."""

    kind: FaultKind
    message: str
    detail: str = ""


End: TypeAlias = Done | Error
Event: TypeAlias = Thinking | Answer | Retract | ToolCall | Usage | Done | Error


# --- what goes wrong ------------------------------------------------------------------------


class Fault(Exception):
    """Something a person has to know, in words for a person.

    ::

        Fault
        ├── DocumentFault   a file that can't be read
        ├── EndpointFault   a server that can't be asked, or broke off
        ├── EngineFault     the embedded engine
        ├── CaptureFault    the screen
        ├── StoreFault      conversations, media, settings, keys
        └── UsageFault      what was typed
    """

    def __init__(self, kind: FaultKind, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.kind: FaultKind = kind
        self.message = message
        self.detail = detail

    def as_error(self) -> Error:
        return Error(self.kind, self.message, self.detail)


class DocumentFault(Fault):
    """A file that can't be read."""


class EndpointFault(Fault):
    """A server that can't be asked, or that broke off."""


class EngineFault(Fault):
    """The embedded engine can't start, load or go on."""


class CaptureFault(Fault):
    """The screen can't be captured."""


class StoreFault(Fault):
    """Conversations, media, settings or keys can't be read or written."""


class UsageFault(Fault):
    """What was typed makes no sense."""
