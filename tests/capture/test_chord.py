"""Chords as text and as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.hotkey import keysym, mac, windows
from app.capture.hotkey.chord import KEYS, MODIFIERS, Chord, read, shown
from app.settings import Hotkeys
from app.vocabulary import UsageFault

modifiers = st.frozensets(st.sampled_from(MODIFIERS))
chords = st.builds(Chord, modifiers, st.sampled_from(KEYS))
lawful = chords.filter(lambda chord: bool(chord.modifiers - {"Shift"}))


@given(lawful)
def test_what_is_written_is_read_back(chord: Chord) -> None:
    assert read(str(chord)) == chord


@given(lawful, st.randoms(use_true_random=False), st.booleans())
def test_order_case_and_spaces_do_not_matter(chord: Chord, dice: object, upper: bool) -> None:
    parts = str(chord).split("+")
    dice.shuffle(parts)  # type: ignore[attr-defined]
    text = " + ".join(parts)
    assert read(text.upper() if upper else text.lower()) == chord


@given(st.text(max_size=40))
def test_any_text_is_a_chord_or_a_sentence(text: str) -> None:
    try:
        chord = read(text)
    except UsageFault as fault:
        assert fault.message.endswith(".")
    else:
        assert read(str(chord)) == chord


@given(lawful, lawful)
def test_two_chords_are_shown_alike_only_if_they_are_one(one: Chord, other: Chord) -> None:
    for platform in ("linux", "win32", "darwin"):
        assert (shown(one, platform) == shown(other, platform)) is (one == other)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("super+shift+a", "Meta+Shift+A"),
        ("Win+PrtSc", "Meta+Print"),
        ("Cmd+Option+Esc", "Meta+Alt+Escape"),
        ("Control+Return", "Ctrl+Enter"),
        ("Print", "Print"),
        ("Shift+F5", "Shift+F5"),
        ("alt+PgDown", "Alt+PageDown"),
    ],
)
def test_the_usual_names_are_understood(text: str, means: str) -> None:
    assert str(read(text)) == means


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no key called"),
        ("Meta+Shift", "no key beside its modifiers"),
        ("Ctrl+A+B", "more than one key"),
        ("Ctrl+Hyper", "no key called “Hyper”"),
        ("A", "needed for typing"),
        ("Shift+Space", "needed for typing"),
        ("Enter", "needed for typing"),
    ],
)
def test_what_can_not_be_a_hotkey_is_said(text: str, words: str) -> None:
    with pytest.raises(UsageFault, match=words) as caught:
        read(text)
    assert caught.value.kind == "bad_input"


@pytest.mark.parametrize(
    ("platform", "text"),
    [("linux", "Super+Ctrl+A"), ("win32", "Win+Ctrl+A"), ("darwin", "⌃⌘A")],
)
def test_a_chord_is_shown_as_its_system_does(platform: str, text: str) -> None:
    assert shown(read("Ctrl+Meta+A"), platform) == text


def test_the_hotkeys_that_come_with_the_program_make_sense() -> None:
    made = Hotkeys()
    wished = [getattr(made, action) for action in made.__dataclass_fields__]
    assert len({read(text) for text in wished}) == len(wished)


@given(chords)
def test_every_key_has_a_code_on_windows(chord: Chord) -> None:
    assert 0 < windows.code(chord.key) < 0xFF
    assert windows.flags(chord.modifiers) & 0xF == sum(
        {"Alt": 1, "Ctrl": 2, "Shift": 4, "Meta": 8}[name] for name in chord.modifiers
    )


def test_no_two_keys_have_one_code() -> None:
    assert len({windows.code(key) for key in KEYS}) == len(KEYS)
    on_a_mac = [code for key in KEYS if (code := mac.code(key)) is not None]
    assert len(set(on_a_mac)) == len(on_a_mac)
    assert len({keysym.keysym(key) for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize(
    ("key", "code"), [("A", 0), ("Z", 6), ("B", 11), ("1", 18), ("=", 24), ("P", 35), (".", 47)]
)
def test_letters_stand_where_a_mac_has_them(key: str, code: int) -> None:
    assert mac.code(key) == code


def test_a_mac_lacks_few_keys() -> None:
    lacking = {key for key in KEYS if mac.code(key) is None}
    assert lacking == {"Print", "Pause", "ScrollLock", "F21", "F22", "F23", "F24"}


def test_a_macs_modifiers_are_carbons() -> None:
    assert mac.flags(frozenset({"Ctrl", "Alt"})) == 0x1800
    assert mac.flags(frozenset({"Meta", "Shift"})) == 0x300


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("Meta+Shift+S", "the Snipping Tool"),
        ("Meta+Shift+A", "Windows itself"),
        ("F12", "Windows, which keeps it for debuggers"),
        ("Ctrl+Alt+A", ""),
    ],
)
def test_windows_own_keys_are_known(text: str, owner: str) -> None:
    assert windows.owner(read(text)) == owner


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Meta+Shift+A", "SHIFT+LOGO+a"),
        ("Ctrl+Alt+PageUp", "CTRL+ALT+Prior"),
        ("Print", "Print"),
        ("Ctrl+,", "CTRL+comma"),
    ],
)
def test_portals_are_told_a_chord_in_their_words(text: str, told: str) -> None:
    assert keysym.trigger(read(text)) == told
