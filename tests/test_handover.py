"""What a second start hands over: the line, the place, and what comes of bad ones."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.handover import LONGEST, Invocation, Reply, address, decode, encode, hand_over
from app.vocabulary import Region, UsageFault

posix = pytest.mark.skipif(os.name != "posix", reason="a Windows pipe is no file")
_sides = st.integers(1, 10**5)
_places = st.integers(-(10**5), 10**5)
_invocations = st.builds(
    Invocation,
    st.sampled_from(["show", "region", "window", "screen", "record"]),
    st.none() | st.builds(Region, _places, _places, _sides, _sides),
    st.text(max_size=200),
)


@given(_invocations)
def test_what_is_handed_over_comes_out_the_same_in_one_line(said: Invocation) -> None:
    line = encode(said)
    assert decode(line) == said
    assert line.count(b"\n") == 1 and len(line) <= LONGEST


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(line: bytes) -> None:
    try:
        decode(line)
    except UsageFault as fault:
        assert fault.message.endswith(".")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"verb": "format"}',
        b'{"verb": 1}',
        b'{"verb": "region", "region": {"x": 1}}',
        b'{"verb": "region", "region": {"x": 0, "y": 0, "width": 0, "height": 5}}',
        b'{"verb": "show", "token": 7}',
        b'{"verb": "show", "token": "' + b"x" * LONGEST + b'"}',
        b"[" * 3000,
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line: bytes) -> None:
    with pytest.raises(UsageFault):
        decode(line)


def test_every_home_and_user_has_a_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    one, other = address(tmp_path / "a"), address(tmp_path / "b")
    assert one != other and one == address(tmp_path / "a")
    if os.name == "posix":
        assert str(os.getuid()) in Path(one).name


@posix
def test_a_socket_has_a_name_that_the_system_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/" + "very-long/" * 20)
    assert len(os.fsencode(address(tmp_path / ("deep/" * 30)))) <= 100


def test_where_nobody_listens_nothing_is_handed_over(tmp_path: Path) -> None:
    assert not hand_over(Invocation(), str(tmp_path / "nobody"))


@posix
def test_a_socket_that_a_crash_left_is_nobody(short: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(short / "s"))
    left.close()
    assert (short / "s").exists()
    assert not hand_over(Invocation(), str(short / "s"))


@posix
def test_a_file_that_is_no_socket_is_left_alone(short: Path) -> None:
    (short / "s").write_text("mine")
    assert not hand_over(Invocation(), str(short / "s"))
    assert (short / "s").read_text() == "mine"


@posix
def test_the_first_takes_it_over(short: Path) -> None:
    with first(short / "s", lambda line: encode(Reply())) as heard:
        assert hand_over(Invocation("record"), str(short / "s"))
    assert decode(heard[0]) == Invocation("record")


@posix
def test_why_the_first_refused_is_said(short: Path) -> None:
    with (
        first(short / "s", lambda line: encode(Reply("It is busy."))),
        pytest.raises(UsageFault, match=r"It is busy\."),
    ):
        hand_over(Invocation(), str(short / "s"))


@posix
def test_a_first_that_hangs_is_named_and_not_waited_for(short: Path) -> None:
    with (
        first(short / "s", lambda line: None),
        pytest.raises(UsageFault, match="does not answer"),
    ):
        hand_over(Invocation(), str(short / "s"), patience=0.2)


@posix
def test_a_first_that_is_just_ending_is_none(short: Path) -> None:
    with first(short / "s", lambda line: b""):
        assert not hand_over(Invocation(), str(short / "s"))


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose path leaves room for a socket's name."""
    return tmp_path_factory.mktemp("s")


@contextmanager
def first(where: Path, answer: Callable[[bytes], bytes | None]) -> Iterator[list[bytes]]:
    """A program that listens once: hears a line and says `answer`, nothing for None."""
    heard: list[bytes] = []
    over = threading.Event()
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(where))
    server.listen(1)

    def serve() -> None:
        line, _ = server.accept()
        with line, line.makefile("rb") as said:
            heard.append(said.readline())
            reply = answer(heard[0])
            if reply is None:
                over.wait(5)
            else:
                line.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield heard
    finally:
        over.set()
        thread.join(5)
        server.close()
