"""What an entry may say beyond what its shape allows, and the short form of combinations in text files."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from processor.matching.folding import is_break, squeeze
from processor.matching.patterns import pattern_flaw
from processor.rulesets.company import SET, company_sets
from processor.rulesets.document import MAX_TERM, Entry

_SIGNS = re.compile(r"(?<!\\)[&~]")
_LEAST = 2  # characters that count in each word of a combination's short form


def entry_flaws(entry: Entry, *, least: int = 2) -> Iterator[str]:
    """Everything that makes the entry useless or wrong; `least`: how many characters of a term must count."""
    flaw = pattern_flaw(entry.term) if entry.kind == "pattern" else term_flaw(entry.term, least=_least(entry, least))
    if flaw:
        yield flaw
    if entry.kind == "exact" and (entry.company or entry.all or entry.without):
        yield "an exact entry is the whole message: no other word can stand beside it"
    for word in (*entry.company, *entry.all, *entry.without):
        if word.startswith(SET) and word[1:] not in company_sets():
            yield f"there is no set of words {word}: use one of {', '.join(SET + name for name in company_sets())}"
        elif flaw := term_flaw(word, least=1):
            yield flaw
    if entry.expires is not None and not _is_day(entry.expires):
        yield f"expires: there is no day {entry.expires}"


def _least(entry: Entry, least: int) -> int:
    return 1 if entry.kind == "exact" or entry.company or entry.all else least


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def term_flaw(term: str, *, least: int = 2) -> str | None:
    """Why `term` cannot be matched usefully, or None; `least`: how many characters must count."""
    if not term:
        return "the term is empty"
    if len(term) > MAX_TERM:
        return f"the term is longer than {MAX_TERM} characters"
    counted = _counted(term)
    if counted == 0 and any(unicodedata.category(char) == "So" for char in term):
        return None  # an emoji or another sign is matched as it stands
    if counted == 0:
        return f"the term {term!r} holds only separators: nothing of it can be matched"
    if counted < least:
        return f"the term {term!r} is a single character: it would match nearly everything"
    return None


def _counted(term: str) -> int:
    return sum(not is_break(char) for char in squeeze(term))


def read_short(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    r"""A text file's term: the term, the words that must stand near it, and those that must not.

    `A&B&C~D` is A near B and near C but not near D: first the words with &, then those with ~. It is read so only if
    there is an & and each word has at least two characters that count; whatever else holds & or ~ is a term as it
    stands (R&B, Q&A, 10~20). A backslash before & or ~ makes it a plain character everywhere.
    """
    signs = [sign[0] for sign in _SIGNS.finditer(text)]
    words = [_unescaped(word.strip()) for word in _SIGNS.split(text)]
    ordered = signs[:1] == ["&"] and signs == sorted(signs)
    if not ordered or any(_counted(word) < _LEAST for word in words):
        return _unescaped(text), (), ()
    musts = signs.count("&")
    return words[0], tuple(words[1 : musts + 1]), tuple(words[musts + 1 :])


def write_short(term: str) -> str:
    """The term as a text file must have it so that `read_short` gives it back alone."""
    return term if read_short(term) == (term, (), ()) else re.sub(r"([&~])", r"\\\1", term)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([&~])", r"\1", text)
