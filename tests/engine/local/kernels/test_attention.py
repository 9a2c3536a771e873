from __future__ import annotations

import random
from itertools import count

import pytest
import torch

from app.engine.local.glm.attention import Turns
from app.engine.local.glm.config import Rope
from app.engine.local.kernels.attention import Parts, Plan, Spin, attend, attend_reference
from app.engine.local.kernels.launch import pdl

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
BF16, F32 = torch.bfloat16, torch.float32
LIMIT = {F32: 5e-6, BF16: 1e-2}
SEEDS = count()


def _spin(width: int, *, interleaved: bool) -> Spin:
    turned = width // 4 * 2
    rope = Rope(theta=10000.0, width=turned, interleaved=interleaved, sections=())
    return Spin.of(Turns(rope, width, torch.device(DEVICE)))


class Case:
    """A cache of three layers with room for more than it holds, all but what it holds NaN."""

    def __init__(
        self, heads: int, key_heads: int, width: int, length: int, dtype: torch.dtype = F32
    ) -> None:
        torch.manual_seed(next(SEEDS))
        self.heads, self.key_heads, self.width, self.length = heads, key_heads, width, length
        self.position = length + random.Random(length).choice([0, 7, 60000])
        room = length + 3
        self.caches = torch.full((3, 2, key_heads, room, width), torch.nan).to(DEVICE, dtype)
        self.caches[:, :, :, :length].normal_()
        self.before = self.caches.clone()
        self.qkv = torch.randn((heads + 2 * key_heads) * width, device=DEVICE)
        addresses = [[part.data_ptr() for part in layer] for layer in self.caches]
        self.table = torch.tensor(addresses, device=DEVICE)
        self.place = torch.tensor([length, self.position, room, 5, 0, 0, 0, 0], device=DEVICE)
        self.whole = torch.full((heads * width + 64,), torch.nan, device=DEVICE, dtype=dtype)
        self.out = self.whole[32:-32]

    def run(self, spin: Spin, splits: int, plan: Plan, norms: object = None) -> None:
        parts = Parts.of(self.heads, self.width, splits, DEVICE)
        parts.mixed.fill_(torch.nan)
        parts.sums.fill_(torch.nan)
        attend(
            self.qkv,
            self.table,
            1,
            self.place,
            spin,
            parts,
            self.out,
            heads=self.heads,
            key_heads=self.key_heads,
            width=self.width,
            norms=norms,  # type: ignore[arg-type]
            splits=splits,
            plan=plan,
            pdl=pdl(self.qkv),
        )

    def check(self, spin: Spin, norms: object = None) -> None:
        dtype, length = self.out.dtype, self.length
        keys, values = self.before[1, :, :, :length]
        mixed, key, value = attend_reference(
            self.qkv, keys, values, self.position, spin, norms=norms  # type: ignore[arg-type]
        )  # fmt: skip
        _near(self.out, mixed, LIMIT[dtype])
        assert self.whole[:32].isnan().all()
        assert self.whole[-32:].isnan().all()
        _near(self.caches[1, 0, :, length], key, 2 * LIMIT[dtype])
        _near(self.caches[1, 1, :, length], value, LIMIT[dtype])
        self.caches[1, :, :, length] = torch.nan  # and nothing but these was written
        assert torch.equal(self.caches.nan_to_num(9.0), self.before.nan_to_num(9.0))


def _near(ours: torch.Tensor, right: torch.Tensor, limit: float) -> None:
    assert not ours.isnan().any()
    assert (ours.double() - right).norm() <= limit * right.norm()


@pytest.mark.parametrize("dtype", [F32, BF16])
@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize(("heads", "key_heads"), [(24, 2), (32, 2), (12, 1), (4, 4), (20, 1)])
def test_it_is_the_reference_for_every_group(
    heads: int, key_heads: int, interleaved: bool, dtype: torch.dtype
) -> None:
    case, spin = Case(heads, key_heads, 32, 45, dtype), _spin(32, interleaved=interleaved)
    case.run(spin, 3, Plan(16, 1))
    case.check(spin)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 31, 32, 47, 48, 63, 64, 65, 95, 96, 97, 143])
def test_every_length_is_shared_out_whole(length: int) -> None:
    case, spin = Case(6, 2, 16, length), _spin(16, interleaved=False)
    case.run(spin, 3, Plan(16, 1))
    case.check(spin)


@pytest.mark.parametrize("splits", [1, 2, 5, 33])
@pytest.mark.parametrize(
    "plan",
    [Plan(16, 2, stages=1, columns=16), Plan(32, 1, columns=64), Plan(16, 4, ahead=0)],
)
def test_any_number_of_shares_and_any_plan_give_the_same(splits: int, plan: Plan) -> None:
    case, spin = Case(12, 2, 32, 130), _spin(32, interleaved=True)
    case.run(spin, splits, plan)
    case.check(spin)


@pytest.mark.parametrize("width", [8, 24, 80, 128])
def test_heads_of_any_width_fit(width: int) -> None:
    case, spin = Case(3, 1, width, 21), _spin(width, interleaved=False)
    case.run(spin, 2, Plan(16, 1))
    case.check(spin)


def test_queries_and_keys_are_normed_before_they_turn() -> None:
    case, spin = Case(6, 2, 32, 40), _spin(32, interleaved=False)
    norms = torch.rand(32, device=DEVICE) + 0.5, torch.rand(32, device=DEVICE) + 0.5, 1e-5
    case.run(spin, 4, Plan(16, 1), norms)
    case.check(spin, norms)


def test_great_scores_do_not_overflow() -> None:
    case, spin = Case(6, 2, 32, 70), _spin(32, interleaved=False)
    case.qkv *= 300
    case.run(spin, 4, Plan(16, 1))
    keys, values = case.before[1, :, :, :70]
    mixed, _, _ = attend_reference(case.qkv, keys, values, case.position, spin)
    _near(case.out, mixed, 1e-2)  # such scores are as coarse as that themselves


@pytest.mark.skipif(DEVICE == "cpu", reason="needs a GPU")
@pytest.mark.parametrize("length", [4095, 32767, 65535])
@pytest.mark.parametrize(("heads", "key_heads"), [(24, 2), (96, 8), (32, 2)])
def test_long_conversations_are_right(heads: int, key_heads: int, length: int) -> None:
    case, spin = Case(heads, key_heads, 128, length, BF16), _spin(128, interleaved=True)
    case.run(spin, 264 // key_heads, Plan())
    case.check(spin)


@pytest.mark.skipif(DEVICE == "cpu", reason="needs a GPU")
def test_the_same_comes_out_each_time() -> None:
    outs = []
    case, spin = Case(24, 2, 128, 5000, BF16), _spin(128, interleaved=False)
    for _ in range(20):
        case.run(spin, 132, Plan())
        outs.append(case.out.clone())
    assert all(torch.equal(out, outs[0]) for out in outs)
