"""What goes over the pipe between window and worker comes out as it went in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.docs import wire
from app.docs.request import Limits, Opened, Page, Remark, Request, Told
from app.vocabulary import Box, Error, Frame, Region, Source, TextLine, Word


def unpacked(packet: bytes) -> tuple[wire.Header, bytes]:
    text, blob = wire.lengths(packet[: wire.HEAD.size])
    body = packet[wire.HEAD.size :]
    assert len(body) == text + blob
    return wire.header(body[:text]), body[text:]


share = st.floats(0, 1)
words = st.lists(
    st.builds(Word, st.integers(0, 99), st.integers(0, 99), share, share), max_size=3
).map(tuple)
boxes = st.builds(Box, share, share, share, share)
frames = st.builds(
    Frame,
    image=st.binary(max_size=50),
    media_type=st.sampled_from(["image/png", "image/jpeg"]),
    width=st.integers(1, 9999),
    height=st.integers(1, 9999),
    source=st.builds(
        Source,
        kind=st.sampled_from(["pdf", "video", "screen"]),
        name=st.text(),
        page=st.none() | st.integers(1),
        time=st.none() | st.floats(0, 1e6),
        region=st.none()
        | st.builds(Region, st.integers(), st.integers(), st.integers(), st.integers()),
    ),
    text=st.text(),
    text_source=st.sampled_from(["layer", "ocr", "none"]),
    lines=st.lists(st.builds(TextLine, st.text(), boxes, share, words), max_size=3).map(tuple),
)
warnings = st.lists(st.text()).map(tuple)
openings = st.builds(Opened, st.just("pdf"), st.integers(), st.text(), st.text(), warnings)
errors = st.builds(Error, st.just("damaged"), st.text(), st.text())


@given(
    frames
    | openings
    | errors
    | st.builds(Remark, st.text())
    | st.builds(Page, st.integers(), st.booleans())
)
def test_everything_told_arrives_as_it_was_sent(told: Told | Error) -> None:
    assert wire.told_of(*unpacked(wire.pack_told(told))) == told


@given(st.text(st.characters(exclude_characters="\0"), min_size=1), st.none() | st.text())
def test_a_request_arrives_as_it_was_sent(name: str, password: str | None) -> None:
    request, limits = Request(Path("/x") / name, password=password), Limits(memory=5)
    head, _ = unpacked(wire.pack_request(request, limits))
    assert wire.request_of(head) == (request, limits)


@given(frames)
def test_a_frame_to_recognise_arrives_as_it_was_sent(frame: Frame) -> None:
    head, blob = unpacked(wire.pack_recognise(frame, Limits()))
    assert head["type"] == "recognise"
    assert wire.frame_of(head, blob) == frame


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a packet of"):
        wire.lengths(b"\xff" * wire.HEAD.size)
