"""`sightline frames`: documents as frames, and every promise about bad files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parent.parent.parent / "assets" / "samples"


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_document_comes_first_and_then_its_frames(sightline) -> None:
    ran = sightline("frames", str(SAMPLES / "report.pdf"), "--json", "--no-ocr")
    document, *frames = lines(ran.stdout)
    assert (document["type"], document["kind"], document["pages"]) == ("document", "pdf", 3)
    assert [frame["page"] for frame in frames] == [1, 2, 3]
    assert frames[0]["text_source"] == "layer" and frames[0]["path"] is None
    assert [frame["index"] for frame in frames] == [0, 1, 2]


def test_only_the_pages_asked_for_come(sightline) -> None:
    ran = sightline("frames", str(SAMPLES / "report.pdf"), "--json", "--pages", "2-3", "--no-ocr")
    assert [line["page"] for line in lines(ran.stdout)[1:]] == [2, 3]


def test_a_video_gives_a_frame_every_so_often(sightline) -> None:
    ran = sightline("frames", str(SAMPLES / "clip.mp4"), "--json", "--every", "1")
    times = [line["time"] for line in lines(ran.stdout)[1:]]
    assert len(times) == 5
    assert times == sorted(times)


def test_frames_are_written_as_files(sightline, tmp_path: Path) -> None:
    ran = sightline(
        "frames", str(SAMPLES / "deck.pptx"), "--json", "--out", str(tmp_path / "o"), "--no-ocr"
    )
    written = [Path(str(line["path"])) for line in lines(ran.stdout)[1:]]
    assert len(written) == 4
    assert all(path.stat().st_size > 1000 for path in written)


def test_no_side_is_longer_than_asked(sightline) -> None:
    ran = sightline(
        "frames", str(SAMPLES / "invoice.png"), "--json", "--max-side", "500", "--no-ocr"
    )
    frame = lines(ran.stdout)[1]
    assert max(frame["width"], frame["height"]) == 500


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("empty.pdf", b"", "empty"),
        ("zeros.pdf", bytes(4096), "damaged"),
        ("page.pdf", b"<html><body>404</body></html>", "damaged"),
        ("noise.bin", bytes(range(256)) * 64, "unsupported"),
    ],
)
def test_a_bad_file_is_one_sentence_and_its_kind(
    sightline, tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ran = sightline("frames", str(path), "--json")
    assert ran.returncode == 1
    assert lines(ran.stdout)[-1]["kind"] == kind
    assert name in ran.stderr and ran.stderr.count("\n") == 1
