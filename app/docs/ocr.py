"""Reads the text in a picture with RapidOCR (PP-OCR models that its wheel carries, offline).

It owns the engine, built when the first picture comes; it knows no document.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from rapidocr import RapidOCR

from app.docs.encode import uniform
from app.docs.layout import Piece, in_reading_order, text_lines, text_of
from app.vocabulary import Frame, Word

_THREADS = 2
_SURE = 0.5
_DETECT_SIDE = 1600  # px; finding lines takes a third of the time it takes at full size


class Eye:
    """One OCR engine; `read` takes and gives frames."""

    def __init__(self) -> None:
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,  # lines that stand on their head are not worth the time
                "Global.text_score": _SURE,
                "Det.limit_type": "max",
                "Det.limit_side_len": _DETECT_SIDE,
                "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read(self, frame: Frame) -> Frame:
        """The same frame with the text that stands in its picture; unchanged if there is none."""
        with Image.open(BytesIO(frame.image)) as picture:
            if uniform(picture):
                return frame
            pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1]
        found = self._engine(np.ascontiguousarray(pixels), return_word_box=True)
        if found.txts is None or found.boxes is None:
            return frame
        told = found.word_results
        parted = told if len(told) == len(found.txts) else [()] * len(found.txts)
        rows = in_reading_order(
            Piece(text, *_bounds(corners), round(float(score), 3), _words(text.strip(), parts))
            for text, corners, score, parts in zip(
                found.txts, found.boxes, found.scores, parted, strict=True
            )
        )
        return replace(
            frame,
            text=text_of(rows),
            text_source="ocr" if rows else "none",
            lines=text_lines(rows, frame.width, frame.height),
        )


def _bounds(corners: Any) -> tuple[float, float, float, float]:
    """The upright rectangle around four corners [4, 2] in pixels."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _words(line: str, parts: Any) -> tuple[Word, ...]:
    """Where the words of `line` stand across, in pixels; none where they can't all be told, as in
    a line that was read turned."""
    words: list[Word] = []
    end = 0
    for text, _score, corners in parts if isinstance(parts, tuple | list) else ():
        start = line.find(text, end) if text and corners else -1
        if start < 0:
            return ()
        end = start + len(text)
        xs = [float(corner[0]) for corner in corners]
        words.append(Word(start, end, min(xs), max(xs)))
    return tuple(words)
