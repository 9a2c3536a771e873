"""The overlay on real, if virtual, screens: real drags and clicks, other programs' windows, several
screens, scales, and what no picture may show."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage

from app.bench.xserver import Desktop, desktop
from app.cli.input import Sight, gather
from app.docs.reader import DocumentWorker
from app.settings import Settings, save
from app.vocabulary import Region, UsageFault

pytestmark = pytest.mark.live

HERE = Path(__file__).parent
ONE = (Region(0, 0, 1280, 800),)
RED, BLUE, GREEN, WHITE, BLACK = "#c81e28", "#2d5f9a", "#00ff00", "#ffffff", "#000000"


class Actor:
    """The overlay's process (overlay_stage.py) on a desktop."""

    def __init__(self, desk: Desktop, opened: ExitStack, **extra: str) -> None:
        self.desk = desk
        self._opened = opened
        self._environment = desk.environment | {
            "QT_QPA_PLATFORM": "xcb",
            "PYTHONPATH": str(HERE.parents[1]),
        }
        own = self._environment | {"STAGE_SETTINGS": '{"hinted": true}'} | extra
        self._process = self._start([str(HERE / "overlay_stage.py")], own)
        self.screens: list[list[int]] = self.fact("ready")["screens"]

    def _start(self, arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
        process = self._opened.enter_context(
            subprocess.Popen(
                [sys.executable, *arguments],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert process.stdin is not None
        self._opened.callback(process.stdin.close)  # it ends with its stdin
        return process

    def other(self, program: str, colour: str, *place: int) -> None:
        """Another program's window, in front."""
        words = [str(HERE / "strangers.py"), program, f"The {program}", colour, *map(str, place)]
        process = self._start(words, self._environment)
        assert process.stdout is not None and process.stdout.readline() == "shown\n"

    def do(self, what: str, **more: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()

    def fact(self, kind: str) -> dict[str, Any]:
        """The next fact of that kind; others are passed over."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                fact: dict[str, Any] = json.loads(line)
                if fact["kind"] == kind:
                    return fact
        raise AssertionError(f"it ended before it told {kind}")

    def open(self, what: str = "take", **more: Any) -> None:
        """Calls the overlay and waits until it is in front."""
        self.do(what, **more)
        self.fact("called")
        until = time.monotonic() + 10
        while not any(self.look()["focus"]):
            assert time.monotonic() < until, "the overlay does not come"
            time.sleep(0.05)
        time.sleep(0.1)

    def look(self) -> dict[str, Any]:
        self.do("look")
        return self.fact("look")

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        self.down(*start)
        self.move(*end)
        self.desk.button(down=False)
        time.sleep(0.15)

    def down(self, x: int, y: int) -> None:
        self.at = (x, y)
        self.desk.point(x, y)
        time.sleep(0.05)
        self.desk.button(down=True)

    def move(self, x: int, y: int) -> None:
        for step in range(1, 6):
            self.desk.point(
                self.at[0] + (x - self.at[0]) * step // 5, self.at[1] + (y - self.at[1]) * step // 5
            )
            time.sleep(0.01)
        self.at = (x, y)

    def click(self, x: int, y: int) -> None:
        self.down(x, y)
        self.desk.button(down=False)
        time.sleep(0.15)

    def key(self, *names: str) -> None:
        self.desk.press(*names)
        time.sleep(0.05)


Play = Callable[..., Actor]


@pytest.fixture
def play() -> Iterator[Play]:
    """Opens a desktop of these screens with the overlay's process on it."""
    with ExitStack() as opened:

        def build(screens: tuple[Region, ...] = ONE, **extra: str) -> Actor:
            try:
                desk = opened.enter_context(desktop(screens))
            except UsageFault as fault:
                pytest.skip(fault.message)
            time.sleep(0.3)  # the window manager has begun
            return Actor(desk, opened, **extra)

        yield build


def test_a_drag_takes_the_screens_own_pixels(play: Play) -> None:
    actor = play()
    actor.other("editor", BLUE, 100, 100, 400, 300)
    actor.open()
    actor.drag((150, 150), (450, 350))
    actor.key("Return")
    taken = actor.fact("taken")
    assert (taken["region"], taken["size"]) == ([150, 150, 300, 200], [300, 200])
    assert taken["place"] == [150, 150, 300, 200]
    assert set(taken["colours"]) == {BLUE}


def test_a_click_takes_the_window_with_its_frame(play: Play) -> None:
    actor = play()
    actor.other("editor", BLUE, 100, 100, 400, 300)
    actor.other("terminal", RED, 300, 200, 400, 300)
    actor.open()
    actor.click(350, 300)  # both are there: the one in front is meant
    actor.key("Return")
    taken = actor.fact("taken")
    x, y, width, height = taken["region"]
    assert (300 - x) in range(10) and (200 - y) in range(1, 40)
    assert width in range(400, 420) and height in range(300, 350)
    assert taken["colours"][4] == RED


def test_a_click_beside_all_windows_takes_the_screen(play: Play) -> None:
    actor = play()
    actor.open()
    actor.click(900, 700)
    actor.key("Return")
    assert actor.fact("taken")["size"] == [1280, 800]


def test_edges_are_pulled_and_space_moves_what_is_drawn(play: Play) -> None:
    actor = play()
    actor.open()
    actor.down(200, 200)
    actor.move(400, 300)
    actor.desk.display.sync()
    _hold(actor, "space", down=True)
    actor.move(450, 350)
    _hold(actor, "space", down=False)
    actor.desk.button(down=False)
    time.sleep(0.15)
    assert actor.look()["marked"] == [[250, 250, 200, 100]]
    actor.drag((450, 350), (500, 360))
    assert actor.look()["marked"] == [[250, 250, 250, 110]]
    actor.drag((300, 300), (310, 320))
    assert actor.look()["marked"] == [[260, 270, 250, 110]]
    actor.key("Shift_L", "Right")
    actor.key("Control_L", "Down")
    actor.key("Return")
    assert actor.fact("taken")["region"] == [260, 280, 251, 110]


def test_past_regions_come_back_and_are_kept(play: Play) -> None:
    actor = play()
    actor.open()
    actor.drag((100, 100), (200, 180))
    actor.key("Return")
    assert actor.fact("learned")["regions"] == [[100, 100, 100, 80]]
    actor.open()
    actor.drag((300, 300), (420, 360))
    actor.key("Return")
    actor.fact("taken")
    actor.open()
    actor.key("comma")
    actor.key("comma")
    actor.key("Return")
    learned = actor.fact("learned")
    assert learned["regions"] == [[100, 100, 100, 80], [300, 300, 120, 60]]
    assert actor.fact("taken")["region"] == [100, 100, 100, 80]


@pytest.mark.parametrize("leave", ["Escape", "button"])
def test_it_can_be_left_and_the_keys_go_back(play: Play, leave: str) -> None:
    actor = play()
    actor.other("editor", BLUE, 100, 100, 400, 300)
    before = actor.desk.focus()
    actor.open()
    assert actor.desk.focus() != before
    if leave == "button":
        subprocess.run(["xdotool", "click", "3"], env=actor.desk.environment, check=True)
    else:
        actor.key(leave)
    actor.fact("nothing")
    time.sleep(0.2)
    assert actor.desk.focus() == before


@pytest.mark.parametrize("scale", ["1.25", "1.5", "2"])
def test_pixels_are_the_screens_own_at_every_scale(play: Play, scale: str) -> None:
    actor = play(QT_SCALE_FACTOR=scale)
    actor.other("editor", BLUE, 200, 100, 400, 300)
    actor.open()
    actor.drag((200, 100), (600, 400))
    actor.key("Return")
    taken = actor.fact("taken")
    for told, wanted in zip(taken["region"], (200, 100, 400, 300), strict=True):
        assert abs(told - wanted) <= 1  # the pointer moves in logical pixels
    assert taken["size"] == taken["region"][2:]
    assert taken["scale"] == float(scale)
    assert taken["colours"][4] == BLUE
    for told, wanted in zip(taken["place"], (200, 100, 400, 300), strict=True):
        assert abs(told - wanted / float(scale)) <= 2


@pytest.mark.parametrize("factors", ["1;1", "1;1.5", "1.25;2"])
def test_every_screen_has_its_own_pixels_and_scale(play: Play, factors: str) -> None:
    """The first screen stands right of and below another: that one is left of and above it."""
    screens = (Region(1000, 200, 800, 600), Region(0, 0, 1000, 800))
    actor = play(screens, QT_SCREEN_SCALE_FACTORS=factors)
    assert len(actor.screens) == 2
    actor.other("editor", BLUE, 1100, 300, 400, 300)
    actor.other("terminal", RED, 100, 100, 400, 300)
    for colour, corner in ((BLUE, (1150, 350)), (RED, (150, 150))):
        actor.open()
        actor.drag(corner, (corner[0] + 200, corner[1] + 150))
        actor.key("Return")
        taken = actor.fact("taken")
        for told, wanted in zip(taken["region"], (*corner, 200, 150), strict=True):
            assert abs(told - wanted) <= 2
        assert set(taken["colours"]) == {colour}


def test_a_screen_that_was_turned_upright_is_taken_as_it_stands(play: Play) -> None:
    """To everyone but the server a rotated screen is one that is higher than wide."""
    upright = Region(1000, 0, 600, 1000)
    actor = play((Region(0, 0, 1000, 600), upright), QT_SCREEN_SCALE_FACTORS="1;1.5")
    actor.other("editor", GREEN, 1100, 500, 400, 400)
    actor.open()
    actor.drag((1150, 600), (1350, 850))
    actor.key("Return")
    taken = actor.fact("taken")
    for told, wanted in zip(taken["region"], (1150, 600, 200, 250), strict=True):
        assert abs(told - wanted) <= 2
    assert set(taken["colours"]) == {GREEN}


def test_a_window_on_the_other_screen_is_clicked(play: Play) -> None:
    actor = play((Region(800, 0, 800, 600), Region(0, 0, 800, 600)))
    actor.other("terminal", RED, 100, 100, 400, 300)
    actor.open()
    actor.click(300, 250)
    marked = actor.look()["marked"]
    assert sum(region is not None for region in marked) == 1
    actor.key("Return")
    assert actor.fact("taken")["colours"][4] == RED


def test_a_program_that_is_never_captured_is_black(play: Play) -> None:
    settings = '{"hinted": true, "never_captured": ["KeePassXC"]}'
    actor = play(STAGE_SETTINGS=settings)
    actor.other("keepassxc", RED, 100, 100, 400, 300)
    actor.other("editor", BLUE, 300, 250, 400, 300)
    actor.desk.point(1200, 700)
    actor.open()
    assert actor.desk.pixel(150, 150) == 0
    assert actor.desk.pixel(350, 300) != 0  # what stands above it stays
    actor.key("Escape")
    actor.fact("nothing")
    for region, colour in (([110, 110, 180, 130], BLACK), ([310, 260, 380, 280], BLUE)):
        actor.do("take", kind="region", region=region)
        assert set(actor.fact("taken")["colours"]) == {colour}


def test_our_own_window_is_not_in_a_picture_and_comes_back(play: Play) -> None:
    actor = play()
    actor.other("editor", BLUE, 100, 100, 500, 400)
    actor.do("show", place=[200, 200, 300, 200])
    until = time.monotonic() + 10
    while not actor.look()["own"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.3)
    actor.do("take", kind="region", region=[220, 220, 250, 150])
    assert set(actor.fact("taken")["colours"]) == {BLUE}  # it stepped aside
    time.sleep(0.5)
    assert actor.look()["own"]
    assert actor.desk.pixel(350, 300) == 0x00FF00


def test_our_window_behind_is_left_out_and_stays(play: Play) -> None:
    actor = play()
    actor.do("show", place=[200, 200, 300, 200])
    time.sleep(0.5)
    actor.other("editor", BLUE, 400, 100, 500, 400)
    focus = actor.desk.focus()
    actor.do("take", kind="region", region=[220, 220, 160, 150])
    assert set(actor.fact("taken")["colours"]) == {BLACK}
    assert actor.desk.focus() == focus
    actor.do("take", kind="region", region=[420, 220, 60, 150])
    assert set(actor.fact("taken")["colours"]) == {BLUE}


def test_the_window_under_the_pointer_is_taken_at_once(play: Play) -> None:
    actor = play()
    actor.other("editor", BLUE, 100, 100, 400, 300)
    actor.desk.point(300, 250)
    actor.do("take", kind="window")
    taken = actor.fact("taken")
    assert taken["size"][0] in range(400, 420) and taken["colours"][4] == BLUE


def test_the_screen_with_the_pointer_is_taken_at_once(play: Play) -> None:
    actor = play((Region(0, 0, 800, 600), Region(800, 0, 640, 600)))
    actor.desk.point(1000, 300)
    actor.do("take", kind="screen")
    assert actor.fact("taken")["region"] == [800, 0, 640, 600]


def test_a_region_that_lies_on_no_screen_is_refused(play: Play) -> None:
    actor = play()
    actor.do("take", kind="region", region=[5000, 0, 10, 10])
    assert "lies on no screen" in actor.fact("fault")["message"]


def test_an_area_to_record_knows_its_window(play: Play) -> None:
    actor = play()
    actor.other("editor", BLUE, 100, 100, 400, 300)
    actor.open("area")
    actor.click(300, 250)
    actor.key("Return")
    area = actor.fact("area")
    assert area["area"] == "window" and area["window"] == actor.desk.focus()
    actor.open("area")
    actor.drag((700, 500), (900, 600))
    actor.key("Return")
    area = actor.fact("area")
    assert (area["area"], area["region"]) == ("region", [700, 500, 200, 100])


def test_edges_are_pulled_with_the_tools_in_sight_and_marks_are_in_the_picture(
    play: Play,
) -> None:
    actor = play(STAGE_STUDIO="1")
    actor.other("editor", BLUE, 100, 100, 500, 400)
    actor.open()
    actor.drag((150, 150), (350, 300))
    actor.drag((350, 300), (450, 420))
    assert actor.look()["marked"] == [[150, 150, 300, 270]]
    actor.key("6")  # hide, solid
    actor.drag((160, 160), (440, 380))
    actor.key("Escape")
    actor.drag((300, 420), (300, 400))
    actor.key("Return")
    taken = actor.fact("taken")
    assert taken["region"] == [150, 150, 300, 250]
    corner, *_, middle = taken["colours"][:5]
    assert corner == BLUE and middle != BLUE


def test_copying_ends_it(play: Play) -> None:
    actor = play(STAGE_STUDIO="1")
    actor.open()
    actor.drag((150, 150), (350, 300))
    actor.key("Control_L", "c")
    actor.fact("nothing")
    assert actor.look()["marked"] == []


def _hold(actor: Actor, name: str, *, down: bool) -> None:
    what = "keydown" if down else "keyup"
    subprocess.run(["xdotool", what, name], env=actor.desk.environment, check=True)
    time.sleep(0.1)


def test_the_command_line_keeps_what_is_never_captured_to_itself(
    play: Play, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = play()
    actor.other("keepassxc", RED, 100, 100, 400, 300)
    save(Settings(never_captured=("keepassxc",)), home / "config")
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", actor.desk.name)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    sights = Sight(screen=True), Sight(region=Region(150, 150, 100, 100))
    for sight, spot in zip(sights, ((200, 200), (50, 50)), strict=True):
        (frame,) = asyncio.run(gather(sight, DocumentWorker(), text_only=False))
        assert QImage.fromData(frame.image).pixelColor(*spot).name() == BLACK
