"""The sample deck: a title, bullets, a table and a chart, written with python-pptx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
from pptx.enum.shapes import MSO_SHAPE
from pptx.util import Inches, Pt

from making.canvas import ACCENT, GREY, INK, PALE

_BULLETS = (
    "Three sites now report every minute instead of every hour",
    "Outages fell from 14 to 5 in a year",
    "Repair time is down from 9 hours to 3.5 hours",
    "Next: the same sensors for the South yard",
)
_TABLE = (
    ("Site", "Sensors", "Uptime", "Cost a month"),
    ("North quay", "24", "99.7%", "$310"),
    ("South yard", "9", "97.2%", "$145"),
    ("Old harbour", "16", "98.9%", "$220"),
    ("Total", "49", "98.8%", "$675"),
)


def make_deck(path: Path) -> None:
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(13.333), Inches(7.5)
    deck.core_properties.title = "Harbour sensors: one year on"
    deck.core_properties.author = "Sightline"
    _title(_slide(deck))
    _bullets(_slide(deck))
    _table(_slide(deck))
    _chart(_slide(deck))
    deck.save(str(path))


def _slide(deck: Any) -> Any:
    return deck.slides.add_slide(deck.slide_layouts[6])


def _colour(value: str) -> RGBColor:
    return RGBColor.from_string(value.lstrip("#"))


def _write(slide: Any, box: tuple[float, float, float, float], words: str, size: int, *,
           bold: bool = False, colour: str = INK) -> None:  # fmt: skip
    frame = slide.shapes.add_textbox(*(Inches(side) for side in box)).text_frame
    frame.word_wrap = True
    frame.text = words
    font = frame.paragraphs[0].runs[0].font
    font.size, font.bold, font.name = Pt(size), bold, "Arial"
    font.color.rgb = _colour(colour)


def _bar(slide: Any, box: tuple[float, float, float, float], colour: str) -> None:
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *(Inches(side) for side in box))
    shape.fill.solid()
    shape.fill.fore_color.rgb = _colour(colour)
    shape.line.fill.background()


def _heading(slide: Any, words: str) -> None:
    _bar(slide, (0.8, 0.72, 0.12, 0.62), ACCENT)
    _write(slide, (1.05, 0.6, 11, 0.8), words, 32, bold=True)


def _title(slide: Any) -> None:
    _bar(slide, (0, 0, 13.333, 7.5), ACCENT)
    _write(
        slide, (1, 2.5, 11, 1.2), "Harbour sensors: one year on", 48, bold=True, colour="#FFFFFF"
    )
    _write(slide, (1, 3.8, 11, 0.7), "Review for the board, October 2026", 24, colour="#D8EDE9")


def _bullets(slide: Any) -> None:
    _heading(slide, "What changed")
    frame = slide.shapes.add_textbox(Inches(1.05), Inches(1.9), Inches(11), Inches(4)).text_frame
    for index, words in enumerate(_BULLETS):
        paragraph = frame.paragraphs[0] if index == 0 else frame.add_paragraph()
        paragraph.text = f"\u2022  {words}"
        paragraph.space_after = Pt(18)
        paragraph.runs[0].font.size = Pt(24)
        paragraph.runs[0].font.name = "Arial"


def _table(slide: Any) -> None:
    _heading(slide, "Sites at a glance")
    shape = slide.shapes.add_table(
        len(_TABLE), len(_TABLE[0]), Inches(1.05), Inches(1.9), Inches(11.2), Inches(3.6)
    )
    for row, cells in enumerate(_TABLE):
        for column, words in enumerate(cells):
            cell = shape.table.cell(row, column)
            cell.text = words
            run = cell.text_frame.paragraphs[0].runs[0].font
            run.size, run.name, run.bold = Pt(20), "Arial", row in (0, len(_TABLE) - 1)
            run.color.rgb = _colour("#FFFFFF" if row == 0 else INK)
            cell.fill.solid()
            cell.fill.fore_color.rgb = _colour(ACCENT if row == 0 else PALE)


def _chart(slide: Any) -> None:
    _heading(slide, "Outages by quarter")
    data = CategoryChartData()
    data.categories = ["Q4 2025", "Q1 2026", "Q2 2026", "Q3 2026"]
    data.add_series("North quay", (6, 4, 3, 2))
    data.add_series("South yard", (8, 7, 4, 3))
    chart = slide.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(1.7), Inches(11.3), Inches(5.2), data
    ).chart
    chart.has_legend = True
    chart.legend.position = XL_LEGEND_POSITION.BOTTOM
    chart.legend.include_in_layout = False
    plot = chart.plots[0]
    plot.has_data_labels = True
    plot.data_labels.font.size = Pt(16)
    for series, colour in zip(plot.series, (ACCENT, "#C9822B"), strict=True):
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = _colour(colour)
    _write(slide, (9.5, 0.75, 3, 0.5), "Fewer is better", 16, colour=GREY)
