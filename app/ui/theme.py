"""How Sightline looks: colours, type and spacing in one place; knows no widget by name."""

from __future__ import annotations

from dataclasses import dataclass

SPACE = (4, 8, 12, 16, 24, 32)  # px
RADIUS = 8  # px
CONTROL = 32  # px, height of a button or field
TEXT, CODE, SMALL, LARGE = 14, 13, 12, 16  # px
LINE_HEIGHT = 1.55
MEASURE = 780  # px, the widest a column of text gets


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, as #rrggbb; every ink on every ground it is used on meets WCAG AA."""

    name: str
    dark: bool
    paper: str  # the ground of the window
    panel: str  # side panels, the composer
    raised: str  # cards, menus, fields
    line: str  # hairlines and borders
    ink: str  # text
    ink2: str  # secondary text: thinking, captions
    accent: str  # the one thing to do
    on_accent: str  # text on accent
    selection: str
    danger: str  # loss and recording
    code: str  # ground of code
    syntax_keyword: str
    syntax_string: str
    syntax_comment: str
    syntax_number: str
    syntax_name: str
    hover: str  # a row, a quiet button or a menu item under the pointer
    edge: str  # the border of something to type into or tick
    accent_hover: str
    warm: str  # the mark of something that is on its way: loading, starting


LIGHT = Theme(
    name="light",
    dark=False,
    paper="#FBFAF8",
    panel="#F4F2EE",
    raised="#FFFFFF",
    line="#E2DFD8",
    ink="#1D1C1A",
    ink2="#625E57",
    accent="#0F7B6C",
    on_accent="#FFFFFF",
    selection="#CDE8E3",
    danger="#B3261E",
    code="#F1EFEA",
    syntax_keyword="#7A3E9D",
    syntax_string="#1E6B3A",
    syntax_comment="#6A655C",
    syntax_number="#9A4A0B",
    syntax_name="#0B5C8A",
    hover="#EBE8E2",
    edge="#8C877D",
    accent_hover="#0C6659",
    warm="#A9690A",
)

DARK = Theme(
    name="dark",
    dark=True,
    paper="#161618",
    panel="#1C1C1F",
    raised="#232327",
    line="#34343A",
    ink="#E9E7E3",
    ink2="#A8A49C",
    accent="#4FD1B5",
    on_accent="#0B1F1B",
    selection="#1F4A43",
    danger="#FF8A80",
    code="#1E1E22",
    syntax_keyword="#C9A0F0",
    syntax_string="#9BD6A3",
    syntax_comment="#96928A",
    syntax_number="#F0B27A",
    syntax_name="#86C5F0",
    hover="#2A2A2F",
    edge="#77767F",
    accent_hover="#6BDDC4",
    warm="#E3B341",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """An ink and the ground it stands on, by the names of a `Theme`, and the contrast it owes:
    4.5 for text, 3 for the edge of a control or a mark that has to be seen."""

    ink: str
    ground: str
    least: float = 4.5


PAIRS = (
    *(Pair(ink, ground) for ink in ("ink", "ink2") for ground in ("paper", "panel", "raised")),
    *(Pair(ink, "hover") for ink in ("ink", "ink2")),
    *(Pair(ink, "selection") for ink in ("ink",)),
    *(Pair("accent", ground) for ground in ("paper", "panel", "raised")),
    *(Pair("danger", ground) for ground in ("paper", "panel", "raised")),
    Pair("on_accent", "accent"),
    Pair("on_accent", "accent_hover"),
    Pair("paper", "ink"),
    Pair("ink", "code"),
    *(
        Pair(f"syntax_{part}", "code")
        for part in ("keyword", "string", "comment", "number", "name")
    ),
    Pair("edge", "raised", 3.0),
    Pair("edge", "paper", 3.0),
    Pair("warm", "paper", 3.0),
    Pair("warm", "panel", 3.0),
)


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb, 0 to 1 (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
