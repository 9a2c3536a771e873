"""What secrets look like in a text; pure, it knows characters and where they begin and end.

Beginnings of keys are as their issuers publish them; where OCR mixes up I, l and 1 in one of them,
each is taken. Lengths of IBANs: the SWIFT registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["card", "key", "token", "private key", "address", "iban"]


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `start` to `end` of a text are a secret."""

    kind: Kind
    start: int
    end: int


_KEYS = "|".join(
    (
        r"sk-(?:proj|ant|svcacct|admin|or)-[\w-]{20,}",  # OpenAI, Anthropic, OpenRouter
        r"sk-[A-Za-z0-9]{20,}",
        r"gh[pousr]_[A-Za-z0-9]{30,}",
        r"github_pat_\w{22,}",
        r"glpat-[\w-]{20,}",
        r"A(?:K[Il1]|S[Il1])A[A-Z0-9]{16}",  # AWS
        r"x(?:ox[abeoprs]|app)-[A-Za-z0-9-]{10,}",  # Slack
        r"A[Il1]za[\w-]{30,}",  # Google
        r"GOCSPX-[\w-]{20,}",
        r"ya29\.[\w-]{20,}",
        r"hf_[A-Za-z0-9]{30,}",
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
        r"whsec_[A-Za-z0-9+/=]{24,}",
        r"npm_[A-Za-z0-9]{36}",
        r"pypi-[\w-]{32,}",
        r"do[op]_v1_[0-9a-f]{40,}",  # DigitalOcean
        r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
        r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",  # Shopify
        r"gsk_[A-Za-z0-9]{40,}",  # Groq
        r"xai-[A-Za-z0-9]{40,}",
        r"r8_[A-Za-z0-9]{30,}",  # Replicate
        r"dapi[0-9a-f]{32}",  # Databricks
        r"lin_api_[A-Za-z0-9]{30,}",
        r"hv[sb]\.[\w-]{24,}",  # Vault
        r"[0-9a-f]{32}\.[A-Za-z0-9]{16}",  # Z.ai
        r"[0-9]{8,10}:AA[\w-]{32,}",  # Telegram
    )
)
_KEY = re.compile(rf"(?<![\w-])(?:{_KEYS})(?![\w-])", re.ASCII)
_TOKEN = re.compile(
    r"(?<![\w-])eyJ[\w-]{10,}\.[\w-]{6,}(?:\.[\w-]*)?"  # RFC 7519: {" in base64
    r"|(?<=Bearer )[\w.~+/-]{20,}=*",
    re.ASCII,
)
_ADDRESS = re.compile(
    r"(?<![\w.%+@-])[A-Za-z0-9][\w.%+-]*@(?:[A-Za-z0-9-]+\.)+([A-Za-z]{2,24})(?![\w@-])(?!:\w)",
    re.ASCII,
)
_PICTURES = ("png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "ico", "avif")  # icon@2x.png
_GROUPS = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (6, 13), (4, 4, 4))
_CARDS = tuple(
    re.compile(rf"(?<![\w.,/@-]){body}(?![\w-]|[.,/]\d)", re.ASCII)
    for body in (
        *(r"([ –-]{1,2})".join(rf"\d{{{size}}}" for size in sizes[:2])
          + "".join(rf"\1\d{{{size}}}" for size in sizes[2:]) for sizes in _GROUPS),
        r"\d{12,19}",
    )
)  # fmt: skip
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?= ?[A-Z0-9])")
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE",
        31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_BEGIN = re.compile(r"[-–—_]{2,} ?BEGIN ?(?:[A-Z0-9]+ ?){0,3}PRIVATE ?KEY")
_END = re.compile(r"[-–—_]{2,} ?END ?(?:[A-Z0-9]+ ?){0,3}PRIVATE ?KEY")
_BODY = re.compile(r"[A-Za-z0-9+/=]{12,}(?: [A-Za-z0-9+/=]{8,})*=*|[A-Za-z0-9+/]{1,12}={0,2}")
_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Comment|Version)\b.*")


def spans(text: str) -> list[Span]:
    """The secrets in one line of text from left to right; none overlap."""
    found: list[Span] = []
    for span in (*_keys(text), *_ibans(text), *_cards(text), *_addresses(text)):
        if all(span.end <= other.start or span.start >= other.end for other in found):
            found.append(span)
    return sorted(found, key=lambda span: span.start)


def private_key(rows: Sequence[str]) -> int:
    """How many of the rows, from the first, are a private key in PEM (RFC 7468); 0 for none. One
    whose end is cut off goes as far as its rows look like base64."""
    if not rows or not _BEGIN.search(rows[0]):
        return 0
    if _END.search(rows[0]):
        return 1
    for at, row in enumerate(rows[1:], 1):
        if _END.search(row):
            return at + 1
        if not (_BODY.fullmatch(row) or _HEADER.fullmatch(row)):
            return at
    return len(rows)


def _keys(text: str) -> Iterator[Span]:
    for match in _KEY.finditer(text):
        if any(letter.isdigit() for letter in match.group()):  # else it is a name with hyphens
            yield Span("key", *match.span())
    for match in _TOKEN.finditer(text):
        yield Span("token", *match.span())


def _addresses(text: str) -> Iterator[Span]:
    for match in _ADDRESS.finditer(text):
        if match.group(1).lower() not in _PICTURES:
            yield Span("address", *match.span())


def _cards(text: str) -> Iterator[Span]:
    for form in _CARDS:
        for match in form.finditer(text):
            digits = "".join(letter for letter in match.group() if letter.isdigit())
            if issued(digits) and luhn(digits):
                yield Span("card", *match.span())


def _ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        end = _reach(text, match.start(), _IBAN_LENGTHS.get(match.group()[:2], 0))
        if end and mod97(text[match.start() : end].replace(" ", "")) == 1:
            yield Span("iban", match.start(), end)


def _reach(text: str, start: int, letters: int) -> int:
    """Where that many letters and digits from `start`, single spaces aside, end; 0 if nowhere."""
    at, left = start, letters
    while left and at < len(text):
        if text[at].isascii() and (text[at].isdigit() or text[at].isupper()):
            left -= 1
        elif text[at] != " " or text[at - 1] == " ":
            return 0
        at += 1
    over = at < len(text) and text[at].isalnum()
    return 0 if left or over or not letters else at


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def issued(digits: str) -> bool:
    """Whether an issuer of cards has numbers with this beginning and of this length."""
    size, six = len(digits), int(digits[:6].ljust(6, "0"))
    two, three, four = six // 10_000, six // 1_000, six // 100
    return any(
        (
            digits[0] == "4" and size in (16, 19),  # Visa; one of 13 would be a product's EAN today
            (51 <= two <= 55 or 2221 <= four <= 2720) and size == 16,  # Mastercard
            two in (34, 37) and size == 15,  # American Express
            (four == 6011 or 644 <= three <= 659) and 16 <= size <= 19,  # Discover
            (300 <= three <= 305 or three == 309 or two in (36, 38, 39)) and size in (14, 16),
            3528 <= four <= 3589 and 16 <= size <= 19,  # JCB
            two in (62, 81) and 16 <= size <= 19,  # UnionPay
            2200 <= four <= 2204 and 16 <= size <= 19,  # Mir
            four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763) and 12 <= size <= 19,
            two in (60, 82) and size == 16,  # RuPay
        )
    )


def mod97(iban: str) -> int:
    """The remainder that is 1 for a sound IBAN, written without spaces."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97
