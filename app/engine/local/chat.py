"""A conversation → the tokens of a prompt, in the words of the model's own chat template; knows
text and tokens, and leaves pictures to who can show them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from jinja2 import TemplateError

from app.engine.local.network import Prompt
from app.engine.request.turn import Clip, Part, Tool, Turn
from app.vocabulary import EndpointFault, Frame, ToolCall

# arguments of the tokenizer itself, which a request must not reach through the template's
RESERVED = frozenset(
    {"conversation", "chat_template", "add_generation_prompt", "continue_final_message", "tokenize"}
    | {"padding", "truncation", "max_length", "return_tensors", "return_dict", "messages", "tools"}
    | {"return_assistant_tokens_mask", "tokenizer_kwargs", "documents", "load_audio_from_video"}
    | {"sanitize_control_tokens"}
)
# tags that a model writes and its readers look for, even where its tokenizer calls them control
_TAGS = frozenset(
    {"<think>", "</think>", "<answer>", "</answer>", "<|begin_of_box|>", "<|end_of_box|>"}
    | {"<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"}
    | {"<tool_response>", "</tool_response>"}
)
_PLAIN = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}\n"
    "{% endfor %}Assistant:"
)
_BLIND = "This model reads text and does not see pictures; send the text of the picture instead."
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")  # how SentencePiece writes a byte of a character


class Chat(Protocol):
    """What a model's readers and writers need of its words."""

    @property
    def thinks(self) -> bool:
        """Whether the model writes its thinking between tags."""

    @property
    def sees(self) -> bool:
        """Whether pictures can be shown to it."""

    @property
    def films(self) -> bool:
        """Whether videos can be shown to it."""

    @property
    def calls(self) -> bool:
        """Whether the template can tell it of tools."""

    @property
    def open_thought(self) -> tuple[int, ...]:
        """The tokens that open the thinking; empty where the model has none."""

    @property
    def close_thought(self) -> tuple[int, ...]:
        """The tokens that close the thinking and begin the answer; empty where it has none."""

    def prompt(
        self, turns: Sequence[Turn], settings: Mapping[str, Any], tools: Sequence[Tool] = ()
    ) -> Prompt:
        """The prompt at whose end the answer begins; `settings` go to the template.

        Raises EndpointFault("bad_request" | "too_long" | "unsupported").
        """

    def encode(self, text: str) -> list[int]:
        """Text as tokens, its marks of control as such."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Tokens as text, without those of control; the tags of thinking, tools and boxes stay."""

    def written(self, token: int) -> bytes:
        """One token's own bytes, which may be a part of a character."""


class TextChat:
    """A tokenizer and its template: the chat of a model that reads text.

    `listed` says that the template wants what a message holds as a list of parts, as those of
    models that see do. `blind` is why pictures can't be shown to it.
    """

    def __init__(
        self, tokenizer: Any, template: str | None = None, *, listed: bool = False, blind: str = ""
    ) -> None:
        self._tokenizer = tokenizer
        self._listed = listed
        self._blind = blind or _BLIND
        self._template = template or own_template(tokenizer) or _PLAIN
        self._tooled = own_template(tokenizer, "tool_use") or self._template
        added = tokenizer.added_tokens_decoder
        self._marks = [t.content for t in added.values() if t.special and len(t.content) > 1]
        silent = {number for number, token in added.items() if token.special}
        tags = {number for number, token in added.items() if token.content in _TAGS}
        self._silent = silent.union(tokenizer.all_special_ids) - tags
        backend = getattr(tokenizer, "backend_tokenizer", None)
        self._by_bytes = "ByteLevel" in repr(getattr(backend, "decoder", None))

    @property
    def thinks(self) -> bool:
        return "</think>" in self._template or "</think>" in self._tokenizer.get_added_vocab()

    @property
    def sees(self) -> bool:
        return False

    @property
    def films(self) -> bool:
        return False

    @property
    def calls(self) -> bool:
        return re.search(r"\btools\b", self._tooled) is not None

    @property
    def open_thought(self) -> tuple[int, ...]:
        return tuple(self.encode("<think>")) if self.thinks else ()

    @property
    def close_thought(self) -> tuple[int, ...]:
        return tuple(self.encode("</think>")) if self.thinks else ()

    def prompt(
        self, turns: Sequence[Turn], settings: Mapping[str, Any], tools: Sequence[Tool] = ()
    ) -> Prompt:
        for turn in turns:
            for part in turn.parts:
                self._check(part)
        text = self.rendered(turns, settings, tools)
        tokens = tuple(self.encode(text))
        return Prompt(text, tokens, tokens)

    def rendered(
        self, turns: Sequence[Turn], settings: Mapping[str, Any], tools: Sequence[Tool] = ()
    ) -> str:
        """What the template makes of a conversation. Raises EndpointFault as `prompt` does."""
        reserved = RESERVED.intersection(settings)
        if reserved:
            names = ", ".join(f"`{name}`" for name in sorted(reserved))
            raise EndpointFault("bad_request", f"`chat_template_kwargs` can't hold {names}.")
        if tools and not self.calls:
            raise EndpointFault(
                "unsupported", "This model's chat template knows no tools; leave `tools` out."
            )
        try:
            text = self._tokenizer.apply_chat_template(
                [self._spoken(turn) for turn in turns],
                chat_template=self._tooled if tools else self._template,
                tools=[self._offered(tool) for tool in tools] or None,
                tokenize=False,
                add_generation_prompt=True,
                **settings,
            )
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            message = f"The model's chat template refuses these messages: {error}"
            raise EndpointFault("bad_request", message) from error
        return str(text)

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        seen = [token for token in tokens if token not in self._silent]
        text = self._tokenizer.decode(
            seen, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return str(text)

    def written(self, token: int) -> bytes:
        piece = self._tokenizer.convert_ids_to_tokens(token)
        if piece is None:  # a row of the model's vocabulary that the tokenizer has no name for
            return b""
        if token in self._tokenizer.added_tokens_decoder:
            return str(piece).encode()
        if self._by_bytes:
            return b"".join(_BYTES.get(character, character.encode()) for character in piece)
        byte = _BYTE.fullmatch(piece)
        return bytes([int(byte[1], 16)]) if byte else str(piece).replace("▁", " ").encode()

    def harmless(self, text: str) -> str:
        """Text whose control tokens are only text: a page that holds `<|im_end|>` must not end
        the user's turn and speak as the system."""
        for mark in self._marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text

    def _check(self, part: Part) -> None:
        """Refuse what it can't be shown."""
        if isinstance(part, Clip):
            raise EndpointFault("unsupported", "This model does not see videos; send text instead.")
        if isinstance(part, Frame):
            raise EndpointFault("unsupported", self._blind)

    def _content(self, turn: Turn) -> Any:
        if not self._listed:
            return self.harmless(turn.text)
        return [
            {"type": "text", "text": self.harmless(part)}
            if isinstance(part, str)
            else {"type": "image"}
            for part in turn.parts
        ]

    def _spoken(self, turn: Turn) -> dict[str, Any]:
        """A turn as templates know it (transformers' "Chat templates", "Tool use")."""
        message: dict[str, Any] = {"role": turn.role, "content": self._content(turn)}
        if turn.reasoning:
            message["reasoning_content"] = self.harmless(turn.reasoning)
        if turn.calls:
            message["tool_calls"] = [self._called(call) for call in turn.calls]
        if turn.role == "tool":
            message |= {"tool_call_id": turn.call_id, "name": self.harmless(turn.name)}
        return message

    def _called(self, call: ToolCall) -> dict[str, Any]:
        function = {
            "name": self.harmless(call.name),
            "arguments": _value(self.harmless(call.arguments)),
        }
        return {"type": "function", "id": call.id, "function": function}

    def _offered(self, tool: Tool) -> dict[str, Any]:
        function = {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.schema),
        }
        plain: dict[str, Any] = json.loads(
            self.harmless(
                json.dumps({"type": "function", "function": function}, ensure_ascii=False)
            )
        )
        return plain


def own_template(tokenizer: Any, name: str = "default") -> str | None:
    """A tokenizer's template, or the one of that name where it has several."""
    found = tokenizer.chat_template
    if isinstance(found, Mapping):
        found = found.get(name)
    elif name != "default":
        return None
    return found if isinstance(found, str) and found else None


def _value(arguments: str) -> Any:
    """A call's arguments as the object that they are; what is no object stays as it was written."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        return arguments
    return value if isinstance(value, dict) else arguments


def _byte_alphabet() -> dict[str, bytes]:
    """Each character of byte-level BPE and its byte (GPT-2, openai/gpt-2 encoder.py)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    alphabet = {chr(byte): bytes([byte]) for byte in shown}
    return alphabet | {chr(256 + place): bytes([byte]) for place, byte in enumerate(hidden)}


_BYTES = _byte_alphabet()
