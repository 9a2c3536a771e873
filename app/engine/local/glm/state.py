"""What a GLM network has read of one conversation: the keys and values of each layer, in buffers
with room to spare. Knows no weights and no prompt."""

from __future__ import annotations

import torch

_LEAST, _MOST = 512, 8192  # tokens of room that a buffer grows by


class Keys:
    """One layer's keys and values [K, T, D], K heads. `due` tokens are known to come."""

    __slots__ = ("_keys", "_values", "due")

    def __init__(self) -> None:
        self.due = 0
        self._keys: torch.Tensor | None = None
        self._values: torch.Tensor | None = None

    def put(
        self, keys: torch.Tensor, values: torch.Tensor, start: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write keys and values [K, T, D] of the tokens from `start` on over what was there; gives
        views of all up to the last of them."""
        end = start + keys.shape[1]
        held_keys, held_values = self.reserve(end, keys, used=start)
        held_keys[:, start:end] = keys
        held_values[:, start:end] = values
        return held_keys[:, :end], held_values[:, :end]

    def reserve(
        self, length: int, like: torch.Tensor | None = None, *, used: int | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The buffers [K, room, D], with room for `length` tokens at least; `like` is any [K, T, D]
        of the kind that they hold, needed the first time. `used` tokens are worth keeping, else all
        that there is room for now."""
        if self._keys is None or self._values is None or length > self.room:
            template = self._keys if like is None else like
            assert template is not None, "an empty buffer is told what it will hold"
            room = max(length, self.due) + min(max(length // 2, _LEAST), _MOST)
            used = self.room if used is None else used
            grown = [_grown(old, template, used, room) for old in (self._keys, self._values)]
            self._keys, self._values = grown  # both or, where memory runs out, none
        return self._keys, self._values

    @property
    def room(self) -> int:
        """Tokens that fit into the buffers as they are."""
        return 0 if self._keys is None else self._keys.shape[1]

    def copy(self, length: int) -> Keys:
        copied = Keys()
        if self._keys is not None and self._values is not None:
            copied._keys = self._keys[:, :length].clone()
            copied._values = self._values[:, :length].clone()
        return copied

    @property
    def bytes(self) -> int:
        held = (self._keys, self._values)
        return sum(tensor.numel() * tensor.element_size() for tensor in held if tensor is not None)


def _grown(buffer: torch.Tensor | None, like: torch.Tensor, used: int, room: int) -> torch.Tensor:
    """A buffer for `room` tokens with the first `used` of the old one."""
    grown = like.new_empty((like.shape[0], room, like.shape[2]))
    if buffer is not None:
        grown[:, :used] = buffer[:, :used]
    return grown


class Trail:
    """What the guessing layer has read: its own keys, one entry for a token and the one behind it.

    `length` entries are done. `hidden` [N, H] are the network's last outputs for the tokens from
    there on, `tokens` the ones that follow them as far as they are known: at most one fewer, for
    what follows the last token is not yet written.
    """

    __slots__ = ("hidden", "keys", "length", "tokens")

    def __init__(self) -> None:
        self.keys = Keys()
        self.length = 0
        self.hidden: torch.Tensor | None = None
        self.tokens: list[int] = []

    def follow(self, start: int, tokens: list[int], hidden: torch.Tensor) -> None:
        """Note that the network has read `tokens`, from number `start` on, with `hidden` [T, H]."""
        if self.hidden is None and start:  # lost when the conversation was wound back
            self.hidden = torch.zeros_like(hidden[:1])
            self.length = start - 1
        if self.hidden is None:
            self.hidden, self.tokens = hidden, tokens[1:]
        else:
            self.hidden = torch.cat([self.hidden, hidden])
            self.tokens += tokens

    def keep(self, length: int) -> None:
        """Forget what came of all but the network's first `length` tokens."""
        if self.hidden is not None and length > self.length:
            self.hidden = self.hidden[: length - self.length]
            self.tokens = self.tokens[: length - self.length - 1]
        else:
            self.hidden, self.tokens = None, []
            self.length = max(length - 1, 0)

    def copy(self, length: int) -> Trail:
        copied = Trail()
        copied.keys = self.keys.copy(min(self.length, length))
        copied.length = self.length
        copied.hidden, copied.tokens = self.hidden, list(self.tokens)
        copied.keep(length)
        return copied


class GlmState:
    """What has been read of one conversation.

    `shift` is how far the position of the next token, all pictures behind it, is from its number.
    `length` counts a token once all layers have it, so that a pass that fails changes nothing.
    """

    def __init__(self, layers: int, *, guesses: bool = False) -> None:
        self.layers = [Keys() for _ in range(layers)]
        self._table: tuple[int, torch.Tensor] | None = None  # for which room it was made
        self.length = 0
        self.shift = 0
        self.trail = Trail() if guesses else None

    @property
    def bytes(self) -> int:
        held = sum(keys.bytes for keys in self.layers)
        return held + (self.trail.keys.bytes if self.trail else 0)

    def expect(self, length: int) -> None:
        """Make room for so many tokens at once when more is needed than there is."""
        for keys in self.layers:
            keys.due = length

    def table(self, length: int) -> tuple[torch.Tensor, int]:
        """Where the keys and the values of each layer lie, as addresses int64 [L, 2] on their
        device, and for how many tokens they have room: `length` at least."""
        held = [keys.reserve(length) for keys in self.layers]
        room = min(keys.room for keys in self.layers)
        if self._table is None or self._table[0] != room:
            addresses = [[part.data_ptr() for part in pair] for pair in held]
            there = held[0][0].device
            self._table = room, torch.tensor(addresses, dtype=torch.int64).to(there)
        return self._table[1], room

    def keep(self, length: int) -> bool:
        if length < self.length:
            self.length = max(length, 0)
            if self.trail:
                self.trail.keep(self.length)
        return True

    def copy(self, length: int) -> GlmState:
        copied = GlmState(0)
        copied.layers = [keys.copy(min(length, self.length)) for keys in self.layers]
        copied.length = min(length, self.length)
        copied.shift = self.shift
        copied.trail = self.trail.copy(copied.length) if self.trail else None
        return copied
