"""Takes the time of single kernels: many calls in one captured graph, over so many inputs that none
is still in the cache. Knows no kernel."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import torch

_COLD = 512 << 20  # bytes: several times a GPU's second cache
_LEAST, _MOST = 24, 1024  # calls in a graph: fewer, and starting it would count
_REPLAYS = 21

Call = Callable[[], object]


def copies(size: int) -> int:
    """How many inputs of `size` bytes to rotate over so that each is cold when its turn comes."""
    return min(max(-(-_COLD // max(size, 1)), 2), _MOST)


def calls(launches: Sequence[Call]) -> list[Call]:
    """What goes into one graph: all of them in turn, and again until there are enough."""
    rounds = -(-_LEAST // len(launches)) if torch.cuda.is_available() else 1
    return list(launches) * rounds


def seconds(launches: Sequence[Call]) -> float:
    """The median over replays of what one call takes; on a CPU, of the calls as they are."""
    again = _captured(launches) if torch.cuda.is_available() else _plain(launches)
    return statistics.median(again(_REPLAYS)) / len(launches)


def _plain(launches: Sequence[Call]) -> Callable[[int], list[float]]:
    def again(_: int) -> list[float]:
        began = time.perf_counter()
        for launch in launches:
            launch()
        return [time.perf_counter() - began]

    return again


def _captured(launches: Sequence[Call]) -> Callable[[int], list[float]]:
    launches[0]()  # compiled and loaded before the capture
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for launch in launches:
            launch()
    return lambda count: replayed(graph, count)


def replayed(graph: torch.cuda.CUDAGraph, count: int) -> list[float]:
    """Seconds of each of `count` replays, by the device's own clock; two before them warm up."""
    marks = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(count)]  # type: ignore[no-untyped-call]
    for _ in range(2):
        graph.replay()
    for start, end in marks:
        start.record()
        graph.replay()
        end.record()
    torch.cuda.synchronize()
    return [start.elapsed_time(end) / 1000 for start, end in marks]


def bandwidth() -> float:
    """Bytes a second that the device reads: the better of a sum and of a maximum over 4 GB, which
    write nothing to speak of; 0 without a GPU."""
    if not torch.cuda.is_available():
        return 0.0
    numbers = torch.empty(2**30, dtype=torch.float32, device="cuda").normal_()
    size = numbers.numel() * numbers.element_size()
    best = min(seconds([call] * 4) for call in (numbers.sum, numbers.amax))
    return size / best
