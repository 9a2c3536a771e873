"""What a model is told before and around the question: pure, the same for window and terminal."""

from __future__ import annotations

from collections.abc import Sequence

from app.vocabulary import Endpoint, Message

READING = (
    "You answer questions about a text in one short sentence. "
    "Copy names, numbers and dates exactly from the text."
)


def compose(
    endpoint: Endpoint, question: Message, history: Sequence[Message], system: str = ""
) -> tuple[Message, ...]:
    """The conversation to send: the user's own system prompt, or, for a model that only reads
    text, a short one that keeps it to the pages; then what was said; then the question."""
    told = system or ("" if endpoint.sees_pictures else READING)
    head = (Message("system", told),) if told else ()
    return (*head, *history, question)
