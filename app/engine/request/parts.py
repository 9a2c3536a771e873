"""The parts of a message's content, off the wire: texts, pictures and videos as values.

Takes what the request itself carries and fetches nothing: neither an address nor a file. Forms:
OpenAI's `text` and `image_url`; vLLM's `video_url`, whose `video/jpeg` is frames between commas.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from app.engine.picture import measure
from app.engine.request import values
from app.engine.request.turn import Clip, Part
from app.engine.request.values import FieldFault
from app.vocabulary import Frame, Source

_DATA_URL = re.compile(r"data:(?P<type>[\w.+/-]*)(;[\w=.-]+)*;base64,", re.IGNORECASE)
_ELSEWHERE = re.compile(r"(https?|ftp|file|s3|gs|oss):", re.IGNORECASE)
_FRAMES = frozenset({"video/jpeg", "video/jpg", "video/png", "video/webp"})
_PACE = 1.0  # frames a second where nothing is said, as vLLM has it
_KINDS = ("text", "image_url", "video_url")
_LONGEST_TIME = 1e6  # seconds


def read_content(content: object, field: str) -> tuple[Part, ...]:
    """A message's content, text or a list of parts, in its own order.

    Raises:
        FieldFault: it is neither, or one of its parts can't be read.
    """
    if isinstance(content, str):
        return (content,) if content else ()
    if not isinstance(content, list):
        raise FieldFault(field, "must be text or a list of parts.")
    return tuple(_read_part(part, f"{field}[{place}]") for place, part in enumerate(content))


def _read_part(part: object, field: str) -> Part:
    if isinstance(part, str):
        return part
    fields = values.fields(part, field) if part is not None else {}
    match fields.get("type"):
        case "text" | "input_text" | "output_text":
            return _text(fields, field)
        case "image_url" | "input_image":
            return read_picture(_url(fields, "image_url", field), f"{field}.image_url.url")
        case "video_url" | "input_video":
            return _read_video(fields, field)
        case kind:
            known = ", ".join(f"“{word}”" for word in _KINDS)
            raise FieldFault(
                f"{field}.type",
                f"is {str(kind)[:40]!r}, which is not understood here; use {known}.",
            )


def _text(fields: Mapping[str, Any], field: str) -> str:
    text = values.text(fields.get("text"), f"{field}.text")
    if text is None:
        raise FieldFault(f"{field}.text", "is missing.")
    return text


def _url(fields: Mapping[str, Any], name: str, field: str) -> str:
    given = fields.get(name)
    url = given.get("url") if isinstance(given, dict) else given
    if not isinstance(url, str):
        raise FieldFault(f"{field}.{name}.url", "must be text: a data: URL.")
    if _ELSEWHERE.match(url):
        raise FieldFault(
            f"{field}.{name}.url", "must be a data: URL; nothing is fetched from elsewhere."
        )
    return url


# --- pictures -------------------------------------------------------------------------------


def read_picture(url: str, field: str) -> Frame:
    """A data: URL or bare base64 as a picture, its pixels not looked at yet."""
    match = _DATA_URL.match(url)
    return _picture(_decoded(url[match.end() :] if match else url, field), field)


def _picture(image: bytes, field: str) -> Frame:
    media_type, width, height = measure(image)
    if not media_type:
        raise FieldFault(field, "holds a picture that is neither PNG, JPEG, WebP nor GIF.")
    return Frame(image, media_type, width, height, Source("picture", ""))


def _decoded(text: str, field: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FieldFault(field, "holds damaged base64.") from None
    if not decoded:
        raise FieldFault(field, "is empty.")
    return decoded


# --- videos ---------------------------------------------------------------------------------


def _read_video(fields: Mapping[str, Any], field: str) -> Clip:
    url = _url(fields, "video_url", field)
    inner = fields.get("video_url")
    said = inner if isinstance(inner, dict) else {}
    place = f"{field}.video_url"
    match = _DATA_URL.match(url)
    media_type = match["type"].lower() if match else ""
    if match is None or not media_type.startswith("video/"):
        raise FieldFault(
            f"{place}.url", "must be a data: URL of a video, as data:video/mp4;base64,…"
        )
    data = url[match.end() :]
    if media_type in _FRAMES:
        return _frames(data, media_type, said, place)
    for name in ("fps", "timestamps"):
        if said.get(name) is not None:
            raise FieldFault(f"{place}.{name}", "is for a video sent as frames; leave it out.")
    return Clip(media_type, _decoded(data, f"{place}.url"))


def _frames(data: str, media_type: str, said: Mapping[str, Any], place: str) -> Clip:
    """A video as pictures between commas, with the time of each."""
    parts = data.split(",")
    frames = [_frame(part, f"{place}.url", number) for number, part in enumerate(parts, start=1)]
    return Clip(media_type, frames=tuple(frames), times=_times(said, len(frames), place))


def _frame(data: str, field: str, number: int) -> Frame:
    try:
        return _picture(_decoded(data, field), field)
    except FieldFault as fault:
        raise FieldFault(f"{field}", f"can't be read at frame {number}: {fault.message}") from None


def _times(said: Mapping[str, Any], count: int, place: str) -> tuple[float, ...]:
    """Seconds from the start, one for each frame."""
    pace = values.number(said.get("fps"), f"{place}.fps", least=0.001, most=1000)
    field = f"{place}.timestamps"
    if said.get("timestamps") is None:
        return tuple(number / (pace or _PACE) for number in range(count))
    if pace is not None:
        raise FieldFault(field, "can't be given beside `fps`; leave one of them out.")
    given = values.items(said["timestamps"], field)
    if len(given) != count:
        raise FieldFault(field, f"must have one number for each of the {count} frames.")
    times = [_time(time, f"{field}[{number}]") for number, time in enumerate(given)]
    return _rising(times, field)


def _time(value: object, field: str) -> float:
    time = values.number(value, field, least=0, most=_LONGEST_TIME)
    if time is None:
        raise FieldFault(field, "must be a number.")
    return time


def _rising(times: Sequence[float], field: str) -> tuple[float, ...]:
    if any(later < earlier for earlier, later in pairwise(times)):
        raise FieldFault(field, "must not go back in time.")
    return tuple(times)
