from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.address import read_address, read_key
from app.engine.attempt import seconds_to_wait
from app.vocabulary import EndpointFault


@pytest.mark.parametrize(
    ("typed", "chat"),
    [
        ("https://api.example.com", "https://api.example.com/v1/chat/completions"),
        ("https://api.example.com/", "https://api.example.com/v1/chat/completions"),
        ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
        (" https://api.example.com/v1/ ", "https://api.example.com/v1/chat/completions"),
        ("api.example.com", "https://api.example.com/v1/chat/completions"),
        ("localhost:8000", "http://localhost:8000/v1/chat/completions"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/chat/completions"),
        ("192.168.1.5:8000", "http://192.168.1.5:8000/v1/chat/completions"),
        ("[::1]:9000", "http://[::1]:9000/v1/chat/completions"),
        ("gpubox:8000", "http://gpubox:8000/v1/chat/completions"),
        ("https://h.cn/api/paas/v4", "https://h.cn/api/paas/v4/chat/completions"),
        ("https://h.cn/v1/chat/completions", "https://h.cn/v1/chat/completions"),
        ("https://h.cn/chat/completions", "https://h.cn/chat/completions"),
        ("https://h.cn/v1/models", "https://h.cn/v1/chat/completions"),
        ("https://h.cn/v1beta/openai/", "https://h.cn/v1beta/openai/chat/completions"),
        ("https://h.cn/d/chat/completions?v=2", "https://h.cn/d/chat/completions?v=2"),
    ],
)
def test_an_address_is_understood_as_people_type_it(typed: str, chat: str) -> None:
    assert read_address(typed).chat() == chat


def test_a_path_without_a_version_is_tried_as_typed_first() -> None:
    bases = read_address("https://h.example/api").bases
    assert bases == ("https://h.example/api", "https://h.example/api/v1")


@pytest.mark.parametrize("near", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "a.localhost"])
def test_this_machine_is_known_as_near(near: str) -> None:
    assert read_address(f"http://{near}:1/v1").near
    assert not read_address("http://localhost.example.com/v1").near


@pytest.mark.parametrize("typed", ["", "a b", "ftp://h", "http://", "https://h:0", "http://a..b"])
def test_what_is_no_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(EndpointFault) as caught:
        read_address(typed)
    assert caught.value.kind == "bad_url"
    assert "https://api.example.com/v1" in caught.value.message


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(EndpointFault) as caught:
        read_address("https://me:hunter2@h.example/v1")
    assert "hunter2" not in caught.value.message


@given(st.text(max_size=40))
def test_anything_typed_is_an_address_or_a_fault(typed: str) -> None:
    try:
        assert read_address(typed).chat().startswith("http")
    except EndpointFault as fault:
        assert fault.kind == "bad_url"


@pytest.mark.parametrize("typed", ["sk-1", " sk-1\n", "Bearer sk-1"])
def test_a_key_is_taken_without_what_was_copied_along(typed: str) -> None:
    assert read_key(typed) == "sk-1"


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("3", 3.0),
        (" 0.5 ", 0.5),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("-3", None),
        ("soon", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_wait_is_read_as_seconds_or_date(sent: str, seconds: float | None) -> None:
    assert seconds_to_wait(sent, now=10.0) == seconds
