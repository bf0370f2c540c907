"""What the kinds of entries and their conditions mean to a message."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Invalid
from processor.judge import Judged, judge
from processor.matching.cover import Cover
from processor.matching.folding import Batch
from processor.matching.patterns import MOST_PATTERNS, Patterns, pattern_flaw
from processor.matching.weighing import Found
from processor.model import Severity
from processor.ruleset import Rules
from processor.rulesets.company import company_sets, is_ordinary
from processor.rulesets.compile import compile_base, compile_overlay
from processor.rulesets.directory import (
    builtin,
    lexicon_text,
    lexicon_yaml,
    parse_entries,
    parse_terms,
    read,
    write,
)
from processor.rulesets.document import BaseDocument, Entry, Off, OverlayDocument, canonical, parse
from processor.stream.codec import decode

POLICY = builtin().policy
NEW_YEAR = 1_798_761_600_000  # 2027-01-01T00:00Z, in ms
Spans = list[tuple[str, int, int]]


def rules(*entries: Entry, aliases: Mapping[str, str] | None = None, overlay: OverlayDocument | None = None) -> Rules:
    document = BaseDocument(lexicons={"test": list(entries)}, aliases=dict(aliases or {}), policy=POLICY)
    overlays = {overlay.tenant: compile_overlay(overlay, version=1, digest="cd" * 32)} if overlay else {}
    return Rules(base=compile_base(document, version=1, digest="ab" * 32), overlays=overlays)


def judged(held: Rules, content: str | None, at: int = 0, **fields: Any) -> Judged:
    message = {"message_id": "m", "tenant_id": "t1", "conversation_id": "c", "sender_id": "a", "type": "text"}
    item = decode(json.dumps({**message, "content": content, **fields}).encode())
    (one,) = judge([item], [at], held, {}).each
    assert isinstance(one, Judged)
    return one


def spans(held: Rules, content: str | None, at: int = 0, **fields: Any) -> Spans:
    return [(hit.term, hit.start, hit.end) for hit in judged(held, content, at, **fields).hits]


def term(text: str, **more: Any) -> Entry:
    return Entry(term=text, category=more.pop("category", "drugs"), **more)


# Allowed phrases


@pytest.mark.parametrize(
    ("text", "hit", "phrase", "covered"),
    [
        ("哗麒婴鲲哗", "麒婴", "婴鲲", True),  # begins inside the hit
        ("哗麒婴鲲哗", "婴鲲", "麒婴", True),  # ends inside it
        ("海洛因研究所", "海洛因", "海洛因研究所", True),
        ("海洛因", "海洛因", "海洛因", True),
        ("麒 婴鲲", "麒婴", "婴鲲", True),  # separators are not counted
        ("麒婴", "麒婴", "麒", False),  # a mere part of it
        ("麒婴鲲鹏貔貅", "麒婴鲲鹏", "鲲鹏貔貅", False),  # leaves two characters
        ("麒婴，婴鲲", "麒婴", "婴鲲", False),  # elsewhere
    ],
)
def test_a_phrase_covers_what_it_leaves_at_most_one_character_of(
    text: str, hit: str, phrase: str, *, covered: bool
) -> None:
    held = rules(term(hit), term(phrase, kind="allow"))
    assert spans(held, text) == ([] if covered else spans(rules(term(hit)), text))
    assert spans(rules(term(hit)), text) != []


def naively_covered(text: str, find: Found, phrases: Sequence[Found]) -> bool:
    places = set(range(find.start, find.end))
    left = set(places)
    for phrase in phrases:
        mere_part = find.start <= phrase.start and phrase.end <= find.end and phrase.end - phrase.start < len(places)
        if not mere_part:
            left -= set(range(phrase.start, phrase.end))
    return left != places and sum(text[place].isalnum() for place in left) <= 1


stretches = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda s: Found(s[0], s[0] + s[1], 0))


@given(st.text(st.sampled_from("甲乙 -"), min_size=20, max_size=20), stretches, st.lists(stretches, max_size=5))
def test_cover_is_what_its_rule_says(text: str, find: Found, phrases: list[Found]) -> None:
    assert Cover(text, phrases).holds(find) == naively_covered(text, find, phrases)


words = st.text(st.sampled_from("甲乙丙丁"), min_size=2, max_size=3)
entries = st.builds(
    Entry,
    term=words,
    category=st.just("drugs"),
    severity=st.just(Severity.LOG),
    kind=st.sampled_from(["term", "exact", "pattern"]),
    company=st.lists(words, max_size=2).map(tuple),
    without=st.lists(words, max_size=1).map(tuple),
    within=st.sampled_from([None, 0, 2]),
).filter(lambda entry: entry.kind != "exact" or not (entry.company or entry.without))
texts = st.text(st.sampled_from("甲乙丙丁 ，"), max_size=24)


@given(st.lists(entries, max_size=4), words, texts)
def test_an_allowed_phrase_only_ever_removes_hits(known: list[Entry], phrase: str, text: str) -> None:
    before, after = spans(rules(*known), text), spans(rules(*known, term(phrase, kind="allow")), text)
    assert [hit for hit in before if hit in after] == after


@given(st.lists(entries, max_size=4), entries, texts)
def test_another_entry_never_removes_a_hit(known: list[Entry], more: Entry, text: str) -> None:
    before, after = spans(rules(*known), text), spans(rules(*known, more), text)
    assert set(before) <= set(after)


def test_a_phrase_that_the_base_allows_is_allowed_unless_the_tenant_switches_it_off() -> None:
    entries = term("麒婴"), term("婴鲲", kind="allow")
    assert spans(rules(*entries), "麒婴鲲") == []
    off = OverlayDocument(tenant="t1", off=Off(terms=["婴鲲"]))
    assert spans(rules(*entries, overlay=off), "麒婴鲲") == [("麒婴", 0, 2)]


def test_a_phrase_that_the_base_allows_leaves_a_tenants_own_terms_alone() -> None:
    own = OverlayDocument(tenant="t1", lexicons={"own": [term("麒婴")]})
    assert spans(rules(term("婴鲲", kind="allow"), overlay=own), "麒婴鲲") == [("麒婴", 0, 2)]


# Company


def test_slang_counts_only_beside_a_word_of_the_trade() -> None:
    held = rules(term("叶子", company=("@drugs", "老地方")))
    for text in ("叶子怎么卖", "有没有叶子", "叶子一克多少钱", "叶子老地方拿"):
        assert len(spans(held, text)) == 1, text
    for text in ("叶子黄了", "外卖到了，叶子落了", "树上长出叶子了", "买了很多好看的花和盆栽还有叶子"):
        assert spans(held, text) == [], text


def test_company_must_be_near_and_no_part_of_the_term() -> None:
    held = rules(term("叶子", company=("老地方",), within=3))
    assert spans(held, "叶子在一起老地方") != []
    assert spans(held, "叶子在一起吗老地方") == []
    assert spans(rules(term("叶子", company=("叶",))), "叶子") == []


def test_slang_is_no_part_of_a_longer_word() -> None:
    held = rules(term("冰", company=("@drugs",)))
    assert spans(held, "冰多少钱一克") == [("冰", 0, 1)]
    assert spans(held, "冰箱多少钱") == []


def test_a_combination_needs_all_its_words_and_none_of_the_others() -> None:
    held = rules(term("贷款", all=("加微信", "秒批"), without=("银行",)))
    assert spans(held, "贷款秒批加微信") == [("贷款", 0, 2)]
    assert spans(held, "贷款秒批") == []
    assert spans(held, "银行贷款秒批加微信") == []
    assert spans(held, "贷款秒批加微信" + "好" * 20 + "银行") == [("贷款", 0, 2)]


def test_a_word_that_holds_the_term_stands_beside_it() -> None:
    held = rules(term("贷款", without=("助学贷款",)))
    assert spans(held, "助学贷款") == []
    assert spans(held, "贷款") == [("贷款", 0, 2)]


def test_an_alias_that_is_an_ordinary_word_needs_company_and_another_does_not() -> None:
    held = rules(term("大麻"), aliases={"叶子": "大麻", "ganja": "大麻", "snow": "大麻"})
    found = {text: len(spans(held, text)) for text in ("叶子黄了", "出叶子货", "ganja", "let it snow", "snow for sale")}
    assert found == {"叶子黄了": 0, "出叶子货": 1, "ganja": 1, "let it snow": 0, "snow for sale": 1}


def test_an_alias_needs_what_its_term_needs() -> None:
    held = rules(term("大麻", fields=("texts",)), aliases={"叶子": "大麻", "ganja": "大麻"})
    assert spans(held, "ganja 卖叶子", texts=["ganja 卖叶子"]) == [("大麻", 0, 5), ("大麻", 7, 9)]


def test_the_sets_of_company_name_sets_and_repeat_no_word() -> None:
    for name, company in company_sets().items():
        assert set(company.also) <= company_sets().keys(), name
        assert len(set(company.words)) == len(company.words), name


def test_no_built_in_alias_is_an_ordinary_word() -> None:
    assert [spelling for spelling in builtin().aliases if is_ordinary(spelling)] == []


SLANG = BaseDocument(
    lexicons={name: entries for name, entries in builtin().lexicons.items() if name.startswith("slang.")}, policy=POLICY
)


def test_the_built_in_slang_is_found_beside_its_trade_and_nowhere_else() -> None:
    held = Rules(base=compile_base(SLANG, version=1, digest="ab" * 32))
    for text in (
        "出叶子 一克300",
        "有冰吗 拿货",
        "菠菜平台上分",
        "狗粮 气瓶 钢珠",
        "喝茶 嫩茶 可约",
        "got snow? how much a gram",
    ):
        assert len(spans(held, text)) == 1, text
    files = [Path(__file__).parent / "data" / name for name in ("benign_lines.txt", "benign_lines_b.txt")]
    harmless = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    harmless += [
        "炒个菠菜",
        "下午喝茶吗",
        "买点猪肉包饺子",
        "冰箱里有冰块",
        "let it snow",
        "树叶子黄了",
        "去溜冰吗",
        "狗粮吃完了",
    ]
    assert [line for line in harmless if spans(held, line)] == []


# Fields, whole messages, dates


def test_an_entry_may_hold_in_some_fields_only() -> None:
    captions = rules(term("海洛因", fields=("texts",)))
    assert spans(captions, "海洛因", texts=["好", "有海洛因"]) == [("海洛因", 1, 4)]
    assert spans(rules(term("海洛因", fields=("content",))), "海洛因", texts=["有海洛因"]) == [("海洛因", 0, 3)]


def test_an_exact_entry_is_the_whole_message_however_it_is_written() -> None:
    held = rules(term("加我", kind="exact"), term("Hello World", kind="exact"))
    for text in ("加我", " 加-我！", "加 我。。。"):
        assert spans(held, text) == [("加我", 0, len(text))], text
    assert spans(held, "ｈｅｌｌｏ　world") == [("Hello World", 0, 11)]
    assert spans(held, "你加我") == spans(held, "加我吧") == spans(held, "！") == []


def test_an_entry_expires_by_the_time_of_the_message() -> None:
    held = rules(term("海洛因", expires="2026-12-31"))
    assert spans(held, "海洛因", at=NEW_YEAR - 1) != []
    assert spans(held, "海洛因", at=NEW_YEAR) == []


# Patterns


def test_a_pattern_is_found_in_the_folded_text_at_its_place_in_the_original() -> None:
    held = rules(Entry(term=r"加[vV微]信?\s*\d{3,}", kind="pattern", category="trade"))
    (hit,) = judged(held, "好😀加\u200bＶ信 １２３，").hits
    assert (hit.text, hit.start, hit.end, hit.via) == ("加\u200bＶ信 １２３", 2, 10, [])
    assert spans(held, "加V信", texts=["加v999"]) == [(r"加[vV微]信?\s*\d{3,}", 0, 5)]


def test_a_pattern_is_folded_as_texts_are() -> None:
    assert Patterns(["貸款（快"]).find(Batch(["贷款(快"])) == {0: [Found(0, 4, 0)]}


def test_a_pattern_never_reaches_into_the_next_message() -> None:
    patterns = Patterns(["甲[^丙]*乙", "^丁", "戊$"])
    assert patterns.find(Batch(["甲", "乙", "好丁", "戊好"])) == {}
    assert sorted(patterns.find(Batch(["好甲\n乙", "丁", "戊"]))) == [0, 1, 2]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (r"(甲)\1", "backreferences are not supported"),
        ("甲(?=乙)", "lookahead and lookbehind are not supported"),
        ("(?<!甲)乙", "lookahead and lookbehind are not supported"),
        ("甲++", "possessive"),
        ("(甲", "missing )"),
        ("甲*", "matches the empty text"),
        (r"\A甲", "use ^ and $"),
        ("(甲|乙){1000}", "too large"),
    ],
)
def test_a_pattern_that_the_engine_cannot_promise_to_run_fast_is_refused_in_words(expression: str, words: str) -> None:
    assert words in (pattern_flaw(expression) or "")
    with pytest.raises(Invalid, match=r"test: .*refused|too large|matches|uses"):
        rules(Entry(term=expression, kind="pattern"))


def test_a_ruleset_may_not_hold_patterns_without_end() -> None:
    with pytest.raises(Invalid, match=f"at most {MOST_PATTERNS}"):
        rules(*(Entry(term=f"甲{number}", kind="pattern") for number in range(MOST_PATTERNS + 1)))
    with pytest.raises(Invalid, match="too large together"):
        rules(*(Entry(term=f".{{200}}甲{number}", kind="pattern") for number in range(20)))


@given(st.lists(st.text(st.sampled_from("甲乙 A\u200b,"), max_size=12), max_size=6))
def test_a_pattern_is_found_wherever_it_stands(lines: list[str]) -> None:
    written = re.compile("甲\u200b*乙\u200b*[Aa]")  # an invisible character at the end is none of the pattern's
    expected = {
        line: [(found.start(), found.start() + len(found[0].rstrip("\u200b"))) for found in written.finditer(text)]
        for line, text in enumerate(lines)
    }
    found = {n: [(f.start, f.end) for f in finds] for n, finds in Patterns(["甲乙a"]).find(Batch(lines)).items()}
    assert found == {line: places for line, places in expected.items() if places}


@given(st.lists(st.text(max_size=40), max_size=4), st.sampled_from([".", "[^a]+", "甲.*乙|甲", r"\w+\b"]))
def test_a_pattern_stays_within_its_text(lines: list[str], expression: str) -> None:
    for line, finds in Patterns([expression]).find(Batch(lines)).items():
        assert all(0 <= find.start < find.end <= len(lines[line]) for find in finds)


# Files and documents


def test_a_plain_entry_is_written_as_it_always_was() -> None:
    document = BaseDocument(lexicons={"a": [Entry(term="贷款"), Entry(term="叶子", company=("克",))]})
    assert (
        '{"category":"custom","severity":"high","term":"贷款"},'
        '{"category":"custom","company":["克"],"severity":"high","term":"叶子"}'
    ) in canonical(document).decode()
    assert parse(canonical(document)) == document


def test_the_short_form_of_a_combination_is_read_only_where_it_is_meant() -> None:
    lines = "贷款&加微信&秒批~银行,fraud,low\nR&B\nat&t\n10~20\n甲乙~丙丁\n甲乙\\&丙丁"
    first, *others = parse_terms(lines, source="f.txt")
    assert (first.term, first.all, first.without) == ("贷款", ("加微信", "秒批"), ("银行",))
    assert [(entry.term, entry.all) for entry in others] == [
        ("R&B", ()),
        ("at&t", ()),
        ("10~20", ()),
        ("甲乙~丙丁", ()),
        ("甲乙&丙丁", ()),
    ]


signs = st.text(st.sampled_from("甲乙&~\\ab"), min_size=1, max_size=8).map(lambda text: f"甲{text}乙")


@given(signs)
def test_a_term_survives_a_text_file_or_is_refused_for_it(text: str) -> None:
    entry = Entry(term=text)
    try:
        lines = lexicon_text([entry])
    except Invalid:
        return
    assert parse_terms(lines, source="f.txt", least=0) == [entry]


RICH = [
    Entry(term="贷款"),
    Entry(term="叶子", category="drugs", company=("@drugs", "克"), within=9, owner="risk", note="seen: often"),
    Entry(term=r"加v\d+", kind="pattern", severity=Severity.LOW, fields=("content",), expires="2027-01-01", ceiling=3),
    Entry(term="加我", kind="exact"),
    Entry(term="甲乙", all=("丙丁",), without=("戊己",)),
]


def test_rich_entries_survive_their_file() -> None:
    assert parse_entries(lexicon_yaml(RICH), source="f.yaml") == RICH


@pytest.mark.parametrize("order", [RICH, RICH[::-1], RICH[:1], RICH[1:]])
def test_a_ruleset_with_rich_entries_survives_its_directory(tmp_path_factory: Any, order: list[Entry]) -> None:
    folder = tmp_path_factory.mktemp("ruleset")
    document = BaseDocument(lexicons={"a": order}, policy=POLICY)
    write(document, folder)
    assert read(folder) == document


def test_everything_wrong_with_an_entry_is_told_with_its_line() -> None:
    text = """
- {term: 叶子, company: ["@drugz"], colour: 3}
- {term: 叶子, company: ["@drugz", "--"]}
- {term: '(a)\\1', kind: pattern}
- {term: 甲乙, expires: 2027-02-30}
- 5
- {term: 在吗, kind: exact, all: [甲]}
- {term: 甲}
- {term: 甲, kind: exact}
- {category: drugs}
"""
    with pytest.raises(Invalid) as refused:
        parse_entries(text, source="f.yaml")
    starts = [
        "f.yaml:2: entry: unknown field 'colour'",
        "f.yaml:3: there is no set of words @drugz: use one of @dealing, ",
        "f.yaml:3: the term '--' holds only separators",
        "f.yaml:4: the pattern is refused: backreferences are not supported",
        "f.yaml:5: expires: there is no day 2027-02-30",
        "f.yaml:6: Expected `object`, got `int`",
        "f.yaml:7: an exact entry is the whole message",
        "f.yaml:8: the term '甲' is a single character",
        "f.yaml:10: entry: 'term' is missing",
    ]
    problems = refused.value.problems
    assert [problem.startswith(start) for problem, start in zip(problems, starts, strict=True)] == [True] * len(starts)


def test_a_published_document_is_checked_as_a_file_is() -> None:
    with pytest.raises(Invalid) as refused:
        rules(term("叶子", company=("@nobody",)), term("甲乙", expires="2027-02-30"), Entry(term="甲" * 201))
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["test"] * 3


def test_a_very_large_lexicon_is_not_read_for_what_its_short_terms_sound_like() -> None:
    hanzi = [chr(0x4E00 + number) for number in range(80)]
    many = [Entry(term=one + two) for one in hanzi for two in hanzi if one != two]
    few = BaseDocument(lexicons={"a": [Entry(term="贷款")]}, policy=builtin().policy)
    large = BaseDocument(lexicons={"a": [Entry(term="贷款"), Entry(term="海洛因"), *many]}, policy=builtin().policy)
    batch = Batch(["低息袋款秒批", "要海络因吗"])
    assert list(compile_base(few, version=0, digest="0" * 64).own.find(batch)) == [0]
    assert list(compile_base(large, version=0, digest="0" * 64).own.find(batch)) == [1]
