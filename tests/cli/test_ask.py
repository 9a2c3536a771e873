"""`sightline ask` against a real server: what is sent, what is printed, what a failure says."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parent.parent.parent / "assets" / "samples"


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def remote(chat):  # type: ignore[no-untyped-def]
    return ("--endpoint", chat.url, "--model", "seer")


def test_the_answer_goes_to_stdout_and_the_thinking_to_stderr(sightline, chat, remote) -> None:
    chat.pieces = [{"reasoning_content": "it stands there"}, {"content": "$5"}, {"content": "0"}]
    ran = sightline("ask", *remote, str(SAMPLES / "invoice.png"), "How much?")
    assert (ran.returncode, ran.stdout) == (0, "$50\n")
    assert "it stands there" in ran.stderr


def test_the_picture_and_the_question_reach_the_server(sightline, chat, remote) -> None:
    chat.pieces = [{"content": "ok"}]
    sightline("ask", *remote, str(SAMPLES / "dialog.png"), "What is this?")
    parts = chat.asked[0]["messages"][-1]["content"]
    kinds = [part["type"] for part in parts]
    assert sorted(kinds) == ["image_url", "text"]
    picture = next(part for part in parts if part["type"] == "image_url")["image_url"]["url"]
    assert base64.b64decode(picture.split(",", 1)[1])[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")


def test_json_gives_frames_then_deltas_then_one_end(sightline, chat, remote) -> None:
    chat.pieces = [{"content": "<think>hm</think>It is at "}, {"content": "[[100, 200, 300, 400]]"}]
    ran = sightline("ask", "--json", *remote, str(SAMPLES / "report.pdf"), "Where?", "--pages", "1")
    events = lines(ran.stdout)
    kinds = [event["type"] for event in events]
    assert kinds[0] == "frame" and kinds[-2:] == ["boxes", "done"]
    assert "".join(e["text"] for e in events if e["type"] == "thinking") == "hm"
    assert events[0]["page"] == 1
    assert events[-2]["boxes"] == [{"label": None, "box": [0.1, 0.2, 0.3, 0.4]}]
    assert events[-1]["reason"] == "stop"


def test_a_refused_key_is_one_sentence_and_a_last_line(sightline, chat, remote) -> None:
    chat.status, chat.error = 401, "no such key"
    ran = sightline("ask", "--json", *remote, "hello", "--api-key-env", "KEY", KEY="sk-secret-123")
    assert ran.returncode == 1
    assert lines(ran.stdout)[-1]["kind"] == "bad_key"
    assert "no such key" in ran.stderr and ran.stderr.count("\n") == 1
    assert chat.keys == ["Bearer sk-secret-123"]
    assert "sk-secret-123" not in ran.stdout + ran.stderr


def test_a_server_that_is_not_there_is_named(sightline) -> None:
    ran = sightline("ask", "--endpoint", "http://127.0.0.1:9/v1", "--model", "m", "hello")
    assert ran.returncode == 1
    assert "127.0.0.1" in ran.stderr and ran.stderr.count("\n") == 1


def test_an_empty_key_variable_is_named(sightline, remote) -> None:
    ran = sightline("ask", *remote, "--api-key-env", "NO_SUCH_KEY", "hello")
    assert ran.returncode == 1
    assert "NO_SUCH_KEY" in ran.stderr


def test_an_unknown_endpoint_lists_the_known_ones(sightline) -> None:
    ran = sightline("ask", "--endpoint", "moon", "hello")
    assert ran.returncode == 1
    assert "“moon”" in ran.stderr and "local" in ran.stderr


def test_a_missing_file_is_named(sightline, remote) -> None:
    ran = sightline("ask", *remote, "no/such/file.png", "What?", "--json")
    assert ran.returncode == 1
    assert lines(ran.stdout)[-1]["kind"] == "not_found"
    assert "file.png" in ran.stderr


def test_a_picture_on_standard_input_is_looked_at(sightline, chat, remote) -> None:
    chat.pieces = [{"content": "seen"}]
    ran = sightline("ask", *remote, "-", "What does it say?", stdin="The meeting is at noon.\n")
    assert (ran.returncode, ran.stdout) == (0, "seen\n")
    assert any(p["type"] == "image_url" for p in chat.asked[0]["messages"][-1]["content"])


def test_thinking_is_switched_as_asked(sightline, chat, remote) -> None:
    chat.pieces = [{"content": "ok"}]
    ran = sightline("ask", *remote, "--thinking", "sometimes", "hello")
    assert ran.returncode == 2
    assert "on, off or a number" in ran.stderr


def test_no_display_is_said_and_the_terminal_way_is_named(sightline) -> None:
    ran = sightline(DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert ran.returncode == 1
    assert "sightline ask" in ran.stderr and ran.stderr.count("\n") == 1


def test_a_screen_that_is_not_there_is_one_sentence(sightline, remote) -> None:
    ran = sightline(
        "ask", *remote, "--screen", "What?", DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM=""
    )
    assert ran.returncode == 1
    assert "display" in ran.stderr and ran.stderr.count("\n") == 1
