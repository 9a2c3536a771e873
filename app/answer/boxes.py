"""Owns the finding of boxes, points and GUI actions in an answer; it knows no picture, so all
coordinates come out as fractions of one.

GLM-4.1V, 4.5V and 4.6V write thousandths of the width and the height in brackets of any kind,
bare or under keys such as `bbox_2d`. Numbers that merely look alike (citations, lists) are told
apart by the words before them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.answer import actions, tags
from app.answer.literal import Value, read
from app.vocabulary import Box

_BOX_KEY = re.compile(r"(?:b?box(?:es)?(?:_?2d)?|bounding_?box(?:es)?|start_box|end_box)", re.I)
_POINT_KEY = re.compile(
    r"(?:points?(?:_?2d)?|coordinates?|position|center|start_point|end_point)", re.I
)
_LABELS = ("label", "category", "name", "class", "object", "text_content", "text", "description")
_TYPES = ("action_type", "action")
_NOT_LABELS = frozenset({"result", "results", "objects", "detections", "annotations", "items"})

_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_OPENER = re.compile(r"[\[({<]")
_PLACE = re.compile(
    r"\b(?:box|bbox|bounding|coordinates?|located|location|position(?:ed)?|region|rectangle"
    r"|area|at|point(?:s|ed)?|click)\b|坐标|位置|位于|区域|框|点击|左上",
    re.IGNORECASE,
)
_SMALL = 20  # bare numbers that all lie below are rather counted than measured
_SURE_PLACE = re.compile(r"\b(?:box|bbox|bounding|coordinates?)\b|坐标|框", re.IGNORECASE)
_NO_PLACE = re.compile(
    r"\b(?:refs?|references?|see|cite[sd]?|citations?|sources?|pages?|steps?|figures?|items?"
    r"|chapters?|sections?|lists?|arrays?|vectors?|numbers?|values?|sequence|sorted|matrix|shape"
    r"|tensor|scores?|years?|tuple|set|data|input|output|returns?)\b|文献|参考|数组|列表",
    re.IGNORECASE,
)
_LINE_LABEL = re.compile(
    r"^[\s>*#\d.)-]*([^\s*:：\[\](){}<>][^:：\[\](){}<>\n*]{0,60}?)\**\s*[:：]\**\s*$"
)


@dataclass(frozen=True, slots=True)
class LabelledBox:
    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class LabelledPoint:
    """`x` and `y` in fractions of the picture's width and height."""

    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Action:
    """One GUI action as the model wrote it; coordinates in `arguments` are still thousandths."""

    type: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Found:
    boxes: tuple[LabelledBox, ...] = ()
    points: tuple[LabelledPoint, ...] = ()
    actions: tuple[Action, ...] = ()


@dataclass(slots=True)
class _Finder:
    text: str
    boxes: list[LabelledBox] = field(default_factory=list)
    points: list[LabelledPoint] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    def run(self) -> Found:
        calls = {start: (end, name, given) for start, end, name, given in actions.calls(self.text)}
        at = 0
        for start, (end, name, given) in calls.items():
            if start < at:
                continue
            self._literals(at, start)
            self._act(name, given)
            at = end
        self._literals(at, len(self.text))
        self._web_actions()
        return Found(tuple(self.boxes), tuple(self.points), tuple(self.actions))

    def _literals(self, at: int, stop: int) -> None:
        while (found := _OPENER.search(self.text, at, stop)) is not None:
            at = found.end()
            if found.group() == "<" and not self.text[at : at + 1].isdigit():
                continue
            literal = read(self.text[:stop], found.start())
            if literal is None:
                continue
            value, end = literal
            if self._take(value, found.start(), end):
                at = end

    def _take(self, value: Value, start: int, end: int) -> bool:
        """Whether the literal holds places or an action; these are kept."""
        if isinstance(value, dict):
            return self._object(value, "")
        if not isinstance(value, list):
            return False
        if any(isinstance(item, dict) for item in value):
            return sum(self._object(item, "") for item in value if isinstance(item, dict)) > 0
        if self._is_place(value, start, end):
            self._group(value, self._label_before(start))
        return True

    # --- objects ------------------------------------------------------------------------------

    def _object(self, value: dict[str, Value], label: str) -> bool:
        kind = next((value[key] for key in _TYPES if isinstance(value.get(key), str)), None)
        if isinstance(kind, str):
            self._act(kind, {key: part for key, part in value.items() if key not in _TYPES})
            return True
        names = (value[key] for key in _LABELS if isinstance(value.get(key), str))
        return self._fields(value, str(next(names, label)))

    def _fields(self, value: dict[str, Value], label: str) -> bool:
        found = False
        for key, part in value.items():
            if _BOX_KEY.fullmatch(key) or _POINT_KEY.fullmatch(key):
                found = self._group(_unwrap(part), label) or found
            elif isinstance(part, dict):
                found = self._object(part, key) or found
            elif isinstance(part, list):
                found = self._field_list(part, label, key) or found
        return found

    def _field_list(self, part: list[Value], label: str, key: str) -> bool:
        name = label or ("" if key.lower() in _NOT_LABELS else key)
        objects = [item for item in part if isinstance(item, dict)]
        if objects:
            return sum(self._object(item, name) for item in objects) > 0
        return self._group(part, name) if _numbers(part, 4) or _rows(part, 4) else False

    def _act(self, name: str, given: Mapping[str, Value]) -> None:
        self.actions.append(Action(name, {key: _plain(part) for key, part in given.items()}))
        for key, part in given.items():
            if _BOX_KEY.fullmatch(key) or _POINT_KEY.fullmatch(key):
                self._group(_unwrap(part), "")

    # --- numbers ------------------------------------------------------------------------------

    def _group(self, value: Value, label: str) -> bool:
        if not isinstance(value, list):
            return False
        if _numbers(value, 4):
            return self._box([part for part in value if isinstance(part, float)], label)
        if _numbers(value, 2):
            return self._point([part for part in value if isinstance(part, float)], label)
        return sum(self._group(_unwrap(part), label) for part in value) > 0

    def _box(self, values: list[float], label: str) -> bool:
        scaled = _fractions(values)
        if scaled is None:
            return False
        x1, y1, x2, y2 = scaled
        box = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        self.boxes.append(LabelledBox(label, box))
        return True

    def _point(self, values: list[float], label: str) -> bool:
        scaled = _fractions(values)
        if scaled is None:
            return False
        self.points.append(LabelledPoint(label, scaled[0], scaled[1]))
        return True

    # --- judging by the context ---------------------------------------------------------------

    def _is_place(self, value: list[Value], start: int, end: int) -> bool:
        """Whether bare numbers are meant as a place in the picture."""
        flat = _flatten(value)
        if not _numbers(value, 4) and not _numbers(value, 2) and not _rows(value, 4, 2):
            return False
        before = self.text[max(0, start - 160) : start]
        if before.rstrip().endswith(tags.BOX):
            return max(flat) >= _SMALL  # final answers such as "[3, 5]" are boxed too
        if not _upright(value) or self.text.startswith("](", end - 1):
            return False
        return self._meant(before, start, end, max(flat), len(flat) == 2)

    def _meant(self, before: str, start: int, end: int, largest: float, pair: bool) -> bool:
        alone = not tags.MARK.sub("", self.text[:start] + self.text[end:]).strip(" \n\t.`")
        if alone:
            return largest >= _SMALL
        sentence = re.split(r"[.!?。！？]\s|\n\n", before)[-1]
        places = [found.end() for found in _PLACE.finditer(sentence)]
        others = [found.end() for found in _NO_PLACE.finditer(sentence)]
        sure = bool(_SURE_PLACE.search(sentence))
        if others and not sure and (not places or others[-1] > places[-1]):
            return False
        if places:
            return not pair or largest >= _SMALL
        return largest >= 100 and not pair and self._line_is_label(start)

    def _line_is_label(self, start: int) -> bool:
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return not line.strip(" -*>") or bool(_LINE_LABEL.match(line)) or len(line) < 80

    def _label_before(self, start: int) -> str:
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        found = _LINE_LABEL.match(tags.MARK.sub("", line))
        label = found[1].strip() if found else ""
        return "" if _PLACE.search(label) or _NO_PLACE.search(label) else label

    def _web_actions(self) -> None:
        if self.actions:
            return
        spoken = re.search(r"Action:\s*(.+?)\s*(?=\n\s*Memory|\Z)", self.text, re.DOTALL)
        boxed = re.search(r"<\|begin_of_box\|>(.*?)<\|end_of_box\|>", self.text, re.DOTALL)
        for part in (boxed and boxed[1], spoken and spoken[1], self.text):
            if part and (action := actions.web(tags.MARK.sub("", part))):
                self.actions.append(Action(action[0], {k: _plain(v) for k, v in action[1].items()}))
                return


def _plain(value: Value) -> object:
    """Whole numbers as they were written."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _unwrap(value: Value) -> Value:
    """A list that was written as a string: start_box='[100, 200]'."""
    if isinstance(value, str) and (found := re.search(r"[\[({]", value)):
        literal = read(value, found.start())
        return literal[0] if literal else value
    return value


def _numbers(value: list[Value], count: int) -> bool:
    return len(value) == count and all(type(part) is float for part in value)


def _rows(value: list[Value], *counts: int) -> bool:
    rows = [row for row in value if isinstance(row, list)]
    if not rows or len(rows) != len(value):
        return False
    return all(any(_numbers(row, count) for count in counts) or _rows(row, *counts) for row in rows)


def _flatten(value: list[Value]) -> list[float]:
    out: list[float] = []
    for part in value:
        out += _flatten(part) if isinstance(part, list) else [part] if type(part) is float else []
    return out


def _upright(value: list[Value]) -> bool:
    """Whether every group of four has its corners in order, and all numbers are in range."""
    if _numbers(value, 4):
        x1, y1, x2, y2 = _flatten(value)
        return x1 < x2 and y1 < y2 <= 1000 and x2 <= 1000 and min(x1, y1) >= 0
    if _numbers(value, 2):
        return all(0 <= part <= 1000 for part in _flatten(value))
    return all(_upright(row) for row in value if isinstance(row, list))


def _fractions(values: list[float]) -> list[float] | None:
    """Thousandths as fractions; numbers that are fractions already stay, others are no place."""
    if min(values) < 0 or max(values) > 1000:
        return None
    if max(values) <= 1 and any(part % 1 for part in values):
        return values
    return [part / 1000 for part in values]


def find(text: str) -> Found:
    """Boxes, points and actions of an answer, in order; those inside its thinking don't count."""
    return _Finder(_without_thinking(text)).run()


def _without_thinking(text: str) -> str:
    return _THINKING.sub("", text).rpartition(tags.END_THINK)[2]
