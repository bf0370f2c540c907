"""Batches as the signs of how their hanzi sound and look, in which terms are found that sound or look alike."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from processor.matching import shape, sound
from processor.matching.codes import Codes, CodeTable, string
from processor.matching.folding import Batch


class Signs(NamedTuple):
    """Of each character of a squeezed reading its sign; what comes before all hanzi is its own."""

    codes: Codes
    text: str


def sounds(batch: Batch) -> Signs:
    """How a batch sounds."""
    return _signs(_SOUNDS, batch)


def shapes(batch: Batch) -> Signs:
    """How a batch looks."""
    return _signs(_SHAPES, batch)


def _signs(table: CodeTable, batch: Batch) -> Signs:
    found = table.of(batch.squeezed_codes)
    return Signs(found, string(found))


def _table(sign: Callable[[str], str]) -> CodeTable:
    return CodeTable(lambda char: ord(char if char < "\u3400" else sign(char)), np.uint32)


_SOUNDS, _SHAPES = _table(sound.sign), _table(shape.sign)
