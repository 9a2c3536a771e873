"""`sightline serve`: the engine alone, as an OpenAI-compatible server."""

from __future__ import annotations

import argparse
import sys

from app.settings import Folders, Settings
from app.vocabulary import Fault


def run(given: argparse.Namespace, settings: Settings, folders: Folders) -> int:
    try:
        # the engine is an extra, and nothing but this command and the child may load torch
        from app.engine.local.server import ServeOptions, serve  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        print(
            f"sightline: the engine is not installed ({missing.name} is missing). "
            "Install it with: pip install 'sightline[engine]'",
            file=sys.stderr,
        )
        return 1
    try:
        return serve(
            ServeOptions(
                model=given.model or settings.local_model,
                gpus=given.gpus,
                host=given.host,
                port=given.port,
                api_key=given.api_key,
                context=given.context,
                watch_stdin=False,
                folder=folders.data,
            )
        )
    except Fault as fault:
        print(f"sightline: {fault.message}", file=sys.stderr)
        return 1
