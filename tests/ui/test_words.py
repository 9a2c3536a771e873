from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import PySide6
import pytest
from PySide6.QtCore import QTranslator

from app.ui.assets import TRANSLATIONS
from app.ui.words import speaks_chinese

UI = Path(__file__).parents[2] / "app" / "ui"
CATALOGUE = TRANSLATIONS / "sightline_zh_CN.ts"
TOOLS = Path(PySide6.__file__).parent
REMEDY = "run `make translations`, translate what is unfinished, run it again"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """What the code says now, and what the catalogue has for it."""
    catalogue = tmp_path_factory.mktemp("words") / CATALOGUE.name
    catalogue.write_bytes(CATALOGUE.read_bytes())
    files = [str(path) for path in sorted(UI.rglob("*.py"))]
    options = ["-locations", "none", "-no-obsolete", "-ts", str(catalogue)]
    subprocess.run([str(TOOLS / "lupdate"), *files, *options], check=True, capture_output=True)
    return messages(catalogue)


def messages(catalogue: Path) -> dict[tuple[str, str], str]:
    found = {}
    for context in ElementTree.parse(catalogue).iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            finished = translation.get("type") != "unfinished"
            text = translation.text or "" if finished else ""
            found[name, message.findtext("source", "")] = text
    return found


def test_nothing_is_left_untranslated(fresh: dict[tuple[str, str], str]) -> None:
    assert [key for key, text in fresh.items() if not text] == [], REMEDY


def test_the_catalogue_holds_nothing_that_is_no_longer_said(
    fresh: dict[tuple[str, str], str],
) -> None:
    assert messages(CATALOGUE).keys() - fresh.keys() == set(), REMEDY


def test_the_compiled_catalogue_is_current(tmp_path: Path) -> None:
    compiled = tmp_path / "sightline_zh_CN.qm"
    command = [str(TOOLS / "lrelease"), str(CATALOGUE), "-qm", str(compiled)]
    subprocess.run(command, check=True, capture_output=True)
    assert compiled.read_bytes() == CATALOGUE.with_suffix(".qm").read_bytes(), REMEDY


def test_a_translation_keeps_what_is_filled_in(fresh: dict[tuple[str, str], str]) -> None:
    for (_context, source), text in fresh.items():
        assert places(text) == places(source), source


def places(text: str) -> list[str]:
    return sorted(part.split("}")[0] for part in text.split("{")[1:])


def test_the_compiled_catalogue_speaks_chinese() -> None:
    translator = QTranslator()
    assert translator.load("sightline_zh_CN", str(TRANSLATIONS))
    assert translator.translate("Composer", "Send") == "发送"


@pytest.mark.parametrize(("choice", "chinese"), [("en", False), ("zh", True)])
def test_a_chosen_language_is_spoken_whatever_the_system_speaks(choice: str, chinese: bool) -> None:
    assert speaks_chinese(choice) is chinese
