"""Messages → the tokens of a prompt, in the words of the model's own chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from app.vocabulary import EndpointFault, Message

# arguments of the tokenizer itself, which a request must not reach through the template's
_RESERVED = frozenset(
    {"conversation", "chat_template", "add_generation_prompt", "continue_final_message", "tokenize"}
    | {"padding", "truncation", "max_length", "return_tensors", "return_dict", "messages", "tools"}
    | {"return_assistant_tokens_mask", "tokenizer_kwargs", "documents", "load_audio_from_video"}
)
_PLAIN = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}\n"
    "{% endfor %}Assistant:"
)


class Chat:
    """A tokenizer and its template."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._template: str = tokenizer.chat_template or _PLAIN
        self._marks = [
            token.content
            for token in tokenizer.added_tokens_decoder.values()
            if token.special and len(token.content) > 1
        ]

    @property
    def thinks(self) -> bool:
        """Whether the model writes its thinking between tags."""
        return "</think>" in self._template or "</think>" in self._tokenizer.get_added_vocab()

    def render(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> str:
        """The prompt's text. Raises EndpointFault("bad_request")."""
        reserved = _RESERVED.intersection(settings)
        if reserved:
            names = ", ".join(f"`{name}`" for name in sorted(reserved))
            raise EndpointFault("bad_request", f"`chat_template_kwargs` can't hold {names}.")
        written = [{"role": m.role, "content": self._harmless(m.text)} for m in messages]
        try:
            text = self._tokenizer.apply_chat_template(
                written,
                chat_template=self._template,
                tokenize=False,
                add_generation_prompt=True,
                **settings,
            )
        except (TemplateError, TypeError, ValueError) as error:
            message = f"The model's chat template refuses these messages: {error}"
            raise EndpointFault("bad_request", message) from error
        return str(text)

    def encode(self, prompt: str) -> list[int]:
        return list(self._tokenizer.encode(prompt, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(
            self._tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def _harmless(self, text: str) -> str:
        """Text whose control tokens are only text: a page that holds `<|im_end|>` must not end
        the user's turn and speak as the system."""
        for mark in self._marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text
