"""Secrets are found by their form, and what only looks a little like one is left alone."""

from __future__ import annotations

import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.patterns import Kind, luhn, mod97, private_key, spans
from app.capture.secrets import find
from app.vocabulary import Box, Region, TextLine, Word

ALNUM = string.ascii_letters + string.digits
CARDS = (("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("36", 14), ("3530", 16))
BODIES = {
    "sk-": (ALNUM, 48),
    "sk-proj-": (ALNUM + "_-", 60),
    "sk-ant-api03-": (ALNUM + "_-", 90),
    "ghp_": (ALNUM, 36),
    "github_pat_": (ALNUM + "_", 82),
    "AKIA": (string.ascii_uppercase + "234567", 16),
    "xoxb-": (string.digits + "-" + ALNUM, 50),
    "AIza": (ALNUM + "_-", 35),
    "hf_": (ALNUM, 34),
    "sk_live_": (ALNUM, 24),
    "glpat-": (ALNUM + "_-", 20),
}
IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606")


def kinds(text: str) -> list[Kind]:
    return [span.kind for span in spans(text)]


@st.composite
def cards(draw: st.DrawFn) -> str:
    start, size = draw(st.sampled_from(CARDS))
    rest = draw(
        st.text(string.digits, min_size=size - len(start) - 1, max_size=size - len(start) - 1)
    )
    body = start + rest
    check = next(digit for digit in string.digits if luhn(body + digit))
    return body + check


@st.composite
def keys(draw: st.DrawFn) -> str:
    start = draw(st.sampled_from(sorted(BODIES)))
    letters, size = BODIES[start]
    # a key without a digit is one in ten thousand, and ends in a letter or a digit here
    body = draw(st.text(letters, min_size=size - 2, max_size=size - 2))
    return f"{start}{body}7K"


@given(cards(), st.sampled_from(["", " ", "-"]))
def test_a_card_is_found_as_it_is_written(card: str, gap: str) -> None:
    sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(len(card), (4, 4, 4, 4))
    groups, at = [], 0
    for size in sizes:
        groups.append(card[at : at + size])
        at += size
    written = gap.join(groups)
    text = f"Card: {written}, valid thru 12/29"
    assert [text[s.start : s.end] for s in spans(text) if s.kind == "card"] == [written]


@given(cards(), st.integers(0, 13), st.integers(1, 9))
def test_a_card_with_one_wrong_digit_is_none(card: str, at: int, by: int) -> None:
    wrong = card[:at] + str((int(card[at]) + by) % 10) + card[at + 1 :]
    assert "card" not in kinds(f"Number {wrong}.")


@given(keys(), st.sampled_from(["", "KEY=", 'token: "', "export A="]))
def test_a_key_is_found_whole_whatever_stands_before_it(key: str, before: str) -> None:
    text = f"{before}{key}"
    (span,) = [s for s in spans(text) if s.kind == "key"]
    assert text[span.start : span.end] == key


@given(st.sampled_from(IBANS), st.booleans(), st.sampled_from(["", " BIC COBADEFFXXX", ", Bank"]))
def test_an_iban_is_found_with_and_without_spaces(iban: str, spaced: bool, after: str) -> None:
    written = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4)) if spaced else iban
    text = f"IBAN {written}{after}"
    assert [text[s.start : s.end] for s in spans(text)] == [written]


@given(st.sampled_from(IBANS), st.integers(4, 20), st.integers(1, 9))
def test_an_iban_with_one_wrong_digit_is_none(iban: str, at: int, by: int) -> None:
    if not iban[at].isdigit():
        return
    wrong = iban[:at] + str((int(iban[at]) + by) % 10) + iban[at + 1 :]
    assert mod97(wrong) != 1
    assert "iban" not in kinds(wrong)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3", "token"),
        ("Authorization: Bearer 7f3a9c2e41b84d0d9a6e5c1f", "token"),
        ("Write to anna.schmidt+bills@mail.example.co.uk today", "address"),
        ("key AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "key"),
        ("key AlzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "key"),  # as OCR may read it
    ],
)
def test_what_is_found_has_its_kind(text: str, kind: Kind) -> None:
    assert kinds(text) == [kind]


@given(st.uuids())
def test_a_uuid_is_none(value: uuid.UUID) -> None:
    assert not kinds(f"request {value} done")


@given(st.text("0123456789abcdef", min_size=40, max_size=40))
def test_a_git_hash_is_none(value: str) -> None:
    assert not kinds(f"commit {value}")


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_digest_is_none(value: str) -> None:
    assert not kinds(f"sha256:{value}")


@given(
    st.one_of(
        st.from_regex(r"\+49 1[567]\d \d{7,8}", fullmatch=True),
        st.from_regex(r"\+86 1\d{2} \d{4} \d{4}", fullmatch=True),
        st.from_regex(r"\(\d{3}\) \d{3}-\d{4}", fullmatch=True),
        st.from_regex(r"\+44 20 \d{4} \d{4}", fullmatch=True),
    )
)
def test_a_phone_number_is_none(number: str) -> None:
    assert not kinds(f"Tel. {number}")


@given(
    st.one_of(
        st.from_regex(r"[A-Z]{2,4}-20\d\d-[0-9]{4,6}", fullmatch=True),
        st.from_regex(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", fullmatch=True),
        st.from_regex(r"#[0-9]{6,11}", fullmatch=True),
        st.from_regex(r"SO[0-9]{8}", fullmatch=True),
        st.from_regex(r"4[0-9]{12}", fullmatch=True),  # an EAN
    )
)
def test_an_order_number_is_none(number: str) -> None:
    assert not kinds(f"Order {number} was shipped")


@given(st.decimals(0, 10**9, places=2), st.sampled_from(["$", "€", "£", "¥"]))
def test_a_price_is_none(price: object, sign: str) -> None:
    assert not kinds(f"Total due: {sign}{price:,}")


@given(st.text(string.ascii_letters + " .,;:!?'()-\n", max_size=200))
def test_ordinary_words_are_none(text: str) -> None:
    assert not kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:owner/project.git",
        "icon@2x.png and react@18.2.0",
        "class sk-estimator-html-doc-link-something",
        "2026-11-21 21:54:03.123456 +0000",
        "192.168.178.1:8080 fe80::1ff:fe23:4567:890a",
        "ISBN 978-3-16-148410-0, EAN 4006381333931",
        "3.14159265358979323846264338",
        "eyelashes_large_texture.settings_file",
    ],
)
def test_what_programs_write_is_none(text: str) -> None:
    assert not kinds(text)


def test_a_private_key_goes_from_its_first_row_to_its_last() -> None:
    rows = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEpAIBAAKCAQEA1jRk7ZC9",
        "-----END RSA PRIVATE KEY-----",
    ]
    assert private_key([*rows, "and so on"]) == 3
    assert private_key([*rows[:2], "These are ordinary words."]) == 2
    assert private_key(["-----BEGIN PUBLIC KEY-----", rows[1]]) == 0


# --- where they stand -----------------------------------------------------------------------


def line(text: str, x: int, y: int, *, letter: int = 10, height: int = 20) -> TextLine:
    """A line in a picture of 1000 by 1000, its letters all of one width."""
    words, at = [], 0
    for word in text.split(" "):
        words.append(
            Word(
                at, at + len(word), (x + at * letter) / 1000, (x + (at + len(word)) * letter) / 1000
            )
        )
        at += len(word) + 1
    box = Box(x / 1000, y / 1000, (x + len(text) * letter) / 1000, (y + height) / 1000)
    return TextLine(text, box, 0.9, tuple(words))


def test_only_the_words_of_the_secret_are_covered() -> None:
    (secret,) = find([line("pay 4539 1488 0343 6467 now", 100, 200)], 1000, 1000)
    (at,) = secret.regions
    assert secret.kind == "card"
    assert 130 <= at.x <= 140  # the word before ends at 130, the number begins at 140
    assert 330 <= at.x + at.width <= 340
    assert at.y <= 200
    assert at.y + at.height >= 220


def test_without_words_the_whole_line_is_covered() -> None:
    plain = TextLine("pay 4539 1488 0343 6467 now", Box(0.1, 0.2, 0.37, 0.22))
    (secret,) = find([plain], 1000, 1000)
    (at,) = secret.regions
    assert at.x <= 100
    assert at.x + at.width >= 370


def test_a_card_in_four_pieces_of_a_row_is_one_secret() -> None:
    pieces = [
        line(part, 100 + at * 70, 50) for at, part in enumerate(("4539", "1488", "0343", "6467"))
    ]
    (secret,) = find(pieces, 1000, 1000)
    assert len(secret.regions) == 4


def test_numbers_in_two_columns_are_not_joined() -> None:
    assert not find([line("4539 1488", 50, 50), line("0343 6467", 600, 50)], 1000, 1000)


def test_a_key_that_is_wrapped_is_covered_on_both_lines() -> None:
    first = line("see ghp_16C7e42F292c6912E7710c838347Ae178B", 100, 100, letter=20)
    (secret,) = find([first, line("4aXy97 thanks", 100, 125, letter=20)], 1000, 1000)
    above, below = secret.regions
    assert above.y < below.y
    assert below.x + below.width < 100 + 8 * 20  # what comes after it is seen


def test_a_private_key_is_covered_row_by_row() -> None:
    rows = (
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0",
        "-----END PRIVATE KEY-----",
        "Bye then",
    )
    (secret,) = find([line(row, 10, 10 + 24 * at) for at, row in enumerate(rows)], 1000, 1000)
    assert secret.kind == "private key"
    assert len(secret.regions) == 3


@given(cards(), st.integers(0, 500), st.integers(0, 900))
def test_what_is_covered_holds_every_letter_of_the_secret(card: str, x: int, y: int) -> None:
    found = find([line(f"no {card} ok", x, y)], 1000, 1000)
    (at,) = found[0].regions
    assert at.x <= x + 30
    assert at.x + at.width >= x + 30 + 10 * len(card)
    assert isinstance(at, Region)
