"""Directories that people edit become documents, and problems name file and line."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Invalid
from processor.model import Severity
from processor.rulesets.directory import builtin, parse_aliases, parse_terms, parse_yaml, read, write
from processor.rulesets.document import (
    BaseDocument,
    Entry,
    FraudDocument,
    Off,
    OverlayDocument,
    Regrade,
    Text,
    canonical,
    parse,
)


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(Invalid) as caught:
        parse_terms(text, source="f.txt")
    return caught.value.problems


def test_a_line_is_a_term_with_category_and_severity_by_choice() -> None:
    text = "\ufeff# comment\n\n贷款\n外汇 , fraud\r\nonline casino,gambling,LOW\n"
    assert parse_terms(text, source="f") == [
        Entry(term="贷款", category="custom", severity=Severity.HIGH),
        Entry(term="外汇", category="fraud", severity=Severity.HIGH),
        Entry(term="online casino", category="gambling", severity=Severity.LOW),
    ]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("贷款,fraud,grave", "severity"),
        (",fraud,high", "empty"),
        ("*-_ ~,fraud", "separators"),
        ("。！,fraud", "separators"),
        ("\u200b\u200d", "separators"),
        ("贷,fraud", "single"),
        ("*贷*", "single"),
        ("一丶", "single"),
        ("ａ", "single"),
        ("贷" * 201, "longer"),
        ("贷款,a b", "category"),
        ("贷款," + "c" * 65, "category"),
        ("贷款,fraud,high,4", "commas"),
    ],
)
def test_a_bad_line_is_told_with_its_number(line: str, word: str) -> None:
    [problem] = problems_of(f"# one\n{line}\n好的词\n")
    assert problem.startswith("f.txt:2: ")
    assert word in problem


def test_all_bad_lines_are_told_at_once() -> None:
    places = [problem.split(" ")[0] for problem in problems_of("a\n好的词\n,\nok then,x y,nope\n")]
    assert places == ["f.txt:1:", "f.txt:3:", "f.txt:4:", "f.txt:4:"]


def test_a_line_break_of_another_kind_stays_inside_its_term() -> None:
    assert [entry.term for entry in parse_terms("ab\u2028cd\nef", source="f")] == ["ab\u2028cd", "ef"]


hanzi = st.characters(categories=["Lo"], max_codepoint=0x9FFF, min_codepoint=0x4E00, exclude_characters="丶")
terms = st.text(hanzi, min_size=2, max_size=6)
entries = st.lists(st.builds(Entry, term=terms, category=st.sampled_from(["fraud", "x"]), severity=...), max_size=9)


@given(entries)
def test_a_written_lexicon_reads_back_the_same(lexicon: list[Entry]) -> None:
    text = "\n".join(f"{entry.term},{entry.category},{entry.severity}" for entry in lexicon)
    assert parse_terms(text, source="f") == lexicon


@given(st.text(max_size=80))
def test_any_text_is_a_lexicon_or_invalid(text: str) -> None:
    try:
        parse_terms(text, source="f")
    except Invalid as error:
        problems = error.problems
    else:
        problems = ("f:",)
    assert problems
    assert all(problem.startswith("f:") for problem in problems)


def test_aliases_are_spellings_of_terms() -> None:
    assert parse_aliases("\ufeff# c\nVX = 微信\n威信=微信\n", source="a") == {"VX": "微信", "威信": "微信"}


@pytest.mark.parametrize(("line", "word"), [("vx", "spelling=term"), ("=微信", "empty"), ("vx=", "empty")])
def test_a_bad_alias_is_told_with_its_line(line: str, word: str) -> None:
    with pytest.raises(Invalid, match=rf"^a:2: .*{word}"):
        parse_aliases(f"# c\n{line}\n", source="a")


def test_a_spelling_cannot_stand_for_two_terms() -> None:
    with pytest.raises(Invalid, match="a:2: 'vx' already stands for '微信'"):
        parse_aliases("vx=微信\nvx=支付宝\n", source="a")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: [\n", "f:3:"),
        ("a:\n  b: 1\n  b: 2\n", "f:3: 'b' stands here twice"),
        ("---\na: 1\n---\n- 1\n", "f:4: wanted a mapping"),
        ("a: \x00", "f: not YAML"),
        ("a: !!python/object:os.system x\n", "f:1:"),
    ],
)
def test_a_yaml_problem_names_its_line(text: str, problem: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_yaml(text, source="f")
    assert caught.value.problems[0].startswith(problem)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name, text in {
        "lexicons/fraud.zh.txt": "贷款,fraud,medium\n",
        "lexicons/drugs.en.txt": "# none yet\n",
        "aliases.txt": "岱款=贷款\n",
        "fraud/groups.yaml": "authority: [公安局, {entity: phone}]\n",
        "fraud/rules/GJ.yaml": "id: FR-GJ-001\nscore: 60\n---\nid: FR-GJ-002\nscore: 30\n",
        "fraud/rules/SD.yaml": "id: FR-SD-001\n",
        "reminders.yaml": "remind.SD.v1: {zh-CN: {title: 小心, body: 不要转账}}\n",
        "policy.yaml": "fraud: {review_at: 60, remind_at: 30}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_directory_becomes_a_document_that_survives_its_bytes(base: Path) -> None:
    document = read(base)
    assert parse(canonical(document)) == document
    assert isinstance(document, BaseDocument)
    assert document.lexicons == {
        "drugs.en": [],
        "fraud.zh": [Entry(term="贷款", category="fraud", severity=Severity.MEDIUM)],
    }
    assert document.aliases == {"岱款": "贷款"}
    assert document.fraud.groups == {"authority": ["公安局", {"entity": "phone"}]}
    assert [rule["id"] for rule in document.fraud.rules] == ["FR-GJ-001", "FR-GJ-002", "FR-SD-001"]
    assert document.reminders["remind.SD.v1"]["zh-CN"].title == "小心"
    assert document.policy == {"fraud": {"review_at": 60, "remind_at": 30}}


def test_what_yaml_alone_knows_is_the_same_before_and_after_the_store(base: Path) -> None:
    (base / "policy.yaml").write_text("1: 2020-01-01\nyes: {2: .5}\n")
    document = read(base)
    assert parse(canonical(document)) == document


def test_words_of_a_list_stay_words() -> None:
    [(_, read_back)] = parse_yaml(
        "off: [no, yes, on, 2020-01-01, 12:30, '110', 1_000]\nn: [1, -2, .5, 1e3, true, ~]", source="f"
    )
    assert read_back == {
        "off": ["no", "yes", "on", "2020-01-01", "12:30", "110", "1_000"],
        "n": [1, -2, 0.5, 1000.0, True, None],
    }


def test_problems_of_all_files_are_told_at_once(base: Path) -> None:
    (base / "lexicons/fraud.zh.txt").write_text("贷,fraud,medium\n", encoding="utf-8")
    (base / "lexicons/bad.txt").write_bytes(b"\xff\xfe")
    (base / "aliases.txt").write_text("x\n")
    (base / "policy.yaml").write_text("a: 1\n---\nb: 1\n")
    (base / "reminders.yaml").write_text("t: {en: {title: x}}\n")
    with pytest.raises(Invalid) as caught:
        read(base)
    starts = {problem.split(" ")[0] for problem in caught.value.problems}
    assert starts == {"fraud.zh.txt:1:", "bad.txt:", "aliases.txt:1:", "policy.yaml:3:", "reminders.t.en:"}


def test_an_overlay_directory_is_for_the_tenant_it_names(tmp_path: Path) -> None:
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "own.txt").write_text("竞品名,brand,low\n", encoding="utf-8")
    (tmp_path / "overlay.yaml").write_text("tenant: t1\nallow: [加油站]\noff: {rules: [FR-GJ-001]}\n", encoding="utf-8")
    document = read(tmp_path)
    assert isinstance(document, OverlayDocument)
    assert (document.tenant, document.allow, document.off.rules) == ("t1", ["加油站"], ["FR-GJ-001"])
    assert read(tmp_path, tenant="t1") == document
    with pytest.raises(Invalid, match="for the tenant 't1', not 't2'"):
        read(tmp_path, tenant="t2")


def test_a_directory_without_a_ruleset_is_no_empty_ruleset(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="holds no ruleset"):
        read(tmp_path)
    with pytest.raises(Invalid, match="no such directory"):
        read(tmp_path / "absent")


def test_the_builtin_ruleset_reads_without_a_problem() -> None:
    document = builtin()
    assert document.lexicons
    assert parse(canonical(document)) == document


tricky = st.sampled_from(
    ["off", "no", "1e3", "110", "~", "null", "2020-01-01", "a: b", "- x", "'", "#", "{", " x ", ""]
)
free = tricky | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
rules = st.fixed_dictionaries({"id": free, "type": st.just("GJ"), "terms": st.dictionaries(free, st.lists(free))})


@given(st.lists(rules, max_size=3), st.dictionaries(free, st.lists(free, max_size=3), max_size=3), entries)
def test_a_written_directory_reads_back_the_same(
    written: list[dict[str, object]], groups: dict[str, list[str | dict[str, str]]], lexicon: list[Entry]
) -> None:
    document = BaseDocument(
        lexicons={"a.zh": lexicon},
        aliases={"岱款": "贷款"},
        fraud=FraudDocument(groups=groups, rules=written),
        reminders={"t": {"en": Text(title="off", body="a: b")}},
        policy={"yes": {"no": 1.5, "n": None, "t": True}},
    )
    with TemporaryDirectory() as folder:
        write(document, Path(folder))
        assert read(Path(folder)) == document


def test_a_written_overlay_reads_back_the_same(tmp_path: Path) -> None:
    document = OverlayDocument(
        tenant="off",
        lexicons={"own": [Entry(term="竞品名")]},
        regrade=[Regrade(term="no way", severity=Severity.LOG)],
        off=Off(rules=["FR-1"]),
        reminders={"remind.SD.v1": {"en": Text(title="off", body="a: {hotline}")}},
        policy={"fraud": {"review_at": 70}},
    )
    write(document, tmp_path)
    assert read(tmp_path) == document


def test_an_overlays_reminders_stand_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "overlay.yaml").write_text("tenant: t1\nreminders: {}\n", encoding="utf-8")
    (tmp_path / "reminders.yaml").write_text("remind.SD.v1: {en: {title: t, body: b}}\n", encoding="utf-8")
    with pytest.raises(Invalid, match=r"reminders\.yaml already"):
        read(tmp_path)


@pytest.mark.parametrize("term", ["a,b", "#ab", " ab", "ab\ncd"])
def test_a_term_that_a_lexicon_file_cannot_hold_is_not_written(tmp_path: Path, term: str) -> None:
    with pytest.raises(Invalid):
        write(BaseDocument(lexicons={"a": [Entry(term=term)]}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_lexicons_name_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="name of a file"):
        write(BaseDocument(lexicons={"../a": []}), tmp_path)
