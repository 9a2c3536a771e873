"""Which pages are meant: reads "1-5,9" against a number of pages; knows no document."""

from __future__ import annotations

import re

from app.vocabulary import DocumentFault

_PART = re.compile(r"\s*(?:(\d{1,9})\s*(?:(-)\s*(\d{1,9})?)?|-\s*(\d{1,9}))\s*\Z")


def select(pages: str | None, total: int, after: int = 0) -> tuple[int, ...]:
    """Page numbers from 1, each once, in document order; "3-" goes to the end, "-3" from the start.

    DocumentFault `bad_input` where the selection can't be read or names no page of the document.
    """
    if pages is None or not pages.strip():
        return tuple(range(after + 1, total + 1))
    wanted: set[int] = set()
    for part in pages.replace("–", "-").replace("，", ",").split(","):
        first, last = _span(part, total)
        wanted.update(range(max(1, first), min(last, total) + 1))
    if not wanted:
        holds = "1 page" if total == 1 else f"{total} pages"
        raise DocumentFault(
            "bad_input", f"There is no page {pages.strip()}: the document has {holds}."
        )
    return tuple(page for page in sorted(wanted) if page > after)


def _span(part: str, total: int) -> tuple[int, int]:
    match = _PART.match(part)
    if match is None:
        raise DocumentFault(
            "bad_input", f"“{part.strip()}” is no page range; write pages like 1-5,9."
        )
    first, dash, last, upto = match.groups()
    if upto:
        return 1, int(upto)
    if not dash:
        return int(first), int(first)
    return int(first), int(last) if last else total


def bounded(numbers: tuple[int, ...], most: int | None) -> tuple[tuple[int, ...], str]:
    """The first `most` of the pages, and a sentence about those left out ("" where none are)."""
    if most is None or len(numbers) <= most:
        return numbers, ""
    return numbers[:most], (
        f"Only the first {most} of {len(numbers)} pages are taken; choose others by their numbers."
    )
