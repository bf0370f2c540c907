"""Words that make company: sets of words of a trade, beside which slang means what the trade means by it.

They come with the package (`builtin/company.yaml`), as the tables of readings do, and are no part of a ruleset.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

SET = "@"  # before the name of a set where words may stand
DEALING = "dealing"  # the set of what is said in any trade


class Company(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A set of words, and how far from a term each of them still makes company, in characters."""

    within: int
    words: tuple[str, ...]


@cache
def company_sets() -> Mapping[str, Company]:
    """The sets by their names."""
    text = (files("processor") / "builtin" / "company.yaml").read_text(encoding="utf-8")
    return msgspec.yaml.decode(text, type=dict[str, Company])
