"""The split of raw model text into thinking and answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answer.split import Splitter, gather, split
from app.answer.tags import MARKS
from app.vocabulary import Event, Retract

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "reasoning.json"

pieces = st.sampled_from(
    [*MARKS, "<thin", "`", "```\n", "\n", " ", "word", "Ein Satz. ", "想", "<", "</", "|>", "<b>"]
)
texts = st.lists(pieces, max_size=14).map("".join)


def run(text: str, cuts: list[int], tail: str | None = None) -> list[Event]:
    splitter = Splitter(prompt_tail=tail)
    events: list[Event] = []
    at = 0
    for cut in cuts:
        events += splitter.feed(text[at : at + cut])
        at += cut
    return events + splitter.feed(text[at:]) + splitter.close()


@given(
    texts, st.lists(st.integers(1, 9), max_size=40), st.sampled_from([None, "<think>", "</think>"])
)
def test_any_chunking_gives_the_same_end(text: str, cuts: list[int], tail: str | None) -> None:
    assert gather(run(text, cuts, tail)) == gather(run(text, [], tail))


@given(texts, st.lists(st.integers(1, 9), max_size=40))
def test_a_retract_only_takes_back_what_was_shown_last(text: str, cuts: list[int]) -> None:
    answer = ""
    for event in run(text, cuts):
        if isinstance(event, Retract):
            assert answer.endswith(event.text)
            answer = answer[: len(answer) - len(event.text)]
        else:
            answer += gather([event])[1]


@given(st.text(alphabet="ab c\n.`*", max_size=60))
def test_text_without_tags_is_answer_as_it_stands(text: str) -> None:
    assert split(text)[0] == ""
    assert split(text)[1].strip() == text.strip()


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("<think>a</think>b", "a", "b"),
        ("\n<think>a", "a", ""),
        ("a</think>b", "a", "b"),
        ("a</think>", "a", ""),
        ("</think>b", "", "b"),
        ("<think></think>b", "", "b"),
        ("<think><think>a</think>b", "a", "b"),
        ("<think>a</think>b</think>c", "a", "bc"),
        ("<think>a</think>B.<think>c</think>d", "ac", "B.d"),
        ("<thin is words", "", "<thin is words"),
        ("<think>a <tool_call>f</tool_call>", "a ", "<tool_call>f</tool_call>"),
        ("<think>a <tool_call> is a tag</think>b", "a <tool_call> is a tag", "b"),
        ("<think>a</think><answer>b</answer>", "a", "b"),
        ("<think>so <answer>5</answer> then</think>b", "so <answer>5</answer> then", "b"),
        ("<think>a<answer>5</answer>", "a", "5"),
        ("<think>a<answer>5", "a", "5"),
        ("<answer>5", "", "5"),
        ("<|assistant|>\nhello<|user|>\n", "", "\nhello"),
        ("a <|user|> b", "", "a <|user|> b"),
        ("<None>", "", ""),
        ("<think>a<|user|>", "a", ""),
    ],
)
def test_tags_wherever_they_stand(text: str, thinking: str, answer: str) -> None:
    assert split(text) == (thinking, answer)


@pytest.mark.parametrize(
    "text",
    [
        "Qwen writes `<think>` and `</think>` around its thoughts.",
        "```xml\n<think>x</think>\n<answer>1</answer>\n```\nDone.",
        "The <think> tag opens it and </think> closes it.",
        'It begins with "<think>" and ends with "</think>".',
    ],
)
def test_tags_that_an_answer_talks_about_stay(text: str) -> None:
    assert split(text) == ("", text)


def test_a_quoted_end_tag_does_not_end_the_thinking() -> None:
    assert split("<think>ends with `</think>` ok</think>b") == ("ends with `</think>` ok", "b")


def test_box_tokens_are_never_shown() -> None:
    text = "<think>a<|begin_of_box|>1</think>It is `<|begin_of_box|>4<|end_of_box|>`."
    assert split(text) == ("a1", "It is `4`.")


def test_the_prompts_tail_says_where_the_text_begins() -> None:
    assert split("a", prompt_tail="<|assistant|>\n<think>\n") == ("a", "")
    assert split("a</think>b", prompt_tail="<|assistant|>\n<think></think>\n") == ("", "ab")


def test_a_prefix_keeps_back_half_a_tag() -> None:
    assert split("<think>a</thi", final=False) == ("a", "")
    assert split("<think>a</thi") == ("a</thi", "")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not here")
def test_the_strict_samples_are_split_as_expected() -> None:
    tails = {True: "<think>", False: "</think>"}
    for vector in json.loads(SAMPLES.read_text())["vectors"]:
        if not vector["strict"]:
            continue
        options, want = vector.get("options", {}), vector["expected"]
        got = split(vector["text"], prompt_tail=tails[True] if options else None)
        pair = (want["reasoning"] or "", want["content"] or "")
        if vector["compare"] == "strip":
            got, pair = (got[0].strip(), got[1].strip()), (pair[0].strip(), pair[1].strip())
        assert got == pair, vector["id"]
