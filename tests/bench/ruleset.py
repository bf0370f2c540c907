"""The ruleset to judge by: the built-in one, and as many made-up terms as are asked for."""

import random
from collections.abc import Iterator, Sequence

import msgspec

from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, Entry
from tests.bench.traffic import talk

_SYLLABLES = (
    "ba",
    "dor",
    "fen",
    "gli",
    "hup",
    "kra",
    "lim",
    "mox",
    "nu",
    "por",
    "qua",
    "rez",
    "sti",
    "tul",
    "vek",
    "zo",
)


def made_up(count: int, *, seed: int = 7) -> list[str]:
    """Different terms that no chat holds by chance: seven in ten of the hanzi that chat is made of, three Latin."""
    draw = random.Random(seed)
    hanzi = sorted({char for _ in range(2_000) for char in talk(draw) if "\u4e00" <= char <= "\u9fff"})
    terms: dict[str, None] = {}
    while len(terms) < count:
        latin = draw.random() < 0.3
        letters = draw.choices(_SYLLABLES if latin else hanzi, k=draw.randint(3, 5) if latin else draw.randint(4, 6))
        terms["".join(letters)] = None
    return list(terms)


def ruleset(extra: Sequence[str]) -> BaseDocument:
    """The built-in rules and lexicons with the terms of `extra`."""
    document = builtin()
    lexicons = {**document.lexicons, "bench": [Entry(term=term) for term in extra]}
    return msgspec.structs.replace(document, lexicons=lexicons)


def terms_of(document: BaseDocument) -> list[str]:
    """Every term of its lexicons, once."""
    return list(dict.fromkeys(_terms(document)))


def _terms(document: BaseDocument) -> Iterator[str]:
    for entries in document.lexicons.values():
        yield from (entry.term for entry in entries)
