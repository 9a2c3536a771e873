"""The law of the house, checked: who may import whom, and what a process may hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "app").rglob("*.py"))
UI = [file for file in FILES if "ui" in file.parts]
HEAVY = ("torch", "transformers", "triton", "pymupdf", "fitz", "onnxruntime", "cv2", "av")


def test_imports_point_down() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    checked = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_the_window_process_loads_no_model_and_no_document_library() -> None:
    script = f"""
import asyncio, sys
import qasync
from PySide6.QtWidgets import QApplication
from app.keys import Keys
from app.settings import Settings, folders
from app.ui.program import run
from app.ui.look import Look
from app.ui.services import Services
from app.ui.session import Session
from app.ui.window import Window

async def live():
    keys = Keys()
    services = Services(Settings(), folders(), keys)
    session = Session(services)
    window = Window(session, Look(application, "system"), keys)
    window.show()
    session.start()
    await asyncio.sleep(0.3)
    window.hide()
    await window.end()
    await session.close()
    await services.close()

application = QApplication([])
with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
    runner.run(live())
print(sorted(set(sys.modules) & set({HEAVY!r})))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr


def test_the_command_line_loads_no_model() -> None:
    script = (
        f"import sys, app.cli.main\nprint(sorted(set(sys.modules) & set({HEAVY!r} + ('PySide6',))))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr


@pytest.mark.parametrize("package", [f for f in FILES if f.name == "__init__.py"], ids=str)
def test_a_package_says_nothing_at_its_door(package: Path) -> None:
    if package.parent.name != "app":
        assert package.read_text(encoding="utf-8").strip() == ""


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_file_fits_its_room(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= 400
    if text.strip():
        assert ast.get_docstring(tree), "one sentence heads each module"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < _longest(node), node.name


def _longest(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function; a kernel is one launch, and what it holds in registers can't be handed
    on in parts."""
    kernel = any("triton.jit" in ast.unparse(mark) for mark in node.decorator_list)
    return 80 if kernel else 50


@pytest.mark.parametrize("file", UI, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_dialog_is_opened_and_never_executed(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("exec", "exec_"), f"line {node.lineno}"
