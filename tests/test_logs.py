"""What a log may hold."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.logs import configure, redact

SECRET = "abcdef0123456789abcdef0123456789"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    root, app = logging.getLogger(), logging.getLogger("app")
    levels = root.level, app.level
    handler = configure(tmp_path / "logs")
    yield tmp_path / "logs" / "sightline.log"
    root.removeHandler(handler)
    handler.close()
    root.setLevel(levels[0])
    app.setLevel(levels[1])


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization: {SECRET}",
        f'{{"Authorization": "Bearer {SECRET}"}}',
        f"[(b'Authorization', b'Bearer {SECRET}')]",
        f"Headers({{'x-api-key': '{SECRET}'}})",
        f"Proxy-Authorization: Basic {SECRET}",
        f"sent bearer {SECRET} to host",
        f"GET https://host/v1?key={SECRET}&alt=sse",
        f"OPENAI_API_KEY={SECRET}",
        f"api_key='{SECRET}'",
        f'"apiKey": "{SECRET}"',
        f"access_token={SECRET}",
        f"password={SECRET}",
        f"key sk-{SECRET} refused",
        f"key sk-proj-{SECRET} refused",
        f"gsk_{SECRET}",
        f"hf_{SECRET}",
        f"AIza{SECRET}",
        f"{SECRET}.Abcdefgh01234567"[:49],
        f"https://user:{SECRET}@host/v1",
        f"data:image/png;base64,{SECRET}",
        f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",
    ],
)
def test_no_secret_is_left(line: str) -> None:
    assert SECRET not in redact(line)


@pytest.mark.parametrize(
    "line",
    [
        "prompt_tokens=12345678 completion_tokens: 99999999",
        "KeyError: 'a_long_field_name'",
        "opened https://host.example/v1/models in 0.12 s",
        "the answer's key point: it works",
        "max_tokens: 2048",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redact(line) == line


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(st.from_regex(r"[A-Za-z0-9_\-]{12,60}", fullmatch=True), st.text(max_size=20))
def test_a_bearer_key_never_gets_through(key: str, before: str) -> None:
    assert key not in redact(f"{before} Authorization: Bearer {key}").replace(before, "")


def test_a_message_is_written_without_its_secret(log: Path) -> None:
    logging.getLogger("app.engine").info("asked with %s", f"Authorization: Bearer {SECRET}")
    assert "asked with Authorization: Bearer [hidden]" in log.read_text()


def test_a_traceback_is_written_without_its_secret(log: Path) -> None:
    try:
        raise ValueError(f"refused key sk-{SECRET}")
    except ValueError:
        logging.getLogger("app").exception("it failed")
    text = log.read_text()
    assert "ValueError: refused key [hidden]" in text
    assert SECRET not in text


def test_the_log_is_for_its_owner_alone(log: Path) -> None:
    assert log.stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_made_does_not_stop_the_program(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    handler = configure(tmp_path / "file")
    logging.getLogger().removeHandler(handler)
    assert isinstance(handler, logging.StreamHandler)
