"""Pictures spread over ranks: the same as on one, wherever the cuts fall."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from app.engine.local.glm.spread import Lot, lot

WINDOW = 4
LENGTHS = st.lists(st.integers(1, 40).map(lambda n: n * WINDOW), min_size=1, max_size=7)


def lots(lengths: list[int], count: int) -> list[Lot]:
    return [lot(lengths, WINDOW, rank, count) for rank in range(count)]


@given(LENGTHS, st.integers(1, 9))
@example([4], 8)
def test_every_patch_is_on_one_rank_and_no_window_is_cut(lengths: list[int], count: int) -> None:
    everyones = lots(lengths, count)
    seen = [
        (part.picture, patch)
        for own in everyones
        for part in own.parts
        for patch in range(part.first, part.last)
    ]
    assert seen == [(n, patch) for n, length in enumerate(lengths) for patch in range(length)]
    for own in everyones:
        assert all(part.first % WINDOW == part.last % WINDOW == 0 for part in own.parts)
        assert all(a.place + a.length == b.place for a, b in pairwise(own.parts))
        assert own.total == sum(lengths)
    whole = [own.length for own in everyones]
    assert max(whole) == everyones[0].padded
    assert all(a == everyones[0].padded or not b for a, b in pairwise(whole))


@given(LENGTHS, st.integers(1, 9))
def test_every_picture_is_mixed_with_the_whole_of_itself(lengths: list[int], count: int) -> None:
    everyones = lots(lengths, count)
    exchanged: list[tuple[int, int] | None] = []
    for own in everyones:
        stand = [(p.picture, patch) for p in own.parts for patch in range(p.first, p.last)]
        sent = [patch for first, last in own.sent for patch in stand[first:last]]
        exchanged += [*sent, *[None] * (own.most - len(sent))]
    for own in everyones:
        stand = [(p.picture, patch) for p in own.parts for patch in range(p.first, p.last)]
        mixed = [patch for piece in own.pieces for patch in stand[piece.first : piece.last]]
        assert mixed == stand
        for piece in own.pieces:
            pictures = [picture for picture, _ in stand[piece.first : piece.last]]
            assert len(set(pictures)) == piece.pictures
            keys = [k for first, last in piece.spans for k in exchanged[first:last]]
            wanted = [(pictures[0], patch) for patch in range(lengths[pictures[0]])]
            assert keys == (wanted if piece.spans else [])
            if not piece.spans:
                assert len(pictures) == piece.pictures * lengths[pictures[0]]


def test_a_picture_that_all_ranks_share_needs_no_copy_of_its_keys() -> None:
    own = lot([10764], WINDOW, 2, 4)
    assert (own.padded, own.most) == (2692, 2692)
    assert own.pieces[0].spans == ((0, 10764),)


def test_as_many_pictures_of_one_size_as_ranks_need_nothing_of_each_other() -> None:
    assert all(own.most == 0 and len(own.pieces) == 1 for own in lots([9804] * 4, 4))


def test_one_rank_has_all_pictures_of_one_size_in_one_piece() -> None:
    own = lot([8, 8, 8, 12, 8], WINDOW, 0, 1)
    assert [(p.first, p.last, p.pictures, p.spans) for p in own.pieces] == [
        (0, 24, 3, ()),
        (24, 36, 1, ()),
        (36, 44, 1, ()),
    ]
