"""How the patches of several pictures are spread over the ranks of an engine. Pure; knows no tower
and no picture.

Each rank takes an equal run of windows out of all pictures in a row. A picture within one run needs
nothing of the other ranks; of one that lies in several, every rank gets all keys and values
(sequence parallelism: its own queries, everybody's keys).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

Span = tuple[int, int]  # from the first to behind the last


@dataclass(frozen=True, slots=True)
class Part:
    """What a rank has of one picture: patches `first` to `last` of the picture's own, which stand
    from `place` on among the rank's."""

    picture: int
    first: int
    last: int
    place: int

    @property
    def length(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Piece:
    """Patches of a rank that are mixed in one go: several whole pictures of one size, or a part of
    one whose keys are found at `spans` among all that are exchanged."""

    first: int
    last: int
    pictures: int = 1
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Lot:
    """One rank's. `sent` are the spans of its patches whose keys others need; every rank sends
    `most`, filled up. `padded` is how many patches the largest share has, `total` all together."""

    parts: tuple[Part, ...]
    pieces: tuple[Piece, ...]
    sent: tuple[Span, ...]
    most: int
    padded: int
    total: int

    @property
    def length(self) -> int:
        return sum(part.length for part in self.parts)


def lot(lengths: Sequence[int], window: int, rank: int, count: int) -> Lot:
    """What falls to `rank` out of `count`; `lengths` are the pictures' patches, each a multiple of
    `window`, which is never cut."""
    total = sum(lengths)
    padded = -(-total // window // count) * window
    everyones = [_parts(lengths, padded * number, padded * (number + 1)) for number in range(count)]
    shared = {
        part.picture for parts in everyones for part in parts if part.length < lengths[part.picture]
    }
    sent = [tuple(part for part in parts if part.picture in shared) for parts in everyones]
    most = max(sum(part.length for part in parts) for parts in sent)
    spans = _spans(sent, most)
    return Lot(
        parts=everyones[rank],
        pieces=tuple(_pieces(everyones[rank], spans)),
        sent=tuple((part.place, part.place + part.length) for part in sent[rank]),
        most=most,
        padded=padded,
        total=total,
    )


def _parts(lengths: Sequence[int], start: int, stop: int) -> tuple[Part, ...]:
    """Of patches `start` to `stop` of all."""
    parts = []
    for picture, (end, length) in enumerate(zip(accumulate(lengths), lengths, strict=True)):
        begin = end - length
        first, last = max(start, begin), min(stop, end)
        if first < last:
            parts.append(Part(picture, first - begin, last - begin, first - start))
    return tuple(parts)


def _spans(sent: Sequence[Sequence[Part]], most: int) -> dict[int, tuple[Span, ...]]:
    """Where the keys of each shared picture stand once the ranks' lie side by side."""
    spans: dict[int, list[Span]] = {}
    for rank, parts in enumerate(sent):
        place = rank * most
        for part in parts:
            known = spans.setdefault(part.picture, [])
            first = known.pop()[0] if known and known[-1][1] == place else place
            place += part.length
            known.append((first, place))
    return {picture: tuple(known) for picture, known in spans.items()}


def _pieces(parts: Sequence[Part], spans: dict[int, tuple[Span, ...]]) -> Iterator[Piece]:
    def kind(part: Part) -> tuple[int, int]:  # alike: whole, and of one length
        return (part.length, -1) if part.picture not in spans else (part.length, part.picture)

    for _, group in groupby(parts, kind):
        alike = list(group)
        first, last = alike[0].place, alike[-1].place + alike[-1].length
        yield Piece(first, last, len(alike), spans.get(alike[0].picture, ()))
