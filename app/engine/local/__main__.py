"""The engine child's entry: `python -m app.engine.local`, started and watched by the window."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.engine.local import life
from app.engine.local.options import ServeOptions
from app.engine.local.serve.server import serve
from app.vocabulary import EngineFault


def main() -> int:
    options = _options()
    try:
        return serve(options)
    except EngineFault as fault:
        _tell(fault, options)
    except Exception as error:  # a process's entry: whatever it was, the window is told
        detail = f"{type(error).__name__}: {error}"
        unknown = EngineFault("engine_failed", "The embedded engine failed to start.", detail)
        _tell(unknown, options)
    return 1


def _tell(fault: EngineFault, options: ServeOptions) -> None:
    (life.fail_as_json if options.watch_stdin else life.fail_as_words)(fault)


def _options() -> ServeOptions:
    parser = argparse.ArgumentParser(prog="python -m app.engine.local")
    parser.add_argument("--model", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--gpus", type=int)
    parser.add_argument("--context", type=int)
    parser.add_argument("--watch-stdin", action="store_true")
    given = parser.parse_args()
    return ServeOptions(
        model=given.model,
        folder=given.folder,
        gpus=given.gpus,
        context=given.context,
        watch_stdin=given.watch_stdin,
    )


if __name__ == "__main__":
    sys.exit(main())
