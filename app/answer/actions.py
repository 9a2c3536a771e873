"""Reads the GUI actions that GLM-V writes: Android's objects, the PC's function calls and the web
agent's set-of-marks lines; it does not carry any out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.answer.literal import Value, read

_CALL = re.compile(r"(?<![\w.])(?:pyautogui\.)?([A-Za-z][A-Za-z_]*)\(")
# The action spaces of the PC agent and of the CLICK(point=…) models (see GLM-V's agent prompts).
_CALLS = re.compile(
    r"(?:left_|right_|middle_|left_double_|double_)?click|(?:left_)?drag|hover|long_press|tap|swipe"
    r"|scroll|key|hotkey|press|type|input_text|open_app|select|enter|wait|done|fail|finished",
    re.IGNORECASE,
)
_NAKED = frozenset({"WAIT", "DONE", "FAIL", "wait", "done", "fail", "finished"})
_ARGUMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*")
_WEB = re.compile(
    r"(?:(Click)\s*\[(\d+)\]|(Type)\s*\[(\d+)\]\s*;\s*\[?([^\]\n]*)\]?"
    r"|(Scroll)\s*\[(\d+|WINDOW)\]\s*;\s*\[?(up|down|left|right)\]?"
    r"|(Key)\s*;\s*\[?([^\]\n]+?)\]?|(ANSWER)\s*;\s*(.+?)|(Wait|GoBack|Bing))\s*",
    re.DOTALL,
)


def calls(text: str) -> Iterator[tuple[int, int, str, dict[str, Value]]]:
    """(start, end, name, arguments) of each call of a known action."""
    for found in _CALL.finditer(text):
        name = found[1]
        if not _CALLS.fullmatch(name):
            continue
        arguments = _arguments(text, found.end())
        if arguments is None or (not arguments[0] and name not in _NAKED):
            continue
        yield found.start(), arguments[1], name, arguments[0]


def _arguments(text: str, at: int) -> tuple[dict[str, Value], int] | None:
    out: dict[str, Value] = {}
    while True:
        at = _skip(text, at)
        if text.startswith(")", at):
            return out, at + 1
        name = _ARGUMENT.match(text, at)
        if not name:
            return None
        value = read(text, name.end())
        if value is None:
            return None
        out[name[1]], at = value


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", ",", "\n", "\t"):
        at += 1
    return at


def web(text: str) -> tuple[str, dict[str, Value]] | None:
    """The set-of-marks action that is the whole of `text`, if it is one."""
    found = _WEB.fullmatch(text.strip())
    if not found:
        return None
    parts = [part for part in found.groups() if part is not None]
    name, rest = parts[0], parts[1:]
    match name:
        case "Click":
            return name, {"element": float(rest[0])}
        case "Type":
            return name, {"element": float(rest[0]), "text": rest[1]}
        case "Scroll":
            element: Value = "WINDOW" if rest[0] == "WINDOW" else float(rest[0])
            return name, {"element": element, "direction": rest[1]}
        case "Key":
            return name, {"key": rest[0]}
        case "ANSWER":
            return name, {"text": rest[0]}
    return name, {}
