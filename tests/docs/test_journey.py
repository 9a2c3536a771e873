"""A file's way over workers that are lost: what is asked again, what a person is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.docs.journey import REPLACEMENTS, Journey
from app.docs.request import Limits, Opened, Page, Remark, Request
from app.vocabulary import DocumentFault, Frame, Source

FRAME = Frame(b"", "image/png", 1, 1, Source("pdf", "a.pdf", page=1))


def journey(pages: int = 9) -> Journey:
    made = Journey(Request(Path("a.pdf")), Limits(), now=0)
    made.hear(Opened("pdf", pages, "a", "test"))
    made.hear(Page(1))
    return made


def test_a_page_has_20_seconds_and_the_first_frame_60() -> None:
    fresh = Journey(Request(Path("a.pdf")), Limits(), now=100)
    assert fresh.patience(110) == 50
    assert journey().patience(0) == 20
    assert journey().patience(50) == 10


def test_reading_the_text_in_a_picture_has_its_own_time() -> None:
    way = journey()
    way.hear(FRAME)
    way.hear(Page(2, drawn=True))
    assert way.patience(5) == 60


def test_a_slow_reader_of_frames_costs_the_worker_no_time() -> None:
    way = journey()
    way.hear(FRAME)
    assert way.patience(10_000) == 20


def test_after_a_lost_page_the_next_one_is_asked_for() -> None:
    way = journey()
    remark = way.lose("timeout", "", fresh=True, now=30)
    assert remark == Remark("Page 1 took longer than 20 s and was left out.")
    assert way.request().after == 1
    assert way.patience(30) == 60


def test_the_second_opening_is_not_passed_on() -> None:
    assert journey().hear(Opened("pdf", 9, "a", "test")) is None


@pytest.mark.parametrize(
    ("reason", "kind", "said"),
    [
        ("timeout", "timeout", "took longer than 20 s"),
        ("memory", "too_large", "needed more than 2048 MB"),
        ("died", "damaged", "made the document reader fail"),
    ],
)
def test_a_lost_only_page_is_a_fault_with_its_reason(reason: str, kind: str, said: str) -> None:
    with pytest.raises(DocumentFault, match=said) as caught:
        journey(pages=1).lose(reason, "", fresh=True, now=0)
    assert caught.value.kind == kind


def test_a_worker_that_left_for_being_idle_is_replaced_in_silence_once() -> None:
    way = Journey(Request(Path("a.pdf")), Limits(), now=0)
    assert way.lose("died", "", fresh=False, now=0) is None
    with pytest.raises(DocumentFault):
        way.lose("died", "", fresh=False, now=0)


def test_a_file_does_not_cost_workers_without_end() -> None:
    way = journey()
    way.hear(FRAME)
    for page in range(2, 2 + REPLACEMENTS):
        way.hear(Page(page))
        way.lose("died", "", fresh=True, now=0)
    way.hear(Page(7))
    last = way.lose("died", "", fresh=True, now=0)
    assert last is not None
    assert "it and all after it" in last.text
    assert way.request().after == 9


def test_a_file_of_which_nothing_came_ends_in_a_fault() -> None:
    way = journey(pages=2)
    way.lose("timeout", "", fresh=True, now=0)
    with pytest.raises(DocumentFault):
        way.end()
