"""Documents of the world, each with what should come of it; skipped where they are absent."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.docs.reader import DocumentWorker, Opened, Remark, Request
from app.vocabulary import DocumentFault, Frame

FOLDER = Path(__file__).parents[2].parent / "shared" / "samples" / "documents"
MANIFEST = FOLDER / "manifest.json"
CASES: list[dict[str, Any]] = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []

pytestmark = [
    pytest.mark.skipif(not CASES, reason="the sample documents are not here"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]


async def outcome(worker: DocumentWorker, path: Path, password: str | None = None) -> str:
    """What came: "opens N", with "+blank" if the first frame is, or the kind of the fault."""
    frames: list[Frame] = []
    opened = 0
    try:
        async for told in worker.read(Request(path, password=password, ocr="never")):
            match told:
                case Opened(pages=opened):
                    pass
                case Frame():
                    frames.append(told)
                case Remark():
                    pass
    except DocumentFault as fault:
        assert path.name in fault.message
        return fault.kind
    assert len(frames) == opened
    return f"opens {opened}" + ("+blank" if blank(frames[0]) else "")


def blank(frame: Frame) -> bool:
    with Image.open(BytesIO(frame.image)) as picture:
        return all(high - low < 5 for low, high in picture.convert("RGB").getextrema())  # type: ignore[misc]


def is_right(found: str, expected: dict[str, Any]) -> bool:
    pages = expected.get("pages")
    counts = pages if isinstance(pages, list) else [pages]
    opens = found.startswith("opens") and (
        pages is None or int(found.removesuffix("+blank").split()[1]) in counts
    )
    if "first_page_blank" in expected:
        opens = opens and found.endswith("+blank") == expected["first_page_blank"]
    match expected["outcome"]:
        case "opens":
            return opens or ("bounded" in expected and not found.startswith("opens"))
        case "needs_password":
            return found == "needs_password"
        case "error" | "needs_password_or_error":
            return not found.startswith("opens")
        case _:
            return opens or not found.startswith("opens")


def test_every_sample_comes_out_as_its_manifest_says() -> None:
    async def work() -> list[tuple[str, str]]:
        worker = DocumentWorker()
        wrong = []
        for case in CASES:
            found = await outcome(worker, FOLDER / case["name"])
            if not is_right(found, case["expected"]):
                wrong.append((case["name"], found))
        await worker.close()
        return wrong

    assert asyncio.run(work()) == []


def test_a_locked_sample_opens_with_its_password() -> None:
    async def work() -> str:
        worker = DocumentWorker()
        found = await outcome(worker, FOLDER / "pypdf_password.pdf", "openpassword")
        await worker.close()
        return found

    assert asyncio.run(work()) == "opens 1"
