"""A first look at a batch for many tenants at once leaves out only texts in which a tenant's matcher finds nothing."""

from collections import defaultdict
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.matching.cut import Cut
from processor.matching.engine import Bytewise, Daachorse, Engine, Pyahocorasick
from processor.matching.folding import Batch
from processor.matching.matcher import Matcher
from processor.matching.sieve import Member, Sieves
from processor.matching.weighing import Found, Rejected
from tests.redteam.lines import Part, benign, terms
from tests.redteam.strategies import TEXTS

ODD = ["c++", "$$$", ".onion", "？！", "1", "a片", "贷", "av女优", "whatsapp群组", "群组whatsapp", "100%", "㏒x", "K歌"]
EVERYDAY = sorted({text[place : place + 2 + place % 3] for text in benign(Part.BUILDING)[::9] for place in (0, 3, 5)})
LEXICONS: list[tuple[list[str], list[int | None]]] = [
    (terms(), [6]),
    (terms()[::2], [5, 4, 3, 2, 1, None]),
    (terms()[1::3], [None]),
    (ODD, [6, None]),
    (ODD[::-1], [3, 6, 2]),
    (EVERYDAY, [6, 3]),
    (["贷款"], [6]),
    ([], []),
]
NOBODY = -1
chat = st.text(
    st.sampled_from("贷款冰毒海洛因枪木仓 -dai&#;%E8点3v1@gr💊💳\u200b\u202e\u202c，。ab+$cC1％"), max_size=30
)
texts = st.lists(
    st.tuples(
        st.integers(NOBODY, len(LEXICONS) - 1),
        st.one_of(TEXTS, chat, st.sampled_from(benign(Part.BUILDING)), st.sampled_from([*ODD, *EVERYDAY])),
    ),
    max_size=12,
)
Finds = dict[int, list[Found]]


@cache
def matchers(engine: type[Engine]) -> list[Matcher]:
    return [
        Matcher(each, [ceilings[n % len(ceilings)] for n in range(len(each))], engine=engine, sifted=True)
        for each, ceilings in LEXICONS
    ]


@cache
def sieves(engine: type[Engine]) -> Sieves:
    return Sieves([matcher.member for matcher in matchers(engine)])


def together(lines: list[tuple[int, str]], engine: type[Engine]) -> tuple[Finds, list[Rejected]]:
    """What each tenant's matcher finds in its own texts among the suspects of one batch."""
    batch = Batch([text for _, text in lines])
    own: defaultdict[int, list[int]] = defaultdict(list)
    for line in sieves(engine).suspects(batch, [owner for owner, _ in lines]):
        own[lines[line][0]].append(line)
    found: Finds = {}
    rejected: list[Rejected] = []
    for owner, suspects in own.items():
        found |= matchers(engine)[owner].find(batch, rejected, suspects)
    return found, rejected


def apart(lines: list[tuple[int, str]], engine: type[Engine]) -> tuple[Finds, list[Rejected]]:
    """What each tenant's matcher finds in a batch of its own texts."""
    found: Finds = {}
    rejected: list[Rejected] = []
    for owner, matcher in enumerate(matchers(engine)):
        own = [line for line, (whose, _) in enumerate(lines) if whose == owner]
        doubted: list[Rejected] = []
        finds = matcher.find(Batch([lines[line][1] for line in own]), doubted)
        found |= {own[place]: each for place, each in finds.items()}
        rejected += [one._replace(line=own[one.line]) for one in doubted]
    return found, rejected


@pytest.mark.parametrize("engine", [Daachorse, Bytewise, Pyahocorasick])
@given(texts)
def test_a_tenant_finds_among_the_suspects_all_that_it_finds_in_its_texts(
    engine: type[Engine], lines: list[tuple[int, str]]
) -> None:
    (found, rejected), (expected, doubted) = together(lines, engine), apart(lines, engine)
    assert found == expected
    assert sorted(rejected) == sorted(doubted)


@given(st.lists(TEXTS | chat, max_size=8), st.data())
def test_a_matcher_finds_in_some_texts_of_a_batch_what_it_finds_in_all(lines: list[str], data: st.DataObject) -> None:
    some = sorted(data.draw(st.sets(st.integers(0, len(lines) - 1)))) if lines else []
    for matcher in matchers(Daachorse):
        batch = Batch(lines)
        trace: list[Rejected] = []
        every: list[Rejected] = []
        in_some = matcher.find(batch, trace, some)
        in_all = matcher.find(Batch(lines), every)
        assert in_some == {line: finds for line, finds in in_all.items() if line in some}
        assert sorted(trace) == sorted(one for one in every if one.line in some)


def test_texts_without_anything_of_their_tenant_are_hardly_ever_suspects() -> None:
    lines = benign(Part.BUILDING)
    matcher = Matcher(["甪甪丒丒丒", "zzyzxq", "丒丒丒甪"], ceilings=[6] * 3, sifted=True)
    suspects = Sieves([matcher.member]).suspects(Batch(lines), [0] * len(lines))
    assert len(suspects) <= len(lines) / 100


@given(st.lists(st.sampled_from([*terms(), *ODD]), max_size=5), st.lists(chat | st.sampled_from(["贷", "我", "海洛"])))
def test_a_short_message_that_begins_a_term_is_picked_for_its_tenant(held: list[str], messages: list[str]) -> None:
    whole, sifted = Cut(held), Cut(held, sifted=True)
    texts = [text for text in Batch(messages).squeezed_texts if text]
    picked = Sieves([Member(sifted.sieve, frozenset())]).heads(texts, [0] * len(texts))
    for text, may_begin in zip(texts, picked, strict=True):
        assert sifted.begins(text) == whole.begins(text)
        assert may_begin or not whole.begins(text)
