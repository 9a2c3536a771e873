from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parrot import VOCABULARY, words
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from app.answer.calls import calls_in
from app.engine.local.chat import TextChat
from app.engine.local.sampler import Guide
from app.engine.local.serve import forms
from app.engine.local.serve.grammar import Grammars
from app.engine.request.turn import Tool
from app.vocabulary import EndpointFault

END = "<|endoftext|>"
FIGURE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "colour": {"enum": ["red", "blue"]},
        "box": {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4},
        "name": {"type": "string", "maxLength": 4},
    },
    "required": ["colour", "box"],
    "additionalProperties": False,
}
WEATHER = Tool(
    "weather",
    schema={
        "type": "object",
        "properties": {
            "unit": {"enum": ["c", "f"]},
            "days": {"type": "integer", "minimum": 1, "maximum": 7},
            "at": {"$ref": "#/$defs/point"},
        },
        "required": ["unit"],
        "$defs": {
            "point": {
                "type": "object",
                "properties": {"north": {"type": "boolean"}},
                "required": ["north"],
                "additionalProperties": False,
            }
        },
    },
)
NOW = Tool("now")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> TextChat:
    return words(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def grammars(chat: TextChat) -> Grammars:
    return Grammars(chat, frozenset(chat.encode(END)))


def walked(guide: Guide, chat: TextChat, choose: random.Random) -> str:
    """An answer of tokens that are allowed, chosen at random, up to its end."""
    end = chat.encode(END)[0]
    tokens: list[int] = []
    while not guide.finished and len(tokens) < 2000:
        allowed = guide.allowed()
        assert allowed is not None
        options = allowed.nonzero().flatten().tolist()
        token = end if end in options and choose.random() < 0.5 else choose.choice(options)
        if token == end:
            break
        tokens.append(token)
        guide.take(token)
    return chat.decode(tokens)


def followed(guide: Guide, chat: TextChat, text: str) -> torch.Tensor:
    """What is allowed behind a text that is itself allowed."""
    for token in chat.encode(text):
        allowed = guide.allowed()
        assert allowed is not None
        assert allowed[token], chat.decode([token])
        guide.take(token)
    last = guide.allowed()
    assert last is not None
    return last


@given(st.integers(0, 10**6))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_way_through_a_schema_ends_in_json_that_fits_it(
    grammars: Grammars, chat: TextChat, seed: int
) -> None:
    text = walked(grammars.guide(forms.json_answer(FIGURE)), chat, random.Random(seed))
    jsonschema.validate(json.loads(text), FIGURE)


def test_the_mask_has_the_tokenizers_tokens_and_no_more(grammars: Grammars, chat: TextChat) -> None:
    allowed = grammars.guide(forms.json_answer(FIGURE)).allowed()
    assert allowed is not None
    assert allowed.dtype == torch.bool
    assert len(allowed) < VOCABULARY
    assert chat.written(len(allowed) - 1)
    assert not chat.written(len(allowed))


def test_the_end_is_allowed_only_where_the_answer_is_whole(
    grammars: Grammars, chat: TextChat
) -> None:
    guide = grammars.guide(forms.json_answer(FIGURE))
    (end,) = chat.encode(END)
    assert not followed(guide, chat, '{"colour": "red", "box": [1, 2, 3, 4]')[end]
    assert not guide.finished
    assert followed(guide, chat, "}").nonzero().flatten().tolist() == [end]
    assert guide.finished


def test_no_token_of_control_stands_in_a_string(grammars: Grammars, chat: TextChat) -> None:
    guide = grammars.guide(forms.json_answer({"type": "object"}))
    allowed = followed(guide, chat, '{"a": "x')
    assert not any(allowed[token] for token in chat.encode("<|user|><|endoftext|>"))
    assert all(allowed[token] for token in chat.encode("<b> é")[:5])


def test_white_space_has_an_end(grammars: Grammars, chat: TextChat) -> None:
    guide = grammars.guide(forms.json_answer({"type": "object"}))
    assert not followed(guide, chat, '{"a":' + " " * 16)[ord(" ")]


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "banana"}, "banana"),
        ({"not": {}}, "not"),
        ({"$ref": "https://example.com/x"}, "example.com"),
        ({"properties": {"a": {"$ref": "#/$defs/a"}}}, "$defs/a"),
        ({"type": "string", "pattern": "(?=x)"}, "look-around"),
    ],
)
def test_a_schema_that_can_not_be_followed_says_why(
    grammars: Grammars, schema: dict[str, Any], word: str
) -> None:
    with pytest.raises(EndpointFault) as caught:
        grammars.guide(forms.json_answer(schema))
    assert caught.value.kind == "bad_request"
    assert word in caught.value.message
    assert "x-guidance" not in caught.value.message


# --- calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["pairs", "object"])
@given(st.integers(0, 10**6), st.booleans())
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_way_through_makes_calls_that_fit_their_tools(
    grammars: Grammars,
    chat: TextChat,
    form: forms.CallForm,
    seed: int,
    several: bool,
) -> None:
    grammar = forms.call_answer([WEATHER, NOW], form, several=several)
    schemas = {tool.name: tool.schema for tool in (WEATHER, NOW)}
    text, calls = calls_in(walked(grammars.guide(grammar), chat, random.Random(seed)), schemas)
    assert text == ""
    assert len(calls) >= 1 if several else len(calls) == 1
    for call in calls:
        jsonschema.validate(json.loads(call.arguments), dict(schemas[call.name]))


def test_text_stands_bare_in_a_call(grammars: Grammars, chat: TextChat) -> None:
    tool = Tool("say", schema={"properties": {"words": {"type": "string"}}})
    guide = grammars.guide(forms.call_answer([tool], "pairs", several=False))
    value = '<arg_key>words</arg_key>\n<arg_value>a "b" <c>\n\n</arg_value>'
    said = f"<tool_call>say\n{value}\n</tool_call>"
    followed(guide, chat, said)
    assert guide.finished


def test_a_required_argument_can_not_be_left_out(grammars: Grammars, chat: TextChat) -> None:
    guide = grammars.guide(forms.call_answer([WEATHER], "pairs", several=False))
    allowed = followed(guide, chat, "<tool_call>weather\n")
    assert [chat.decode([token]) for token in allowed.nonzero().flatten().tolist()] == ["<arg_key>"]


def test_calls_and_a_form_may_stand_beside_each_other(grammars: Grammars, chat: TextChat) -> None:
    grammar = forms.call_answer([NOW], "pairs", several=False, schema={"type": "boolean"})
    for said in ("<tool_call>now</tool_call>", "true"):
        guide = grammars.guide(grammar)
        followed(guide, chat, said)
        assert guide.finished


@pytest.mark.parametrize(
    ("prompt", "form"),
    [
        ("…<tool_call>{name}\n<arg_key>{key}</arg_key>…", "pairs"),
        ('…<tool_call>\n{"name": <function-name>, "arguments": <json>}\n</tool_call>…', "object"),
        ("…[TOOL_CALLS]…", None),
    ],
)
def test_the_form_of_calls_is_the_one_that_the_prompt_asks_for(prompt: str, form: str) -> None:
    assert forms.form_of(prompt) == form


# --- other vocabularies ---------------------------------------------------------------------


def test_a_tokenizer_that_begins_each_text_with_a_blank_is_understood() -> None:
    letters = ["▁", *'abcdefghijklmnopqrstuvwxyz{}[]:,"0123456789', '"name"', "true"]
    merges = [('"', "n"), ('"n', "a"), ('"na', "m"), ('"nam', "e"), ('"name', '"')]
    pieces = [*letters[:-2], *("".join(pair) for pair in merges), "t", "true"]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken("</s>")])
    chat = TextChat(PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>"))
    assert chat.encode("a")[0] == vocabulary["▁"]
    schema = {
        "type": "object",
        "properties": {"name": {"enum": ["x"]}},
        "required": ["name"],
        "additionalProperties": False,
    }
    guide = Grammars(chat, frozenset(chat.encode("</s>")[-1:])).guide(forms.json_answer(schema))
    tokens: list[int] = []
    while not guide.finished:
        allowed = guide.allowed()
        assert allowed is not None
        plain = [t for t in allowed.nonzero().flatten().tolist() if t != vocabulary["▁"]]
        tokens.append(plain[0])
        guide.take(tokens[-1])
    assert json.loads(b"".join(chat.written(token) for token in tokens)) == {"name": "x"}
