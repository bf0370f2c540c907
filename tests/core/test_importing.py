"""Lists of other programs become entries, every word of them is accounted for, and lexicons go out the same way."""

import re
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from processor.errors import Invalid
from processor.matching.folding import is_hanzi
from processor.matching.term import forms
from processor.model import Severity
from processor.rulesets import benign
from processor.rulesets.decoding import decode
from processor.rulesets.document import BaseDocument, Entry, OverlayDocument
from processor.rulesets.entries import entry_flaws, term_flaw
from processor.rulesets.exporting import export
from processor.rulesets.importing import Ask, Format, Imported, gather, guess

CHAT = [line for line in benign.lines("zh") if len(line) >= 8 and is_hanzi(line[0])]
TRADITIONAL = "這個詞彙表是從舊系統匯出的請先檢查編碼再匯入謝謝大家辛苦了"


def taken(text: str | bytes, name: str = "w.txt", **ask: object) -> Imported:
    content = text.encode() if isinstance(text, str) else text
    return gather({name: content}, Ask(**ask))  # type: ignore[arg-type]


def terms(imported: Imported) -> list[str]:
    return [entry.term for entries in imported.lexicons.values() for entry in entries]


def graded(imported: Imported) -> list[tuple[str, str, str]]:
    return [(e.term, e.category, str(e.severity)) for entries in imported.lexicons.values() for e in entries]


# --- bytes to text


@given(
    st.lists(st.sampled_from(CHAT), min_size=2, max_size=9),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_simplified_text_is_read_in_whatever_encoding_it_is(lines: list[str], encoding: str) -> None:
    text = "\n".join(lines)
    assert decode(text.encode(encoding), source="w").text == text


@pytest.mark.parametrize("encoding", ["big5", "utf-8", "utf-16-le", "utf-16-be", "gb18030"])
def test_traditional_text_is_read_in_whatever_encoding_it_is(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    assert decode(mark + TRADITIONAL.encode(encoding), source="w").text == TRADITIONAL


@given(st.binary(max_size=300))
def test_any_bytes_are_a_text_or_invalid(content: bytes) -> None:
    try:
        said = decode(content, source="w").encoding
    except Invalid as error:
        said = error.problems[0]
    assert said in {"utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "big5hkscs"} or said.startswith("w: ")


def test_an_encoding_that_is_asked_for_is_kept_to() -> None:
    assert decode("é".encode("latin-1"), source="w", encoding="latin-1") == ("é", "iso8859-1")
    with pytest.raises(Invalid, match=r"w: not in ascii \(byte 0\)"):
        decode("é".encode(), source="w", encoding="ascii")
    with pytest.raises(Invalid, match="no encoding 'klingon'"):
        decode(b"", source="w", encoding="klingon")


# --- lists


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.txt", b"", "plain"),
        ("a.csv", b"", "csv"),
        ("a.TSV", b"", "csv"),
        ("a.xlsx", b"", "xlsx"),
        ("a.dat", b"PK\x03\x04", "xlsx"),
        ("sensitive_word_dict.txt", b"", "houbb"),
        ("dict_tag_test.txt", b"", "houbb"),
        ("my_allow.txt", b"", "houbb"),
        ("stage.txt", b"", "plain"),
        ("my_regex.txt", b"", "regex"),
    ],
)
def test_the_format_is_guessed_by_name_and_first_bytes(name: str, content: bytes, form: Format) -> None:
    assert guess(name, content) == form


def test_words_of_a_plain_list_stand_on_lines_or_between_marks() -> None:
    imported = taken("\ufeff甲方、乙方;丙\n# no word\n甲方,FOO|foo\t#tag\n", category="names", severity=Severity.LOW)
    assert graded(imported) == [("甲方", "names", "low"), ("乙方", "names", "low"), ("FOO", "names", "low")]
    assert [(remark.line, remark.term, remark.why) for remark in imported.folded] == [
        (3, "甲方", "is read the same as '甲方' (w.txt:1)"),
        (3, "foo", "is read the same as 'FOO' (w.txt:3)"),
    ]
    assert [(remark.line, remark.term) for remark in imported.refused] == [(1, "丙"), (3, "#tag")]


def test_our_own_lexicon_lines_keep_their_grades() -> None:
    assert graded(taken("贷款,fraud,low\n外汇,fraud")) == [
        ("贷款", "fraud", "low"),
        ("外汇", "custom", "high"),
        ("fraud", "custom", "high"),
    ]


@given(st.text(max_size=120), st.sampled_from(["plain", "csv", "houbb", "regex"]))
def test_every_word_of_any_text_is_taken_folded_or_refused_once(text: str, form: Format) -> None:
    try:
        imported = taken(text, format=form)
    except Invalid:
        return
    [source] = imported.sources
    assert imported.terms + len(imported.folded) + len(imported.refused) == source.words
    held = [entry for entries in imported.lexicons.values() for entry in entries]
    read = [(entry.kind, entry.term if entry.kind == "pattern" else forms(entry.term)[0]) for entry in held]
    assert len(set(read)) == len(read)
    assert [entry for entry in held if list(entry_flaws(entry))] == []


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_columns_of_a_table_are_known_by_their_headings(delimiter: str) -> None:
    rows = [["序号", "敏感词", "分类", "等级"], ["1", "代开票", "涉毒", "高"], ["2", "a b", "黑 产", "Low"]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert graded(taken(text.encode("gb18030"), name="w.csv")) == [("代开票", "drugs", "high"), ("a b", "黑-产", "low")]


def test_a_table_without_headings_holds_words_in_its_first_column() -> None:
    assert graded(taken("甲方,x\n乙方,y\n", name="w.csv")) == [("甲方", "custom", "high"), ("乙方", "custom", "high")]
    assert graded(taken("甲方,x,low\n乙方,y,log\n", name="w.csv")) == [("甲方", "x", "low"), ("乙方", "y", "log")]


def test_cells_keep_what_stands_between_quotes() -> None:
    imported = taken('word,level\n"say ""hi"" now",low\n"a,b",low\n', name="w.csv")
    assert terms(imported) == ['say "hi" now']
    assert "comma" in imported.refused[0].why


def test_a_grade_that_nobody_knows_is_refused_until_its_meaning_is_given() -> None:
    text = "word,level\n甲方,3\n乙方,low\n"
    assert [remark.line for remark in taken(text, name="w.csv").refused] == [2]
    assert graded(taken(text, name="w.csv", meanings={"3": "high"}))[0] == ("甲方", "custom", "high")


def test_columns_can_be_named_or_numbered() -> None:
    text = "a,b\nx y,甲方\n"
    assert terms(taken(text, name="w.csv", columns={"term": "B"})) == ["甲方"]
    assert terms(taken(text, name="w.csv", columns={"term": "2"})) == ["甲方"]
    with pytest.raises(Invalid, match=r"w\.csv: no column is called 'c'; there are: a, b"):
        taken(text, name="w.csv", columns={"term": "c"})


def test_a_workbook_is_read_like_a_table() -> None:
    book = Workbook()
    assert book.active is not None
    for row in (["关键词", "级别"], ["甲方", "低"], [95588, None], ["乙方", "中"]):
        book.active.append(row)
    out = BytesIO()
    book.save(out)
    imported = taken(out.getvalue(), name="w.xlsx")
    assert graded(imported) == [("甲方", "custom", "low"), ("95588", "custom", "high"), ("乙方", "custom", "medium")]


@given(st.binary(max_size=100))
def test_what_is_no_workbook_is_invalid(content: bytes) -> None:
    with pytest.raises(Invalid, match=r"^w\.xlsx: "):
        taken(b"PK\x03\x04" + content, name="w.xlsx")


def test_a_houbb_dictionary_is_graded_by_its_tag_file_and_thinned_by_its_allow_file() -> None:
    imported = gather(
        {
            "sensitive_word_dict.txt": "博彩站\na, b\n天气\n走私货\n其他词".encode(),
            "sensitive_word_tags.txt": "博彩站 3\n走私货 走私,4\n没有的 1\n".encode(),
            "sensitive_word_allow.txt": "天气\n".encode(),
        },
        Ask(),
    )
    assert imported.lexicons == {
        "sensitive_word_allow": [Entry(term="天气", kind="allow")],
        "sensitive_word_dict": [
            Entry(term="博彩站", category="gambling"),
            Entry(term="走私货", category="illegal"),
            Entry(term="其他词"),
        ],
    }
    assert [(remark.term, remark.why) for remark in imported.folded] == [
        ("天气", "is on the list of allowed words"),
        ("没有的", "has tags, but none of the dictionaries has the word"),
    ]
    assert [remark.term for remark in imported.refused] == ["a, b"]


def test_a_tag_file_alone_is_a_list() -> None:
    assert graded(taken("零售 广告,网络\n", name="dict_tags.txt")) == [("零售", "ads", "high")]


def test_expressions_that_stand_for_words_become_terms_and_the_others_patterns() -> None:
    text = "# c\nfoo\\.bar\n(?:甲方|乙方)\n/\\bspam\\b/i\n贷.{0,3}款\n[ab]c\n(a)\\1\n贷.{0,3}款\n.*\n"
    imported = taken(text, name="bad_regex.txt")
    assert [(entry.kind, entry.term) for entry in imported.lexicons["bad_regex"]] == [
        *(("term", term) for term in ("foo.bar", "甲方", "乙方", "spam")),
        *(("pattern", pattern) for pattern in ("贷.{0,3}款", "[ab]c")),
    ]
    assert [(remark.line, remark.term, remark.why) for remark in imported.refused] == [
        (7, "(a)\\1", "the pattern is refused: backreferences are not supported"),
        (9, ".*", "the pattern matches the empty text, and so every message"),
    ]
    assert [(remark.line, remark.term) for remark in imported.folded] == [(8, "贷.{0,3}款")]


def test_a_table_may_say_kind_day_owner_and_note() -> None:
    text = "word,kind,expires,owner,note\n双十一,exact,2026-11-12,li,sale\n甲方,fuzzy,,,\n乙方,,soon,,\n"
    imported = taken(text, name="w.csv")
    assert imported.lexicons["w"] == [Entry(term="双十一", kind="exact", expires="2026-11-12", owner="li", note="sale")]
    assert [remark.line for remark in imported.refused] == [3, 4]


def test_words_of_files_of_one_list_are_folded_across_files() -> None:
    imported = gather({"a.txt": "贷款单".encode(), "b.txt": "貸款單\n外匯".encode("utf-16")}, Ask())
    assert {stem: [entry.term for entry in entries] for stem, entries in imported.lexicons.items()} == {
        "a": ["贷款单"],
        "b": ["外匯"],
    }


# --- and out again

letters = st.text(st.sampled_from("甲乙丙abc =+-@'\"#;|.·"), min_size=1, max_size=6).map(str.strip)
entries = st.lists(
    st.builds(
        Entry,
        term=letters.filter(lambda term: bool(term) and not term_flaw(term) and not term.startswith("#")),
        category=st.sampled_from(["fraud", "x-1"]),
        severity=...,
        expires=st.sampled_from([None, "2026-12-31"]),
        note=st.sampled_from(["", "=why"]),
    ),
    max_size=6,
    unique_by=lambda entry: forms(entry.term)[0],
)


@given(st.dictionaries(st.sampled_from(["a.zh", "b"]), entries, max_size=1), st.sampled_from(["csv", "xlsx"]))
def test_what_is_exported_to_a_table_is_imported_back_the_same(lexicons: dict[str, list[Entry]], form: Format) -> None:
    document = BaseDocument(lexicons=lexicons)
    imported = taken(export(document, form).files[""], name=f"w.{form}")
    assert imported.lexicons == {stem: each for stem, each in lexicons.items() if each}


def test_what_a_format_cannot_say_of_an_entry_keeps_the_entry_out_of_it() -> None:
    narrow = [
        Entry(term="叶子", company=("卖",)),
        Entry(term="叶子", fields=("texts",)),
        Entry(term="叶子", kind="exact"),
        Entry(term="双十一", expires="2026-11-12"),
        Entry(term="贷.款", kind="pattern"),
        Entry(term="贷款"),
    ]
    document = BaseDocument(lexicons={"a": narrow})
    forms: dict[Format, int] = {"plain": 1, "houbb": 1, "regex": 2, "csv": 4, "xlsx": 4}
    for form, held in forms.items():
        assert f"{6 - held} entries of a kind that this format does not have" in export(document, form).left_out
    assert export(document, "plain").files[""].decode() == "贷款\n"
    assert export(document, "regex").files[""].decode() == "贷.款\n贷款\n"


def test_a_cell_that_excel_would_compute_is_written_as_text() -> None:
    text = export(BaseDocument(lexicons={"a": [Entry(term="=1+1")]}), "csv").files[""].decode("utf-8-sig")
    assert text.splitlines()[1].startswith("'=1+1,")


def test_a_houbb_export_holds_words_tags_and_allowed_words() -> None:
    overlay = OverlayDocument(
        tenant="t",
        lexicons={"a": [Entry(term="甲方", category="x"), Entry(term="a b")], "b": [Entry(term="甲方", category="y")]},
        allow=["甲方乙方"],
    )
    exported = export(overlay, "houbb")
    assert {name: content.decode() for name, content in exported.files.items()} == {
        "sensitive_word_deny.txt": "甲方\na b\n",
        "sensitive_word_allow.txt": "甲方乙方\n",
        "sensitive_word_tags.txt": "甲方 x,y\n",
    }
    assert list(exported.left_out) == ["severities", "the tags of 1 terms with a space, which a tag file cannot hold"]


def test_an_exported_expression_finds_the_term_where_the_matcher_would() -> None:
    lexicon = BaseDocument(lexicons={"a": [Entry(term="c++"), Entry(term="art"), Entry(term="贷款")]})
    expressions = export(lexicon, "regex").files[""].decode().split()
    found = [[bool(re.search(each, text)) for each in expressions] for text in ("art贷款c++", "party")]
    assert found == [[True, True, True], [False, False, False]]


@given(entries)
def test_exported_expressions_are_imported_back_as_the_terms_they_stand_for(lexicon: list[Entry]) -> None:
    content = export(BaseDocument(lexicons={"a": lexicon}), "regex").files[""]
    assert terms(taken(content, name="a.regex")) == [entry.term for entry in lexicon if entry.expires is None]
