"""One file's way through the worker, also over a worker that has to be replaced on the way.

Pure: it is told the time and what came, and says how long to wait, what to ask next and what to
tell the person. It knows no process.
"""

from __future__ import annotations

from dataclasses import replace

from app.docs.request import Limits, Opened, Page, Remark, Request, Told
from app.vocabulary import DocumentFault, FaultKind, Frame

REPLACEMENTS = 3  # workers that one file may cost after its first
_KINDS: dict[str, FaultKind] = {"timeout": "timeout", "memory": "too_large"}


class Journey:
    """Times are seconds of any steady clock."""

    def __init__(self, request: Request, limits: Limits, now: float) -> None:
        self._request = request
        self._limits = limits
        self._first_frame_by = now + limits.first_frame_seconds
        self._page = 0
        self._begun: Page | None = None  # what the worker at hand is at
        self._opened: Opened | None = None
        self._frames = 0
        self._heard = False
        self._losses: list[tuple[str, str]] = []

    def request(self) -> Request:
        """What is still to be asked: everything after the last page that was begun."""
        return replace(self._request, after=max(self._page, self._request.after))

    def patience(self, now: float) -> float:
        """Seconds to wait for the next packet: a page's or its OCR's time, and to the
        first frame the file's.

        Counted from the wait, not from the last packet: whoever takes the frames may be slow.
        """
        left = max(0.1, self._first_frame_by - now)
        if self._begun is None:
            return left
        ocr = self._begun.drawn
        own = self._limits.ocr_seconds if ocr else self._limits.page_seconds
        return own if self._frames else min(left, own)

    def hear(self, told: Told) -> Opened | Remark | Frame | None:
        """What to pass on of a packet, if anything."""
        self._heard = True
        match told:
            case Page(number):
                self._page = number
                self._begun = told
                return None
            case Opened() if self._opened is not None:
                return None  # of a replaced worker
            case Opened():
                self._opened = told
            case Frame():
                self._frames += 1
            case Remark():
                pass
        return told

    def lose(self, reason: str, detail: str, *, fresh: bool, now: float) -> Remark | None:
        """The worker was lost: a remark about the page begun last, or a DocumentFault.

        None, once, for a worker that was not `fresh` and fell silent before it said anything: it
        may have left just then, being idle.
        """
        self._losses.append((reason, detail))
        self._first_frame_by = now + self._limits.first_frame_seconds
        self._begun = None
        if reason == "died" and not (self._heard or fresh) and len(self._losses) == 1:
            return None
        if not self._page or self._opened is None or self._opened.pages == 1:
            raise self._fault()
        why = _why(reason, self._limits, page=True)
        if len(self._losses) > REPLACEMENTS:
            lost, self._page = self._page, self._opened.pages
            return Remark(f"Page {lost} {why}; it and all after it were left out.")
        return Remark(f"Page {self._page} {why} and was left out.")

    def end(self) -> None:
        """The worker has told everything. DocumentFault where all that was asked for was lost."""
        if self._losses and not self._frames and self._page:
            raise self._fault()

    def _fault(self) -> DocumentFault:
        reason, detail = self._losses[-1]
        why = _why(reason, self._limits, page=bool(self._page))
        return DocumentFault(
            _KINDS.get(reason, "damaged"),
            f"{self._request.path.name} {why}; save it again in a simpler form or give a part "
            "of it.",
            detail,
        )


def _why(reason: str, limits: Limits, *, page: bool) -> str:
    if reason == "timeout":
        return f"took longer than {limits.page_seconds if page else limits.first_frame_seconds:g} s"
    if reason == "memory":
        return f"needed more than {limits.memory >> 20} MB of memory"
    return "made the document reader fail"
