"""What it means that innocent phrases cover a find.

A phrase that is a mere part of the find, anywhere inside it, says nothing: 贷 in 贷款. Each other phrase that shares
characters with it covers those, whether the phrase begins before the find, with it or inside it. A find is covered when
at most one of its characters is left over, separators not counted, and not all of it. So 孕育 covers 代孕 in 时代孕育,
举办 covers 办证 in 举办证券, and 套餐优惠 does not cover 代孕套餐.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from processor.matching.folding import squeeze
from processor.matching.weighing import Found

_LEFT_OVER = 1


class Cover:
    """The innocent phrases of one text. To ask takes logarithmic time."""

    def __init__(self, text: str, phrases: Sequence[Found]) -> None:
        """The text and the places of the phrases in it, in any order."""
        self._text = text
        by_start = sorted((phrase.start, phrase.end) for phrase in phrases)
        self._starts = [start for start, _ in by_start]
        self._reach = list(accumulate((end for _, end in by_start), max))  # how far those that have begun reach
        by_end = sorted((phrase.end, phrase.start) for phrase in phrases)
        self._ends = [end for end, _ in by_end]
        back = list(accumulate((start for _, start in reversed(by_end)), min))
        self._back = back[::-1]  # from where those come that end here or later

    def holds(self, find: Found) -> bool:
        """Whether the phrases cover the find."""
        begun = bisect_right(self._starts, find.start)
        if begun and self._reach[begun - 1] >= find.end:
            return True
        before = bisect_left(self._starts, find.start)
        left = max(self._reach[before - 1], find.start) if before else find.start
        after = bisect_right(self._ends, find.end)
        right = min(self._back[after], find.end) if after < len(self._ends) else find.end
        if left == find.start and right == find.end:
            return False
        return left >= right or len(squeeze(self._text[left:right])) <= _LEFT_OVER
