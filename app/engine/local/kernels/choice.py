"""The kernels that choose a token: scan the logits, collect who may be chosen, choose. Which
settings and buffers there are is known in kernels/sample.py alone.

Nothing is sorted. A first pass counts, for each block of the vocabulary, the scores in bins of half
a unit below the block's greatest; all bins lie on one lattice, so that the counts of all blocks
tell a score above which everything lies that can be chosen. Of those few, each finds by comparison
with all the others how many are likelier and how likely these are together, which is all that
top-k, top-p and the drawn number ask for.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

# places in `settings`
TEMPERATURE, TOP_P, LOG_MIN_P, PENALTY, TOP_K = (tl.constexpr(place) for place in range(5))
_FAR = tl.constexpr(1e9)
_HIGH = tl.constexpr(4194304.0)  # a lattice of halves is exact in 32 bits below


@triton.jit
def _lattice(score):
    """Half units below a score, never infinite."""
    return tl.floor(2.0 * tl.minimum(tl.maximum(score, -_FAR), _FAR))


@triton.jit
def _scores(logits, seen, temperature, penalty, token, V):
    """Logits [BLOCK] with the penalty and the temperature; what is no number is never chosen."""
    score = tl.load(
        logits + token, mask=token < V, other=float("-inf"), cache_modifier=".cg"
    ).to(tl.float32)  # fmt: skip
    score = tl.where(score == score, score, float("-inf"))  # noqa: PLR0124
    if penalty != 1.0:
        known = tl.load(seen + token, mask=token < V, other=0, cache_modifier=".cg") != 0
        less = tl.where(score > 0, score / penalty, score * penalty)
        score = tl.where(known, less, score)
    if temperature > 0:  # finite from here on: the host is left with what goes as far
        score = tl.minimum(tl.maximum(score / temperature, -_FAR), _FAR)
    return tl.where(token < V, score, float("-inf"))


@triton.jit
def scan(
    logits, seen, settings, scores, most, best, sums, counts, V,
    BLOCK: tl.constexpr, BINS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """A block's greatest score and its token, which is all for greedy choice; the sum of powers and
    how many scores lie in each bin. The last bin holds all that is lower."""
    block = tl.program_id(0)
    token = block * BLOCK + tl.arange(0, BLOCK)
    temperature, penalty = tl.load(settings + TEMPERATURE), tl.load(settings + PENALTY)
    if PDL:
        gdc_launch_dependents()
        gdc_wait()
    score = _scores(logits, seen, temperature, penalty, token, V)
    top, at = tl.max(score, 0, return_indices=True)
    tl.store(most + block, top)
    tl.store(best + block, block * BLOCK + at)
    if temperature > 0:
        tl.store(scores + token, score, mask=token < V)
        powers = tl.exp(score - top)
        tl.store(sums + block, tl.sum(powers.to(tl.float64), 0))
        below = tl.minimum(_lattice(top) - _lattice(score), BINS - 1.0).to(tl.int32)
        tl.store(counts + block * BINS + tl.arange(0, BINS), tl.histogram(below, BINS))


@triton.jit
def _greatest(most, BLOCKS: tl.constexpr, SPAN: tl.constexpr):
    """The greatest scores of all blocks [SPAN]."""
    block = tl.arange(0, SPAN)
    return tl.load(most + block, mask=block < BLOCKS, other=float("-inf"), cache_modifier=".cg")


@triton.jit
def _likeliest(most, best, BLOCKS: tl.constexpr, SPAN: tl.constexpr):
    """The token of the greatest score, the first of equal ones."""
    block = tl.arange(0, SPAN)
    token = tl.load(best + block, mask=block < BLOCKS, other=0, cache_modifier=".cg")
    _top, at = tl.max(_greatest(most, BLOCKS, SPAN), 0, return_indices=True)
    return tl.sum(tl.where(block == at, token, 0), 0)


@triton.jit
def _unranked(settings, V):
    """Whether all tokens may be chosen that are likely enough, so that their order is their own."""
    return (_most_ranked(settings, V) == V) & (tl.load(settings + TOP_P) >= 1)


@triton.jit
def _most_ranked(settings, V):
    """How many tokens top-k leaves."""
    count = tl.load(settings + TOP_K).to(tl.int32)
    return tl.where((count > 0) & (count < V), count, V)


@triton.jit
def _bar(
    settings, tops, sums, counts, block, V,
    BLOCK: tl.constexpr, BLOCKS: tl.constexpr, SPAN: tl.constexpr, BINS: tl.constexpr,
):  # fmt: skip
    """A score below which nothing can be chosen, how many reach it, and how many of them are in the
    blocks before this one."""
    blocks, step = tl.arange(0, SPAN), tl.arange(0, BINS)
    top = tl.max(tops, 0)
    shift = tl.minimum(_lattice(top) - _lattice(tops), BINS + 0.0).to(tl.int32)
    place = step[None, :] - shift[:, None]
    here = (place >= 0) & (step < BINS - 1)[None, :] & (blocks < BLOCKS)[:, None]
    count = tl.load(
        counts + blocks[:, None] * BINS + place, mask=here, other=0, cache_modifier=".cg"
    )
    each = tl.sum(count, 0)  # [BINS], of the whole vocabulary
    before = tl.cumsum(tl.sum(tl.where((blocks < block)[:, None], count, 0), 0), 0)
    reaching = tl.cumsum(each, 0)
    floor = 0.5 * (_lattice(top) - step)  # a bin's lowest score
    # what is left out weighs less than this, reckoned by the highest score of each bin
    each = tl.where(step < BINS - 1, each, V - tl.sum(each, 0))
    weights = each * tl.exp(floor + 0.5 - top)
    later = step[:, None] > step[None, :]
    left = tl.sum(tl.where(later, weights[:, None], 0.0), 0)
    power = tl.load(sums + blocks, mask=blocks < BLOCKS, other=0.0, cache_modifier=".cg")
    whole = tl.sum(power * tl.exp(tl.maximum(tops, -_FAR) - top).to(tl.float64), 0).to(tl.float32)
    ranked = _most_ranked(settings, V)
    spare = (1.0 - tl.load(settings + TOP_P)) * whole * 0.9999
    low = floor <= top + tl.load(settings + LOG_MIN_P)
    enough = tl.where(ranked < V, reaching >= ranked, (left <= spare) | low) & (step < BINS - 1)
    chosen = tl.min(tl.where(enough, step, BINS), 0)
    bar = tl.sum(tl.where(step == chosen, floor, 0.0), 0)
    held = tl.sum(tl.where(step == chosen, reaching, 0), 0)
    first = tl.sum(tl.where(step == chosen, before, 0), 0)
    all_of_them = chosen == BINS
    bar = tl.where(all_of_them, float("-inf"), bar)
    return bar, tl.where(all_of_them, V, held), tl.where(all_of_them, block * BLOCK, first)


@triton.jit
def collect(
    settings, scores, most, sums, counts, weights, found, tokens, held, V,
    BLOCK: tl.constexpr, BLOCKS: tl.constexpr, SPAN: tl.constexpr, BINS: tl.constexpr,
    ROOM: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Where tokens are ranked, put those that may be chosen side by side, in their order; where
    not, how much those of a block weigh together."""
    block = tl.program_id(0)
    temperature = tl.load(settings + TEMPERATURE)
    if PDL:
        gdc_launch_dependents()
        gdc_wait()
    if temperature > 0:
        token = block * BLOCK + tl.arange(0, BLOCK)
        score = tl.load(
            scores + token, mask=token < V, other=float("-inf"), cache_modifier=".cg"
        )  # fmt: skip
        tops = _greatest(most, BLOCKS, SPAN)
        if _unranked(settings, V):
            weight = _weights(score, tl.max(tops, 0), settings)
            tl.store(weights + block, tl.sum(weight, 0))
        else:
            bar, count, first = _bar(
                settings, tops, sums, counts, block, V, BLOCK, BLOCKS, SPAN, BINS
            )
            inside = (score >= bar) & (token < V)
            place = first + tl.cumsum(inside.to(tl.int32), 0) - 1
            inside &= place < ROOM
            tl.store(found + place, score, mask=inside)
            tl.store(tokens + place, token, mask=inside)
            if block == 0:
                tl.store(held, count)


@triton.jit
def _weights(score, top, settings):
    """How likely tokens are beside the likeliest; 0 where that is less than min-p."""
    likely = score >= top + tl.load(settings + LOG_MIN_P)
    return tl.where(likely, tl.exp(score - top), 0.0).to(tl.float64)


@triton.jit
def _walked(
    settings, scores, weights, top, mark, V,
    BLOCK: tl.constexpr, BLOCKS: tl.constexpr, SPAN: tl.constexpr,
):  # fmt: skip
    """The token on which `mark`, from 0 to 1, falls, all in the order of the vocabulary."""
    block = tl.arange(0, SPAN)
    each = tl.load(weights + block, mask=block < BLOCKS, other=0.0, cache_modifier=".cg")
    upto = tl.cumsum(each, 0)
    mark *= tl.max(upto, 0)
    chosen = tl.minimum(tl.sum((upto <= mark).to(tl.int32), 0), BLOCKS - 1)
    before = tl.max(tl.where(block < chosen, upto, 0.0), 0)
    place = tl.arange(0, BLOCK)
    token = chosen * BLOCK + place
    score = tl.load(scores + token, mask=token < V, other=float("-inf"), cache_modifier=".cg")
    weight = _weights(score, top, settings)
    passed = tl.sum((before + tl.cumsum(weight, 0) <= mark).to(tl.int32), 0)
    last = tl.max(tl.where(weight > 0, place, 0), 0)
    return chosen * BLOCK + tl.minimum(passed, last)


@triton.jit
def _rank(found, above, ranks, first, count, top, CHUNK: tl.constexpr):
    """Of some candidates: how many are likelier, of equal ones the earlier, and their weight."""
    mine = first + tl.arange(0, CHUNK)
    own = tl.load(found + mine, mask=mine < count, other=float("-inf"), cache_modifier=".cg")
    weight = tl.zeros([CHUNK], tl.float64)
    rank = tl.zeros([CHUNK], tl.int32)
    for start in tl.range(0, count, CHUNK):
        at = start + tl.arange(0, CHUNK)
        other = tl.load(found + at, mask=at < count, other=float("-inf"), cache_modifier=".cg")
        earlier = (other[None, :] == own[:, None]) & (at[None, :] < mine[:, None])
        likelier = ((other[None, :] > own[:, None]) | earlier) & (at < count)[None, :]
        power = tl.exp(other - top).to(tl.float64)
        weight += tl.sum(tl.where(likelier, power[None, :], 0.0), 1)
        rank += tl.sum(likelier.to(tl.int32), 1)
    tl.store(above + mine, weight, mask=mine < count)
    tl.store(ranks + mine, rank, mask=mine < count)


@triton.jit
def _drawn(
    settings, found, tokens, above, ranks, count, tops, sums, mark, V,
    BLOCKS: tl.constexpr, SPAN: tl.constexpr, ROOM: tl.constexpr,
):  # fmt: skip
    """The token on which `mark`, from 0 to 1, falls, the likeliest first."""
    at, block = tl.arange(0, ROOM), tl.arange(0, SPAN)
    inside = at < count
    top = tl.max(tops, 0)
    score = tl.load(found + at, mask=inside, other=float("-inf"), cache_modifier=".cg")
    before = tl.load(above + at, mask=inside, other=0.0, cache_modifier=".cg")
    rank = tl.load(ranks + at, mask=inside, other=ROOM, cache_modifier=".cg")
    weight = tl.exp(score - top).to(tl.float64)
    ranked = _most_ranked(settings, V)
    power = tl.load(sums + block, mask=block < BLOCKS, other=0.0, cache_modifier=".cg")
    whole = tl.sum(power * tl.exp(tl.maximum(tops, -_FAR) - top).to(tl.float64), 0)
    kept = inside & (rank < ranked)
    if ranked < V:
        whole = tl.sum(tl.where(kept, weight, 0.0), 0)
    share = tl.load(settings + TOP_P).to(tl.float64)
    least = top + tl.load(settings + LOG_MIN_P)
    if share < 1:
        kept &= (before < share * whole) | (rank == 0)
    likely = kept & (score >= least)
    mark *= tl.sum(tl.where(likely, weight, 0.0), 0)
    chosen = tl.max(tl.where(likely & (before <= mark), rank, 0), 0)
    token = tl.load(tokens + at, mask=inside, other=0, cache_modifier=".cg")
    return tl.sum(tl.where(rank == chosen, token, 0), 0)


@triton.jit
def _write(chosen, bad, token, place, seen, overflow, ring, RING: tl.constexpr):
    """What the next step reads, and what the host is told: no token any more, once one could not
    be chosen."""
    length, position, step = tl.load(place), tl.load(place + 1), tl.load(place + 3)
    bad = tl.maximum(tl.load(overflow), bad.to(tl.int32))
    tl.store(overflow, bad)
    tl.store(token, chosen.to(tl.int64))
    told = (ring + (step % RING) * 8).to(tl.pointer_type(tl.int64))
    tl.store(told, tl.where(bad > 0, -1, chosen).to(tl.int64))
    tl.store(place, length + 1)
    tl.store(place + 1, position + 1)
    tl.store(place + 3, step + 1)
    tl.store(seen + chosen, 1)


@triton.jit
def choose(
    settings, uniform, scores, most, best, sums, weights, found, tokens, held, above, ranks,
    arrived, token, place, seen, overflow, ring, V,
    BLOCK: tl.constexpr, BLOCKS: tl.constexpr, SPAN: tl.constexpr, ROOM: tl.constexpr,
    CHUNK: tl.constexpr, LONGEST: tl.constexpr, RING: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Each program ranks some of the candidates, and the last of them draws."""
    program = tl.program_id(0)
    temperature = tl.load(settings + TEMPERATURE)
    if PDL:
        gdc_launch_dependents()
        gdc_wait()
    if temperature <= 0:
        if program == 0:
            chosen = _likeliest(most, best, BLOCKS, SPAN)
            _write(chosen, chosen < 0, token, place, seen, overflow, ring, RING)
    else:
        tops = _greatest(most, BLOCKS, SPAN)
        top = tl.max(tops, 0)
        wild = tl.abs(top) > _HIGH
        if _unranked(settings, V):
            if program == 0:
                mark = _mark(uniform, place, LONGEST)
                chosen = _walked(settings, scores, weights, top, mark, V, BLOCK, BLOCKS, SPAN)
                _write(chosen, wild, token, place, seen, overflow, ring, RING)
        else:
            count = tl.load(held, cache_modifier=".cg")
            many = wild | (count > ROOM)
            count = tl.maximum(tl.minimum(count, ROOM), 1)
            if program * CHUNK < count:
                _rank(found, above, ranks, program * CHUNK, count, top, CHUNK)
                tl.debug_barrier()
                before = tl.atomic_add(arrived, 1, sem="acq_rel")
                if before == tl.cdiv(count, CHUNK) - 1:
                    mark = _mark(uniform, place, LONGEST)
                    chosen = _drawn(
                        settings, found, tokens, above, ranks, count, tops, sums, mark, V,
                        BLOCKS, SPAN, ROOM,
                    )  # fmt: skip
                    tl.store(arrived, 0)
                    _write(chosen, many, token, place, seen, overflow, ring, RING)


@triton.jit
def _mark(uniform, place, LONGEST: tl.constexpr):
    """The number that was drawn for this step, below the last share even when rounded."""
    step = tl.minimum(tl.load(place + 3), LONGEST - 1)
    return tl.load(uniform + step) * (1 - 1e-12)
