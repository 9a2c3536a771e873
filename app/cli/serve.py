"""`sightline serve`: the engine alone, as an OpenAI-compatible server."""

from __future__ import annotations

import argparse

from app.cli.output import fail
from app.engine.models import find
from app.settings import Folders, Settings
from app.vocabulary import EngineFault, Fault


def run(given: argparse.Namespace, settings: Settings, folders: Folders) -> int:
    try:
        return _serve(given, given.model or settings.local_model, folders)
    except Fault as fault:
        return fail(fault.as_error(), as_json=False)


def _serve(given: argparse.Namespace, model: str, folders: Folders) -> int:
    find(model, folders.data)  # a wrong name is told before the seconds that the imports take
    try:
        # the engine is an extra, and nothing but this command and the child may load torch
        from app.engine.local.serve.server import ServeOptions, serve  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise EngineFault(
            "engine_failed",
            f"the engine is not installed ({missing.name} is missing). "
            "Install it with: pip install 'sightline[engine]'",
        ) from missing
    return serve(
        ServeOptions(
            model=model,
            gpus=given.gpus,
            host=given.host,
            port=given.port,
            api_key=given.api_key,
            context=given.context,
            watch_stdin=False,
            folder=folders.data,
        )
    )
