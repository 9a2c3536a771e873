"""The processes of the other ranks: how they begin and end."""

from __future__ import annotations

import psutil
import pytest
from split import Given, spread

from app.engine.local.ranks.crew import Crew
from app.vocabulary import EngineFault


def test_ranks_that_are_told_to_end_do(capfd: pytest.CaptureFixture[str]) -> None:
    network = spread(2)
    (pid,) = network.crew.pids
    network.close()
    network.close()
    assert not psutil.pid_exists(pid)
    assert capfd.readouterr() == ("", "")


def test_processes_that_have_begun_are_ended_by_who_gives_up() -> None:
    crew = Crew(3)
    crew.begin()
    crew.close()
    assert not any(psutil.pid_exists(pid) for pid in crew.pids)


def test_a_rank_that_cannot_load_says_why_and_nothing_is_left() -> None:
    with pytest.raises(EngineFault, match="weights are damaged") as caught:
        spread(2, Given(fails=1))
    assert caught.value.kind == "damaged"
    assert "rank 1" in caught.value.detail


def test_a_rank_0_that_cannot_load_ends_the_others() -> None:
    with pytest.raises(EngineFault, match="weights are damaged"):
        spread(2, Given(fails=0))
