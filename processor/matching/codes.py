"""Texts as arrays of code points, and tables of what each code point is."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Places = NDArray[np.intp]


def codes(text: str) -> Codes:
    """The code points of `text`."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def string(points: Codes) -> str:
    """The text that has these code points."""
    return points.tobytes().decode("utf-32-le", "surrogatepass")


class CodeTable:
    """What each character is, as a number of `dtype` below its largest, which stands for "not asked yet".

    Fills itself as characters turn up, so that making one costs nothing and every script is covered.
    """

    def __init__(self, read: Callable[[str], int], dtype: type[np.unsignedinteger[Any]]) -> None:
        self._read = read
        self._unknown = np.iinfo(dtype).max
        self._table = np.full(0x110000, self._unknown, dtype)

    def of(self, written: Codes) -> NDArray[Any]:
        """What each of the code points is."""
        found = self._table[written]
        if (unknown := found == self._unknown).any():
            for code in np.unique(written[unknown]).tolist():
                self._table[code] = self._read(chr(code))
            found = self._table[written]
        return found
