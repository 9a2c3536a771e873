"""The command line: reads the arguments and hands each command to its own file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from app import __version__
from app.cli import ask, doctor, download, fit, frames, models, serve, snip, stages
from app.cli.input import Sight
from app.docs.reader import Request
from app.settings import Folders, Settings, folders, load
from app.vocabulary import Sampling

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str], bench: Command) -> int:
    """Runs one command; `bench` stands above the command line and is handed in."""
    parser = build(bench)
    given = parser.parse_args(list(arguments))
    command: Command = given.command
    try:
        return command(given)
    except KeyboardInterrupt:
        print("sightline: stopped.", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output went away; nothing is left to say to it
        sys.stderr.close()
        return 1


def build(bench: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sightline",
        description="A desktop assistant that sees what you see. Without a command it opens the "
        "window.",
    )
    parser.add_argument("--version", action="version", version=f"sightline {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _ask(commands)
    _frames(commands)
    snip.add(commands.add_parser("snip", help=snip.ABOUT))  # run before any of this is loaded
    _serve(commands)
    _models(commands)
    _doctor(commands)
    _filter(commands)
    _bench(commands, bench)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _ask(commands: Commands) -> None:
    p = commands.add_parser("ask", help="ask about files or the screen")
    p.add_argument("files", nargs="*", metavar="FILE", help="what to look at; - is standard input")
    p.add_argument("question", help="the question")
    p.add_argument("--screen", action="store_true", help="look at every screen")
    p.add_argument("--window", action="store_true", help="look at the active window")
    p.add_argument(
        "--region", type=snip.region, metavar="X,Y,W,H", help="look at a part of the screen"
    )
    p.add_argument("--endpoint", metavar="NAME or URL", help="where to ask")
    p.add_argument("--model", help="which model to ask")
    p.add_argument("--api-key-env", metavar="VAR", help="the variable that holds the key")
    p.add_argument("--thinking", type=_thinking, metavar="on|off|TOKENS", default=(None, None))
    p.add_argument("--max-tokens", type=_positive, metavar="N", help="the answer's longest length")
    _reading(p)
    p.set_defaults(command=_run_ask)


def _frames(commands: Commands) -> None:
    p = commands.add_parser("frames", help="a document, picture or video as frames")
    p.add_argument("file", metavar="FILE")
    p.add_argument("--max-side", type=_positive, metavar="N", help="longest side in pixels")
    p.add_argument("--every", type=_seconds, metavar="SECONDS", help="a video frame this often")
    p.add_argument("--no-ocr", action="store_true", help="don't read text out of pictures")
    p.add_argument("--out", type=Path, metavar="DIR", help="write the frames as files")
    _reading(p)
    p.set_defaults(command=_run_frames)


def _reading(p: argparse.ArgumentParser) -> None:
    p.add_argument("--pages", metavar="1-5,9", help="which pages")
    p.add_argument("--password", help="opens a protected file")
    p.add_argument("--json", action="store_true", help="JSON lines")


def _serve(commands: Commands) -> None:
    p = commands.add_parser("serve", help="the engine alone, as an OpenAI-compatible server")
    p.add_argument("--model", metavar="PATH or NAME", help="which model, or which adapter, to load")
    p.add_argument("--gpus", type=_count, metavar="N", help="how many GPUs to use; 0: the CPU")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=_port, default=0, help="0: the system chooses")
    p.add_argument("--api-key", default="", help="what every request must carry; else one is made")
    p.add_argument("--context", type=_positive, metavar="N", help="longest context in tokens")
    p.set_defaults(command=lambda given: serve.run(given, *_home()))


def _models(commands: Commands) -> None:
    p = commands.add_parser("models", help="the models on this machine, and more of them")
    verbs = p.add_subparsers(title="verbs", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="what lies here")
    listing.set_defaults(command=lambda g: models.run_list(folders(), as_json=g.json))
    fitting = verbs.add_parser("fit", help="what this machine can hold, and how fast: an estimate")
    fitting.add_argument(
        "--context",
        type=_positive,
        default=fit.CONTEXT,
        metavar="N",
        help="tokens to make room for",
    )
    fitting.set_defaults(command=lambda g: fit.run(g.context, folders(), as_json=g.json))
    getting = verbs.add_parser(
        "get",
        help="fetch one from a hub",
        description="Fetches a model, resumes where it was cut off, and verifies every file.",
        epilog="Environment: HF_ENDPOINT names a mirror of Hugging Face, MODELSCOPE_ENDPOINT one "
        "of ModelScope. HF_TOKEN and MODELSCOPE_API_TOKEN open gated models; a token is sent to "
        "its own hub only.",
    )
    getting.add_argument(
        "name",
        metavar="NAME",
        help="owner/name on Hugging Face, modelscope:owner/name on ModelScope, or the address of "
        "the model's page on either or on a mirror; @REVISION behind it where that is wanted",
    )
    getting.set_defaults(command=lambda g: download.run_get(g.name, folders(), as_json=g.json))
    removing = verbs.add_parser("remove", help="delete one, or what came of one")
    removing.add_argument("name", metavar="NAME", help="as `list` shows it")
    removing.set_defaults(command=lambda g: models.run_remove(g.name, folders(), as_json=g.json))
    for verb in (listing, fitting, getting, removing):
        verb.add_argument("--json", action="store_true", help="JSON lines")


def _doctor(commands: Commands) -> None:
    p = commands.add_parser("doctor", help="what works here, and what to do about the rest")
    p.add_argument("--json", action="store_true", help="JSON lines")
    p.set_defaults(command=lambda given: doctor.run(*_home(), as_json=given.json))


def _filter(commands: Commands) -> None:
    p = commands.add_parser("filter", help="one stage as a filter of JSON lines")
    p.add_argument("name", choices=sorted(stages.STAGES))
    p.set_defaults(command=lambda given: stages.run(given.name))


def _bench(commands: Commands, bench: Command) -> None:
    p = commands.add_parser("bench", help="measure this machine")
    p.add_argument("name", choices=["answer", "capture", "docs", "engine", "start", "ui"])
    p.add_argument("--runs", type=_positive, metavar="N", help="how often (median)")
    p.add_argument("--json", action="store_true", help="JSON lines")
    engine = p.add_argument_group("engine")
    engine.add_argument("--gpus", type=_positive, metavar="N", help="on so many; all, if left out")
    engine.add_argument("--only", metavar="NAMES", help="models and parts, with commas between")
    engine.add_argument("--no-stock", action="store_true", help="leave out stock transformers")
    engine.add_argument("--kernels", action="store_true", help="where a token's time goes, too")
    engine.add_argument("--small", action="store_true", help="tiny models, to try the bench itself")
    p.set_defaults(command=bench)


def _run_ask(given: argparse.Namespace) -> int:
    on, budget = given.thinking
    asked = ask.Asked(
        question=given.question,
        sight=Sight(
            tuple(Path(file) for file in given.files),
            screen=given.screen,
            window=given.window,
            region=given.region,
            pages=given.pages,
            password=given.password,
        ),
        sampling=Sampling(given.max_tokens, thinking=on, thinking_budget=budget),
        endpoint=given.endpoint,
        model=given.model,
        key_variable=given.api_key_env,
        as_json=given.json,
    )
    return ask.run(asked, *_home())


def _run_frames(given: argparse.Namespace) -> int:
    request = Request(
        Path(given.file),
        password=given.password,
        pages=given.pages,
        max_side=given.max_side,
        every=given.every,
        ocr="never" if given.no_ocr else "auto",
    )
    return frames.run(frames.Wanted(request, given.out, given.json))


def _home() -> tuple[Settings, Folders]:
    where = folders()
    settings, warning = load(where.config)
    if warning:
        print(f"sightline: {warning}", file=sys.stderr)
    return settings, where


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number above 0")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"“{text}” is not a port, 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds above 0")
    return seconds


def _thinking(text: str) -> tuple[bool, int | None]:
    if text in ("on", "off"):
        return text == "on", None
    try:
        return True, _positive(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"“{text}” is not on, off or a number of tokens") from None
