"""Web addresses against the names people trust: whose domain is it, and does it only look like somebody's?

A domain is *known* when it belongs to a brand of the table or to another site that people send each other; it
*resembles* a brand when a part of its name is the brand's, or nearly (paypa1, arnazon, icbc-login), and it is not the
brand's own. What is neither is *odd*. Odd alone says little; next to a brand's name, a threat or a promise it does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

LINKS = ("known_link", "odd_link", "short_link", "cheap_link", "lookalike_link")
"""What an address may be, as scorecards name it; several may hold."""

_LEAST = 6  # letters of a brand that may stand within a longer word
_LEAST_FIRST = 4  # and of one with which a word may begin
_LEAST_TYPO = 6  # letters of a brand of which one may be wrong
_LOOKS = str.maketrans("013457", "oleast")
_PARTS = re.compile(r"[.\-_]")
_ENDINGS = frozenset(("com", "net", "org", "gov", "edu", "co", "ac"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Brands:
    """The table, as `read_brands` makes it."""

    names: tuple[str, ...] = ()  # as people write them
    owned: frozenset[str] = frozenset()  # domains
    tokens: frozenset[str] = frozenset()  # the names within the brands' own domains
    shorteners: frozenset[str] = frozenset()
    cheap: frozenset[str] = frozenset()  # endings that cost next to nothing

    def classify(self, domain: str) -> frozenset[str]:
        """Which of LINKS hold of a domain in lower case."""
        return _classify(self, domain)


@lru_cache(maxsize=4096)
def _classify(brands: Brands, domain: str) -> frozenset[str]:
    labels = domain.split(".")
    above = {".".join(labels[n:]) for n in range(len(labels))}
    if above & brands.shorteners:
        return frozenset(("short_link",))
    if above & brands.owned:
        return frozenset(("known_link",))
    kinds = {"odd_link"}
    if labels[-1] in brands.cheap or all(map(str.isdecimal, labels)):
        kinds.add("cheap_link")
    if _resembles(labels, brands.tokens):
        kinds.add("lookalike_link")
    return frozenset(kinds)


def _resembles(labels: Sequence[str], tokens: frozenset[str]) -> bool:
    named = labels[:-2] if len(labels) > 2 and labels[-2] in _ENDINGS else labels[:-1]  # noqa: PLR2004  a.com.cn
    parts = [part for label in named for part in _PARTS.split(label) if part]
    for part in parts:
        for form in {part, part.translate(_LOOKS), part.replace("rn", "m"), part.replace("vv", "w")}:
            if form in tokens or any(_within(token, form) for token in tokens):
                return True
            if len(form) >= _LEAST_TYPO and any(
                abs(len(token) - len(form)) <= 1 and len(token) >= _LEAST_TYPO and _one_apart(token, form)
                for token in tokens
            ):
                return True
    return False


def _within(token: str, form: str) -> bool:
    return (len(token) >= _LEAST and token in form) or (len(token) >= _LEAST_FIRST and form.startswith(token))


def _one_apart(one: str, other: str) -> bool:
    """Whether one letter is wrong, missing, too many, or two neighbours are swapped."""
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[2:] == b[2:] and a[:2] == b[1::-1])


def read_brands(document: Mapping[str, object], problems: list[str]) -> Brands:
    """The table of a `brands.yaml`; what is wrong is noted in `problems`."""
    rest = dict(document)
    brands = rest.pop("brands", {})
    if not isinstance(brands, Mapping):
        problems.append("brands: brands must be a mapping from names to {names, domains}")
        brands = {}
    names: list[str] = []
    domains: list[str] = []
    for key, brand in brands.items():
        where = f"brands: {key}"
        if not isinstance(brand, Mapping) or set(brand) - {"names", "domains"}:
            problems.append(f"{where} must be a mapping with names and domains")
            continue
        names += _words(brand.get("names", []), f"{where}: names", problems)
        domains += _words(brand.get("domains", []), f"{where}: domains", problems)
    lists = {key: _words(rest.pop(key, []), f"brands: {key}", problems) for key in ("known", "shorteners", "cheap")}
    problems.extend(f"brands: unknown field {key!r}" for key in rest)
    return Brands(
        names=tuple(dict.fromkeys(names)),
        owned=frozenset((*domains, *lists["known"])),
        tokens=frozenset(token for domain in domains if len(token := domain.split(".")[0]) > 2),  # noqa: PLR2004
        shorteners=frozenset(lists["shorteners"]),
        cheap=frozenset(lists["cheap"]),
    )


def _words(value: object, where: str, problems: list[str]) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
        problems.append(f"{where} must be a list of words")
        return []
    return [word.strip() for word in value]
