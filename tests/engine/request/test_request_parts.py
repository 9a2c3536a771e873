from __future__ import annotations

import base64
from typing import Any

import pytest

from app.engine.request.parts import read_content
from app.engine.request.turn import Clip
from app.engine.request.values import FieldFault
from app.vocabulary import Frame

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEUlEQVR4nGP8"
    "z8AAR0wMCA4AFhIBBPoE8OMAAAAASUVORK5CYII="
)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def picture(url: object) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def video(url: object, **more: Any) -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": url, **more}}


def film(count: int, **more: Any) -> dict[str, Any]:
    return video("data:video/jpeg;base64," + ",".join([PNG] * count), **more)


def test_texts_and_pictures_keep_their_order() -> None:
    parts = read_content(
        [text("This:"), picture(f"data:image/png;base64,{PNG}"), "and", picture(PNG)], "c"
    )
    assert [type(part).__name__ for part in parts] == ["str", "Frame", "str", "Frame"]


def test_a_picture_is_read_with_its_size() -> None:
    (frame,) = read_content([picture(PNG)], "c")
    assert isinstance(frame, Frame)
    assert (frame.media_type, frame.width, frame.height) == ("image/png", 3, 2)


def test_the_address_of_a_picture_may_stand_without_an_object() -> None:
    assert len(read_content([{"type": "input_image", "image_url": PNG}], "c")) == 1


def test_a_video_is_the_bytes_of_its_file() -> None:
    data = base64.b64encode(b"ftyp").decode()
    assert read_content([video(f"data:video/mp4;base64,{data}")], "c") == (
        Clip("video/mp4", b"ftyp"),
    )


def test_a_video_sent_as_frames_has_one_a_second() -> None:
    (clip,) = read_content([film(3)], "c")
    assert isinstance(clip, Clip)
    assert (len(clip.frames), clip.times) == (3, (0.0, 1.0, 2.0))


@pytest.mark.parametrize("more", [{"fps": 2}, {"timestamps": [0, 0.5, 1]}])
def test_the_times_of_frames_are_their_pace_or_a_list(more: dict[str, Any]) -> None:
    (clip,) = read_content([film(3, **more)], "c")
    assert isinstance(clip, Clip)
    assert clip.times == (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("part", "field", "word"),
    [
        (5, "c[0]", "object"),
        (None, "c[0].type", "None"),
        ({"type": "audio_url"}, "c[0].type", "audio_url"),
        ({"type": "text"}, "c[0].text", "missing"),
        (text(5), "c[0].text", "text"),  # type: ignore[arg-type]
        ({"type": "image_url"}, "c[0].image_url.url", "data: URL"),
        (picture(5), "c[0].image_url.url", "data: URL"),
        (picture("https://h/x.png"), "c[0].image_url.url", "nothing is fetched"),
        (picture("FILE:///etc/passwd"), "c[0].image_url.url", "nothing is fetched"),
        (picture("data:image/png;base64,@@"), "c[0].image_url.url", "base64"),
        (picture("data:image/png;base64,"), "c[0].image_url.url", "empty"),
        (picture(""), "c[0].image_url.url", "empty"),
        (picture("aGVsbG8="), "c[0].image_url.url", "PNG"),
        (video("https://h/x.mp4"), "c[0].video_url.url", "nothing is fetched"),
        (video("AAAA"), "c[0].video_url.url", "data: URL"),
        (video("data:image/png;base64,AAAA"), "c[0].video_url.url", "video"),
        (video("data:video/mp4;base64,"), "c[0].video_url.url", "empty"),
        (video("data:video/mp4;base64,AAAA", fps=2), "c[0].video_url.fps", "frames"),
        (video(f"data:video/jpeg;base64,{PNG},"), "c[0].video_url.url", "frame 2"),
        (film(2, fps=0), "c[0].video_url.fps", "between"),
        (film(2, fps="fast"), "c[0].video_url.fps", "number"),
        (film(2, timestamps=[1]), "c[0].video_url.timestamps", "2 frames"),
        (film(2, timestamps=[1, 0]), "c[0].video_url.timestamps", "back in time"),
        (film(2, timestamps=[0, None]), "c[0].video_url.timestamps[1]", "number"),
        (film(2, timestamps=[-1, 0]), "c[0].video_url.timestamps[0]", "between"),
        (film(2, timestamps=5), "c[0].video_url.timestamps", "list"),
        (film(2, timestamps=[0, 1], fps=1), "c[0].video_url.timestamps", "beside"),
    ],
)
def test_a_part_that_can_not_be_read_is_named(part: Any, field: str, word: str) -> None:
    with pytest.raises(FieldFault) as caught:
        read_content([part], "c")
    assert caught.value.field == field
    assert word in caught.value.message
