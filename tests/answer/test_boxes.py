"""Boxes, points and GUI actions in answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answer.boxes import Found, find
from app.answer.split import split
from app.vocabulary import Box

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "grounding.json"
BOX = Box(0.1, 0.2, 0.3, 0.4)


def corners(found: Found) -> list[tuple[str, Box]]:
    return [(item.label, item.box) for item in found.boxes]


@given(st.text(alphabet="[](){}<>\"':,=0123456789 abBox_\n.-", max_size=80))
def test_any_text_can_be_searched(text: str) -> None:
    for item in find(text).boxes:
        assert 0 <= item.box.x1 <= item.box.x2 <= 1
        assert 0 <= item.box.y1 <= item.box.y2 <= 1


@given(st.sampled_from(["[{}]", "[[{}]]", "({})", "<{}>", "{{{}}}", "[({})]"]))
def test_brackets_of_any_kind_hold_a_box(brackets: str) -> None:
    assert corners(find("It is at " + brackets.format("100, 200,300, 400"))) == [("", BOX)]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('{"bbox_2d": [100, 200, 300, 400], "label": "cat"}', "cat"),
        ("{'label': 'cat', 'box_2d': [[100, 200, 300, 400]]}", "cat"),
        ('{"cat": [[100, 200, 300, 400]]}', "cat"),
        ('{"objects": [{"name": "cat", "bbox": [100, 200, 300, 400]}]}', "cat"),
        ("- **Cat**: [100, 200, 300, 400]", "Cat"),
        ('```json\n[{"box": [100, 200, 300, 400]}]\n```', ""),
    ],
)
def test_a_box_keeps_its_label(text: str, label: str) -> None:
    assert corners(find(text)) == [(label, BOX)]


def test_a_list_cut_off_gives_the_boxes_that_are_whole() -> None:
    text = '[{"bbox_2d": [100, 200, 300, 400], "label": "a"}, {"bbox_2d": [100, 200, 300, 4'
    assert corners(find(text)) == [("a", BOX)]


@pytest.mark.parametrize(
    "text",
    [
        "See references [1, 2, 3, 4].",
        "The sorted array is [120, 240, 360, 480].",
        "shape (1, 3, 224, 224)",
        "[[1, 2], [3, 4]]",
        "[1200, 300, 1500, 400]",
        '{"bbox_2d": [1, 2, 3, 4, 5, 6]}',
        "<|begin_of_box|>[3, 5]<|end_of_box|>",
        "<think>at [100, 200, 300, 400]</think>Nowhere.",
        "<think>at [100, 200, 300, 400]",
    ],
)
def test_other_numbers_are_no_boxes(text: str) -> None:
    assert find(text) == Found()


@pytest.mark.parametrize(
    ("text", "kind", "arguments"),
    [
        ('{"action_type": "swipe", "direction": "up"}', "swipe", {"direction": "up"}),
        ("Action: left_click(start_box='[1, 2]')", "left_click", {"start_box": "[1, 2]"}),
        ("type(content='a (b)')", "type", {"content": "a (b)"}),
        ("Action: WAIT()", "WAIT", {}),
        ("Action: Click [5]", "Click", {"element": 5}),
        ("Action: Type [3]; [hi]\nMemory: {}", "Type", {"element": 3, "text": "hi"}),
    ],
)
def test_gui_actions_of_every_kind(text: str, kind: str, arguments: dict[str, object]) -> None:
    (action,) = find(text).actions
    assert (action.type, dict(action.arguments)) == (kind, arguments)


def test_an_action_shows_where_it_points() -> None:
    found = find("CLICK(point=(214, 100), box=[[100,200,300,400]], element_info='x')")
    assert corners(found) == [("", BOX)]
    assert [(point.x, point.y) for point in found.points] == [(0.214, 0.1)]


def test_code_that_calls_a_function_is_no_action() -> None:
    assert find("Call `type(x)` or print(key(1)).").actions == ()


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not here")
def test_the_strict_samples_are_found_before_and_after_the_split() -> None:
    for vector in json.loads(SAMPLES.read_text())["vectors"]:
        if not vector["strict"]:
            continue
        for text in (vector["text"], split(vector["text"])[1]):
            got = [(box.x1, box.y1, box.x2, box.y2) for _, box in corners(find(text))]
            want = [tuple(item["box"]) for item in vector["expected"]["boxes"]]
            assert len(got) == len(want), vector["id"]
            for mine, theirs in zip(got, want, strict=True):
                assert mine == pytest.approx(theirs, abs=0.0015), vector["id"]
