from __future__ import annotations

import pytest
import torch

from app.engine.local.room import (
    device_for,
    free_bytes,
    gigabytes,
    is_no_memory,
    no_room,
    ran_out,
    room_for,
)
from app.vocabulary import EngineFault

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0.00 GB"), (2**29, "0.50 GB"), (2**31, "2.0 GB"), (2**35, "32 GB")]
)
def test_sizes_are_said_as_exactly_as_they_matter(count: int, words: str) -> None:
    assert gigabytes(count) == words


def test_idle_conversations_get_less_than_working_ones_and_both_less_than_there_is() -> None:
    room = room_for(CPU)
    assert 0 < room.kept < room.limit < free_bytes(CPU) * 1.1


def test_more_memory_than_any_machine_has_is_no_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_no_memory(caught.value)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ in memory"), ValueError("DefaultCPUAllocator: memory")]
)
def test_other_errors_are_not_taken_for_it(error: Exception) -> None:
    assert not is_no_memory(error)


@pytest.mark.parametrize("say", [no_room, ran_out])
def test_what_is_said_has_the_numbers_and_a_remedy(say: type[EngineFault]) -> None:
    fault = say(3 * 2**30, 2**30)
    assert "3.0 GB" in str(fault)
    assert "1.0 GB" in str(fault)
    assert "fewer pages" in str(fault)


def test_a_gpu_that_is_not_there_is_not_promised() -> None:
    with pytest.raises(EngineFault, match="--gpus asks for 99"):
        device_for(99)


def test_no_gpu_at_all_can_be_asked_for() -> None:
    assert device_for(0) == CPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpus_room_leaves_a_reserve() -> None:
    device = device_for(None)
    assert device.type == "cuda"
    assert 0 < room_for(device).limit < free_bytes(device) - 2**30
