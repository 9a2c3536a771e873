"""How the window and the document worker write to each other: length-prefixed JSON and bytes.

A packet is two big-endian 32-bit lengths, a JSON object and the bytes of a picture. It knows
neither pipes nor processes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any, TypeAlias, assert_never

from app.docs.request import Limits, Opened, Page, Remark, Request, Told
from app.vocabulary import Box, Error, Frame, Region, Source, TextLine, Word

HEAD = struct.Struct(">II")
LARGEST = 256 << 20  # bytes; a picture of 120 megapixels stays far below

Header: TypeAlias = Mapping[str, Any]


def pack(header: Header, blob: bytes = b"") -> bytes:
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    return HEAD.pack(len(text), len(blob)) + text + blob


def lengths(head: bytes) -> tuple[int, int]:
    """The lengths of the JSON and of the bytes that follow; ValueError where they are absurd."""
    text, blob = HEAD.unpack(head)
    if text > LARGEST or blob > LARGEST:
        raise ValueError(f"a packet of {text} + {blob} bytes")
    return text, blob


def header(text: bytes) -> Header:
    parsed: Header = json.loads(text.decode("utf-8", "surrogatepass"))
    return parsed


def pack_told(told: Told | Error) -> bytes:
    match told:
        case Opened():
            return pack({"type": "opened", **asdict(told)})
        case Remark(text):
            return pack({"type": "remark", "text": text})
        case Page(number, drawn):
            return pack({"type": "page", "number": number, "drawn": drawn})
        case Frame():
            return pack(_frame_fields(told), told.image)
        case Error():
            return pack({"type": "error", **asdict(told)})
        case _:
            assert_never(told)


def _frame_fields(frame: Frame) -> Header:
    return {
        "type": "frame",
        "media_type": frame.media_type,
        "size": [frame.width, frame.height],
        "source": asdict(frame.source),
        "text": frame.text,
        "text_source": frame.text_source,
        "lines": [
            [line.text, astuple(line.box), line.confidence, [astuple(w) for w in line.words]]
            for line in frame.lines
        ],
    }


def told_of(head: Header, blob: bytes) -> Told | Error:
    match head["type"]:
        case "opened":
            return Opened(
                head["kind"],
                head["pages"],
                head["title"],
                head["renderer"],
                tuple(head["warnings"]),
            )
        case "remark":
            return Remark(head["text"])
        case "page":
            return Page(head["number"], head["drawn"])
        case "frame":
            return frame_of(head, blob)
        case "error":
            return Error(head["kind"], head["message"], head["detail"])
        case other:
            raise ValueError(f"a packet of type {other!r}")


def frame_of(head: Header, blob: bytes) -> Frame:
    source = dict(head["source"])
    if source["region"] is not None:
        source["region"] = Region(**source["region"])
    width, height = head["size"]
    return Frame(
        image=blob,
        media_type=head["media_type"],
        width=width,
        height=height,
        source=Source(**source),
        text=head["text"],
        text_source=head["text_source"],
        lines=tuple(
            TextLine(text, Box(*box), confidence, tuple(Word(*word) for word in words))
            for text, box, confidence, words in head["lines"]
        ),
    )


def pack_request(request: Request, limits: Limits) -> bytes:
    fields = {**asdict(request), "path": str(request.path)}
    return pack({"type": "read", "request": fields, "limits": asdict(limits)})


def pack_recognise(frame: Frame, limits: Limits) -> bytes:
    fields = {**asdict(Request(Path(frame.source.name))), "path": frame.source.name}
    head = {"type": "recognise", "request": fields, "limits": asdict(limits)}
    return pack({**_frame_fields(frame), **head}, frame.image)


def request_of(head: Header) -> tuple[Request, Limits]:
    fields = {**head["request"], "path": Path(head["request"]["path"])}
    return Request(**fields), Limits(**head["limits"])
