"""One answer on its way out: the generator's pieces → thinking, answer and calls on the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from app.answer.calls import Argued, Opened
from app.answer.calls import gather as gather_calls
from app.answer.split import gather as gather_words
from app.answer.typed import Schema
from app.engine.local.job import Finish, Job, Piece
from app.engine.local.model import Model
from app.engine.local.scheduler import Given, Scheduler, Waiting
from app.engine.local.serve import reply
from app.engine.local.serve.logprobs import entries
from app.engine.local.serve.reply import FinishReason, Json, Refusal, Reply, Told, refused
from app.engine.local.serve.speech import Count, Heard, Speech
from app.vocabulary import Answer, Event, Fault, Retract, Thinking, ToolCall

_TAIL = 200  # characters of the prompt's end, where a thinking that it opens shows


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that can be answered: what to generate, and how to send it. `schemas` are those of
    the tools that may be called, None where there are none."""

    job: Job
    stream: bool = False
    include_usage: bool = False
    schemas: Mapping[str, Schema] | None = None
    one_call: bool = False


class Answering:
    """One answer, as a stream or whole."""

    def __init__(self, model: Model, scheduler: Scheduler, ask: Ask) -> None:
        self._ask = ask
        self._written = model.chat.written
        self._reply = Reply(model.name)
        self._given = scheduler.run(ask.job)
        tail = ask.job.prompt.text[-_TAIL:] if model.chat.thinks else None
        self._speech = Speech(tail, ask.schemas, one_call=ask.one_call)
        self._count = Count()
        self._called = False
        self._logprobs: list[Json] = []  # of tokens whose text was not sent yet

    async def events(self) -> AsyncGenerator[bytes, None]:
        """The stream's bytes; a failure in the middle is its last event.

        Raises Refusal, before any event, where the answer can't even begin.
        """
        begun = False
        try:
            async with aclosing(self._given) as all_given:
                async for given in all_given:
                    if not begun:
                        begun = True
                        yield self._reply.chunk({"role": "assistant", "content": ""})
                    for sent in self._sent(given):
                        yield sent
        except Fault as fault:
            no = refused(fault)
            if not begun:
                raise no from fault
            yield reply.event({"error": reply.error(no.status, no.code, no.message, no.param)})
            return
        yield reply.DONE

    async def whole(self) -> Response:
        heard: list[Heard] = []
        try:
            async with aclosing(self._given) as all_given:
                async for given in all_given:
                    heard += self._heard(given)
                    if isinstance(given, Finish):
                        return self._completion(heard, given)
        except Fault as fault:
            return refused(fault).response()
        return Refusal("The answer broke off.", "engine_failed", status=500).response()

    def _completion(self, heard: list[Heard], finish: Finish) -> Response:
        words: list[Event] = [e for e in heard if isinstance(e, Thinking | Answer | Retract)]
        thinking, answer = gather_words(words)
        _, calls = gather_calls([e for e in heard if isinstance(e, Opened | Argued)])
        named = [ToolCall(call.name, call.arguments, reply.call_id()) for call in calls]
        told = Told(thinking, answer, named, self._fresh_logprobs())
        usage = reply.usage_fields(finish.usage, self._count.thinking)
        return JSONResponse(self._reply.whole(told, self._reason(finish), usage))

    # --- what each thing given means --------------------------------------------------------

    def _heard(self, given: Given) -> list[Heard]:
        match given:
            case Piece():
                self._logprobs += entries(given.chosen, self._written)
                heard = self._speech.feed(given.text)
                self._count.add(given.tokens, heard)
            case Finish():
                heard = self._speech.close(cut=given.reason != "stop")
                self._count.add(0, heard)
            case Waiting():
                heard = []
        self._called = self._called or any(isinstance(event, Opened) for event in heard)
        return heard

    def _sent(self, given: Given) -> Iterator[bytes]:
        heard = self._heard(given)
        for delta in _deltas(heard):
            yield self._reply.chunk(delta, logprobs=self._fresh_logprobs())
        match given:
            case Waiting(position):
                yield reply.waiting(position)
            case Piece("") if not heard:
                yield reply.STILL_HERE
            case Finish():
                yield self._reply.chunk({}, self._reason(given), self._fresh_logprobs())
                if self._ask.include_usage:
                    yield self._reply.counted(given.usage, self._count.thinking)

    def _reason(self, finish: Finish) -> FinishReason:
        if finish.reason == "stop" and self._called:
            return "tool_calls"
        return "length" if finish.reason == "length" else "stop"

    def _fresh_logprobs(self) -> list[Json] | None:
        """Those of the tokens since the last chunk; None where none were asked for."""
        if self._ask.job.logprobs is None:
            return None
        fresh, self._logprobs = self._logprobs, []
        return fresh


def _deltas(events: Iterable[Heard]) -> Iterator[Json]:
    for happened in events:
        match happened:
            case Answer(text):
                yield {"content": text}
            case Thinking(text):
                yield {"reasoning_content": text}
            case Retract(text):  # other clients can't take back what was sent; ours reads `retract`
                yield {"reasoning_content": text, "retract": text}
            case Opened(index, name):
                function = {"name": name, "arguments": ""}
                head = {"index": index, "id": reply.call_id(), "type": "function"}
                yield {"tool_calls": [{**head, "function": function}]}
            case Argued(index, text):
                yield {"tool_calls": [{"index": index, "function": {"arguments": text}}]}
