"""One conversation: its turns, and the question under way in it. Any number of sessions follow it,
and it outlives each of them; knows no window."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.engine.prompt import compose
from app.store import Conversation, Store, Turn
from app.ui.exchange import Exchange
from app.ui.intake import Intake
from app.vocabulary import Clip, Fault, Frame, Message, Sampling

if TYPE_CHECKING:  # the services hold the conversations
    from app.ui.services import Services

TITLE = 48  # characters of a conversation's first question that become its title


class Talk(QObject):
    """One question at a time, whoever asks it. It is stopped when nobody follows any more."""

    turn_added = Signal(object)  # Turn
    turn_removed = Signal(int)
    turn_grew = Signal(object)  # Growth
    turn_ended = Signal(object)  # Turn
    retitled = Signal(object)  # Conversation
    busy_changed = Signal(bool)
    waiting_changed = Signal(str)  # what is happening while the first word is awaited

    def __init__(
        self,
        services: Services,
        conversation: Conversation | None = None,
        turns: tuple[Turn, ...] = (),
    ) -> None:
        super().__init__()
        self._services = services
        self.conversation = conversation
        self._turns = list(turns)
        self._exchange: Exchange | None = None
        self._asking: asyncio.Task[None] | None = None
        self._followers = 0

    # --- who follows ------------------------------------------------------------------------

    def follow(self) -> None:
        self._followers += 1

    def leave(self, *, going_on: bool = False) -> None:
        """One follower less. What the last one leaves is stopped, unless it is to go on to its
        end by itself."""
        self._followers -= 1
        self._rest(stop=not going_on)

    def _rest(self, *, stop: bool) -> None:
        if self._followers > 0:
            return
        if not self.busy:
            self._services.drop_talk(self)
        elif stop:
            self.stop()  # and until its end is written, whoever opens it finds it here

    # --- as it stands -----------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return self._asking is not None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All of them; the one under way with what was told of it so far."""
        if self._exchange is None:
            return tuple(self._turns)
        now = self._exchange.so_far()
        return tuple(now if known.id == now.id else known for known in self._turns)

    def take_title(self, title: str) -> None:
        if self.conversation is not None:
            self.conversation = replace(self.conversation, title=title)
            self.retitled.emit(self.conversation)

    # --- what is asked ----------------------------------------------------------------------

    def ask(self, text: str, intake: Intake) -> None:
        """Asks with what waits in the intake, once it is read."""
        if not self.busy:
            self._begin(self._ask(text, intake))

    def retry(self, turn: int) -> None:
        """Asks a turn's question again: in its place if nothing came, else below what came."""
        known = next((known for known in self._turns if known.id == turn), None)
        if known is not None and not self.busy:
            self._begin(self._retry(known))

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    async def ended(self) -> None:
        """Stops what is under way and waits for its end."""
        self.stop()
        while self._asking is not None:
            await asyncio.wait((self._asking,))
            await asyncio.sleep(0)  # until what comes of its end was told

    async def remove(self, turn: int) -> None:
        await self._services.database.call(Store.delete_turn, turn)
        self._turns = [known for known in self._turns if known.id != turn]
        self.turn_removed.emit(turn)

    # --- the work behind it -----------------------------------------------------------------

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        self._asking = self._services.tasks.spawn(work, "ask")
        self._asking.add_done_callback(self._over)
        self.busy_changed.emit(True)

    def _over(self, _task: asyncio.Task[None]) -> None:
        self._asking = None
        self.busy_changed.emit(False)
        self._rest(stop=False)

    async def _ask(self, text: str, intake: Intake) -> None:
        await intake.settled()
        frames = intake.frames
        if not frames and not text:
            return  # every attachment failed; each says why in its place
        turn = await self._add_turn(text, frames, intake.clips)
        intake.clear()
        await self._answer(turn)

    async def _retry(self, old: Turn) -> None:
        if not old.answer and not old.thinking:
            await self.remove(old.id)
        await self._answer(await self._add_turn(old.question, old.frames, old.clips))

    async def _add_turn(
        self, text: str, frames: tuple[Frame, ...], clips: tuple[Clip, ...]
    ) -> Turn:
        services = self._services
        if self.conversation is None:
            title = _title(text, frames)
            self.conversation = await services.database.call(Store.start_conversation, title)
            services.keep_talk(self)
        endpoint, model = services.settings.endpoint, self._model()
        turn = await services.database.call(
            Store.start_turn, self.conversation.id, text, frames, endpoint, model, clips
        )
        self._turns.append(turn)
        self.turn_added.emit(turn)
        services.conversations_changed.emit()
        return turn

    async def _answer(self, turn: Turn) -> None:
        services, settings = self._services, self._services.settings
        exchange = Exchange(turn, services.database, services.tasks, self.turn_grew.emit)
        self._exchange = exchange
        history = self._history(before=turn)
        try:
            async with services.places.held(settings) as endpoint:
                if not endpoint.sees_pictures:
                    turn = exchange.turn = await self._read_texts(turn)
                question = Message("user", turn.question, turn.frames, turn.clips)
                messages = compose(endpoint, question, history, settings.system_prompt)
                events = services.client.stream(endpoint, messages, self._sampling())
                ended = await exchange.run(services.places.answer(endpoint, events))
        except asyncio.CancelledError:
            ended = await exchange.cancel()
        except Fault as fault:
            ended = await exchange.finish(fault.as_error())
        self._exchange = None
        self._turns = [ended if known.id == ended.id else known for known in self._turns]
        self.turn_ended.emit(ended)

    async def _read_texts(self, turn: Turn) -> Turn:
        """The turn, every picture of it with its text, kept for the questions to come."""
        self.waiting_changed.emit(self.tr("Reading the text in the pictures"))
        texts = self._services.texts
        frames = await texts.of(turn.frames)
        self.waiting_changed.emit("")
        if frames != turn.frames:
            await self._services.database.call(Store.keep_texts, turn.id, frames)
        texts.forget(turn.frames)
        return replace(turn, frames=frames)

    def _history(self, before: Turn) -> tuple[Message, ...]:
        past = [t for t in self._turns if t.id != before.id and t.answer]
        most = self._services.settings.history_turns
        said = past[len(past) - min(len(past), most) :]
        return tuple(
            message
            for t in said
            for message in (
                Message("user", t.question, t.frames, t.clips),
                Message("assistant", t.answer),
            )
        )

    def _sampling(self) -> Sampling:
        s = self._services.settings
        return Sampling(s.max_tokens, s.temperature, s.top_p, thinking=s.thinking)

    def _model(self) -> str:
        settings = self._services.settings
        profile = settings.profile(settings.endpoint)
        return settings.local_model if profile is None else profile.model


def _title(text: str, frames: tuple[Frame, ...]) -> str:
    first = text.split("\n", 1)[0].strip() or (frames[0].source.name if frames else "")
    return first if len(first) <= TITLE else first[: TITLE - 1].rstrip() + "…"
