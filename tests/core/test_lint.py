"""What lint says of rulesets: the judge is asked, and the shipped one passes."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processor.fraud.rules import compile_rules
from processor.matching.folding import fold
from processor.model import Severity
from processor.rulesets import benign
from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, Document, Entry, FraudDocument, Off, OverlayDocument, Regrade
from processor.rulesets.lint import Finding, inspect
from processor.rulesets.places import places


def lexicon(*entries: Entry) -> BaseDocument:
    return BaseDocument(lexicons={"a": list(entries)})


def findings(document: Document, ordinary: Sequence[str] = (), base: BaseDocument | None = None) -> Sequence[Finding]:
    return inspect(document, ordinary=ordinary, base=base).findings


def said(document: Document, ordinary: Sequence[str] = (), base: BaseDocument | None = None) -> list[str]:
    return [
        f"{finding.level}: {finding.part}: {finding.message}" for finding in findings(document, ordinary, base=base)
    ]


def test_the_shipped_ruleset_has_no_findings_and_hits_less_than_a_twentieth_of_a_percent_of_ordinary_chat() -> None:
    report = inspect(builtin(), ordinary=benign.lines(), places=places("builtin"), today="2026-01-01")
    assert [(finding.where, finding.message) for finding in report.findings] == []
    assert report.ordinary_hit <= 0.0005 * report.ordinary_lines


def test_the_shipped_ordinary_chat_has_at_least_5000_lines_in_two_languages_and_none_twice() -> None:
    lines = benign.lines()
    assert len(lines) >= 5_000
    assert min(len(benign.lines("zh")), len(benign.lines("en"))) >= 1_500
    folded = [fold(line) for line in lines]
    assert len(set(folded)) == len(folded)
    assert [line for line in lines if line != line.strip() or "\t" in line] == []
    assert [line for line in lines if re.search(r"\d{6}", line)] == []  # nobody's number, not even a made-up one


def test_the_place_of_every_shipped_term_and_alias_is_known() -> None:
    document, known = builtin(), places("builtin")
    for stem, entries in document.lexicons.items():
        assert {entry.term for entry in entries if not known.get((stem, entry.term))} == set()
    assert {spelling for spelling in document.aliases if not known.get(("aliases", spelling))} == set()


def test_a_ruleset_without_terms_has_nothing_to_tell() -> None:
    assert findings(BaseDocument(), ["早上好"]) == []


def test_a_full_width_comma_is_told() -> None:
    assert [finding.kind for finding in findings(lexicon(Entry(term="贷款，fraud")))] == ["comma"]


def test_terms_that_are_read_the_same_are_told_across_lexicons() -> None:
    document = BaseDocument(
        lexicons={
            "a": [Entry(term="贷款", category="fraud")],
            "b": [Entry(term="貸款", category="other"), Entry(term="FOO Bar"), Entry(term="foo  bar")],
        }
    )
    assert said(document) == [
        "warning: b: '貸款' (other, high) is read the same as '贷款' (fraud, high) in a",
        "warning: b: 'foo  bar' (custom, high) is read the same as 'FOO Bar' (custom, high) in b",
    ]


def test_a_term_that_is_found_anyway_is_told_and_one_with_a_graver_grade_of_its_own_is_not() -> None:
    graver = Entry(term="小额贷款诈骗", severity=Severity.HIGH)
    document = lexicon(Entry(term="贷款", severity=Severity.LOW), Entry(term="小额贷款", severity=Severity.LOW), graver)
    assert said(document) == ["warning: a: '小额贷款' is found anyway, by '贷款' in a"]


def test_a_milder_term_inside_which_a_graver_one_is_found_is_told() -> None:
    document = lexicon(Entry(term="贷款"), Entry(term="小额贷款", severity=Severity.LOG))
    assert said(document) == ["warning: a: '小额贷款' is found anyway, by '贷款' (high) in a"]


def test_a_term_of_another_category_does_not_stand_in_for_one() -> None:
    assert said(lexicon(Entry(term="贷款", category="x"), Entry(term="小额贷款", category="y"))) == []


def test_a_word_inside_another_word_does_not_find_it() -> None:
    assert said(lexicon(Entry(term="art"), Entry(term="party"), Entry(term="art dealer"))) == [
        "warning: a: 'art dealer' is found anyway, by 'art' in a"
    ]


def test_of_a_chain_of_terms_each_longer_one_is_told_once() -> None:
    chain = lexicon(Entry(term="贷款"), Entry(term="小额贷款"), Entry(term="小额贷款公司"))
    assert [finding.term for finding in findings(chain)] == ["小额贷款", "小额贷款公司"]


terms = st.text(st.sampled_from("甲乙丙ab -."), min_size=2, max_size=5).filter(lambda term: len(fold(term).split()) > 0)


@settings(max_examples=30)
@given(st.lists(terms, max_size=6))
@example(["甲.", "甲a.", "甲.a"])
def test_what_is_told_to_stand_idle_can_go_and_nothing_is_found_less_often(words: list[str]) -> None:
    entries = [Entry(term=word) for word in words if word.strip(" -.")]
    idle = {finding.term for finding in findings(lexicon(*entries)) if finding.kind == "subsumed"}
    left = lexicon(*(entry for entry in entries if entry.term not in idle))
    hits = inspect(left, ordinary=[entry.term for entry in entries]).ordinary_hit
    assert hits == inspect(lexicon(*entries), ordinary=[entry.term for entry in entries]).ordinary_hit


def test_a_grave_term_in_ordinary_chat_is_told_with_its_rate_and_an_example() -> None:
    [finding] = findings(lexicon(Entry(term="吃饭")), ["晚上吃饭吗", "好的", "几点", "吃饭了"] * 250)
    assert (finding.level, finding.kind, finding.hits, finding.rate) == ("error", "everyday", 500, 0.5)
    assert "晚上吃饭吗" in finding.message


def test_a_term_that_hits_ordinary_chat_only_in_dear_readings_has_too_loose_a_ceiling() -> None:
    [finding] = findings(lexicon(Entry(term="云朵杯赛")), ["yunduobeisai 几点", "好的", "云.朵.杯.赛"])
    assert (finding.kind, finding.hits) == ("ceiling", 2)
    assert "each time through pinyin, separator: a lower ceiling" in finding.message


@pytest.mark.parametrize(
    ("severity", "lines", "level"),
    [("high", 1, "warning"), ("high", 20, "error"), ("low", 2, None), ("low", 8, "warning"), ("log", 20, None)],
)
def test_the_graver_a_term_is_the_less_ordinary_chat_it_may_hit(severity: str, lines: int, level: str | None) -> None:
    ordinary = [f"吃饭{n}" for n in range(lines)] + [f"好的{n}" for n in range(10_000 - lines)]
    found = findings(lexicon(Entry(term="吃饭", severity=Severity(severity))), ordinary)
    assert [finding.level for finding in found] == ([level] if level else [])


@pytest.mark.parametrize(
    ("term", "short"), [("ab", True), ("123", True), ("abc", False), ("1234", False), ("贷款", False)]
)
def test_words_of_two_letters_and_numbers_of_three_digits_are_too_short(term: str, short: bool) -> None:  # noqa: FBT001
    assert [finding.kind for finding in findings(lexicon(Entry(term=term)))] == (["short"] if short else [])


def test_a_term_that_an_allow_entry_covers_can_never_hit() -> None:
    overlay = OverlayDocument(tenant="t", lexicons={"own": [Entry(term="加油站")]}, allow=["去加油站", "加油站"])
    assert "error: own: '加油站' never hits: an allow entry covers all of it" in said(overlay)


def test_an_allow_entry_in_which_nothing_is_found_is_told() -> None:
    overlay = OverlayDocument(tenant="t", allow=["贷款计算器", "天气不错", "貸款計算器"])
    base = lexicon(Entry(term="贷款"))
    assert said(overlay, base=base) == [
        "warning: overlay: '天气不错' allows nothing: no term is found in it",
        "warning: overlay: '貸款計算器' is read the same as '贷款计算器', which is allowed already",
    ]


def test_what_an_overlay_changes_must_be_in_the_base() -> None:
    base = BaseDocument(
        lexicons={"a": [Entry(term="贷款", category="fraud")]}, fraud=FraudDocument(rules=[{"id": "FR-1"}])
    )
    overlay = OverlayDocument(
        tenant="t",
        off=Off(terms=["貸款", "没有"], categories=["fraud", "frod"], rules=["FR-1", "FR-2"]),
        regrade=[Regrade(term="也没有", severity=Severity.LOW), Regrade(category="fraud", severity=Severity.LOW)],
    )
    assert [finding.message for finding in findings(overlay, base=base)] == [
        "the base has no term '没有'",
        "the base has no category 'frod'",
        "the base has no fraud rule 'FR-2'",
        "the base has no term '也没有'",
    ]


def test_an_alias_may_stand_for_whatever_scorecards_and_brands_look_for() -> None:
    fraud = builtin().fraud
    book = compile_rules(fraud.groups, fraud.rules, fraud.scorecards, fraud.brands)
    aliases = {f"{term}的另一种写法": term for term in [*book.terms, *book.beside]}
    assert said(BaseDocument(aliases=aliases, fraud=fraud)) == []


def test_an_alias_stands_for_a_term_that_is_there_and_for_another_spelling() -> None:
    document = BaseDocument(
        lexicons={"a": [Entry(term="贷款"), Entry(term="袋款")]},
        aliases={"岱款": "贷款", "袋款": "贷款", "貸款": "贷款", "微信": "没有"},
        fraud=FraudDocument(groups={"g": ["公安局"]}),
    )
    assert said(document) == [
        "error: aliases: '微信' stands for '没有', which no lexicon and no fraud rule has",
        "warning: aliases: '袋款' is a term of its own; as an alias of '贷款' it gives two hits for one",
        "warning: aliases: '貸款' is read the same as '贷款': an alias of it is not needed",
    ]


def test_entries_that_count_in_different_company_are_not_the_same() -> None:
    document = lexicon(
        Entry(term="叶子", company=("卖",)),
        Entry(term="叶子", company=("吸",)),
        Entry(term="叶子", company=("卖",)),
        Entry(term="叶子", kind="exact"),
    )
    assert said(document) == ["warning: a: '叶子' (custom, high) is read the same as '叶子' (custom, high) in a"]


def test_an_entry_that_counts_only_here_and_there_makes_no_other_one_idle() -> None:
    narrow = (
        Entry(term="叶子", company=("卖",)),
        Entry(term="叶子", fields=("texts",)),
        Entry(term="叶子", kind="exact"),
    )
    for entry in narrow:
        assert said(lexicon(entry, Entry(term="卖叶子"))) == []
    assert [finding.kind for finding in findings(lexicon(Entry(term="叶子"), Entry(term="卖叶子")))] == ["subsumed"]


def test_patterns_are_tried_on_ordinary_chat_and_not_on_themselves() -> None:
    document = lexicon(Entry(term="吃.饭", kind="pattern"), Entry(term="[甲乙]{3}", kind="pattern"))
    [finding] = findings(document, ["吃了饭", "好的"])
    assert (finding.kind, finding.term) == ("everyday", "吃.饭")


def test_an_allowed_phrase_of_the_base_that_covers_a_term_or_nothing_is_told() -> None:
    document = lexicon(Entry(term="加油站"), Entry(term="加油站", kind="allow"), Entry(term="天气", kind="allow"))
    assert said(document) == [
        "error: a: '加油站' never hits: an allow entry covers all of it",
        "warning: a: '天气' allows nothing: no term is found in it",
    ]


def test_an_entry_whose_day_is_over_is_told() -> None:
    document = lexicon(Entry(term="双十一价", expires="2025-11-12"), Entry(term="双十二价", expires="2026-12-13"))
    assert [(f.kind, f.term) for f in inspect(document, today="2026-01-01").findings] == [("expired", "双十一价")]


def test_the_lines_of_entries_in_yaml_and_of_combinations_are_known(tmp_path: Path) -> None:
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "a.txt").write_text("代办&证件~补办,x,low\n", encoding="utf-8")
    (tmp_path / "lexicons" / "a.yaml").write_text("- {term: 叶子, company: [卖]}\n- term: 卖\n", encoding="utf-8")
    known = places(str(tmp_path))
    assert [(term, place.line) for (_, term), [place] in known.items()] == [("代办", 1), ("叶子", 1), ("卖", 2)]


def test_a_finding_says_file_and_line_of_the_entry_that_is_too_many(tmp_path: Path) -> None:
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "a.txt").write_text("# c\n贷款,x\n\n贷款,x\n貸款,x\n", encoding="utf-8")
    document = BaseDocument(lexicons={"a": [Entry(term="贷款"), Entry(term="贷款"), Entry(term="貸款")]})
    found = inspect(document, places=places(str(tmp_path))).findings
    assert [finding.where for finding in found] == [f"{tmp_path}/lexicons/a.txt:4", f"{tmp_path}/lexicons/a.txt:5"]


def test_the_lines_of_an_overlays_lists_are_known(tmp_path: Path) -> None:
    (tmp_path / "overlay.yaml").write_text("tenant: t\nallow:\n  - 加油站\noff: {terms: [贷款]}\n", encoding="utf-8")
    known = places(str(tmp_path))
    assert [known["overlay", term][0].line for term in ("加油站", "贷款")] == [3, 4]


@given(st.text(max_size=200))
def test_files_that_are_wrong_have_no_places_and_raise_nothing(text: str) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "overlay.yaml").write_text(text, encoding="utf-8")
        places(folder)
