"""A model that writes what it is told to, and one that writes at random; the words are a real
tokenizer's and a real template's, of the GLM family. And a real server on a loopback port."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
import uvicorn
from tokenisers import Kind, write_tokeniser
from transformers import AutoTokenizer

from app.engine.local.chat import TextChat
from app.engine.local.model import Defaults, Model
from app.engine.local.network import Drafter, Prompt
from app.engine.local.room import Room
from app.engine.local.sampler import Choice, Drawing
from app.engine.local.scheduler import Scheduler
from app.engine.local.serve.api import Api

TOKEN = "a-token"
VOCABULARY = 320  # more than the tokenizer has names for
CONTEXT = 4096


class Heard:
    """What was read of one conversation; `asked` is how long its prompt is."""

    def __init__(self, read: Sequence[int] = ()) -> None:
        self.read = list(read)
        self.asked = 0

    @property
    def length(self) -> int:
        return len(self.read)

    @property
    def bytes(self) -> int:
        return len(self.read)

    def keep(self, length: int) -> bool:
        del self.read[length:]
        return True

    def copy(self, length: int) -> Heard:
        return Heard(self.read[:length])


class Parrot:
    """Writes `script` and ends; `pause` is how long each token takes it, in seconds."""

    device = torch.device("cpu")
    token_bytes = 1

    def __init__(self, script: Sequence[int], *, end: int, pause: float = 0.0) -> None:
        self.script = list(script)
        self._end = end
        self.pause = pause

    def begin(self) -> Heard:
        return Heard()

    def read(self, state: Heard, prompt: Prompt, count: int) -> torch.Tensor:
        state.asked = len(prompt.tokens)
        state.read += prompt.tokens[state.length :][:count]
        return self._logits(state.read, 0)

    def step(self, state: Heard, tokens: Sequence[int]) -> torch.Tensor:
        time.sleep(self.pause)
        rows = []
        for token in tokens:
            state.read.append(token)
            rows.append(self._logits(state.read, state.length - state.asked))
        return torch.stack(rows)  # [T, V]

    def chain(self, state: Heard, token: int, drawing: Drawing) -> None:
        """Chooses on the host."""

    def drafter(self, state: Heard) -> Drafter | None:
        return None

    def _logits(self, read: Sequence[int], place: int) -> torch.Tensor:
        logits = torch.zeros(VOCABULARY)
        logits[self.script[place] if place < len(self.script) else self._end] = 20.0
        return logits


class Babbler(Parrot):
    """Writes at random, the same where the same was read."""

    def _logits(self, read: Sequence[int], place: int) -> torch.Tensor:
        digest = hashlib.blake2b(repr(list(read)).encode(), digest_size=4).digest()
        random = torch.Generator().manual_seed(int.from_bytes(digest, "big"))
        return 2 * torch.randn(VOCABULARY, generator=random)


def words(folder: Path, kind: Kind = "glm-4.5v") -> TextChat:
    """The family's chat, for text alone."""
    if not (folder / "tokenizer.json").exists():
        write_tokeniser(folder, kind)
    return TextChat(AutoTokenizer.from_pretrained(folder))


def speaker(chat: TextChat, said: str | None, *, pause: float = 0.0) -> Model:
    """A model that says this; None: whatever comes to its mind."""
    (end,) = chat.encode("<|endoftext|>")
    script = chat.encode(said or "")
    kind = Babbler if said is None else Parrot
    return Model(
        "parrot",
        chat,
        defaults=Defaults(Choice(), frozenset({end, *chat.encode("<|user|>")}), CONTEXT, 500),
        network=kind(script, end=end, pause=pause),
        room=Room(10**9, 10**9),
    )


@contextmanager
def served(model: Model, *, line: int = 64) -> Iterator[str]:
    """The base URL of a server over `model`, on a port of its own."""
    scheduler = Scheduler(model, line=line)
    app = Api(model, scheduler).app(TOKEN, exposed=False)
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()
            scheduler.close()
