"""Attacks are what they claim to be, and the judge sees through as many of them as the floors say."""

import html
import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from processor.cli import app
from processor.cli.screen import rules_for
from processor.errors import Misconfigured
from processor.model import Hit, Severity
from processor.redteam import carriers, hanzi, latin
from processor.redteam.mutate import EVASIONS, Length, attack, attacks
from processor.redteam.nasty import NASTY, nasty_text
from processor.redteam.score import Share, by_reading, false_hits, hits_of, missed, recall
from processor.redteam.tables import marked, readings, tables, toneless
from processor.ruleset import Rules
from tests.redteam.lines import (
    SEALED_TERMS,
    TERMS,
    Boundary,
    Part,
    benign,
    boundaries,
    builtin_rules,
    evaded,
    own_rules,
    straddles,
    terms,
)
from tests.redteam.strategies import TEXTS

Floors = tuple[float | None, float | None, float | None]  # terms of two hanzi, of more, of Latin letters; None: none

FLOORS: dict[str, Floors] = {
    # What must be found of the attacks on `terms.txt`, in percent. The aim is 85, 95 and 95.
    "as-written": (100, 100, 100),
    "case": (None, 100, 100),
    "width": (None, 90, 100),
    "traditional": (97, 98, None),
    "compatible": (98, 98, None),
    "invisible": (98, 98, 98),
    "separator-space": (98, 98, 98),
    "separator-dash": (98, 98, 98),
    "separator-star": (98, 98, 98),
    "separator-dot": (98, 98, 98),
    "separator-emoji": (98, 98, 98),
    "separator-mixed": (98, 98, 98),
    "separator-several": (98, 98, 98),
    "pinyin": (None, 95, None),
    "pinyin-marks": (55, 95, None),
    "pinyin-digits": (55, 95, None),
    "pinyin-spaced": (None, 95, None),
    "pinyin-mixed": (85, 95, None),
    "same-sound": (92, 95, None),
    "look-alike": (85, 95, None),
    "split-across": (95, 95, None),
    "split-down": (95, 95, None),
    "homoglyph": (None, 75, 92),
    "leet": (None, None, 95),
    "circled": (None, 75, 95),
    "squared": (None, 75, 95),
    "mathematical": (None, 75, 95),
    "regional": (None, 75, 95),
    "struck": (98, 98, 98),
    "zalgo": (98, 98, 98),
    "stretched": (None, 75, 95),
    "repeated": (85, 95, None),
    "emoji": (85, 95, None),
    "entity-named": (98, 98, 98),
    "entity-decimal": (85, 95, 95),
    "entity-hex": (85, 95, 95),
    "percent": (85, 95, 95),
    "bidi": (85, 95, 95),
    "digits": (None, 60, 60),
    "url-words": (None, None, 90),
    "pair": (95, 95, 95),
}
WRITTEN_FOUND = 95  # percent of the lines written by hand, the part for building
STRADDLES_LEFT_ALONE = 90  # percent of the texts in which two ordinary words only look like a term
MEANT_FOUND = 97  # percent of the texts in which the same terms are meant
OWN_STRADDLES_LEFT_ALONE = 93
OWN_MEANT_FOUND = 85
MOST_HARMLESS_HIT = 7  # lines of the part for building that the built-in lexicons may hit


@pytest.fixture(scope="module")
def shares() -> Mapping[tuple[str, Length], Share]:
    """Recall of one attack with each evasion on each term."""
    cases = list(attacks(terms()))
    found = recall(cases, missed(cases, own_rules()))
    for row in found:
        sys.stdout.write(f"{row.evasion:20} {row.length:10} {row.found:4} of {row.of:4}  {row.rate:.0%}\n")
    return {(row.evasion, row.length): Share(row.found, row.of) for row in found}


def test_every_evasion_has_its_floors() -> None:
    assert list(EVASIONS) == list(FLOORS)


@pytest.mark.parametrize("evasion", FLOORS)
def test_the_judge_sees_through_an_evasion_as_often_as_its_floor_says(
    evasion: str, shares: Mapping[tuple[str, Length], Share]
) -> None:
    lengths = (Length.TWO, Length.MORE, Length.LATIN)
    for length, floor in zip(lengths, FLOORS[evasion], strict=True):
        if floor is not None:
            share = shares[evasion, length]
            assert 100 * share.rate >= floor, f"{share.found} of {share.of} {length}"


def names(hits: list[Hit], term: str) -> bool:
    return any(hit.term == term for hit in hits)


def test_lines_written_by_hand_are_found_as_often_as_their_floor_says() -> None:
    lines = evaded(Part.BUILDING)
    judged = hits_of([line.text for line in lines], own_rules())
    found = sum(names(list(hits), line.term) for line, hits in zip(lines, judged, strict=True))
    assert 100 * found / len(lines) >= WRITTEN_FOUND


@pytest.mark.parametrize(("meant", "floor"), [(False, STRADDLES_LEFT_ALONE), (True, MEANT_FOUND)])
def test_a_term_counts_where_it_is_meant_and_not_where_two_words_meet(meant: bool, floor: float) -> None:  # noqa: FBT001
    assert rightly_judged(boundaries(Part.BUILDING), own_rules(), meant=meant) >= floor


@pytest.mark.parametrize(("meant", "floor"), [(False, OWN_STRADDLES_LEFT_ALONE), (True, OWN_MEANT_FOUND)])
def test_terms_of_all_kinds_count_only_where_they_are_meant(meant: bool, floor: float, tmp_path: Path) -> None:  # noqa: FBT001
    edges = straddles()
    lexicon = tmp_path / "terms.txt"
    lexicon.write_text("\n".join(sorted({edge.term for edge in edges})), encoding="utf-8")
    rules = rules_for(None, [lexicon], None, no_builtin=True)
    assert rightly_judged(edges, rules, meant=meant) >= floor


def rightly_judged(edges: Sequence[Boundary], rules: Rules, *, meant: bool) -> float:
    """Percent of those texts in which the term is meant, or is not."""
    asked = [edge for edge in edges if edge.meant is meant]
    judged = hits_of([edge.text for edge in asked], rules)
    right = sum(names(list(hits), edge.term) is meant for edge, hits in zip(asked, judged, strict=True))
    return 100 * right / len(asked)


def test_the_built_in_lexicons_leave_harmless_lines_alone() -> None:
    lines = benign(Part.BUILDING)
    acted, _ = false_hits(lines, builtin_rules())
    assert len(acted) <= MOST_HARMLESS_HIT, by_reading(acted, len(lines))


def test_the_written_lines_are_many_and_their_parts_do_not_overlap() -> None:
    assert sum(len(evaded(part)) for part in Part) >= 400
    assert sum(len(benign(part)) for part in Part) >= 1_500
    assert set(terms()) & set(terms(SEALED_TERMS)) == set()
    for lines in (benign, evaded, boundaries):
        assert set(lines(Part.BUILDING)) & set(lines(Part.SEALED)) == set()


# What the attacks are

TERM = st.sampled_from(terms())
EVASION = st.sampled_from(sorted(EVASIONS))
DICE = st.randoms(use_true_random=False)


@given(TERM, EVASION, st.integers())
def test_an_attack_is_the_same_for_the_same_seed_and_stands_where_it_says(term: str, evasion: str, seed: int) -> None:
    case = attack(term, evasion, seed=seed)
    assert case == attack(term, evasion, seed=seed)
    if case:
        assert (case.text[case.start : case.end] == term) is (evasion == "as-written")
        assert 0 <= case.start < case.end <= len(case.text)


@given(TERM, DICE)
def test_codes_decode_to_the_term(term: str, dice: Random) -> None:
    assert html.unescape(carriers.entity_decimal(term, dice)) == term
    assert html.unescape(carriers.entity_hex(term, dice)) == term
    assert unquote(carriers.percent(term, dice)) == term


@given(TERM, DICE)
def test_letters_in_frames_and_of_other_widths_fold_to_the_term(term: str, dice: Random) -> None:
    for way in (latin.width, latin.mathematical, latin.case, hanzi.compatible):
        assert unicodedata.normalize("NFKC", way(term, dice) or term).lower() == term


@given(TERM, DICE)
def test_what_stands_between_the_characters_takes_none_away(term: str, dice: Random) -> None:
    ways = (
        carriers.dashes,
        carriers.stars,
        carriers.emoji,
        carriers.mixed,
        carriers.several,
        latin.struck,
        latin.zalgo,
    )
    for way in ways:
        rest = iter(way(term, dice) or term)
        assert all(char in rest for char in term)


@given(TERM, DICE)
def test_swapped_hanzi_make_no_ordinary_word(term: str, dice: Random) -> None:
    for way in (hanzi.same_sound, hanzi.look_alike):
        swapped = way(term, dice)
        if swapped:
            assert len(swapped) == len(term)
            assert swapped != term
            changed = [place for place, char in enumerate(swapped) if char != term[place]]
            assert {swapped[place : place + 2] for place in changed} & tables().words == set()


@given(TERM, DICE)
def test_pinyin_holds_no_hanzi_and_mixed_pinyin_holds_some(term: str, dice: Random) -> None:
    assert not any(map(hanzi.is_hanzi, hanzi.pinyin(term, dice) or ""))
    mixed = hanzi.pinyin_mixed(term, dice)
    assert mixed is None or any(map(hanzi.is_hanzi, mixed))


def test_a_hanzi_is_read_as_its_word_wants() -> None:
    assert readings("银行行不行") == ["yin2", "hang2", "xing2", "bu4", "xing2"]
    assert [marked(syllable) for syllable in readings("绿女贷款")] == ["lǜ", "nǚ", "dài", "kuǎn"]
    assert [marked(syllable) for syllable in ("gui4", "liu2", "xiao3", "de5", "hm4")] == [
        "guì",
        "liú",
        "xiǎo",
        "de",
        "hm",
    ]
    assert [toneless(syllable) for syllable in readings("海洛因")] == ["hai", "luo", "yin"]


@pytest.mark.parametrize(
    ("term", "evasion", "spellings"),
    [
        ("海洛因", "split-across", {"氵每洛因", "海氵各因", "氵每氵各因"}),
        ("贷款", "split-down", {"代贝款"}),
        ("贷款", "pinyin-marks", {"dàikuǎn"}),
        ("贷款", "pinyin-digits", {"dai4kuan3"}),
        ("贷款", "bidi", {"\u202e款贷\u202c"}),
        ("手枪", "emoji", {"手🔫", "✋枪"}),
        ("meth", "regional", {"🇲🇪🇹🇭"}),
    ],
)
def test_some_attacks_by_name(term: str, evasion: str, spellings: set[str]) -> None:
    cases = [attack(term, evasion, number=number) for number in range(30)]
    assert {case.text[case.start : case.end] for case in cases if case} == spellings


def test_only_domains_have_their_dots_spelled_out() -> None:
    spelled = {case.text for number in range(60) if (case := attack("shop8.cn", "url-words", number=number))}
    assert {"shop8 点 cn", "shop8 dot cn"} <= {
        part for part in ("shop8 点 cn", "shop8 dot cn") for t in spelled if part in t
    }
    assert [attack(term, "url-words") for term in ("贷款", "v1.2.3", "e.g. this", ".cn")] == [None] * 4


# Nasty texts

SIZE = 3_000


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_text_fills_its_size_and_breaks_nothing(name: str) -> None:
    text = nasty_text(name, terms(), SIZE)
    assert SIZE - 200 <= len(text.encode()) <= SIZE
    assert text == nasty_text(name, terms(), SIZE)
    (hits,) = hits_of([text], own_rules())
    assert all(text[hit.start : hit.end] == hit.text for hit in hits)


@given(st.lists(TEXTS, max_size=3))
def test_whatever_is_written_is_judged_and_every_hit_lies_in_its_text(texts: list[str]) -> None:
    for text, hits in zip(texts, hits_of(texts, own_rules()), strict=True):
        assert all(text[hit.start : hit.end] == hit.text != "" for hit in hits)


@given(TEXTS, TEXTS)
def test_a_text_is_judged_the_same_beside_another_message(text: str, other: str) -> None:
    (alone,) = hits_of([text], own_rules())
    _, beside = hits_of([other, text], own_rules())
    assert alone == beside


# The command

HARMLESS = "今天天气不错\n\n# 注释\n下雨了\n"


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["redteam", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def harmless(tmp_path: Path) -> str:
    file = tmp_path / "harmless.txt"
    file.write_text(HARMLESS + "有人卖大麻\n", encoding="utf-8")
    return str(file)


def test_the_command_reports_recall_and_false_hits(harmless: str, tmp_path: Path) -> None:
    misses = tmp_path / "misses.jsonl"
    options = ["--lexicon", str(TERMS), "--benign", harmless, "--sample", "20", "--misses", str(misses)]
    report = json.loads(run(*options, "--evasion", "case", "--evasion", "as-written", "--json"))
    assert (report["terms"], report["benign_lines"], report["seed"]) == (20, 3, 0)
    assert {row["evasion"] for row in report["recall"]} == {"as-written", "case"}
    assert (report["benign_hit"], report["false_hits"]) == (1, [{"via": "as written", "lines": 1, "of": 3}])
    written = [json.loads(line) for line in misses.read_text(encoding="utf-8").splitlines()]
    assert [(each["line"], each["term"]) for each in written if each["kind"] == "false"] == [("有人卖大麻", "大麻")]


def test_the_command_draws_tables_for_a_person(harmless: str) -> None:
    shown = run("--benign", harmless, "--sample", "5", "--severity", Severity.HIGH)
    assert "as-written" in shown
    assert "harmless lines" in shown


def test_an_evasion_that_there_is_not_is_told_in_words(harmless: str) -> None:
    with pytest.raises(Misconfigured, match="no evasion rot13"):
        run("--benign", harmless, "--evasion", "rot13")


def test_a_file_that_cannot_be_written_is_told_in_words(harmless: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be written"):
        run(
            "--lexicon",
            str(TERMS),
            "--benign",
            harmless,
            "--evasion",
            "case",
            "--misses",
            str(tmp_path / "no" / "file"),
        )
