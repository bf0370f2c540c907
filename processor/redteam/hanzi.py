"""Hanzi written otherwise: sounds, shapes, parts, scripts. Each function gives one spelling, or None if it has none.

A spelling must still be read as the term by a person: whoever swaps a hanzi takes a common one, swaps few where sound
alone must carry the meaning, and does not write another ordinary word (读博 is no spelling of 赌博).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from random import Random

from opencc import OpenCC

from processor.redteam.tables import Tables, marked, readings, tables, toneless

FEW = 2  # terms this short bear only one swapped hanzi, or one that sounds exactly alike
COMMON = 2_000  # the most common hanzi; others are not what an input method offers first
EMOJI = {
    "马": "🐴", "鸡": "🐔", "鸭": "🦆", "狗": "🐶", "猪": "🐷", "牛": "🐮", "羊": "🐑", "鱼": "🐟", "龙": "🐲", "虎": "🐯",
    "猫": "🐱", "熊": "🐻", "鸟": "🐦", "虫": "🐛", "蛇": "🐍", "兔": "🐰", "鹰": "🦅", "枪": "🔫", "刀": "🔪", "弹": "💣",
    "炸": "💥", "弓": "🏹", "箭": "🏹", "剑": "🗡️", "药": "💊", "针": "💉", "血": "🩸", "冰": "🧊", "水": "💧", "火": "🔥",
    "雪": "❄️", "草": "🌿", "叶": "🍃", "花": "🌸", "树": "🌲", "茶": "🍵", "酒": "🍺", "烟": "🚬", "糖": "🍬", "奶": "🥛",
    "蛋": "🥚", "米": "🍚", "瓜": "🍉", "车": "🚗", "机": "📱", "船": "🚢", "飞": "✈️", "票": "🎫", "卡": "💳", "钱": "💰",
    "金": "🪙", "币": "🪙", "包": "👜", "房": "🏠", "门": "🚪", "床": "🛏️", "灯": "💡", "钟": "🕐", "表": "⌚", "书": "📖",
    "笔": "🖊️", "球": "⚽", "牌": "🀄", "骰": "🎲", "彩": "🌈", "月": "🌙", "日": "☀️", "星": "⭐", "手": "✋", "脚": "🦶",
    "嘴": "👄", "眼": "👁️", "耳": "👂", "心": "❤️", "鬼": "👻", "王": "👑", "女": "👩", "男": "👨", "孩": "👶", "妹": "👧",
    "裸": "🍑", "笑": "😄", "哭": "😭", "信": "✉️", "证": "🪪", "锁": "🔒", "网": "🕸️", "电": "⚡", "贷": "💰", "款": "💵",
    "红": "🔴", "黑": "⚫", "白": "⚪", "狼": "🐺", "猴": "🐒", "家": "🏠", "春": "🌱", "炮": "💣", "群": "👥", "单": "🧾",
}  # fmt: skip
SOUNDS = {
    "微": "威薇溦葳", "信": "芯鑫", "贷": "袋", "款": "欵", "赌": "堵", "博": "搏", "彩": "采菜", "票": "漂",
    "嫖": "瓢", "枪": "腔", "发": "珐", "裸": "罗", "聊": "撩", "炮": "泡", "色": "涩",
    "群": "裙", "套": "掏", "冰": "氷", "麻": "嘛", "证": "郑", "卡": "咔", "号": "浩", "码": "马玛", "兼": "蒹",
}  # fmt: skip
"""What evaders write by habit for a hanzi, also where it is rarer."""
SHAPES = {
    "微": "徽薇溦", "信": "佶", "毒": "毐", "冰": "氷沝", "彩": "釆", "款": "歀", "贷": "貸货袋", "赌": "睹", "淫": "婬",
    "枪": "抢", "弹": "掸", "炮": "泡跑", "妓": "伎", "娼": "倡", "嫖": "漂", "裸": "祼", "聊": "柳", "约": "钓", "卖": "实",
    "大": "太犬", "土": "士", "日": "曰", "人": "入", "未": "末", "己": "已", "天": "夭", "干": "千", "太": "大", "免": "兔",
}  # fmt: skip
DIGITS = {
    "0": "零〇０⓪", "1": "一壹１①幺", "2": "二贰２②两", "3": "三叁３③", "4": "四肆４④",
    "5": "五伍５⑤", "6": "六陆６⑥", "7": "七柒７⑦", "8": "八捌８⑧", "9": "九玖９⑨",
}  # fmt: skip


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


def pinyin(term: str, _dice: Random) -> str | None:
    """All hanzi in pinyin, written together."""
    return _said(term, toneless)


def pinyin_marked(term: str, _dice: Random) -> str | None:
    """All hanzi in pinyin with tone marks."""
    return _said(term, marked)


def pinyin_numbered(term: str, _dice: Random) -> str | None:
    """All hanzi in pinyin with tones as digits."""
    return _said(term, lambda syllable: syllable.replace("5", ""))


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


def _said(term: str, spelled: Callable[[str], str], between: str = "") -> str | None:
    said = [spelled(s) if is_hanzi(c) else s for s, c in zip(readings(term), term, strict=True)]
    return between.join(said) if any(map(is_hanzi, term)) else None


def same_sound(term: str, dice: Random) -> str | None:
    """Other hanzi that sound alike: one of a short term, any number of a longer one."""
    known = tables()
    said = readings(term)
    options: dict[int, list[str]] = {}
    for place in _places(term):
        alike = known.sounds.get(toneless(said[place]), "")
        common = [c for c in alike if c != term[place] and (known.hanzi[c].rank or 0) < COMMON]
        same_tone = [c for c in common if known.hanzi[c].reading == said[place]]
        options[place] = [*(same_tone if same_tone and len(term) <= FEW else common), *SOUNDS.get(term[place], "")]
    return _swapped(term, options, dice, most=1 if len(term) <= FEW else len(term))


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
