"""What a term is reduced to, so that all its spellings are one; and what was done to it where it was found."""

import unicodedata
from functools import lru_cache

from processor.matching.folding import IGNORED, JOINT, SPELLED, fold, is_break, is_hanzi, squeeze

_FRAMES = frozenset({"Ps", "Pe", "Pi", "Pf"})  # brackets and quotes
_SIGNS = {IGNORED: "invisible", SPELLED: "spelled"}


def forms(term: str) -> tuple[str, ...]:
    """The patterns that stand for `term`: folded, and without its separators if both differ.

    A sign at an end of a term is no separator but part of it, brackets and quotes aside: c++, .onion, 100%.
    """
    term = term.replace(JOINT, IGNORED)
    folded = " ".join(fold(term).replace(IGNORED, "").split())
    if folded.isalnum():  # nothing to skip
        return (folded,)
    squeezed = squeeze(term)
    if SPELLED in folded:
        return (squeezed,)
    bare = len(squeezed) > 1 and not (_is_sign(folded[0]) or _is_sign(folded[-1]))
    return tuple(form for form in dict.fromkeys((folded, squeezed if bare else "")) if form)


@lru_cache(maxsize=1 << 17)
def identity(term: str) -> str:
    """What all spellings of one term have in common."""
    return "".join(forms(term)[-1:])


def _is_sign(char: str) -> bool:
    return not (char.isalnum() or is_break(char) or char in "'\"" or unicodedata.category(char) in _FRAMES)


def spaces(term: str, form: str) -> frozenset[int]:
    """Where in the form of a term white space may be skipped: where the term itself has some, or another sign."""
    if len(term) == len(form):
        return frozenset()
    places = frozenset(len(squeeze(term[:place])) for place, char in enumerate(term) if not squeeze(char))
    return places - {0, len(form)}


def transforms(text: str, term: str) -> list[str]:
    """What was done to the original span `text` to read it as `term`; nothing if they are equal.

    Names: case, width (any compatibility form), accent, variant (traditional hanzi), spelled (one sign for several
    characters), invisible, separator.
    """
    if text == term:
        return []
    via = {_transform(char) for char in text if char not in term}
    return sorted(via | {"separator"} if _separators(text) > _separators(term) else via)


def _separators(text: str) -> int:
    return sum(not char.isalnum() and char not in _SIGNS for char in fold(text))


def _transform(char: str) -> str:
    folded = fold(char)
    if folded in _SIGNS:
        return _SIGNS[folded]
    if not folded.isalnum():
        return "separator"
    if folded == char.lower():
        return "variant" if is_hanzi(folded) else "case"
    if folded == unicodedata.normalize("NFKC", char).lower() or not char.isalnum():
        return "width"
    return "variant" if is_hanzi(folded) else "accent"
