"""Hanzi written otherwise: sounds, shapes, parts, scripts. Each function gives one spelling, or None if it has none.

A spelling must still be read as the term by a person: whoever swaps a hanzi takes a common one, swaps few where sound
alone must carry the meaning, and does not write another ordinary word (读博 is no spelling of 赌博).
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from random import Random

from opencc import OpenCC

from processor.redteam.tables import Tables, marked, readings, tables, toneless

FEW = 2  # terms this short bear only one swapped hanzi, or one that sounds exactly alike
COMMON = 2_000  # the most common hanzi; others are not what an input method offers first


def _pairs(text: str) -> dict[str, str]:
    """The first character of each word, and the rest of it."""
    return {word[0]: word[1:] for word in text.split()}


EMOJI = _pairs(
    "马🐴 鸡🐔 鸭🦆 狗🐶 猪🐷 牛🐮 羊🐑 鱼🐟 龙🐲 虎🐯 猫🐱 熊🐻 鸟🐦 虫🐛 蛇🐍 "
    "兔🐰 鹰🦅 枪🔫 刀🔪 弹💣 炸💥 弓🏹 箭🏹 剑🗡️ 药💊 针💉 血🩸 冰🧊 水💧 "
    "火🔥 雪❄️ 草🌿 叶🍃 花🌸 树🌲 茶🍵 酒🍺 烟🚬 糖🍬 奶🥛 蛋🥚 米🍚 瓜🍉 "
    "车🚗 机📱 船🚢 飞✈️ 票🎫 卡💳 钱💰 币🪙 包👜 房🏠 门🚪 床🛏️ 灯💡 钟🕐 "
    "表⌚ 书📖 笔🖊️ 球⚽ 牌🀄 骰🎲 彩🌈 月🌙 星⭐ 手✋ 脚🦶 嘴👄 眼👁️ 耳👂 "
    "心❤️ 鬼👻 王👑 女👩 男👨 孩👶 妹👧 笑😄 哭😭 信✉️ 证🪪 锁🔒 网🕸️ 电⚡ "
    "款💰 红🔴 黑⚫ 白⚪ 狼🐺 猴🐒 家🏠 炮💣 "
)
SOUNDS = _pairs(
    "微威薇溦葳 信芯鑫 贷袋 款欵 赌堵 博搏 彩采菜 票漂 嫖瓢 枪腔 发珐 裸罗 聊撩 "
    "炮泡 色涩 群裙 套掏 冰氷 麻嘛 证郑 卡咔 号浩 码马玛 兼蒹 "
)
"""What evaders write by habit for a hanzi, also where it is rarer."""
SHAPES = _pairs(
    "微徽薇溦 信佶 毒毐 冰氷 彩釆 款歀 贷貸货袋 赌睹 淫婬 枪抢 弹掸 炮泡跑 妓伎 "
    "娼倡 嫖漂 裸祼 聊柳 约钓 卖实 大太犬 土士 日曰 人入 未末 己已 天夭 干千 "
    "太大 免兔 "
)
"""Hanzi that evaders take by habit because they look alike."""
DIGITS = {
    digit: [*ways, f"{digit}\ufe0f\u20e3", chr(0x1D7CE + int(digit)), chr(0x1D7EC + int(digit))]
    for digit, ways in zip(
        "0123456789",
        (
            "零〇０⓪",
            "一壹１①¹㈠",
            "二贰２②²㊁",
            "三叁３③³⑶",
            "四肆４④⁴⑷",
            "五伍５⑤⁵㊄",
            "六陆６⑥⁶⑹",
            "七柒７⑦⁷❼",
            "八捌８⑧⁸➑",
            "九玖９⑨⁹⓽",
        ),
        strict=True,
    )
}
"""As hanzi, full width, in circles and parentheses, raised, on keys, and as mathematicians set them."""

_DOUBLES = (*range(0x2E80, 0x2FE0), *range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20))


def is_hanzi(char: str) -> bool:
    """Whether a character is a hanzi that the tables know."""
    return char in tables().hanzi


def traditional(term: str, dice: Random) -> str | None:
    """As written in Taiwan, in Hong Kong or before the reform."""
    written = {_converter(way).convert(term) for way in ("s2t", "s2tw", "s2hk")} - {term}
    return dice.choice(sorted(written)) if written else None


@cache
def _converter(way: str) -> OpenCC:
    return OpenCC(way)


def compatible(term: str, dice: Random) -> str | None:
    """Radicals and doubles that Unicode keeps beside the hanzi they are: one, or all."""
    doubles = _doubles()
    places = [place for place, char in enumerate(term) if char in doubles]
    if not places:
        return None
    chosen = dice.sample(places, dice.choice((1, len(places))))
    return "".join(dice.choice(doubles[char]) if place in chosen else char for place, char in enumerate(term))


@cache
def _doubles() -> dict[str, str]:
    found: defaultdict[str, str] = defaultdict(str)
    for char in map(chr, _DOUBLES):
        same = unicodedata.normalize("NFKC", char)
        if same != char and len(same) == 1:
            found[same] += char
    return dict(found)


def pinyin(term: str, _dice: Random) -> str | None:
    """All hanzi in pinyin, written together."""
    return _run_together(term, toneless)


def pinyin_marked(term: str, _dice: Random) -> str | None:
    """All hanzi in pinyin with tone marks."""
    return _run_together(term, marked)


def pinyin_numbered(term: str, _dice: Random) -> str | None:
    """All hanzi in pinyin with tones as digits."""
    return _run_together(term, lambda syllable: syllable.replace("5", ""))


def pinyin_spaced(term: str, dice: Random) -> str | None:
    """All hanzi in pinyin, with something between the syllables."""
    return _said(term, toneless, dice.choice((" ", " ", "-", "'", "_")))


def pinyin_mixed(term: str, dice: Random) -> str | None:
    """Some hanzi in pinyin, at least one as it is."""
    places = _places(term)
    if len(places) < FEW:
        return None
    chosen = dice.sample(places, dice.randint(1, len(places) - 1))
    said = readings(term)
    return "".join(toneless(said[place]) if place in chosen else char for place, char in enumerate(term))


def _run_together(term: str, spelled: Callable[[str], str]) -> str | None:
    """Without a gap, unless a letter of the term would be lost in it: nobody reads kfen as k粉."""
    return None if any(c.isascii() and c.isalpha() for c in term) else _said(term, spelled)


def _said(term: str, spelled: Callable[[str], str], between: str = "") -> str | None:
    said = [spelled(s) if is_hanzi(c) else s for s, c in zip(readings(term), term, strict=True)]
    return between.join(said) if any(map(is_hanzi, term)) else None


def same_sound(term: str, dice: Random) -> str | None:
    """Other hanzi that sound alike: one; or, in a longer term, more, that have the right tones too."""
    if len(term) > FEW and dice.random() < 0.5:  # noqa: PLR2004
        many = _swapped(term, _alike(term, same_tone=True), dice, most=len(term))
        if many:
            return many
    return _swapped(term, _alike(term, same_tone=len(term) <= FEW), dice, most=1)


def _alike(term: str, *, same_tone: bool) -> dict[int, list[str]]:
    """For each hanzi's place, common ones that sound like it, and those that evaders take by habit."""
    known = tables()
    said = readings(term)
    options = {}
    for place in _places(term):
        alike = known.sounds.get(toneless(said[place]), "")
        common = [c for c in alike if c != term[place] and (known.hanzi[c].rank or 0) < COMMON]
        fitting = [c for c in common if not same_tone or known.hanzi[c].reading == said[place]]
        options[place] = [*fitting, *SOUNDS.get(term[place], "")]
    return options


def look_alike(term: str, dice: Random) -> str | None:
    """Other hanzi that look alike: one, and in longer terms at most every third."""
    known = tables()
    options = {place: [*known.hanzi[term[place]].looks, *SHAPES.get(term[place], "")] for place in _places(term)}
    return _swapped(term, options, dice, most=max(1, len(term) // 3))


def _swapped(term: str, options: dict[int, list[str]], dice: Random, *, most: int) -> str | None:
    """The term with some hanzi swapped, so that the swapped ones are part of no ordinary word."""
    places = [place for place, chars in options.items() if chars]
    for _ in range(20):
        if not places:
            return None
        chosen = dice.sample(places, dice.randint(1, min(most, len(places))))
        swapped = "".join(dice.choice(options[at]) if at in chosen else char for at, char in enumerate(term))
        if not any(_makes_a_word(swapped, at, tables()) for at in chosen):
            return swapped
    return None


def _makes_a_word(text: str, place: int, known: Tables) -> bool:
    return text[max(0, place - 1) : place + 1] in known.words or text[place : place + 2] in known.words


def split_across(term: str, dice: Random) -> str | None:
    """Hanzi as their parts from left to right."""
    return _split(term, [tables().hanzi[c].across if is_hanzi(c) else () for c in term], dice)


def split_down(term: str, dice: Random) -> str | None:
    """Hanzi as their parts from top to bottom."""
    return _split(term, [tables().hanzi[c].down if is_hanzi(c) else () for c in term], dice)


def _split(term: str, parts: Iterable[Sequence[str]], dice: Random) -> str | None:
    pieces = list(parts)
    places = [place for place, found in enumerate(pieces) if found]
    if not places:
        return None
    chosen = dice.sample(places, dice.choice((1, len(places))))
    return "".join("".join(pieces[place]) if place in chosen else char for place, char in enumerate(term))


def repeated(term: str, dice: Random) -> str | None:
    """Hanzi said more than once: all of them, or one."""
    places = _places(term)
    if not places:
        return None
    times = dice.randint(2, 3)
    chosen = places if dice.random() < 0.5 else [dice.choice(places)]  # noqa: PLR2004
    return "".join(char * times if place in chosen else char for place, char in enumerate(term))


def emoji(term: str, dice: Random) -> str | None:
    """A picture in place of one hanzi."""
    places = [place for place in _places(term) if term[place] in EMOJI]
    if not places:
        return None
    place = dice.choice(places)
    return term[:place] + EMOJI[term[place]] + term[place + 1 :]


def digits(term: str, dice: Random) -> str | None:
    """Numbers in other digits, some of them or all."""
    if not any(char in DIGITS for char in term):
        return None
    return "".join(dice.choice(DIGITS[char]) if char in DIGITS else char for char in term)


def _places(term: str) -> list[int]:
    return [place for place, char in enumerate(term) if is_hanzi(char)]
