from __future__ import annotations

from dataclasses import fields

import pytest

from app.ui.theme import DARK, LIGHT, PAIRS, Pair, Theme, contrast


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.ink}-on-{pair.ground}")
def test_every_ink_can_be_read_on_every_ground_it_is_used_on(theme: Theme, pair: Pair) -> None:
    ink, ground = getattr(theme, pair.ink), getattr(theme, pair.ground)
    assert contrast(ink, ground) >= pair.least


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_colour_is_a_plain_rgb_value(theme: Theme) -> None:
    for field in fields(Theme):
        value = getattr(theme, field.name)
        if field.name not in ("name", "dark"):
            assert len(value) == 7 and value[0] == "#" and int(value[1:], 16) >= 0


def test_black_on_white_has_the_highest_contrast() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_a_colour_has_no_contrast_with_itself() -> None:
    assert contrast("#0F7B6C", "#0F7B6C") == pytest.approx(1)
