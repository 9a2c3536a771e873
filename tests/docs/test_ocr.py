"""The text in a picture, read offline, laid out so that a model that can't see understands it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from docfiles import SAMPLES
from PIL import Image

from app.docs.ocr import Eye
from app.vocabulary import Frame, Source


@pytest.fixture(scope="module")
def eye() -> Iterator[Eye]:
    yield Eye()


@pytest.fixture(scope="module")
def invoice(eye: Eye) -> Frame:
    path = SAMPLES / "invoice.png"
    source = Source("picture", path.name)
    return eye.read(Frame(path.read_bytes(), "image/png", 1240, 1754, source))


@pytest.mark.parametrize(
    "line",
    [
        "Invoice number: HF-2026-0418",
        "Due date: 11 November 2026",
        "Document camera DC-40, with stand  3  248.00  744.00",
        "LED panel light, 4000 K, dimmable  6  59.50  357.00",
        "Subtotal: £3,967.50",
        "VAT 20%: £793.50",
        "Total due: £4,761.00",
    ],
)
def test_the_invoice_is_read_line_by_line(invoice: Frame, line: str) -> None:
    assert line in invoice.text.split("\n")


def test_the_seller_and_the_buyer_are_not_mixed(invoice: Frame) -> None:
    lines = invoice.text.split("\n")
    assert lines[lines.index("BILL TO") + 1] == "Marlowe Architects LLP"
    assert lines[lines.index("FROM") + 1] == "Harbour & Finch Optics Ltd"


def test_the_text_says_where_it_comes_from_and_how_sure_it_is(invoice: Frame) -> None:
    assert invoice.text_source == "ocr"
    (total,) = [line for line in invoice.lines if line.text == "£4,761.00"]
    assert total.confidence > 0.8
    assert 0.75 < total.box.x1 < total.box.x2 < 0.95


def test_an_empty_page_is_left_as_it_is(eye: Eye) -> None:
    out = BytesIO()
    Image.new("RGB", (300, 300), "white").save(out, "PNG")
    frame = Frame(out.getvalue(), "image/png", 300, 300, Source("screen", "Screen 1"))
    assert eye.read(frame) == frame


def test_the_words_of_a_line_stand_in_it_from_left_to_right(invoice: Frame) -> None:
    (line,) = [line for line in invoice.lines if line.text.startswith("LED panel light")]
    words = [line.text[word.start : word.end] for word in line.words]
    assert words == ["LED", "panel", "light,", "4000", "K,", "dimmable"]
    edges = [edge for word in line.words for edge in (word.x1, word.x2)]
    assert edges == sorted(edges)
    assert line.box.x1 - 0.01 < edges[0]
    assert edges[-1] < line.box.x2 + 0.01
