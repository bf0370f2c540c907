"""Terms that may be cut over several messages, each piece a short message of its own.

What a sender writes is remembered only if the whole message, folded and squeezed, is how some term begins; so what is
kept of it is always text that stands in a lexicon, and most messages leave nothing. Pieces in longer messages do not
count: 送货上门 and then 服务很好 do not say 上门服务. Neither does a single Latin letter or digit begin a term, nor is
one of several Latin words cut: how, no and 1 are messages that people write all day.
"""

from bisect import bisect_left
from collections.abc import Iterable

from processor.matching.folding import Batch, is_break
from processor.matching.sieve import EVERYTHING, sieve_of_heads

LONGEST = 6  # characters of a piece
_LONGEST_TERM = 12
MOST = 6  # pieces of a term


class Cut:
    """Which texts begin, or are, one of the `terms`, in the squeezed reading.

    `sifted`: whether it is one of many, each with its own texts in a batch, which `Sieves` take a first look at.
    """

    def __init__(self, terms: Iterable[str], *, sifted: bool = False) -> None:
        words = [term for term in terms if not (" " in term and term.isascii())]
        squeezed = set(Batch(words).squeezed_texts)
        self._forms = sorted(
            text for text in squeezed if 1 < len(text) <= _LONGEST_TERM and not any(map(is_break, text))
        )
        all_heads = {form[:size] for form in self._forms for size in (1, 2)}
        heads = frozenset(head for head in all_heads if len(head) > 1 or not head.isascii())
        self._heads = None if sifted else heads
        self.sieve = sieve_of_heads(heads) if sifted else EVERYTHING

    def __len__(self) -> int:
        return len(self._forms)

    def begins(self, text: str) -> bool:
        """Whether some term is `text` and more."""
        if len(text) < 2 and text.isascii() if self._heads is None else text[:2] not in self._heads:  # noqa: PLR2004
            return False
        place = bisect_left(self._forms, text)
        if place < len(self._forms) and self._forms[place] == text:
            place += 1
        return place < len(self._forms) and self._forms[place].startswith(text)

    def holds(self, text: str) -> bool:
        """Whether `text` is a term."""
        place = bisect_left(self._forms, text)
        return place < len(self._forms) and self._forms[place] == text
