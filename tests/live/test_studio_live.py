"""Marks, hiding and saving on the overlay itself: real keys, real drags, no manager of windows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from test_overlay_live import BLACK, BLUE, Play, play  # noqa: F401 (a fixture)

pytestmark = pytest.mark.live


def test_what_is_hidden_on_the_overlay_is_black_in_what_is_taken(
    play: Play,  # noqa: F811
    tmp_path: Path,
) -> None:
    saved = tmp_path / "taken.png"
    actor = play(STAGE_STUDIO="1", STAGE_SAVE=str(saved))
    actor.other("editor", BLUE, 100, 100, 500, 400)
    actor.open()
    actor.drag((150, 150), (450, 350))
    actor.key("6")
    actor.drag((280, 230), (320, 270))
    actor.key("z")  # no tool: nothing
    actor.key("Escape")  # puts the tool away, and no more
    actor.key("Return")
    taken = actor.fact("taken")
    assert taken["size"] == [300, 200]
    assert taken["colours"][4] == BLACK
    assert set(taken["colours"][:4] + taken["colours"][5:]) == {BLUE}
    actor.look()  # the picture is written by then
    image = QImage(str(saved))
    dark = sum(
        image.pixelColor(x, y).name() == BLACK
        for x in range(image.width())
        for y in range(image.height())
    )
    assert dark in range(40 * 40, 42 * 42 + 1)


def test_it_is_saved_from_the_overlay_and_the_overlay_goes(
    play: Play,  # noqa: F811
    tmp_path: Path,
) -> None:
    actor = play(STAGE_STUDIO="1", HOME=str(tmp_path))
    actor.other("editor", BLUE, 100, 100, 500, 400)
    actor.open()
    actor.drag((150, 150), (450, 350))
    actor.key("Control_L", "s")
    time.sleep(1.0)
    actor.key("Escape")  # the dialog's, not the overlay's
    time.sleep(0.3)
    actor.key("Control_L", "s")
    time.sleep(1.0)
    actor.key("Return")
    actor.fact("nothing")
    (kept,) = tmp_path.glob("**/Sightline*.png")
    image = QImage(str(kept))
    assert (image.width(), image.height()) == (300, 200)
    assert image.pixelColor(150, 100).name() == BLUE
