"""What a message shows → the parts of its content: pictures, frames of one video together, whole
videos. Pure: knows no text and no network.

Shape: OpenAI's `image_url`; vLLM's `video_url`, whose `video/jpeg` is frames between commas.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any, TypeAlias

from app.vocabulary import Clip, Endpoint, Frame, Message, PictureForm

Part: TypeAlias = dict[str, Any]
_Film: TypeAlias = tuple[str, str, int, int]  # name, media type, width, height

_STRIPS = {"image/jpeg": "video/jpeg", "image/png": "video/png", "image/webp": "video/webp"}


def parts(message: Message, endpoint: Endpoint) -> list[Part]:
    """Whole clips where the endpoint takes them, then what they don't show. The engine of this
    machine reads frames of one video as a video, which costs half as many tokens: two of them are
    looked at as one. No other server is known to, so there they are pictures."""
    whole = {clip.name: clip for clip in message.clips} if endpoint.takes_video else {}
    found = [_clip(clip, endpoint.pictures) for clip in whole.values()]
    left = [frame for frame in message.frames if not (_filmed(frame) and _named(frame, whole))]
    for film, alike in groupby(left, _film):
        frames = tuple(alike)
        if film and endpoint.local and endpoint.takes_video and _is_strip(frames):
            found.append(_strip(frames))
        else:
            found += (_picture(frame, endpoint.pictures) for frame in frames)
    return found


def _filmed(frame: Frame) -> bool:
    return frame.source.kind == "video"


def _named(frame: Frame, clips: dict[str, Clip]) -> bool:
    return frame.source.name in clips


def _film(frame: Frame) -> _Film | None:
    """What frames of one video have in common; None for a picture that stands alone."""
    if not _filmed(frame) or frame.media_type not in _STRIPS:
        return None
    return (frame.source.name, frame.media_type, frame.width, frame.height)


def _is_strip(frames: Sequence[Frame]) -> bool:
    times = [frame.source.time for frame in frames if frame.source.time is not None]
    rises = all(earlier <= later for earlier, later in pairwise(times))
    return len(frames) > 1 and len(times) == len(frames) and rises


def _strip(frames: Sequence[Frame]) -> Part:
    together = ",".join(_encoded(frame.image) for frame in frames)
    url = f"data:{_STRIPS[frames[0].media_type]};base64,{together}"
    times = [frame.source.time for frame in frames]
    return {"type": "video_url", "video_url": {"url": url, "timestamps": times}}


def _clip(clip: Clip, form: PictureForm) -> Part:
    return {"type": "video_url", "video_url": {"url": _url(clip.data, clip.media_type, form)}}


def _picture(frame: Frame, form: PictureForm) -> Part:
    return {"type": "image_url", "image_url": {"url": _url(frame.image, frame.media_type, form)}}


def _url(data: bytes, media_type: str, form: PictureForm) -> str:
    encoded = _encoded(data)
    return encoded if form == "base64" else f"data:{media_type};base64,{encoded}"


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
