"""The sample invoice: A4 at 150 dpi, sums that add up."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from making.canvas import ACCENT, BOLD, GREY, HAIR, INK, PALE, Canvas, blank, picture, save_png

_LINES = (
    ("Workshop: reading drawings with a camera", "2 days", "1,150.00", "2,300.00"),
    ("Document camera DC-40, with stand", "3", "248.00", "744.00"),
    ("LED panel light, 4000 K, dimmable", "6", "59.50", "357.00"),
    ("Calibration target, matte, A3", "2", "34.25", "68.50"),
    ("On-site installation and training", "5 h", "92.00", "460.00"),
    ("Delivery, insured", "1", "38.00", "38.00"),
)
_LEFT, _RIGHT = 56.0, 539.0
_QUANTITY, _PRICE = 368.0, 448.0


def make_invoice(path: Path) -> None:
    document, canvas = blank(595.2, 841.92)
    _head(canvas)
    _parties(canvas)
    bottom = _table(canvas, 316)
    _sums(canvas, bottom + 22)
    _foot(canvas)
    save_png(picture(document[0], 150 / 72), path, 64)


def _head(canvas: Canvas) -> None:
    canvas.mark(_LEFT, 52, 30)
    canvas.text(_LEFT + 40, 66, "Harbour & Finch Optics", size=14, font=BOLD)
    canvas.text(_LEFT + 40, 80, "Instruments for people who look closely", size=8.5, colour=GREY)
    canvas.text(_RIGHT, 74, "INVOICE", size=25, font=BOLD, colour=ACCENT, side="right")
    canvas.rule((_LEFT, 106), (_RIGHT, 106), ACCENT, 1.5)
    facts = (
        ("Invoice number:", "HF-2026-0418"),
        ("Invoice date:", "12 October 2026"),
        ("Due date:", "11 November 2026"),
        ("Your order:", "PO 77-3105"),
    )
    for row, (label, value) in enumerate(facts):
        y = 134 + 17 * row
        canvas.text(_LEFT, y, label, colour=GREY)
        canvas.text(_LEFT + 96, y, value, font=BOLD)


def _parties(canvas: Canvas) -> None:
    blocks = (
        (_LEFT, "FROM", ("Harbour & Finch Optics Ltd", "18 Quay Street", "Bristol BS1 4QA",
                         "United Kingdom", "VAT GB 297 4410 62")),
        (310.0, "BILL TO", ("Marlowe Architects LLP", "Attn: Ines Okafor", "7 Foundry Lane",
                            "Leeds LS1 5QP", "United Kingdom")),
    )  # fmt: skip
    for x, title, lines in blocks:
        canvas.text(x, 222, title, size=8, font=BOLD, colour=ACCENT)
        for row, line in enumerate(lines):
            canvas.text(x, 237 + 13.5 * row, line, font=BOLD if row == 0 else "helv")


def _table(canvas: Canvas, top: float) -> float:
    canvas.rectangle((_LEFT, top, _RIGHT, top + 24), PALE)
    heads = ((_LEFT + 8, "Description", "left"), (_QUANTITY, "Quantity", "right"),
             (_PRICE, "Unit price", "right"), (_RIGHT - 8, "Amount", "right"))  # fmt: skip
    for x, head, side in heads:
        canvas.text(x, top + 16, head, size=9, font=BOLD, colour=GREY, side=side)  # type: ignore[arg-type]
    y = top + 24
    for what, quantity, price, amount in _LINES:
        canvas.text(_LEFT + 8, y + 18, what)
        canvas.text(_QUANTITY, y + 18, quantity, side="right")
        canvas.text(_PRICE, y + 18, price, side="right")
        canvas.text(_RIGHT - 8, y + 18, amount, side="right")
        y += 28
        canvas.rule((_LEFT, y), (_RIGHT, y), HAIR)
    return y


def _sums(canvas: Canvas, y: float) -> None:
    net = sum(Decimal(line[3].replace(",", "")) for line in _LINES)
    tax = (net * Decimal("0.20")).quantize(Decimal("0.01"))
    for label, value in (("Subtotal:", net), ("VAT 20%:", tax)):
        canvas.text(382, y, label, colour=GREY)
        canvas.text(_RIGHT - 8, y, f"£{value:,}", side="right")
        y += 19
    canvas.rectangle((370, y - 8, _RIGHT, y + 26), ACCENT, round_by=4)
    canvas.text(382, y + 14, "Total due:", size=12.5, font=BOLD, colour="#FFFFFF")
    total = f"£{net + tax:,}"
    canvas.text(_RIGHT - 10, y + 14, total, size=12.5, font=BOLD, colour="#FFFFFF", side="right")


def _foot(canvas: Canvas) -> None:
    canvas.text(_LEFT, 704, "How to pay", size=10, font=BOLD, colour=INK)
    for row, line in enumerate((
        "Bank transfer to Harbour & Finch Optics Ltd, Severn Bank",
        "Sort code: 30-94-57    Account: 6120 8834",
        "Please quote HF-2026-0418. Payment is due within 30 days.",
    )):  # fmt: skip
        canvas.text(_LEFT, 721 + 14.5 * row, line, size=9.5, colour=GREY)
    canvas.rule((_LEFT, 786), (_RIGHT, 786))
    canvas.text(_LEFT, 801, "Registered in England 0918 2264", size=8, colour=GREY)
    canvas.text(_RIGHT, 801, "accounts@harbourfinch.example", size=8, colour=GREY, side="right")
