"""A file is what its first bytes say, whatever its name says; the rest is refused in words."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from docfiles import SAMPLES, make_deck, make_pdf

from app.docs.sniff import Sniffed, sniff
from app.vocabulary import DocumentFault

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def made(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("report.pdf", Sniffed("pdf")),
        ("deck.pptx", Sniffed("slides", "pptx")),
        ("invoice.png", Sniffed("picture")),
        ("clip.mp4", Sniffed("video", "mov")),
    ],
)
def test_the_name_does_not_matter(tmp_path: Path, name: str, found: Sniffed) -> None:
    assert sniff(made(tmp_path / "thing.txt", (SAMPLES / name).read_bytes())) == found


def test_a_pdf_may_begin_with_junk(tmp_path: Path) -> None:
    junk = b"junk\n" * 300
    whole = make_pdf(tmp_path / "a.pdf", "words").read_bytes()
    assert sniff(made(tmp_path / "b.pdf", junk + whole)) == Sniffed("pdf")


@pytest.mark.parametrize("name", ["notes.md", "data.csv", "main.rs", "page.html", "no_suffix"])
def test_everything_else_is_tried_as_text(tmp_path: Path, name: str) -> None:
    assert sniff(made(tmp_path / name, b"plain words")) == Sniffed("text")


def fault(path: Path) -> DocumentFault:
    with pytest.raises(DocumentFault) as caught:
        sniff(path)
    assert path.name in caught.value.message
    assert caught.value.message.endswith(".")
    return caught.value


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    assert fault(tmp_path / "none.pdf").kind == "not_found"


def test_a_name_that_no_file_can_have_is_not_found() -> None:
    assert fault(Path("a" * 5000)).kind == "not_found"


def test_0_bytes_are_empty(tmp_path: Path) -> None:
    assert fault(made(tmp_path / "a.pptx", b"")).kind == "empty"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path).kind == "unsupported"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert fault(tmp_path / "pipe").kind == "unsupported"


def test_a_web_page_saved_as_pdf_says_so(tmp_path: Path) -> None:
    found = fault(made(tmp_path / "a.pdf", b"<!DOCTYPE html><html>404</html>"))
    assert (found.kind, "holds a web page" in found.message) == ("damaged", True)


@pytest.mark.parametrize("name", ["a.pptx", "a.png", "a.mp4"])
def test_text_named_like_something_else_is_damaged(tmp_path: Path, name: str) -> None:
    assert fault(made(tmp_path / name, b"no such thing")).kind == "damaged"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"ID3\x04" + bytes(100), "a sound file"),
        (b"\x7fELF" + bytes(100), "a program"),
        (b"Rar!\x1a\x07" + bytes(100), "a RAR archive"),
        (b"SQLite format 3\0" + bytes(100), "a database"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(tmp_path: Path, data: bytes, said: str) -> None:
    found = fault(made(tmp_path / "a.bin", data))
    assert (found.kind, said in found.message) == ("unsupported", True)
    assert "PDFs, presentations, pictures, videos and text" in found.message


def test_a_text_document_of_an_office_program_is_told_to_be_saved_as_pdf(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    found = fault(path)
    assert (found.kind, "save it as a PDF" in found.message) == ("unsupported", True)


def test_a_cut_archive_is_damaged(tmp_path: Path) -> None:
    whole = make_deck(tmp_path / "a.pptx", "First").read_bytes()
    assert fault(made(tmp_path / "b.pptx", whole[: len(whole) // 2])).kind == "damaged"


def test_binary_decks_and_locked_ones_are_told_apart(tmp_path: Path) -> None:
    stream = "PowerPoint Document".encode("utf-16-le")
    token = bytes.fromhex("0000f60f2000000014000000dfc4d1f3")
    package = "EncryptedPackage".encode("utf-16-le")
    assert sniff(made(tmp_path / "a.ppt", OLE + stream)).form == "ppt"
    assert sniff(made(tmp_path / "b.ppt", OLE + stream + token)).form == "encrypted-ppt"
    assert sniff(made(tmp_path / "c.pptx", OLE + package)).form == "encrypted"


def test_a_drawing_is_known_by_its_root(tmp_path: Path) -> None:
    assert (
        sniff(made(tmp_path / "a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>')).form == "svg"
    )
