"""Amounts of money, in Arabic, Chinese and banker's (大写) numerals; the value is "number currency".

块 and 万 count other things, too: what they count follows them, so a short list of such words rules them out. A number
of 万 without a currency is taken for yuan.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from processor.fraud.detectors.spelling import Found

MAY = re.compile("[0-9十百千万亿整元圆圓]")
"""What an amount holds; cheap to ask."""

_NUMBER = r"[0-9]{1,15}+(?:,[0-9]{3}){0,5}+(?:\.[0-9]{1,8}+)?"
_SCALE = "(?P<scale>[十百千万亿w]{1,2})?"
_BEFORE = {"¥": "CNY", "$": "USD", "us$": "USD", "hk$": "HKD", "€": "EUR", "£": "GBP", "₮": "USDT", "rm": "MYR"}
_BEFORE |= {code.lower(): code for code in ("CNY", "USDT", "USD", "HKD", "EUR", "GBP", "MYR", "SGD", "THB")}
_BEFORE |= {"rmb": "CNY", "人民币": "CNY"}
_BEFORE |= {"₹": "INR", "rs": "INR", "rs.": "INR", "₦": "NGN", "s$": "SGD", "a$": "AUD", "ksh": "KES", "gh₵": "GHS"}
_BEFORE |= {code.lower(): code for code in ("INR", "AUD", "NZD", "CAD", "ZAR", "KES", "NGN")}
_AFTER = {"元": "CNY", "圆": "CNY", "块钱": "CNY", "块": "CNY", "人民币": "CNY", "rmb": "CNY", "yuan": "CNY"}
_AFTER |= {"美元": "USD", "美金": "USD", "美刀": "USD", "刀": "USD", "dollars": "USD", "bucks": "USD", "$": "USD"}
_AFTER |= {"港币": "HKD", "港元": "HKD", "欧元": "EUR", "欧": "EUR", "euros": "EUR", "euro": "EUR", "€": "EUR"}
_AFTER |= {"英镑": "GBP", "pounds": "GBP", "马币": "MYR", "令吉": "MYR", "林吉特": "MYR", "泰铢": "THB", "u": "USDT"}
_AFTER |= {"quid": "GBP", "rupees": "INR", "rs": "INR", "rand": "ZAR", "naira": "NGN", "ksh": "KES"}
_AFTER |= {code.lower(): code for code in ("INR", "AUD", "ZAR", "KES")}
_AFTER |= {code.lower(): code for code in ("CNY", "USDT", "USD", "HKD", "EUR", "GBP", "MYR", "SGD", "THB")}
_COUNTED = {
    "块": "蛋糕|饼|砖|肉|石|布|表|地|板|糖|豆腐|面包|电池|屏|硬盘|手表|腹肌|木|玻璃|田|骨|牌|儿?去|拼图|巧克力|香皂",
    "万": "[人次步个条年米里字粉平亩台辆件家户名位票吨股一能分度倍张岁册本火日韩]|公里",
}


def _either(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_UNIT = rf"(?P<unit>{_either(_AFTER)})(?![a-z0-9])"
_NOT_COUNTED = rf"(?!(?<=块)(?:{_COUNTED['块']}))"
_BARE_SCALE = rf"(?P<bare>万|w(?![a-z0-9]| ?(?:充|快充|的?灯|功率|电)))(?!多?(?:{_COUNTED['万']}))"
_PREFIXED = re.compile(
    rf"(?<![a-z])(?P<sign>{_either(_BEFORE)}) ?(?P<number>{_NUMBER}) ?{_SCALE}(?:元|块钱?)?(?![0-9])"
)
_INITIAL = re.compile(
    r"(?<![a-z0-9])(?P<sign>[rn]) ?(?P<number>[1-9](?:[0-9]{0,2}(?:,[0-9]{3}){1,3}+|[0-9]{2,7}+)(?:\.[0-9]{2})?)"
    r"(?![a-z0-9])"
)
_INITIALS = {"r": "ZAR", "n": "NGN"}
_SUFFIXED = re.compile(
    rf"(?<![0-9a-z_.,])(?P<number>{_NUMBER}) ?(?:{_SCALE}[多几余]? ?{_UNIT}{_NOT_COUNTED}|{_BARE_SCALE})"
)
_HAN_DIGIT = "零〇一二两三四五六七八九"
_HAN_NUMBER = re.compile(
    rf"(?<![{_HAN_DIGIT}十百千万亿第])(?P<number>(?:十|[{_HAN_DIGIT}](?=[十百千万]))[{_HAN_DIGIT}十百千万亿]{{0,12}}+)[多几]?"
    rf"(?:(?P<unit>{_either(_AFTER)})(?![a-z0-9]){_NOT_COUNTED}|(?:(?<=万)|(?<=万[{_HAN_DIGIT}]))(?!多?(?:{_COUNTED['万']}|[多几])))"
)
_FORMAL = "零壹贰叁肆伍陆柒捌玖拾佰仟万萬亿億"
_FORMAL_NUMBER = re.compile(rf"(?<![{_FORMAL}])(?P<number>[{_FORMAL}]{{2,24}}+)(?:[元圆圓]整?|整)")
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {char: value for value, char in enumerate("零壹贰叁肆伍陆柒捌玖")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_BIG_SCALES = {"万": 10**4, "萬": 10**4, "w": 10**4, "亿": 10**8, "億": 10**8}


def find(low: str) -> Iterator[Found]:
    """Amounts in a folded, lower-cased text."""
    for match in _PREFIXED.finditer(low):
        yield _found(match, _arabic(match), _BEFORE[match["sign"]])
    for match in _INITIAL.finditer(low):
        yield _found(match, _arabic(match), _INITIALS[match["sign"]])
    for match in _SUFFIXED.finditer(low):
        yield _found(match, _arabic(match), _AFTER[match["unit"]] if match["unit"] else "CNY")
    for match in _HAN_NUMBER.finditer(low):
        yield _found(match, Decimal(read_number(match["number"])), _AFTER[match["unit"]] if match["unit"] else "CNY")
    for match in _FORMAL_NUMBER.finditer(low):
        yield _found(match, Decimal(read_number(match["number"])), "CNY")


def _arabic(match: re.Match[str]) -> Decimal:
    groups = match.groupdict()
    number = Decimal(match["number"].replace(",", ""))
    for char in (groups.get("scale") or "") + (groups.get("bare") or ""):
        number *= _SCALES.get(char) or _BIG_SCALES[char]
    return number


def _found(match: re.Match[str], number: Decimal, currency: str) -> Found:
    text = f"{number:f}"
    return Found(*match.span(), f"{text.rstrip('0').rstrip('.') if '.' in text else text} {currency}")


def read_number(numerals: str) -> int:
    """The value of a number in Chinese numerals, plain or banker's: 三万二千 is 32000, and so is 三万二."""
    total = section = digit = 0
    scale = 1
    for char in numerals:
        if char in _DIGITS:
            digit = _DIGITS[char]
            scale = 1 if digit == 0 else scale
        elif char in _SCALES:
            section += (digit or 1) * _SCALES[char]
            digit, scale = 0, _SCALES[char]
        else:
            scale = _BIG_SCALES[char]
            part = section + digit
            total = (total + part) * scale if scale > 10**4 else total + part * scale
            section = digit = 0
    return total + section + digit * max(1, scale // 10)
