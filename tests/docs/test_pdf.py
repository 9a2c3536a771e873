"""PDFs: pages, text, passwords, damage."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest
from docfiles import SAMPLES, Heard, hear, make_pdf
from pypdf import PdfReader, PdfWriter

from app.docs import pdf
from app.docs.request import Limits, Request
from app.vocabulary import DocumentFault


def read(path: Path, **options: object) -> Heard:
    return hear(pdf.read(Request(path, **options), Limits()))  # type: ignore[arg-type]


def fault(path: Path, **options: object) -> DocumentFault:
    with pytest.raises(DocumentFault) as caught:
        read(path, **options)
    assert path.name in caught.value.message
    return caught.value


def locked(path: Path) -> Path:
    make_pdf(path, "secret words")
    writer = PdfWriter(PdfReader(path))
    writer.encrypt("open sesame", algorithm="AES-256")
    writer.write(path)
    return path


def test_every_page_comes_with_its_text_and_number(tmp_path: Path) -> None:
    heard = read(make_pdf(tmp_path / "a.pdf", "first page", "second page"))
    assert [frame.text for frame in heard.frames] == ["first page", "second page"]
    assert [frame.source.page for frame in heard.frames] == [1, 2]
    assert {frame.text_source for frame in heard.frames} == {"layer"}


def test_a_page_of_a4_is_1240_pixels_wide(tmp_path: Path) -> None:
    (frame,) = read(make_pdf(tmp_path / "a.pdf", "words")).frames
    assert (frame.width, frame.height, frame.media_type) == (1240, 1755, "image/png")


def test_lines_have_their_place_on_the_page(tmp_path: Path) -> None:
    (frame,) = read(make_pdf(tmp_path / "a.pdf", "words")).frames
    (line,) = frame.lines
    assert line.box.x1 == pytest.approx(72 / 595, abs=0.002)
    assert line.box.y1 < 100 / 842 < line.box.y2


def test_pages_can_be_chosen(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", "one", "two", "three", "four")
    heard = read(path, pages="2,4")
    assert [frame.source.page for frame in heard.frames] == [2, 4]
    assert heard.opened.pages == 4


def test_the_longest_side_can_be_bounded(tmp_path: Path) -> None:
    (frame,) = read(make_pdf(tmp_path / "a.pdf", "words"), max_side=500).frames
    assert max(frame.width, frame.height) == 500


def test_most_frames_are_bounded_with_a_remark(tmp_path: Path) -> None:
    heard = read(make_pdf(tmp_path / "a.pdf", "1", "2", "3"), max_frames=2)
    assert len(heard.frames) == 2
    assert "first 2 of 3" in heard.remarks[0]


def test_a_poster_is_drawn_within_bounds(tmp_path: Path) -> None:
    (frame,) = read(make_pdf(tmp_path / "a.pdf", "big", size=(14400, 9000))).frames
    assert (frame.width, frame.height) == (2000, 1250)


def test_a_stamp_is_drawn_large_enough(tmp_path: Path) -> None:
    (frame,) = read(make_pdf(tmp_path / "a.pdf", "", size=(36, 18))).frames
    assert (frame.width, frame.height) == (400, 200)


def test_annotations_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    document = pymupdf.open()
    page = document.new_page()  # kept: an annotation dies with its page object
    note = page.add_highlight_annot(pymupdf.Rect(50, 50, 550, 500))
    note.set_colors(stroke=(1, 0, 0))
    note.update()
    document.save(path)
    assert read(path).shown().getpixel((600, 600)) != (255, 255, 255)


def test_a_locked_file_asks_for_its_password(tmp_path: Path) -> None:
    assert fault(locked(tmp_path / "a.pdf")).kind == "needs_password"


def test_a_wrong_password_is_said_to_be_wrong(tmp_path: Path) -> None:
    assert fault(locked(tmp_path / "a.pdf"), password="guess").kind == "wrong_password"


def test_the_right_password_opens_the_file(tmp_path: Path) -> None:
    (frame,) = read(locked(tmp_path / "a.pdf"), password="open sesame").frames
    assert frame.text == "secret words"


def test_a_head_without_a_body_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7\n" + bytes(2000))
    assert fault(path).kind == "damaged"


def test_what_can_be_read_of_a_cut_file_is_given_with_a_warning(tmp_path: Path) -> None:
    whole = make_pdf(tmp_path / "whole.pdf", *(f"page {n}" for n in range(30)), deflate=False)
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole.read_bytes()[:-2000])
    heard = read(path)
    assert heard.frames
    assert "cut.pdf is damaged" in heard.opened.warnings[0]


def test_the_sample_report_has_a_scanned_third_page() -> None:
    heard = read(SAMPLES / "report.pdf")
    assert [frame.text_source for frame in heard.frames] == ["layer", "layer", "none"]
    assert "May  1.21  2.98  13.2  61" in heard.frames[1].text
    assert heard.opened.title == "River station Alder Weir: summer 2026"


def test_text_named_pdf_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"no such thing")
    assert fault(path).kind == "damaged"
