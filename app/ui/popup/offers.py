"""What the quick window offers to ask with one click: the program's own, then the user's
templates; knows no widget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.settings import Template

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class Offer:
    """`name` stands on the button; without a `question` the words in the picture are copied, and
    no model is asked."""

    name: str
    icon: str
    question: str = ""


def offers(templates: Iterable[Template]) -> tuple[Offer, ...]:
    """In the order in which they stand."""
    return (*_own(), *(Offer(own.name, "sparkles", own.text) for own in templates))


def _own() -> tuple[Offer, ...]:
    return (
        Offer(
            translate("Offers", "Explain"),
            "lightbulb",
            translate("Offers", "Explain what this shows, shortly and clearly."),
        ),
        Offer(
            translate("Offers", "Translate"),
            "languages",
            translate("Offers", "Translate the text in this picture into English."),
        ),
        Offer(
            translate("Offers", "Extract table"),
            "table",
            translate("Offers", "Write the table in this picture as a Markdown table, all of it."),
        ),
        Offer(translate("Offers", "Copy text"), "scan-text"),
        Offer(
            translate("Offers", "Fix this error"),
            "wrench",
            translate("Offers", "What does this error mean, and how do I fix it, step by step?"),
        ),
    )
