"""Makes the sample files beside it: an invoice, a chart, a dialog, a PDF, a deck and a clip.

Everything is drawn with PyMuPDF's own fonts, so the files come out alike on any machine. Run it
from anywhere: `python assets/samples/make.py`.
"""

from __future__ import annotations

from pathlib import Path

from making.clip import make_clip
from making.deck import make_deck
from making.invoice import make_invoice
from making.pictures import make_chart, make_dialog
from making.report import make_report

FOLDER = Path(__file__).parent


def main() -> None:
    make_invoice(FOLDER / "invoice.png")
    make_chart(FOLDER / "chart.png")
    make_dialog(FOLDER / "dialog.png")
    make_report(FOLDER / "report.pdf")
    make_deck(FOLDER / "deck.pptx")
    make_clip(FOLDER / "clip.mp4")


if __name__ == "__main__":
    main()
