"""Presentations, drawn by LibreOffice where it is, and by rpptx where it is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from docfiles import SAMPLES, Heard, hear, make_deck, without_part

from app.docs import slides
from app.docs.request import Limits, Request
from app.vocabulary import DocumentFault

office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


def read(path: Path, form: str = "pptx", **options: object) -> Heard:
    request = Request(path, **options)  # type: ignore[arg-type]
    return hear(slides.read(request, Limits(), form))


@pytest.fixture
def no_office(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_office")
def test_without_libreoffice_the_deck_is_drawn_by_rpptx_and_says_so(tmp_path: Path) -> None:
    heard = read(make_deck(tmp_path / "a.pptx", "First", "Second"))
    assert [frame.text for frame in heard.frames] == ["First", "Second"]
    assert heard.opened.renderer == "rpptx"
    assert "without LibreOffice" in heard.opened.warnings[0]


@pytest.mark.usefixtures("no_office")
@pytest.mark.parametrize("form", ["ppt", "odp"])
def test_without_libreoffice_other_decks_name_what_is_missing(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    path.write_bytes(b"deck")
    with pytest.raises(DocumentFault, match="needs LibreOffice") as caught:
        read(path, form)
    assert caught.value.kind == "missing_renderer"


@pytest.mark.usefixtures("no_office")
def test_a_hidden_slide_is_kept_and_named(tmp_path: Path) -> None:
    heard = read(make_deck(tmp_path / "a.pptx", "First", "Second", hidden=2))
    assert heard.opened.pages == 2
    assert "Slide 2 is hidden in the show; it is kept here." in heard.opened.warnings


@pytest.mark.usefixtures("no_office")
def test_a_slide_has_its_number_and_its_side_bounded(tmp_path: Path) -> None:
    heard = read(make_deck(tmp_path / "a.pptx", "First", "Second"), pages="2", max_side=640)
    (frame,) = heard.frames
    assert (frame.source.kind, frame.source.page, frame.width) == ("slides", 2, 640)


@pytest.mark.usefixtures("no_office")
def test_a_deck_without_slides_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentFault, match=r"a\.pptx has no slides") as caught:
        read(make_deck(tmp_path / "a.pptx"))
    assert caught.value.kind == "empty"


def test_a_deck_without_its_main_part_is_damaged(tmp_path: Path) -> None:
    path = without_part(make_deck(tmp_path / "a.pptx", "First"), "ppt/presentation.xml")
    with pytest.raises(DocumentFault, match="is damaged") as caught:
        read(path)
    assert caught.value.kind == "damaged"


@pytest.mark.parametrize("form", ["encrypted", "encrypted-ppt"])
def test_a_locked_deck_asks_for_its_password(tmp_path: Path, form: str) -> None:
    with pytest.raises(DocumentFault, match=r"a\.pptx is locked") as caught:
        read(tmp_path / "a.pptx", form)
    assert caught.value.kind == "needs_password"


@office
def test_libreoffice_draws_hidden_slides_and_names_that_begin_with_a_dash(tmp_path: Path) -> None:
    heard = read(make_deck(tmp_path / "-headless.pptx", "First", "Second", hidden=1))
    assert [frame.text for frame in heard.frames] == ["First", "Second"]
    assert heard.opened.renderer == "LibreOffice"
    assert heard.opened.warnings == ("Slide 1 is hidden in the show; it is kept here.",)


@office
def test_what_libreoffice_cannot_load_is_damaged_though_it_ends_with_0(tmp_path: Path) -> None:
    path = tmp_path / "a.ppt"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000))
    with pytest.raises(DocumentFault, match="is damaged") as caught:
        read(path, "ppt")
    assert caught.value.kind == "damaged"


@pytest.mark.usefixtures("no_office")
def test_the_sample_deck_keeps_its_table_in_rows() -> None:
    heard = read(SAMPLES / "deck.pptx")
    assert heard.opened.pages == 4
    assert "North quay  24  99.7%  $310" in heard.frames[2].text
