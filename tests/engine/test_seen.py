"""What an endpoint is shown of a video: whole, as frames in one part, or as pictures."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.engine.request.body import read_request
from app.engine.request.turn import Clip as ReadClip
from app.engine.wire import request_body
from app.vocabulary import Clip, Endpoint, Frame, Message, Sampling, Source

MP4 = b"\x00\x00\x00\x18ftypisom not looked at by the wire"


def jpeg(shade: int = 0) -> bytes:
    out = BytesIO()
    Image.new("RGB", (16, 8), (shade, shade, shade)).save(out, "JPEG")
    return out.getvalue()


def still(time: float | None, name: str = "screen.mkv", **source: Any) -> Frame:
    made = Source("video", name, time=time, **source)
    return Frame(jpeg(int(time or 0)), "image/jpeg", 16, 8, made)


def endpoint(**more: Any) -> Endpoint:
    return Endpoint("e", "https://h/v1", "m", **more)


HERE = endpoint(local=True, takes_video=True)
FILM = tuple(still(time) for time in (0.0, 1.5, 4.0))
CLIP = Clip(MP4, "video/mp4", "screen.mkv", 4.5)
PAPER = Frame(jpeg(9), "image/jpeg", 16, 8, Source("pdf", "a.pdf", page=1))


def content(message: Message, place: Endpoint) -> Any:
    body = json.loads(json.dumps(request_body(place, [message], Sampling())))
    return body["messages"][0]["content"]


def kinds(message: Message, place: Endpoint) -> list[str]:
    return [part["type"] for part in content(message, place)]


# --- whole ----------------------------------------------------------------------------------


def test_an_endpoint_that_takes_videos_gets_the_whole_one_and_none_of_its_frames() -> None:
    parts = content(Message("user", "What?", FILM, (CLIP,)), endpoint(takes_video=True))
    assert [part["type"] for part in parts] == ["video_url", "text"]
    assert parts[0]["video_url"] == {
        "url": "data:video/mp4;base64," + base64.b64encode(MP4).decode()
    }


def test_other_endpoints_get_its_frames() -> None:
    message = Message("user", "What?", FILM, (CLIP,))
    assert kinds(message, endpoint()) == ["image_url"] * 3 + ["text"]


def test_what_is_not_of_the_video_is_sent_beside_it() -> None:
    other = still(0.0, "other.mkv")
    message = Message("user", "What?", (*FILM, PAPER, other), (CLIP,))
    parts = content(message, endpoint(takes_video=True))
    assert [part["type"] for part in parts] == ["video_url", "image_url", "image_url", "text"]


def test_a_page_of_the_same_name_is_no_frame_of_the_video() -> None:
    page = Frame(jpeg(), "image/jpeg", 16, 8, Source("picture", "screen.mkv"))
    assert kinds(Message("user", "", (page,), (CLIP,)), endpoint(takes_video=True)) == [
        "video_url",
        "image_url",
    ]


def test_bare_base64_is_for_videos_too() -> None:
    place = endpoint(takes_video=True, pictures="base64")
    parts = content(Message("user", "", FILM, (CLIP,)), place)
    assert base64.b64decode(parts[0]["video_url"]["url"]) == MP4


def test_a_model_that_only_reads_gets_neither() -> None:
    place = endpoint(takes_video=True, sees_pictures=False)
    assert isinstance(content(Message("user", "What?", FILM, (CLIP,)), place), str)


# --- frames as one video --------------------------------------------------------------------


def test_the_engine_here_gets_the_frames_of_one_video_in_one_part() -> None:
    parts = content(Message("user", "What?", FILM), HERE)
    assert [part["type"] for part in parts] == ["video_url", "text"]
    assert parts[0]["video_url"]["timestamps"] == [0.0, 1.5, 4.0]
    read = read_request(request_body(HERE, [Message("user", "What?", FILM)], Sampling()))
    clip = read.turns[0].parts[0]
    assert isinstance(clip, ReadClip)
    assert [frame.image for frame in clip.frames] == [frame.image for frame in FILM]
    assert clip.times == (0.0, 1.5, 4.0)


@pytest.mark.parametrize(
    "place", [endpoint(), endpoint(takes_video=True), endpoint(local=True)], ids=str
)
def test_no_other_endpoint_does(place: Endpoint) -> None:
    assert kinds(Message("user", "", FILM), place) == ["image_url"] * 3


def test_a_picture_between_two_videos_keeps_its_place() -> None:
    other = tuple(still(time, "b.mkv") for time in (0.0, 1.0))
    message = Message("user", "", (*FILM, PAPER, *other))
    assert kinds(message, HERE) == ["video_url", "image_url", "video_url"]


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param((still(2.0),), id="a single frame"),
        pytest.param((still(2.0), still(1.0)), id="frames that go back in time"),
        pytest.param((still(None), still(None)), id="frames without a time"),
    ],
)
def test_what_is_no_video_goes_as_pictures(frames: tuple[Frame, ...]) -> None:
    assert kinds(Message("user", "", frames), HERE) == ["image_url"] * len(frames)


_FRAME = st.builds(
    still, st.none() | st.floats(0, 600), st.sampled_from(["a.mkv", "b.mkv"])
) | st.just(PAPER)


@given(st.lists(_FRAME, max_size=6), st.booleans(), st.booleans())
def test_every_frame_arrives_once_and_in_its_order(
    frames: list[Frame], local: bool, takes: bool
) -> None:
    message = Message("user", "Why?", tuple(frames))
    body = request_body(endpoint(local=local, takes_video=takes), [message], Sampling())
    seen: list[bytes] = []
    for part in read_request(body).turns[0].parts:
        if isinstance(part, Frame):
            seen.append(part.image)
        elif isinstance(part, ReadClip):
            seen += [frame.image for frame in part.frames]
    assert seen == [frame.image for frame in frames]
