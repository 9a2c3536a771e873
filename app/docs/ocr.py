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
from app.vocabulary import Frame

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
        found = self._engine(np.ascontiguousarray(pixels))
        if found.txts is None or found.boxes is None:
            return frame
        rows = in_reading_order(
            Piece(text, *_bounds(corners), confidence=round(float(score), 3))
            for text, corners, score in zip(found.txts, found.boxes, found.scores, strict=True)
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
