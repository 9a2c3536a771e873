"""The eyes spread over ranks: what each of them sees is what one alone sees."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import write
from PIL import Image
from torch import multiprocessing

from app.engine.local.glm import config
from app.engine.local.glm.gallery import Gallery
from app.engine.local.glm.look import Look, read_look
from app.engine.local.glm.pixels import fitted
from app.engine.local.glm.prompt import Shown, Sight
from app.engine.local.glm.vision import Tower
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.weights.opened import Weights
from app.vocabulary import EndpointFault

CPU = torch.device("cpu")
CLOSE = 2e-5
# one large picture; as many as ranks; several that lie across the cut, one of them of a film
SETS = ([(300, 420)], [(140, 140)] * 2, [(90, 300), (200, 60), (200, 60), (130, 130)])


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def sight(size: tuple[int, int], look: Look, seed: int) -> Sight:
    """A picture as it came and, every other one, its pixels."""
    pixels, out = noise(*size, seed), BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    height, width = fitted(size, look, "Picture 1")
    shown = Shown(out.getvalue(), pixels if seed % 2 else None, (height, width))
    return Sight(0, (1, height // look.patch, width // look.patch), f"{size} {seed}", (shown,))


def blind(seen: Sight) -> Sight:
    """What a rank is told that isn't the first."""
    return replace(seen, frames=tuple(replace(f, image=b"", pixels=None) for f in seen.frames))


def galleries(folder: Path, group: Group) -> tuple[Gallery, Gallery]:
    """Over all ranks, and on this one alone."""
    vision = config.read(folder).vision
    assert vision is not None
    weights = Weights.open(folder, device=CPU, dtype=torch.float32, say=lambda *_: None)
    towers = [Tower(weights, vision, torch.float32, g) for g in (group, ALONE)]
    weights.close()
    shared, alone = (Gallery(tower, read_look(folder)) for tower in towers)
    return shared, alone


@torch.inference_mode()
def see(folder: Path, group: Group) -> None:
    shared, alone = galleries(folder, group)
    shared.prepare()
    look = read_look(folder)
    for number, sizes in enumerate(SETS):
        sights = [sight(size, look, number * 10 + n) for n, size in enumerate(sizes)]
        told = sights if group.rank == 0 else [blind(s) for s in sights]
        found = torch.cat(shared.show(told))
        wanted = torch.cat(alone.show(sights))
        torch.testing.assert_close(found, wanted, atol=CLOSE, rtol=1e-4)
        everyones = group.gather(found[None])
        assert all(torch.equal(one, found) for one in everyones), "the same bits on every rank"
    assert shared.runs == sum(map(len, SETS))


@torch.inference_mode()
def stumble(folder: Path, group: Group) -> None:
    """A picture that can't be decoded fails on all ranks, and the next one is seen."""
    shared, _ = galleries(folder, group)
    look = read_look(folder)
    good = sight((60, 90), look, 2)
    broken = replace(good, key="broken", frames=(Shown(b"no picture", None, (56, 84)),))
    for _ in range(2):
        with pytest.raises(EndpointFault) as caught:
            shared.show([broken if group.rank == 0 else blind(broken)])
        assert caught.value.kind == "bad_request"
    (found,) = shared.show([good if group.rank == 0 else blind(good)])
    assert found.isfinite().all()


def rank(number: int, count: int, folder: str) -> None:
    torch.set_num_threads(1)
    group = Group.join(number, count, device=CPU, address=Path(folder) / "meeting", patience=60)
    see(Path(folder) / "glm4v_moe", group)
    stumble(Path(folder) / "glm4v_moe", group)
    group.close()


@pytest.mark.slow
def test_two_ranks_see_what_one_sees(tmp_path: Path) -> None:
    write(tmp_path / "glm4v_moe", "glm4v_moe")
    multiprocessing.spawn(rank, (2, str(tmp_path)), nprocs=2)


def test_a_rank_without_a_patch_takes_part(tmp_path: Path) -> None:
    """More ranks than windows, each asked in turn for what it would send and embed."""
    folder = write(tmp_path / "glm4v", "glm4v")
    vision = config.read(folder).vision
    assert vision is not None
    weights = Weights.open(folder, device=CPU, dtype=torch.float32, say=lambda *_: None)
    last = Tower(weights, vision, torch.float32, _Last(4, 5, CPU))
    weights.close()
    own = last.lot([(4, 4)])
    assert (own.length, own.padded) == (0, 4)
    width = vision.patch**2 * vision.frames * vision.channels
    with torch.inference_mode():
        assert last.embed(torch.empty(0, width), [(4, 4)]).shape == (4, vision.out)


class _Last(Group):
    """The last of several ranks; the others send zeros."""

    def gather(self, x: torch.Tensor, dim: int = 0) -> torch.Tensor:
        return torch.cat([torch.zeros_like(x)] * (self.count - 1) + [x], dim)
