"""Where the program writes down what happened, with every secret taken out; knows no room."""

from __future__ import annotations

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path

from app.disk import own_folder

_BYTES = 1_000_000
_OLD_FILES = 3
_HIDDEN = "[hidden]"
_VALUE = r"""[^\s"'&,;)\]}]"""

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # a header as text, as JSON, or as the pair of bytes that an HTTP library logs
    (
        re.compile(
            r"""(?i)\b((?:proxy-)?authorization|x-api-key|api-key|cookie)"""
            rf"""(["']?\s*[:=,]\s*(?:b?["'])?(?:(?:bearer|basic|token)\s+)?){_VALUE}+"""
        ),
        rf"\1\2{_HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=\-]{8,}"), rf"\1{_HIDDEN}"),
    # a field, a variable or a query parameter; a shorter value is a word, not a secret
    (
        re.compile(
            r"""(?i)(key|token|password|passwd|secret)(["']?\s*[:=]\s*(?:b?["'])?)"""
            rf"""{_VALUE}{{6,}}"""
        ),
        rf"\1\2{_HIDDEN}",
    ),
    # keys that show by their form whose they are: OpenAI and kin, Groq, Hugging Face, GitHub,
    # Google, Z.ai, JSON web tokens
    (re.compile(r"\b(?:sk|pk|rk|xai)-[\w\-]{8,}"), _HIDDEN),
    (re.compile(r"\b(?:gsk|hf|ghp|gho|github_pat)_\w{8,}"), _HIDDEN),
    (re.compile(r"\bAIza[\w\-]{20,}"), _HIDDEN),
    (re.compile(r"\b[0-9a-f]{32}\.\w{16}\b"), _HIDDEN),
    (re.compile(r"\beyJ[\w\-]{8,}\.[\w\-]+\.[\w\-]*"), _HIDDEN),
    (re.compile(r"(://)[^/\s@\"']+@"), rf"\1{_HIDDEN}@"),
    # what the user looks at is nobody's business either
    (re.compile(r"(data:[\w/+.\-]+;base64,)[\w+/=\-]+"), rf"\1{_HIDDEN}"),
)


def redact(text: str) -> str:
    """`text` without keys, tokens, passwords and pictures."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class Redact(logging.Formatter):
    """Hides secrets in the whole written line, the traceback below it included: a filter would
    see the message only."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure(folder: Path) -> logging.Handler:
    """Writes the program's log to `folder/sightline.log` (a megabyte, and three older ones), or
    to stderr where that can't be; returns what to close at the end."""
    handler = _handler(folder)
    handler.setFormatter(Redact("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(logging.INFO)
    return handler


def _handler(folder: Path) -> logging.Handler:
    try:
        path = own_folder(folder) / "sightline.log"
        path.touch(mode=0o600)
        return RotatingFileHandler(
            path, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8", errors="replace"
        )
    except OSError:
        return logging.StreamHandler()
