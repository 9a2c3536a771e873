"""One question's life: from the engine's events to the store and, 30 times a second, the panes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from app.store import Store, Turn, TurnState
from app.ui.database import Database
from app.ui.tasks import Tasks
from app.vocabulary import (
    Answer,
    Done,
    Error,
    Event,
    Retract,
    StoreFault,
    Thinking,
    ToolCall,
    Usage,
)

FLUSH = 1 / 30  # s between two updates of the panes
SAVE = 0.8  # s between two saves: a crash loses less than a second


@dataclass(frozen=True, slots=True)
class Growth:
    """What came since the last update; `seconds` since the question, the rate as received."""

    turn: int
    events: tuple[Event, ...]
    seconds: float
    tokens_per_second: float | None


class Exchange:
    """Takes in the events of one turn, keeps its text, and reports growth at a steady pace."""

    def __init__(
        self, turn: Turn, database: Database, tasks: Tasks, grew: Callable[[Growth], None]
    ) -> None:
        self.turn = turn
        self._database = database
        self._tasks = tasks
        self._grew = grew
        self._began = time.monotonic()
        self._unsaved = False
        self._first: float | None = None
        self._thought: float | None = None
        self._pieces = 0
        self._thinking: list[str] = []
        self._answer: list[str] = []
        self._usage: Usage | None = None
        self._fresh: list[Event] = []
        self._flushing: asyncio.TimerHandle | None = None

    async def run(self, events: AsyncGenerator[Event, None]) -> Turn:
        """Follows the stream to its end and saves the turn, cancelled or not."""
        saving = self._tasks.spawn(self._save(), f"save turn {self.turn.id}")
        end: Done | Error = Error("interrupted", "The answer broke off.")
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Done | Error):
                        end = event
                    else:
                        self._take(event)
        except asyncio.CancelledError:
            end = Done("cancelled")
        finally:
            saving.cancel()
        return await self.finish(end)

    async def cancel(self) -> Turn:
        """Ends a turn that was stopped before its stream began."""
        return await self.finish(Done("cancelled"))

    async def finish(self, end: Done | Error) -> Turn:
        """Writes the turn's last state; the turn as it is now kept."""
        self._flush()
        self.turn = replace(
            self.turn,
            thinking="".join(self._thinking),
            answer="".join(self._answer),
            state=_state(end),
            usage=self._usage,
            first_token=self._first,
            thinking_seconds=self._thought,
            error=end if isinstance(end, Error) else None,
        )
        try:
            await self._database.call(_end, self.turn)
        except StoreFault as fault:  # the answer stays on the screen, the banner says the rest
            self._tasks.failed(fault.as_error())
        return self.turn

    def so_far(self) -> Turn:
        """The turn with all that came; what was not told yet is told first."""
        self._flush()
        thinking, answer = "".join(self._thinking), "".join(self._answer)
        return replace(self.turn, thinking=thinking, answer=answer)

    def _take(self, event: Event) -> None:
        now = time.monotonic() - self._began
        match event:
            case Thinking(text):
                self._thinking.append(text)
            case Answer(text):
                if self._thinking and self._thought is None:
                    self._thought = now
                self._answer.append(text)
            case Retract(text):
                self._retract(text)
            case Usage():
                self._usage = event
            case ToolCall() | Done() | Error():
                pass
        if isinstance(event, Thinking | Answer):
            self._first = now if self._first is None else self._first
            self._pieces += 1
        self._unsaved = True
        self._fresh.append(event)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH, self._flush)

    def _retract(self, text: str) -> None:
        answer = "".join(self._answer)
        self._answer = [answer[: len(answer) - len(text)]]
        self._thinking.append(text)
        self._thought = None

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if self._fresh:
            fresh, self._fresh = tuple(self._fresh), []
            seconds = time.monotonic() - self._began
            self._grew(Growth(self.turn.id, fresh, seconds, self._rate(seconds)))

    def _rate(self, seconds: float) -> float | None:
        if self._first is None or self._pieces < 2 or seconds - self._first < 0.2:
            return None
        return (self._pieces - 1) / (seconds - self._first)

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SAVE)
            if self._unsaved:
                self._unsaved = False
                thinking, answer = "".join(self._thinking), "".join(self._answer)
                await self._database.call(Store.save_progress, self.turn.id, thinking, answer)


def _end(store: Store, turn: Turn) -> None:
    store.end_turn(
        turn.id,
        thinking=turn.thinking,
        answer=turn.answer,
        state=turn.state,
        usage=turn.usage,
        first_token=turn.first_token,
        thinking_seconds=turn.thinking_seconds,
        error=turn.error,
    )


def _state(end: Done | Error) -> TurnState:
    match end:
        case Error(kind="interrupted"):
            return "interrupted"
        case Error():
            return "failed"
        case Done(reason="length"):
            return "length"
        case Done(reason="cancelled"):
            return "cancelled"
        case Done():
            return "done"
