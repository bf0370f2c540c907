"""What the matcher finds, and what it does not."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processor.matching.engine import Bytewise, Daachorse, Engine, Pyahocorasick
from processor.matching.folding import JOINT, Batch, fold, origins, squeeze
from processor.matching.matcher import Matcher
from processor.matching.term import transforms

ENGINES: list[type[Engine]] = [Daachorse, Bytewise, Pyahocorasick]
letters = st.sampled_from("ab贷款海é ")
patterns = st.lists(st.text(letters, min_size=1, max_size=4), unique=True, max_size=12)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def finds(terms: list[str], text: str, engine: type[Engine] = Daachorse) -> list[tuple[str, str]]:
    """Each find as (term, original span)."""
    found = Matcher(terms, engine=engine).find(Batch([text]))
    return [(terms[find.term], text[find.start : find.end]) for find in found.get(0, [])]


@given(patterns, st.text(letters, max_size=60))
def test_all_engines_find_what_a_naive_search_finds(terms: list[str], text: str) -> None:
    naive = sorted(
        (start, start + len(term), number)
        for number, term in enumerate(terms)
        for start in range(len(text))
        if text.startswith(term, start)
    )
    for engine in ENGINES:
        assert sorted(engine(terms).find(text)) == naive


@given(st.lists(any_text.filter(lambda term: bool(squeeze(term))), max_size=8), st.lists(any_text, max_size=6))
def test_all_engines_make_the_same_matcher(terms: list[str], texts: list[str]) -> None:
    first, *others = (Matcher(terms, engine=engine).find(Batch(texts)) for engine in ENGINES)
    assert others == [first] * len(others)


@given(any_text)
@example("ﷺ㎏½…")
@example("a\u0336\u200b\u3164b")
def test_the_folded_reading_has_a_character_for_every_character(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(any_text)
def test_every_squeezed_character_comes_from_the_place_its_map_says(text: str) -> None:
    places = origins(text)
    assert len(places) == len(squeeze(text))
    assert places == sorted(places)
    assert "".join(squeeze(text[place]) for place in dict.fromkeys(places)) == squeeze(text)


@given(st.lists(any_text, max_size=8))
@example(["㎏_a b", "", "½，x"])
@example(["ΑΣ ΣΑΣ", "İstanbul ΑΣ"])
def test_a_batch_reads_as_its_texts_do(texts: list[str]) -> None:
    batch = Batch(texts)
    assert batch.folded == "".join([JOINT, *(fold(text) + JOINT for text in batch.texts)])
    assert batch.squeezed == "".join([JOINT, *(squeeze(text) + JOINT for text in batch.texts)])


@given(st.lists(any_text, max_size=8))
@example(["\x00贷款", "贷\x00款", ""])
def test_a_text_is_read_alike_alone_and_in_a_batch(texts: list[str]) -> None:
    matcher = Matcher(["贷款", "ab", "海 洛 因"])
    together = matcher.find(Batch(texts))
    for number, text in enumerate(texts):
        assert together.get(number, []) == matcher.find(Batch([text])).get(0, [])


@given(
    st.sampled_from(["贷款", "海洛因", "代开发票", "冰毒交易"]),
    st.text(st.sampled_from("今天 天气abc，。！"), max_size=8),
    st.text(st.sampled_from("很好xyz，。！"), max_size=8),
    st.lists(st.sampled_from(["", " ", "-", "*", "·", "\u200b", "~~", "/", "、", "\ufe0f"]), min_size=3, max_size=3),
)
def test_a_term_is_found_whatever_separates_its_characters(term: str, before: str, after: str, gaps: list[str]) -> None:
    written = "".join(char + gap for char, gap in zip(term, [*gaps, "", ""], strict=False)).rstrip(
        "".join(gaps) or None
    )
    text = f"{before}。{written}。{after}"
    assert (term, written) in finds([term], text)


@given(st.lists(any_text.filter(lambda term: bool(squeeze(term))), min_size=1, max_size=5), any_text)
def test_a_found_span_spells_the_term(terms: list[str], text: str) -> None:
    for term, span in finds(terms, text):
        assert squeeze(span.replace(JOINT, "")) == squeeze(term.replace(JOINT, ""))


@given(st.lists(any_text.filter(lambda term: bool(squeeze(term))), min_size=1, max_size=5), any_text, any_text)
def test_adding_a_term_takes_no_other_find_away(terms: list[str], term: str, text: str) -> None:
    if squeeze(term):
        assert set(finds(terms, text)) <= set(finds([*terms, term], text))


FOUND = [
    ("贷款", "低息貸-款秒批", "貸-款", ["separator", "variant"]),
    ("贷款", "贷\u200b款", "贷\u200b款", ["invisible"]),
    ("heroin", "ＨＥＲＯＩＮ", "ＨＥＲＯＩＮ", ["width"]),
    ("heroin", "买HeroIn吗", "HeroIn", ["case"]),
    ("heroin", "héroïn here", "héroïn", ["accent"]),
    ("cocaine", "c o c a i n e", "c o c a i n e", ["separator"]),
    ("cocaine", "co-caine", "co-caine", ["separator"]),
    ("wire transfer", "Wire  Transfer now", "Wire  Transfer", ["case", "separator"]),
    ("wire transfer", "a wire-transfer", "wire-transfer", ["separator"]),
    ("office", "the oﬃce", "oﬃce", ["spelled"]),
    ("t.me", "see t.me/abc", "t.me", []),
    ("bomb", "b\u0336o\u0336m\u0336b\u0336", "b\u0336o\u0336m\u0336b", ["invisible"]),
    ("K粉", "卖k粉", "k粉", ["case"]),
    ("10元", "⑩元", "⑩元", ["spelled"]),
    ("💊", "有💊吗", "💊", []),
    ("heroin", "헤헤heroin을", "heroin", []),
    ("heroin", "ขายheroinครับ", "heroin", []),
    ("heroin", "هheroinه", "heroin", []),
    ("heroin", "куплюheroinсейчас", "heroin", []),
    ("heroin", "_heroin_", "heroin", []),
    ("heroin", "heroin's", "heroin", []),
    ("你好，世界", "你好,世界", "你好,世界", ["separator"]),
    ("发财！", "发财!", "发财!", ["separator"]),
    ("「贷款」", "要贷款吗", "贷款", []),
    ("c++", "we use C++ here", "C++", ["case"]),
    ("ﬁsh", "a fish", "fish", ["case"]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("term", "text", "span", "via"), FOUND)
def test_a_disguised_term_is_found_with_its_span(
    engine: type[Engine], term: str, text: str, span: str, via: list[str]
) -> None:
    assert finds([term], text, engine) == [(term, span)]
    assert transforms(span, term) == via


NOT_FOUND = [
    ("rape", "grapefruit and drapes"),
    ("cunt", "Scunthorpe"),
    ("meth", "something"),
    ("meth", "so me thing"),
    ("bomb", "bombs"),
    ("bomb", "b\u200bombs"),
    ("贷款", "我要贷。款式很多"),
    ("贷款", "贷，款"),
    ("贷款", "贷\n款"),
    ("贷款", "贷" + "-" * 40 + "款"),
    ("wire transfer", "check the wire. Transfer it"),
    ("cocaine", "coc aine"),
    ("cocaine", "2cocaine"),
    ("cocaine", "cocaine2"),
    ("ash", "the ﬂash"),
    ("ﬁsh", "ﬂsh"),
    ("c++", "a c in math"),
    ("🔞片", "一片"),
    ("100%", "100 people"),
    ("@bot", "a bot"),
    (".onion", "an onion"),
]


@pytest.mark.parametrize(("term", "text"), NOT_FOUND)
def test_what_only_looks_like_a_term_is_not_found(term: str, text: str) -> None:
    assert finds([term], text) == []


def test_every_character_folds_alike_alone_and_in_a_batch() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and chr(code) != JOINT]
    assert Batch(["".join(characters)]).folded == JOINT + fold("".join(characters)) + JOINT
    assert Batch(characters).folded == JOINT + "".join(fold(char) + JOINT for char in characters)


@pytest.mark.parametrize("terms", [["贷 款吧", "贷款 吧"], ["贷款 吧", "贷 款吧"]])
def test_terms_that_differ_only_in_their_spaces_do_not_hide_each_other(terms: list[str]) -> None:
    for text in terms:
        assert {term for term, _ in finds(terms, text)} == set(terms)


def test_a_spelled_sign_beside_a_separator_hides_nothing() -> None:
    assert finds(["贷款"], "㎏贷-款") == [("贷款", "贷-款")]  # one character more, one less


def test_overlapping_terms_are_all_found() -> None:
    assert finds(["刷单", "刷单返利", "返利"], "刷单返利") == [
        ("刷单", "刷单"),
        ("刷单返利", "刷单返利"),
        ("返利", "返利"),
    ]


def test_a_matcher_without_terms_finds_nothing() -> None:
    for engine in ENGINES:
        assert Matcher([], engine=engine).find(Batch(["贷款", ""])) == {}


def test_no_texts_are_a_batch_too() -> None:
    assert Matcher(["贷款"]).find(Batch([])) == {}


def test_traditional_and_simplified_hanzi_read_alike() -> None:
    assert fold("貸款詐騙") == fold("贷款诈骗")


def test_the_joint_of_a_batch_cannot_be_forged() -> None:
    batch = Batch([f"贷{JOINT}款{JOINT}", "贷款", "款"])
    assert [batch.locate(place) for place in batch.starts[:-1]] == [0, 1, 2]
    assert sorted(Matcher(["贷款"]).find(batch)) == [0, 1]  # a NUL shows nothing, so it hides nothing


def test_every_letter_of_an_enclosed_or_mathematical_alphabet_folds_to_ascii() -> None:
    for start in ("𝐚", "𝒂", "𝓪", "𝔞", "𝕒", "𝖆", "𝖺", "𝗮", "𝙖", "𝚊", "ⓐ"):
        alphabet = "".join(chr(ord(start) + i) for i in range(26))
        assert fold(alphabet) == "abcdefghijklmnopqrstuvwxyz", unicodedata.name(start)
