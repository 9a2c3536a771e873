from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answer.calls import Argued, Calls, Opened, Said, calls_in, gather
from app.vocabulary import ToolCall

SCHEMAS: dict[str, Any] = {
    "weather": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["c", "f"]},
            "note": {"type": ["string", "null"]},
            "place": {"anyOf": [{"$ref": "#/$defs/point"}, {"type": "null"}]},
        },
        "$defs": {"point": {"type": "object"}},
    },
    "now": {},
}


def pairs(name: str, **arguments: str) -> str:
    """A call as GLM-4.5 writes it."""
    said = "".join(
        f"<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n"
        for key, value in arguments.items()
    )
    return f"<tool_call>{name}\n{said}</tool_call>"


def one(text: str) -> tuple[str, Any]:
    """The one call in a text: its name, and its arguments read as JSON."""
    _, (call,) = calls_in(text, SCHEMAS)
    return call.name, json.loads(call.arguments)


# --- GLM's form -----------------------------------------------------------------------------


def test_text_is_text_where_nothing_is_called() -> None:
    text = "  A <b> tag,\n\nand x < y. \n"
    assert calls_in(text, SCHEMAS) == (text, ())


def test_arguments_are_typed_by_the_tools_schema() -> None:
    said = pairs("weather", city="12", days="3", unit="c", note="null", place='{"x": 1}', more="5")
    assert one(said) == (
        "weather",
        {"city": "12", "days": 3, "unit": "c", "note": None, "place": {"x": 1}, "more": 5},
    )


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("days", "three", "three"),
        ("days", " 3\n", 3),
        ("note", "5", "5"),
        ("place", "NaN", "NaN"),
        ("more", "Paris", "Paris"),
        ("more", '["a", {"b": null}]', ["a", {"b": None}]),
    ],
)
def test_a_value_is_json_where_it_can_be_and_may_be(key: str, written: str, value: Any) -> None:
    assert one(pairs("weather", **{key: written}))[1] == {key: value}


def test_text_keeps_every_character() -> None:
    city = ' "São\tPaulo"\n\n  \\ </arg> <tool_call> {x} '
    assert one(pairs("weather", city=city))[1] == {"city": city}


@pytest.mark.parametrize(
    "said",
    [
        "<tool_call>now<arg_key>city</arg_key><arg_value>Rome</arg_value></tool_call>",
        "<tool_call>\nnow\n<arg_key> city </arg_key> <arg_value>Rome</arg_value>\n\n</tool_call>",
        "<tool_call>now\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>",
        "<tool_call>now\n<arg_key>city</arg_key>\n<arg_value>Rome",
    ],
)
def test_line_breaks_and_what_is_missing_at_the_end_do_not_matter(said: str) -> None:
    assert one(said) == ("now", {"city": "Rome"})


def test_a_call_without_arguments_has_an_empty_object() -> None:
    assert one("<tool_call>now\n</tool_call>") == ("now", {})


def test_several_calls_stand_in_a_row_and_white_space_around_them_goes() -> None:
    said = f"Let me see.\n\n{pairs('weather', city='A')}\n{pairs('weather', city='B')}\n"
    text, calls = calls_in(said, SCHEMAS)
    assert text == "Let me see."
    assert [call.arguments for call in calls] == ['{"city": "A"}', '{"city": "B"}']


def test_text_behind_a_call_is_text() -> None:
    assert calls_in(f"One {pairs('now')} two.", SCHEMAS)[0] == "One two."


def test_a_call_whose_end_is_missing_ends_where_the_next_begins() -> None:
    said = "<tool_call>weather<arg_key>city</arg_key><arg_value>A</arg_value>" + pairs("now")
    assert calls_in(said, SCHEMAS)[1] == (
        ToolCall("weather", '{"city": "A"}'),
        ToolCall("now", "{}"),
    )


def test_a_function_that_nobody_offered_is_still_a_call() -> None:
    assert one(pairs("forecast", city="Rome")) == ("forecast", {"city": "Rome"})


@pytest.mark.parametrize(
    "said",
    [
        "Write <tool_call> to call.",
        "A <tool_call>nobody</tool_call> b",
        "<tool_call>",
        "<tool_call>weather",
        "<tool_call>weather is a tool",
        '<tool_call>{"city": "Rome"}</tool_call>',
        "<tool_call>{never closed",
    ],
)
def test_a_tag_that_opens_no_call_is_a_word(said: str) -> None:
    assert calls_in(said, SCHEMAS) == (said, ())


def test_what_was_cut_off_is_not_closed() -> None:
    reading = Calls(SCHEMAS)
    said = reading.feed("<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Ro")
    _, (call,) = gather([*said, *reading.close(cut=True)])
    assert call.arguments == '{"city": "Ro'


# --- a JSON object --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        '{"name": "weather", "arguments": {"city": "Rome"}}',
        '{"name":"weather","parameters":{"city":"Rome"}}',
        '{"arguments": {"city": "Rome"}, "name": "weather"}',
        '{"name": "weather", "arguments": "{\\"city\\": \\"Rome\\"}"}',
        '{"id": [1, {"name": "no"}], "name": "weather", "arguments": {"city": "Rome"} , "x": {}}',
    ],
)
@pytest.mark.parametrize("around", ["{}", "\n{}\n"])
def test_hermes_object_is_read_in_each_order(said: str, around: str) -> None:
    written = "<tool_call>" + around.replace("{}", said) + "</tool_call>"
    assert one(written) == ("weather", {"city": "Rome"})


def test_braces_and_tags_in_a_string_end_nothing() -> None:
    city = '}{ "</tool_call>" \\'
    said = json.dumps({"name": "weather", "arguments": {"city": city}})
    assert one(f"<tool_call>{said}</tool_call>") == ("weather", {"city": city})


@pytest.mark.parametrize("said", ['{"name": "now"}', '{"name": "now", "arguments": null}'])
def test_an_object_without_arguments_has_an_empty_one(said: str) -> None:
    assert one(f"<tool_call>{said}</tool_call>") == ("now", {})


def test_the_text_of_the_arguments_is_the_models_own() -> None:
    said = '<tool_call>{"name": "now", "arguments": {"a":  1.0,\n"b":[ ]}}</tool_call>'
    assert calls_in(said, SCHEMAS)[1] == (ToolCall("now", '{"a":  1.0,\n"b":[ ]}'),)


# --- while it streams -----------------------------------------------------------------------


def test_the_name_comes_first_and_the_arguments_as_they_are_written() -> None:
    reading = Calls(SCHEMAS)
    told: list[list[Said]] = [
        reading.feed(piece)
        for piece in ("Yes. <tool_", "call>weather\n<arg_k", "ey>city</arg_key>\n<arg_value>New ")
    ]
    assert told == [
        ["Yes."],
        [],
        [Opened(0, "weather"), Argued(0, '{"city": "New ')],
    ]
    assert reading.feed("York</") == [Argued(0, "York")]


def test_an_objects_arguments_stream_too() -> None:
    reading = Calls(SCHEMAS)
    assert reading.feed('<tool_call>{"name": "weather", "arg') == [Opened(0, "weather")]
    assert reading.feed('uments": {"city": "Ro') == [Argued(0, '{"city": "Ro')]


_PIECES = st.sampled_from(
    [
        *("<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
        *("weather", "now", "nobody", "city", "days", "text", "\n", " ", "<", "</", '"', "\\", "5"),
        *('{"name": ', '"arguments": ', '{"name": "now", "arguments": {"a": "x"}}', "{", "}"),
        *(pairs("weather", city='a"b', days="3"), pairs("now")),
    ]
)


@given(st.lists(_PIECES, max_size=14).map("".join), st.data(), st.booleans())
def test_any_chunking_gives_the_same_end(text: str, data: st.DataObject, cut: bool) -> None:
    whole = Calls(SCHEMAS)
    expected = gather([*whole.feed(text), *whole.close(cut=cut)])
    reading, said = Calls(SCHEMAS), []
    while text:
        size = data.draw(st.integers(1, 9))
        said += reading.feed(text[:size])
        text = text[size:]
    assert gather([*said, *reading.close(cut=cut)]) == expected


@given(st.dictionaries(st.sampled_from(["city", "days", "note", "more"]), st.text(max_size=9)))
def test_pairs_make_valid_json_of_any_values(arguments: dict[str, str]) -> None:
    harmless = {key: value.replace("<", "") for key, value in arguments.items()}
    name, read = one(pairs("weather", **harmless))
    assert (name, read.keys()) == ("weather", harmless.keys())
    assert read.get("city") == harmless.get("city")
