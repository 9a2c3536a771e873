"""Turns → the text of a prompt, by the checkpoint's own template, run in transformers' sandbox.
Knows no pictures, only where they stand.

The text that comes out has breaks in it (`marks`), which turning it into tokens takes out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from app.engine.local.chat import RESERVED
from app.engine.local.glm.marks import Marks
from app.engine.request.turn import Tool, Turn
from app.vocabulary import EndpointFault, Frame, ToolCall

# what an assistant's turn may hold as marks: its own words, which its template tells apart
_SPOKEN = frozenset(
    {"<think>", "</think>", "<answer>", "</answer>", "<|begin_of_box|>", "<|end_of_box|>"}
)


class Script:
    """A tokenizer's template."""

    def __init__(self, tokenizer: Any, template: str) -> None:
        self.template = template
        self._tokenizer = tokenizer
        marks = {mark.content for mark in tokenizer.added_tokens_decoder.values()}
        self._marks = Marks(marks)
        self._marks_in_answers = Marks(marks - _SPOKEN)

    @property
    def calls(self) -> bool:
        """Whether it can tell of tools."""
        return re.search(r"\btools\b", self.template) is not None

    def written(
        self, turns: Sequence[Turn], settings: Mapping[str, Any], tools: Sequence[Tool]
    ) -> str:
        """What the template makes of a conversation. Raises EndpointFault("bad_request" |
        "unsupported")."""
        reserved = RESERVED.intersection(settings)
        if reserved:
            names = ", ".join(f"`{name}`" for name in sorted(reserved))
            raise EndpointFault("bad_request", f"`chat_template_kwargs` can't hold {names}.")
        if tools and not self.calls:
            message = "This model's chat template knows no tools; leave `tools` out."
            raise EndpointFault("unsupported", message)
        try:
            text = self._tokenizer.apply_chat_template(
                [self._message(turn) for turn in turns],
                chat_template=self.template,
                tools=[self._offered(tool) for tool in tools] or None,
                tokenize=False,
                add_generation_prompt=True,
                **self._marks.all_broken(dict(settings)),
            )
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError) as error:
            message = f"The model's chat template refuses these messages: {error}"
            raise EndpointFault("bad_request", message) from error
        return str(text)

    def _message(self, turn: Turn) -> dict[str, Any]:
        """A turn as templates know it (transformers' "Chat templates", "Tool use")."""
        message: dict[str, Any] = {"role": turn.role, "content": self._content(turn)}
        if turn.reasoning:
            message["reasoning_content"] = self._marks_in_answers.broken(turn.reasoning)
        if turn.calls:
            message["tool_calls"] = [self._called(call) for call in turn.calls]
        if turn.role == "tool":
            message |= {"tool_call_id": turn.call_id, "name": self._marks.broken(turn.name)}
        return message

    def _content(self, turn: Turn) -> str | list[dict[str, str]]:
        """A turn's parts in their order. One text is plain text, and so are several that no user
        wrote: some templates print a system's or an assistant's content as it is."""
        marks = self._marks_in_answers if turn.role == "assistant" else self._marks
        texts = [part for part in turn.parts if isinstance(part, str)]
        if len(texts) == len(turn.parts) and (len(texts) < 2 or turn.role != "user"):
            return marks.broken("\n".join(texts))
        return [
            {"type": "text", "text": marks.broken(part)}
            if isinstance(part, str)
            else {"type": "image" if isinstance(part, Frame) else "video"}
            for part in turn.parts
        ]

    def _called(self, call: ToolCall) -> dict[str, Any]:
        """A call of an earlier turn; read before its marks are broken, since JSON can spell each
        of them otherwise."""
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            message = (
                f"The arguments of the earlier tool call “{call.name}” are no JSON object; send "
                "them as one, or leave that call out."
            )
            raise EndpointFault("bad_request", message)
        function = self._marks.all_broken({"name": call.name, "arguments": arguments})
        return {"type": "function", "id": call.id, "function": function}

    def _offered(self, tool: Tool) -> dict[str, Any]:
        function = {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.schema),
        }
        return {"type": "function", "function": self._marks.all_broken(function)}
