from __future__ import annotations

import time

import pytest

from app.engine.local.ranks import loss
from app.engine.local.ranks.limits import TICK, Clock
from app.engine.local.ranks.order import Failed, Order, Ref, packed, unpacked
from app.vocabulary import EndpointFault


def test_a_clock_that_was_not_looked_at_did_not_run() -> None:
    """A process that was stopped for an hour does not think that the others were silent."""
    clock = Clock()
    time.sleep(3 * TICK)
    assert clock.look() == pytest.approx(2 * TICK)
    time.sleep(TICK / 5)
    assert TICK / 5 <= clock.look() - 2 * TICK < TICK


def test_an_order_arrives_as_it_was_sent() -> None:
    order = Order(7, 3, "read", (Ref(4), (1, 2), 9), made=5, brought=(4, "prompt"), dropped=(1, 2))
    assert unpacked(packed(order)) == order


@pytest.mark.parametrize(
    ("error", "harmless"),
    [
        (MemoryError(), True),
        (EndpointFault("bad_request", "This picture is damaged."), True),
        (RuntimeError("the line is closed"), False),
        (TypeError("no such thing"), False),
    ],
)
def test_only_errors_that_leave_nothing_behind_are_harmless(
    error: Exception, harmless: bool
) -> None:
    assert loss.is_harmless(loss.word_of(error, 1)) is harmless


def test_words_for_a_person_come_with_the_detail_of_a_bug_report() -> None:
    fault = loss.failed(Failed(3, "engine_failed", "", "RuntimeError: x", broken=True), 2)
    assert (fault.kind, fault.detail) == ("engine_failed", "rank 2: RuntimeError: x")
    assert "A GPU failed" in fault.message
    assert loss.died(1, 4, -11).detail == "rank 1 of 4: SIGSEGV"
    assert loss.died(1, 4, 3).detail == "rank 1 of 4: exit status 3"
