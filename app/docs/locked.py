"""Unlocks encrypted presentations, where msoffcrypto-tool is installed, into a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from app.docs.faults import damaged, needs_password, wrong_password
from app.vocabulary import DocumentFault


@contextmanager
def unlocked(path: Path, form: str, password: str | None) -> Iterator[tuple[Path, str]]:
    """The deck in the clear and its form, while the context lasts.

    DocumentFault `needs_password`, `wrong_password`, or `unsupported` without the library.
    """
    if not password:
        raise needs_password(path.name)
    library = _library(path.name)
    with tempfile.TemporaryDirectory(prefix="unlocked-") as room:
        clear = Path(room) / "deck"
        _decrypt(library, path, clear, password, form=form)
        with clear.open("rb") as file:
            opened = "pptx" if file.read(2) == b"PK" else "ppt"
        yield clear, opened


def _library(name: str) -> ModuleType:
    try:
        import msoffcrypto  # noqa: PLC0415  (an optional backend)
    except ImportError as error:
        raise DocumentFault(
            "unsupported",
            f"{name} is encrypted, and unlocking it needs the Python package msoffcrypto-tool; "
            "install it, or save the deck without its password.",
        ) from error
    module: ModuleType = msoffcrypto
    return module


def _decrypt(library: Any, path: Path, clear: Path, password: str, *, form: str) -> None:
    with path.open("rb") as source, clear.open("wb") as target:
        try:
            office = library.OfficeFile(source)
            # an OOXML container can tell a wrong password at once, a binary deck always does
            checked = {"verify_password": True} if form == "encrypted" else {}
            office.load_key(password=password, **checked)
            office.decrypt(target)
        except library.exceptions.InvalidKeyError as error:
            raise wrong_password(path.name) from error
        except (library.exceptions.FileFormatError, library.exceptions.DecryptionError) as error:
            raise damaged(path.name, str(error)) from error
