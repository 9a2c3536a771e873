"""What a server's refusal is, and one sentence for a person that says it; no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from app.engine.said import Said, read_body
from app.vocabulary import EndpointFault, FaultKind

LONGEST = 400  # characters of a server's own words that are shown

_WHERE = "Settings › Endpoints"
_SENTENCES: Mapping[FaultKind, str] = {
    "bad_key": f"The server refused the key{{0}}. Check it in {_WHERE}.",
    "bad_url": f"Nothing answers questions at this address{{0}}. Check it in {_WHERE}.",
    "no_model": f"The server has no such model{{0}}. Choose another in {_WHERE}.",
    "rate_limited": "The server is asked too often{0}. Wait a little, then try again.",
    "too_long": "This is more than the model can hold{0}. Send fewer pages or pictures.",
    "refused": "The server's content filter refused this{0}. Ask in another way.",
    "bad_request": f"The server did not understand the request{{0}}. Check {_WHERE}.",
    "bad_response": f"The server's answer can't be read{{0}}. Check its address in {_WHERE}.",
    "server_failed": "The server failed{0}. Try again in a moment.",
    "interrupted": "The answer broke off before its end{0}. Try again.",
    "timeout": "The server took too long{0}. Try again.",
}
_NO_CREDIT = "The account behind this key has no credit left{0}. Top it up, or choose another."

_STATUSES: Mapping[int, FaultKind] = {
    401: "bad_key",
    402: "rate_limited",
    403: "bad_key",
    404: "bad_url",
    405: "bad_url",
    408: "timeout",
    410: "bad_url",
    413: "too_long",
    429: "rate_limited",
    504: "timeout",
}

# The words by which servers that answer 400 or 200 to everything tell what went wrong, in the
# order tried; the numbers are Z.ai's codes (docs.bigmodel.cn, "error codes").
_CREDIT = (
    r"insufficient[_ ](quota|balance|credit|fund)|exceeded_current_quota|arrear|billing"
    r"|payment required|out of credit|\b1113\b|欠费|余额不足"
)
_WORDS: tuple[tuple[FaultKind, str], ...] = (
    (
        "too_long",
        r"context[_ ](length|window|size)|maximum context|exceed_context|max_model_len"
        r"|(prompt|input|request)[\w ]* too (long|large)|prompt exceeds|reduce the length"
        r"|input (length|tokens?) .{0,40}exceed|\b1261\b|超过最大|过长",
    ),
    (
        "bad_key",
        r"(invalid|incorrect|wrong|missing|expired|no|bad)[ _-]*(api|access|auth)?[ _-]*"
        r"(key|token|credential)s?\b|api key not valid|unauthori[sz]ed|authentication"
        r"|permission_denied|身份验证|\b100[0-4]\b",
    ),
    (
        "no_model",
        r"model[_ ]?not[_ ]?(found|exist)|no such model|(unknown|invalid) model|not a valid model"
        r"|model\b.{0,120}?\b(not found|not exist|n't exist|not available|not supported)"
        r"|\b1211\b|模型不存在",
    ),
    (
        "refused",
        r"content[_ ]?(filter|policy|management)|sensitive|moderation|flagged|safety"
        r"|data_?inspection|(region|country|location).{0,40}not supported|\b1301\b|敏感|违规",
    ),
    (
        "rate_limited",
        r"rate[_ -]?limit|too many requests|throttl|quota|concurren|resource_exhausted"
        r"|\b130[2-9]\b|并发|频率",
    ),
    ("server_failed", r"overloaded|server[_ ]error|internal error|unavailable|api_error"),
)


def fault_of(said: Said, status: int | None = None) -> EndpointFault:
    """The fault that a refusal is, with the server's own words; `status` is HTTP's, where the
    request itself was refused."""
    known = status or said.status
    text = f"{said.codes} {said.words}"
    kind = _own_kind(said.codes) or _kind(text, known)
    detail = f"status {known}, {said.codes}"
    if kind not in _SENTENCES:  # from this project's own engine: already said for a person
        return EndpointFault(kind, said.words, detail)
    no_credit = kind == "rate_limited" and (known == 402 or _holds(_CREDIT, text))
    sentence = _NO_CREDIT if no_credit else _SENTENCES[kind]
    shown = sentence.format(f" (HTTP {status})" if status else "")
    return EndpointFault(kind, quoted(shown, said.words), detail)


def refusal(status: int, body: bytes) -> EndpointFault:
    """The fault of a whole refused request."""
    return fault_of(read_body(body), status)


def plain(kind: FaultKind, words: str = "") -> EndpointFault:
    """A fault in the words that its kind always has, and the server's own behind them."""
    return EndpointFault(kind, quoted(_SENTENCES[kind].format(""), words))


def quoted(sentence: str, words: str) -> str:
    """A sentence with the server's own words behind it, kept to a readable length."""
    words = "".join(char if char.isprintable() else " " for char in words).strip()
    if not words:
        return sentence
    shown = words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"
    return f"{sentence} It said: {shown}"


def _own_kind(codes: str) -> FaultKind | None:
    """The kind by name, as this project's own server writes it."""
    return next((kind for kind in get_args(FaultKind) if kind in codes.split()), None)


def _kind(text: str, status: int | None) -> FaultKind:
    if status in (401, 402, 429):
        return _STATUSES[status]
    if status is not None and status >= 500:
        certain = _by_words(text, among=("too_long", "no_model"))
        return certain or _STATUSES.get(status, "server_failed")
    if status is not None and 300 <= status < 400:
        return "bad_url"
    if _holds(_CREDIT, text):
        return "rate_limited"
    unnamed: FaultKind = "server_failed" if status is None else "bad_request"
    return _by_words(text) or _STATUSES.get(status or 0, unnamed)


def _by_words(text: str, among: tuple[FaultKind, ...] = ()) -> FaultKind | None:
    for kind, pattern in _WORDS:
        if (not among or kind in among) and _holds(pattern, text):
            return kind
    return None


def _holds(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
