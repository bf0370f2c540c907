"""Texts for property tests: the nasty ones of `processor.redteam.nasty`, cut short and mixed."""

from itertools import islice
from random import Random

from hypothesis import strategies as st

from processor.redteam.mutate import EVASIONS, attack
from processor.redteam.nasty import NASTY
from tests.redteam.lines import terms

TERMS = terms()


def pieces(name: str, seed: int, count: int) -> str:
    """The first pieces that a generator gives."""
    return "".join(islice(NASTY[name](TERMS, Random(seed)), count))


SEEDS = st.integers(min_value=0, max_value=2**32)
NASTY_TEXTS = st.builds(pieces, st.sampled_from(sorted(NASTY)), SEEDS, st.integers(min_value=0, max_value=60))
ATTACKS = st.builds(
    lambda term, evasion, seed: case.text if (case := attack(term, evasion, seed=seed)) else term,
    st.sampled_from(TERMS),
    st.sampled_from(sorted(EVASIONS)),
    SEEDS,
)
TEXTS = st.lists(st.one_of(NASTY_TEXTS, ATTACKS, st.text(max_size=20)), max_size=5).map("".join)
"""Anything that a matcher may be given, and much that it was not made for."""
