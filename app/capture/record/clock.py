"""The file's own time: it stands still while the recording is paused. Pure."""

from __future__ import annotations


class Clock:
    """Every `now` is seconds of one clock that never goes back."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._paused: float | None = None

    @property
    def paused(self) -> bool:
        return self._paused is not None

    def time(self, now: float) -> float:
        """Seconds of the file."""
        return (self._paused if self._paused is not None else now) - self._began

    def pause(self, now: float) -> None:
        if self._paused is None:
            self._paused = now

    def resume(self, now: float) -> None:
        if self._paused is not None:
            self._began += now - self._paused
            self._paused = None
