"""One answer on its way out: the generator's pieces → thinking and answer on the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from app.answer.split import Splitter, split
from app.engine.local.generate import Finish, Job
from app.engine.local.generic import Model
from app.engine.local.reply import DONE, STILL_HERE, Reply, error, event, refusal
from app.engine.local.scheduler import Scheduler
from app.vocabulary import Answer, EngineFault, Event, Retract, Thinking

_TAIL = 200  # characters of the prompt's end, where a thinking that it opens shows


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that can be answered: what to generate, and how to send it."""

    job: Job
    prompt: str
    stream: bool
    include_usage: bool


class Answering:
    """One answer, as a stream or whole."""

    def __init__(self, model: Model, scheduler: Scheduler, ask: Ask) -> None:
        self._ask = ask
        self._tail = ask.prompt[-_TAIL:]
        self._thinks = model.chat.thinks
        self._reply = Reply(model.name)
        self._pieces = scheduler.run(ask.job)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """The stream's bytes; a failure in the middle is its last event."""
        splitter = Splitter(prompt_tail=self._tail) if self._thinks else None
        yield self._reply.chunk({"role": "assistant", "content": ""})
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    for sent in self._sent(piece, splitter):
                        yield sent
        except EngineFault as fault:
            yield event({"error": error(500, fault.kind, fault.message)})
            return
        yield DONE

    async def whole(self) -> Response:
        texts: list[str] = []
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Finish):
                        return self._completion("".join(texts), piece)
                    texts.append(piece)
        except EngineFault as fault:
            return refusal(500, fault.kind, fault.message)
        return refusal(500, "engine_failed", "The answer broke off.")

    def _completion(self, text: str, finish: Finish) -> Response:
        thinking, answer = split(text, prompt_tail=self._tail) if self._thinks else ("", text)
        return JSONResponse(self._reply.whole(thinking, answer, finish.reason, finish.usage))

    def _sent(self, piece: str | Finish, splitter: Splitter | None) -> Iterable[bytes]:
        if isinstance(piece, Finish):
            for delta in _deltas(splitter.close() if splitter else ()):
                yield self._reply.chunk(delta)
            yield self._reply.chunk({}, piece.reason)
            if self._ask.include_usage:
                yield self._reply.counted(piece.usage)
        elif not piece:
            yield STILL_HERE
        else:
            for delta in _deltas(splitter.feed(piece) if splitter else (Answer(piece),)):
                yield self._reply.chunk(delta)


def _deltas(events: Iterable[Event]) -> Iterable[dict[str, str]]:
    for happened in events:
        match happened:
            case Answer(text):
                yield {"content": text}
            case Thinking(text):
                yield {"reasoning_content": text}
            case Retract(text):  # other clients can't take back what was sent; ours reads `retract`
                yield {"reasoning_content": text, "retract": text}
            case _:
                continue
