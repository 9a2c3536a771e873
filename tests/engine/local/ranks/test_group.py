"""The ranks of one engine over gloo, each a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import multiprocessing

from app.engine.local.ranks.group import ALONE, Group

CPU = torch.device("cpu")


def test_a_group_of_one_gives_back_what_it_is_given() -> None:
    x = torch.randn(2, 3)
    assert ALONE.sum(x) is x
    assert ALONE.gather(x, 1) is x
    assert ALONE.broadcast(x) is x
    assert ALONE.min(7) == 7
    ALONE.barrier()
    ALONE.close()


@pytest.mark.parametrize("count", [2, 4])
def test_all_ranks_come_to_the_same_results(count: int, tmp_path: Path) -> None:
    _ranks(_agree, count, tmp_path)
    assert not (tmp_path / "meeting").exists()


def test_a_rank_whose_peer_does_not_come_gives_up(tmp_path: Path) -> None:
    # torch counts a meeting that failed: this process could join no other any more
    multiprocessing.spawn(_waits, (str(tmp_path / "meeting"),), nprocs=1)


def _waits(_: int, address: str) -> None:
    with pytest.raises(RuntimeError):
        Group.join(0, 2, device=CPU, address=address, patience=0.2)


def _ranks(act: Callable[[int, int, str], None], count: int, folder: Path) -> None:
    multiprocessing.spawn(act, (count, str(folder / "meeting")), nprocs=count)


def _agree(rank: int, count: int, address: str) -> None:
    torch.set_num_threads(1)
    group = Group.join(rank, count, device=CPU, address=address, patience=60)
    assert (group.rank, group.count) == (rank, count)
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.int64):
        _check_sum(group, dtype)
        _check_moves(group, dtype)
    _check_moves(group, torch.float8_e4m3fn)
    assert group.min(10 - rank) == 11 - count
    group.barrier()
    group.close()
    group.close()


def _check_sum(group: Group, dtype: torch.dtype) -> None:
    parts = _parts(group, dtype)
    exact = sum(part.double() for part in parts)
    x = parts[group.rank].clone()
    assert group.sum(x) is x
    assert isinstance(exact, torch.Tensor)
    assert torch.equal(x, exact.to(dtype)), "one rounding at the end"
    # a tensor whose rows lie apart is changed in place too
    wide = torch.zeros(5, 14).to(dtype)
    apart = wide[:, ::2]
    apart.copy_(parts[group.rank])
    group.sum(apart)
    assert torch.equal(apart, x)
    assert not wide[:, 1::2].float().any()


def _check_moves(group: Group, dtype: torch.dtype) -> None:
    parts = _parts(group, dtype)
    own = parts[group.rank]
    for dim in (0, 1, -1):
        assert _same(group.gather(own.clone(), dim), torch.cat(parts, dim))
    assert _same(group.gather(own.T, 1), torch.cat([part.T for part in parts], 1))
    last = group.count - 1
    x = own.clone()
    assert group.broadcast(x, last) is x
    assert _same(x, parts[last])
    turned = own.clone().T
    assert _same(group.broadcast(turned, last), parts[last].T)


def _parts(group: Group, dtype: torch.dtype) -> list[torch.Tensor]:
    """What each rank has, known to all; few bits each, so that sums in float32 are exact."""
    random = torch.Generator().manual_seed(group.count)
    return [
        torch.randint(-200, 200, (5, 7), generator=random).div(8).to(dtype)
        for _ in range(group.count)
    ]


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.float(), b.float())
