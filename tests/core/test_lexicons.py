"""What holds for every built-in lexicon, and for the ordinary chat that all of them leave alone."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

import processor
from processor.matching.folding import Batch, fold, is_hanzi, squeeze
from processor.matching.matcher import Matcher
from processor.model import Severity
from processor.rulesets.directory import parse_aliases, parse_terms
from processor.rulesets.document import Entry

BUILTIN = Path(processor.__file__).parent / "builtin"
FILES = sorted((BUILTIN / "lexicons").glob("*.txt"))
ALIASES = parse_aliases((BUILTIN / "aliases.txt").read_text(encoding="utf-8"), source="aliases.txt")
LEXICONS = {file.stem: parse_terms(file.read_text(encoding="utf-8"), source=file.name) for file in FILES}
ENTRIES = [entry for entries in LEXICONS.values() for entry in entries]
CATEGORIES = {"terror", "weapons", "drugs", "gambling", "sexual", "fraud", "trade"}
GRAVE_MARK = "~ "  # the line is about grave things, but offers, calls for and threatens none
LINES = [
    line
    for line in (Path(__file__).parent / "data" / "benign_lines.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
ORDINARY = [line for line in LINES if not line.startswith(GRAVE_MARK)]
GRAVE = [line.removeprefix(GRAVE_MARK) for line in LINES if line.startswith(GRAVE_MARK)]


def spellings() -> list[tuple[str, Severity]]:
    """Every term and every alias of a term, with the severity it has in a message."""
    by_term = {squeeze(entry.term): entry.severity for entry in ENTRIES}
    aliases = [(spelling, by_term[squeeze(term)]) for spelling, term in ALIASES.items() if squeeze(term) in by_term]
    return [(entry.term, entry.severity) for entry in ENTRIES] + aliases


def finds(lines: Iterable[str], *severities: Severity) -> dict[str, set[str]]:
    """For each line that holds a term of one of `severities`: those terms."""
    lines = list(lines)
    terms = [term for term, severity in spellings() if severity in severities]
    found = Matcher(terms).find(Batch(lines))
    return {lines[number]: {terms[find.term] for find in finds} for number, finds in found.items()}


def hanzi(term: str) -> int:
    return sum(map(is_hanzi, term))


def test_the_built_in_lexicons_hold_at_least_1500_terms() -> None:
    assert len(ENTRIES) >= 1_500


def test_every_category_has_a_chinese_and_an_english_lexicon_and_no_lexicon_is_of_another() -> None:
    assert {f"{category}.{language}" for category in CATEGORIES for language in ("zh", "en")} == set(LEXICONS)


@pytest.mark.parametrize("stem", LEXICONS)
def test_a_lexicon_holds_terms_of_the_category_that_its_file_is_named_after(stem: str) -> None:
    assert {stem.partition(".")[0]} == {entry.category for entry in LEXICONS[stem]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_line_says_its_category_and_severity_so_that_none_is_high_by_default(file: Path) -> None:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if line.count(",") != 2 or line.split(",")[2] not in set(Severity)] == []


def test_no_term_stands_twice_within_or_across_the_lexicons() -> None:
    counts = Counter(squeeze(entry.term) for entry in ENTRIES)
    assert {term: count for term, count in counts.items() if count > 1} == {}


def test_terms_are_written_as_they_are_matched_in_lower_case_half_width_simplified_hanzi() -> None:
    assert [entry.term for entry in ENTRIES if fold(entry.term) != entry.term] == []
    assert [entry.term for entry in ENTRIES if unicodedata.normalize("NFKC", entry.term).casefold() != entry.term] == []


def test_a_chinese_term_has_at_least_two_hanzi() -> None:
    chinese: list[Entry] = [entry for stem in LEXICONS if stem.endswith(".zh") for entry in LEXICONS[stem]]
    assert [entry.term for entry in chinese if hanzi(entry.term) < 2] == []


def test_an_english_term_has_no_hanzi_and_at_least_three_letters() -> None:
    english: list[Entry] = [entry for stem in LEXICONS if stem.endswith(".en") for entry in LEXICONS[stem]]
    assert [entry.term for entry in english if hanzi(entry.term) or len(squeeze(entry.term)) < 3] == []


def test_an_alias_is_no_term_itself() -> None:
    terms = {squeeze(entry.term) for entry in ENTRIES}
    assert [spelling for spelling in ALIASES if squeeze(spelling) in terms] == []


def test_ordinary_chat_holds_no_term_that_would_mask_hold_or_block_it() -> None:
    assert len(ORDINARY) >= 300
    assert finds(ORDINARY, Severity.LOW, Severity.MEDIUM, Severity.HIGH) == {}


def test_news_lessons_patients_and_players_are_never_blocked() -> None:
    assert finds(GRAVE, Severity.HIGH) == {}


def test_each_line_marked_as_grave_earns_its_mark() -> None:
    assert set(GRAVE) == set(finds(GRAVE, Severity.LOW, Severity.MEDIUM))


def test_the_lexicons_find_what_they_are_for_so_that_leaving_chat_alone_means_something() -> None:
    offers = ["低价枪支出售，货到付款", "冰毒货源，加我", "weed for sale, text me", "我要炸地铁"]
    assert set(offers) == set(finds(offers, Severity.HIGH))
