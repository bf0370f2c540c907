"""What the readings of a text show, and what the words of a text keep them from finding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.matching import readings, shape, sound, words
from processor.matching.engine import Bytewise, Daachorse, Pyahocorasick
from processor.matching.folding import Batch, fold, squeeze
from processor.matching.matcher import Matcher
from processor.matching.readings import COSTS
from processor.matching.weighing import Rejected
from tests.redteam.strategies import TEXTS

TERMS = ["贷款", "代孕", "办证", "迷药", "套利", "冰毒", "海洛因", "赌博", "强奸", "手枪", "六合彩", "银行卡", "K粉"]
LATIN = ["viagra", "cocaine", "weed", "3p", "shop8.cn", "ak-47"]
EVERY = [*TERMS, *LATIN]
MATCHER = Matcher(EVERY, ceilings=[6] * len(EVERY))
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
chat = st.text(st.sampled_from("贷款冰毒海洛因枪木仓 -dai&#;%E8点3v1@gr💊\u200b\u202e\u202c，。ab"), max_size=40)


def finds(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    found = MATCHER.find(Batch([text])).get(0, [])
    return [(EVERY[find.term], text[find.start : find.end], find.via) for find in found]


@pytest.mark.parametrize(
    ("text", "term", "span", "via"),
    [
        ("要daikuan吗", "贷款", "daikuan", ("pinyin",)),
        ("dài kuǎn 秒批", "贷款", "dài kuǎn", ("pinyin",)),
        ("dai款秒批", "贷款", "dai款", ("pinyin",)),
        ("有冰du吗", "冰毒", "冰du", ("pinyin",)),
        ("低息袋款秒批", "贷款", "袋款", ("sound",)),
        ("海络因", "海洛因", "海络因", ("sound",)),
        ("氵每洛因要吗", "海洛因", "氵每洛因", ("split",)),
        ("弓虽女干犯", "强奸", "弓虽女干", ("split",)),
        ("真手木仓", "手枪", "手木仓", ("split",)),
        ("贝者博网站", "赌博", "贝者博", ("split",)),
        ("V1@gr@ here", "viagra", "V1@gr@", ("leet",)),
        ("сосаine", "cocaine", "сосаine", ("homoglyph",)),
        ("cooocaaaine", "cocaine", "cooocaaaine", ("stretched",)),
        ("海海洛洛因因", "海洛因", "海海洛洛因因", ("repeated",)),
        ("买陆合彩", "六合彩", "陆合彩", ("digits",)),
        ("来三p", "3p", "三p", ("digits",)),
        ("看shop8点cn", "shop8.cn", "shop8点cn", ("url",)),
        ("shop8 dot cn now", "shop8.cn", "shop8 dot cn", ("url",)),
        ("shop8小数点cn", "shop8.cn", "shop8小数点cn", ("url",)),
        ("shop8 句号 cn", "shop8.cn", "shop8 句号 cn", ("url",)),
        ("a 4k-47 here", "ak-47", "4k-47", ("leet",)),
        ("see (v1@9r@) there", "viagra", "v1@9r@", ("leet",)),
        ("c0(@1n3", "cocaine", "c0(@1n3", ("leet",)),
        ("六亼口彩开奖", "六合彩", "六亼口彩", ("split",)),
        ("&#36151;款秒批", "贷款", "&#36151;款", ("entity",)),
        ("%E8%B4%B7%E6%AC%BE", "贷款", "%E8%B4%B7%E6%AC%BE", ("percent",)),
        ("贷<br>款", "贷款", "贷<br>款", ("entity",)),
        ("贷丶款", "贷款", "贷丶款", ("separator",)),
        ("\\u8d37款", "贷款", "\\u8d37款", ("escape",)),
        ("要\u202e款贷\u202c吗", "贷款", "款贷", ("bidi",)),
        ("银行💳要吗", "银行卡", "银行💳", ("emoji",)),
        ("要不要🅺粉", "K粉", "🅺粉", ("width",)),
    ],
)
def test_a_disguise_is_seen_through(text: str, term: str, span: str, via: tuple[str, ...]) -> None:
    assert (term, span, via) in finds(text)


@pytest.mark.parametrize(
    "text",
    [
        "时代孕育了他",
        "举办证券讲座",
        "低迷药价",
        "外套利落",
        "这个带宽不够",
        "冰毒蛇",
        "他得了病毒",
        "房贷款台那边排队呢",
        "朝代孕生新的制度",
        "时 代 孕 育 了 他",
        "他是搏击冠军，银行卡通形象",
        "women are here",
        "weeds and weedy",
        "an ak 4 7up",
        "贷，款",
        "贷。款",
        "女子和好日子",
        "贺红来了",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert finds(text) == []


def test_a_term_between_ordinary_words_is_kept() -> None:
    assert finds("包成功代孕套餐") == [("代孕", "代孕", ())]


def test_a_word_goes_over_no_gap_that_is_wider_than_those_of_the_term() -> None:
    assert finds("快看（办证）明天") == [("办证", "办证", ())]


@pytest.mark.parametrize("text", ["找小姐姐合影", "小姐姐们好"])
def test_a_hanzi_that_a_word_has_twice_is_not_repeated(text: str) -> None:
    assert Matcher(["找小姐", "小姐"], ceilings=[6, 6]).find(Batch([text])).get(0, []) == []


def test_a_hanzi_of_every_text_stands_for_no_other() -> None:
    assert Matcher(["假药", "砍刀"], ceilings=[6, 6]).find(Batch(["这是假的，我砍到手了"])) == {}


@given(chat)
def test_a_word_over_a_place_makes_no_text_cheaper(text: str) -> None:
    chain = words.chain(squeeze(text))
    for place in range(1, len(chain.text)):
        cost, begin, stop = chain.astride(place, place, place)
        assert cost >= chain.to[-1] - 1e-9
        assert cost == float("inf") or begin < place < stop


def test_what_explains_a_rejection_is_told() -> None:
    trace: list[Rejected] = []
    assert MATCHER.find(Batch(["时代孕育了他"]), trace) == {}
    assert [(EVERY[each.found.term], each.why) for each in trace] == [("代孕", "reads as 时代|孕育")]


def test_a_ceiling_keeps_dear_readings_out() -> None:
    cheap = Matcher(["贷款"], ceilings=[1])
    assert cheap.find(Batch(["贷-款"]))
    assert cheap.find(Batch(["袋款 daikuan dai款 氵"])) == {}


@given(any_text | chat)
def test_every_find_lies_in_its_text_and_costs_what_its_ways_cost(text: str) -> None:
    for find in MATCHER.find(Batch([text])).get(0, []):
        assert 0 <= find.start < find.end <= len(text)
        assert find.cost == sum(COSTS[each] for each in find.via) <= 6


@given(st.lists(any_text | chat, max_size=6))
def test_a_text_is_read_alike_alone_and_in_a_batch(texts: list[str]) -> None:
    together = MATCHER.find(Batch(texts))
    for number, text in enumerate(texts):
        assert together.get(number, []) == MATCHER.find(Batch([text])).get(0, [])


@given(st.sampled_from(EVERY), chat)
def test_adding_a_term_takes_no_find_of_another_away(term: str, text: str) -> None:
    others = [each for each in EVERY if each != term]
    fewer = Matcher(others, ceilings=[6] * len(others)).find(Batch([text])).get(0, [])
    found = {(find.start, find.end, EVERY[find.term]) for find in MATCHER.find(Batch([text])).get(0, [])}
    assert {(find.start, find.end, others[find.term]) for find in fewer} <= found


@pytest.mark.parametrize(
    ("term", "text", "span", "via"),
    [
        ("三陪", "商务3陪，白领兼职", "3陪", "digits"),
        ("二八杠", "28杠开局，一把五百封顶", "28杠", "digits"),
        ("十三水", "13水代理招募", "13水", "digits"),
        ("二十四味", "24味，包真", "24味", "digits"),
        ("heroin", "hheerrooiinn in stock", "hheerrooiinn", "stretched"),
        ("办证", "联系%u529E%u8BC1刻章老张", "%u529E%u8BC1", "escape"),
        ("shop8.cn", "去 shop8 d0t cn 看", "shop8 d0t cn", "url"),
    ],
)
def test_terms_of_their_own(term: str, text: str, span: str, via: str) -> None:
    [found] = Matcher([term], [6]).find(Batch([text]))[0]
    assert (text[found.start : found.end], found.via) == (span, (via,))


@pytest.mark.parametrize(
    ("term", "text"), [("三陪", "3个人陪他"), ("十三水", "130水"), ("heroin", "the bookkeeper's heroine")]
)
def test_what_only_nearly_reads_so_is_left_alone(term: str, text: str) -> None:
    assert Matcher([term], [6]).find(Batch([text])) == {}


@given(any_text | chat)
def test_each_character_of_a_reading_stands_for_a_stretch_of_the_text(text: str) -> None:
    for reading in MATCHER.readings(text):
        assert len(reading.text) == len(reading.starts) == len(reading.ends)
        for start, end in zip(reading.starts, reading.ends, strict=True):
            assert 0 <= start < end <= len(text)


@given(any_text)
def test_a_chain_of_words_spells_its_text(text: str) -> None:
    squeezed = squeeze(text)
    chain = words.chain(squeezed)
    assert "".join(chain.reading(0, len(squeezed))) == squeezed
    assert chain.to[-1] == pytest.approx(chain.onward[0])


def test_hanzi_that_sound_alike_have_one_sign() -> None:
    assert sound.sign("贷") == sound.sign("袋") != sound.sign("款")
    assert sound.sign("心") == sound.sign("星")  # in and ing


def test_hanzi_that_look_alike_have_one_sign() -> None:
    assert shape.sign("赌") == shape.sign("睹")
    assert shape.sign("贷") == shape.sign("货")
    assert shape.alike("枪", "抢")
    assert not shape.alike("枪", "款")


def test_parts_make_their_hanzi() -> None:
    assert {"木仓", "日召灬", "昭灬"} <= {parts for parts, _ in shape.written_apart("枪照")}


def test_tones_of_marks_and_numbers() -> None:
    assert sound.tones("dài kuǎn") == sound.tones("dai4kuan3") == sound.tones_of("贷款") == "43"


def test_homoglyphs_are_no_latin_letters() -> None:
    assert all(not char.isascii() and fold(char) == char for char in readings.homoglyphs())


@pytest.mark.parametrize(
    "text",
    ["aoaoaoaoaoaoaoaoaoaoaob款" * 200, "a点b" + " " * 30_000, "shop8点cn" + "\u3000" * 30_000 + "slash"],
    ids=["pinyin that can be cut in many ways", "white space and no slash", "white space and a slash"],
)
def test_a_text_that_could_be_cut_in_very_many_ways_is_read_at_once(text: str) -> None:
    assert {EVERY[find.term] for find in MATCHER.find(Batch([text])).get(0, [])} <= {"shop8.cn"}


def test_slashes_in_words_may_stand_one_after_the_other() -> None:
    made = {reading.text for reading in MATCHER.readings("shop8点cn  slash slash x")}
    assert "shop8.cn//x" in made


def test_syllables_are_cut_where_all_of_a_run_can_be() -> None:
    assert sound.is_pinyin("xianggang")
    assert sound.is_pinyin("dai4kuan3")
    assert sound.is_pinyin("fangan")
    assert not sound.is_pinyin("aoaoaoaoaoaoaoaoaoaoaob")
    assert not sound.is_pinyin("3")


def test_what_stands_several_times_in_one_code_is_found_once() -> None:
    assert finds("%B4%FB%BF%EE" * 3) == [("贷款", "%B4%FB%BF%EE" * 3, ("percent",))]


def test_other_terms_take_no_hanzi_from_an_emoji() -> None:
    terms = ["银行堡", "好日", "好本", "好城"]  # 🏯 is 日本城堡
    found = Matcher(terms, ceilings=[6] * len(terms)).find(Batch(["银行🏯"]))
    assert [terms[find.term] for find in found[0]] == ["银行堡"]


@pytest.mark.parametrize("other", ["好乐", "好休"])
def test_other_terms_take_no_parts_from_a_hanzi(other: str) -> None:
    text = "木仓木仓贝者木仓贝者木仓啊啊啊啊" + ("亻" if other == "好乐" else "人") + "木仓了"
    for terms in (["枪了"], ["枪了", "枪啊赌", other]):
        found = Matcher(terms, ceilings=[6] * len(terms)).find(Batch([text])).get(0, [])
        assert ("枪了", "木仓了") in {(terms[find.term], text[find.start : find.end]) for find in found}


def test_an_alias_that_is_half_pinyin_is_no_surer_than_its_term() -> None:
    terms = ["冰du", "约pao"]
    matcher = Matcher(terms, ceilings=[6] * len(terms))
    for text in ("bing du hen ke pa", "这个bingdu好可怕", "da jia yue pao bu"):
        assert matcher.find(Batch([text])) == {}
    for text in ("有冰du吗", "约pao吗", "出来yuepao吗"):
        assert len(matcher.find(Batch([text]))[0]) == 1


strange_terms = st.text(st.sampled_from("贷款冰K粉3三.あ \u200b\x00\ud800\U00020000㎏💊ßи，-"), max_size=8)


@given(st.lists(strange_terms | st.text(max_size=3), max_size=4), TEXTS | st.text())
def test_all_engines_find_strange_terms_in_strange_texts_alike(terms: list[str], text: str) -> None:
    batch, ceilings = Batch([text, "".join(terms)]), [6] * len(terms)
    engines = (Daachorse, Bytewise, Pyahocorasick)
    first, *others = (Matcher(terms, ceilings, engine=engine).find(batch) for engine in engines)
    assert others == [first] * len(others)
    for found in first.values():
        assert len({(find.start, find.end, find.term) for find in found}) == len(found)
