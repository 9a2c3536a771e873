"""Whether the fast way gives the answers of the slow one: logits under teacher forcing, and the
same answer again and again.

    python -m app.engine.local.trial.agree --folder DIR [--layers 8] [--gpus N] [--save FILE]
    python -m app.engine.local.trial.agree --folder DIR --gpus N --against FILE
    python -m app.engine.local.trial.agree --folder DIR --gpus N --repeat

`--against` compares with what another number of GPUs saved: the weights are the same whatever the
number is. `--repeat` takes a folder of its own. The last line says whether all held. On a CPU it
takes TRITON_INTERPRET=1 and --small.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.glm.config import check_gpus, read
from app.engine.local.glm.opening import Opening
from app.engine.local.model import Loading, Model, load
from app.engine.local.ranks.group import ALONE, Group
from app.engine.local.ranks.spread import Spread
from app.engine.local.sampler import Choice
from app.engine.local.trial.asked import spread, text
from app.engine.local.trial.judge import Judge, Rows, open_judge
from app.engine.local.trial.made import write
from app.engine.local.trial.size import MODELS
from app.engine.local.weights.estimate import estimate
from app.engine.request.turn import Turn
from app.vocabulary import EngineFault

_EQUAL = 0.99  # of the steps must have the same likeliest token
_FAR = 0.05  # ‖fast - slow‖ / ‖slow‖ of a step's logits, at the median
_WORDS = 151329  # those before the special tokens
_PATIENCE = 500.0  # seconds for all steps
_DRAWN = Choice(temperature=1.0, top_p=0.95, top_k=50, seed=7)


def main() -> int:
    given = _given()
    if not (given.folder / "config.json").exists():
        # steady weights soon say the same over and over, and such an answer is ended
        steady = not given.repeat
        write(given.folder, given.model, layers=given.layers, small=given.small, steady=steady)
    held = _repeated(given) if given.repeat else _compared(given)
    print("all of it held" if held else "NOT all of it held", flush=True)
    return 0 if held else 1


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.engine.local.trial.agree")
    parser.add_argument("--folder", required=True, type=Path, help="made where it is not there")
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument("--layers", type=int, help="fewer, at full width")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--ranks", type=int, help="processes on the CPU instead")
    parser.add_argument("--prompt", type=int, default=300, help="tokens")
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--save", type=Path, help="where to put the logits")
    parser.add_argument("--against", type=Path, help="logits of another number of GPUs")
    parser.add_argument("--repeat", action="store_true", help="one answer, again and again")
    parser.add_argument("--tokens", type=int, default=2000, help="of the repeated answer")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--small", action="store_true", help="tiny, to try the check itself")
    return parser.parse_args()


# --- logits ------------------------------------------------------------------------------------


def _compared(given: argparse.Namespace) -> bool:
    rows = _rows(given)
    if given.save:
        torch.save({"fast": rows.fast, "steps": rows.steps}, given.save)
    _say("the slow way, all at once, against itself step by step", rows.whole, rows.steps)
    held = [_say("the fast way against the slow one", rows.fast, rows.steps)]
    if given.against:
        saved = torch.load(given.against)
        for way, own in (("fast", rows.fast), ("steps", rows.steps)):
            held.append(_say(f"against {given.against.name}: {way}", own, saved[way]))
    return all(held)


def _rows(given: argparse.Namespace) -> Rows:
    random = np.random.default_rng(11)
    numbers = random.integers(0, _WORDS, given.prompt + given.steps).tolist()
    prompt, tokens = tuple(numbers[: given.prompt]), tuple(numbers[given.prompt :])
    opening, count = _opening(given)
    if count == 1:
        group = ALONE if not torch.cuda.is_available() else Group(0, 1, torch.device("cuda", 0))
        judge: Judge = open_judge(opening, group, lambda *_: None)
        return judge.rows(prompt, tokens)
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    ranks = Spread.open(open_judge, opening, count=count, kind=kind)
    try:
        rows: Rows = ranks.call("rows", prompt, tokens, limit=_PATIENCE)
        return rows
    finally:
        ranks.close()


def _opening(given: argparse.Namespace) -> tuple[Opening, int]:
    config, count = read(given.folder), given.ranks or given.gpus
    check_gpus(config.text, count)
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    needed = estimate(given.folder, dtype=dtype, ranks=count)
    context = given.prompt + given.steps + 1
    return Opening("agree", given.folder, config, dtype, needed, context), count


def _say(what: str, ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    """Prints how far two ways are apart; whether that is near enough."""
    gaps = (ours - theirs).norm(dim=1) / theirs.norm(dim=1)
    chosen, other = theirs.argmax(1), ours.argmax(1)
    equal = float((chosen == other).float().mean())
    best = theirs.topk(2, 1).values
    lead = (best[:, 0] - best[:, 1]) / theirs.std(1)  # how clear the choice was
    missed = lead[chosen != other]
    held = equal >= _EQUAL and float(gaps.median()) <= _FAR
    print(f"{what}:")
    print(f"  ‖difference‖ / ‖logits‖ {float(gaps.median()):.2e}, at most {float(gaps.max()):.2e}")
    print(f"  the same likeliest token in {equal:.2%} of {len(gaps)} steps", end="")
    print(f", which are {len(set(chosen.tolist()))} tokens")
    print(f"  its lead is {float(lead.median()):.2f} of the spread", end="")
    print(f", at most {float(missed.max()):.2f} where it differs" if len(missed) else "")
    print(f"  the same bits: {torch.equal(ours, theirs)}", flush=True)
    return held


# --- the same again ------------------------------------------------------------------------------


def _repeated(given: argparse.Namespace) -> bool:
    gpus = None if given.ranks else given.gpus
    model = load(Loading("agree", given.folder, gpus, ranks=given.ranks))
    model.defaults = replace(model.defaults, ends=frozenset())  # random weights may write one
    try:
        asked = Turn("user", (text(given.prompt, 3),))
        prompt = spread(model.chat.prompt((asked,), {}), 3)
        answers = []
        for _ in range(given.times):
            model.memory.clear()  # so that the prompt is read again, too
            answers.append(_answer(model, Job(prompt, given.tokens, _DRAWN, logprobs=None)))
        print(f"{len(answers)} answers of {given.tokens} tokens: {len(set(answers))} different")
        return len(set(answers)) == 1
    finally:
        if isinstance(model.network, Spread):
            model.network.close()


def _answer(model: Model, job: Job) -> str:
    """What was written: each word of this vocabulary has a text of its own."""
    texts: list[str] = []
    for piece in generate(model, job, lambda: False):
        if isinstance(piece, Finish):
            if piece.usage.completion < job.max_tokens:
                raise EngineFault("engine_failed", "An answer ended before its time.")
        else:
            texts.append(piece.text)
    return "".join(texts)


if __name__ == "__main__":
    sys.exit(main())
