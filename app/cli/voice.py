"""How `ask` tells an answer: words for a person, or one JSON line an event."""

from __future__ import annotations

import sys
from typing import assert_never

from app.answer.boxes import find
from app.cli.output import dim, emit, fail, say
from app.cli.stages import found_json
from app.vocabulary import Answer, Done, Error, Event, Frame, Retract, Thinking, ToolCall, Usage


class Words:
    """Thinking dimmed on stderr, the answer on stdout."""

    def __init__(self) -> None:
        self._answer: list[str] = []
        self._thought = False
        self._live = sys.stdout.isatty()

    def frames(self, frames: tuple[Frame, ...]) -> None:
        pass

    def event(self, event: Event) -> None:
        match event:
            case Thinking(text):
                self._thought = True
                sys.stderr.write(dim(text, sys.stderr))
                sys.stderr.flush()
            case Answer(text):
                self._show(text)
            case Retract(text):
                kept = "".join(self._answer)
                self._answer = [kept[: len(kept) - len(text)]]
                if self._live:
                    say(dim("\n(the text above was thinking)\n", sys.stdout))
            case ToolCall(name, arguments):
                print(dim(f"[wants to call {name} {arguments}]", sys.stderr), file=sys.stderr)
            case Usage() | Done() | Error():
                pass
            case _:
                assert_never(event)

    def _show(self, text: str) -> None:
        if not self._answer and self._thought:
            print("\n", file=sys.stderr)
        self._answer.append(text)
        if self._live:
            sys.stdout.write(text)
            sys.stdout.flush()

    def end(self, end: Done | Error) -> int:
        # a pipe gets the answer whole: text already written could not be taken back
        whole = "".join(self._answer).strip("\n")
        if self._live:
            say("")
        elif whole:
            say(whole)
        match end:
            case Error():
                return fail(end, as_json=False)
            case Done(reason="length"):
                print("sightline: the answer was cut at the length limit.", file=sys.stderr)
            case Done(reason="cancelled"):
                print("sightline: stopped.", file=sys.stderr)
        return 0 if end.reason != "cancelled" else 1


class Json:
    """One event a line."""

    def __init__(self) -> None:
        self._answer = ""

    def frames(self, frames: tuple[Frame, ...]) -> None:
        for index, frame in enumerate(frames):
            emit(
                {
                    "type": "frame",
                    "index": index,
                    "name": frame.source.name,
                    "page": frame.source.page,
                    "width": frame.width,
                    "height": frame.height,
                }
            )

    def event(self, event: Event) -> None:
        match event:
            case Thinking(text):
                emit({"type": "thinking", "text": text})
            case Answer(text):
                self._answer += text
                emit({"type": "answer", "text": text})
            case Retract(text):
                self._answer = self._answer[: len(self._answer) - len(text)]
                emit({"type": "retract", "text": text})
            case ToolCall(name, arguments):
                emit({"type": "tool_call", "name": name, "arguments": arguments})
            case Usage():
                emit(
                    {
                        "type": "usage",
                        "prompt": event.prompt,
                        "completion": event.completion,
                        "cached": event.cached,
                        "seconds": round(event.seconds, 3),
                    }
                )
            case Done() | Error():
                pass
            case _:
                assert_never(event)

    def end(self, end: Done | Error) -> int:
        boxes = found_json(find(self._answer))["boxes"]
        if boxes:
            emit({"type": "boxes", "boxes": boxes})
        if isinstance(end, Error):
            return fail(end, as_json=True)
        emit({"type": "done", "reason": end.reason})
        return 0 if end.reason != "cancelled" else 1
