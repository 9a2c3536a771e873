"""The sentences for files that can't be read, where more than one reader says them."""

from __future__ import annotations

from app.docs.request import READABLE
from app.vocabulary import DocumentFault


def damaged(name: str, detail: str = "") -> DocumentFault:
    return DocumentFault(
        "damaged", f"{name} is damaged and can't be read; get or save the file again.", detail
    )


def unsupported(name: str, what: str, remedy: str = "") -> DocumentFault:
    """`what` says what the file is: "a sound file", "a ZIP archive"."""
    return DocumentFault(
        "unsupported", f"{name} is {what}; {remedy or f'Sightline reads {READABLE}'}."
    )


def empty(name: str, what: str = "has 0 bytes") -> DocumentFault:
    return DocumentFault("empty", f"{name} {what}; there is nothing to read in it.")


def needs_password(name: str) -> DocumentFault:
    return DocumentFault(
        "needs_password", f"{name} is locked with a password; give the password to open it."
    )


def wrong_password(name: str) -> DocumentFault:
    return DocumentFault(
        "wrong_password", f"That password does not open {name}; check it and try again."
    )
