"""The cheap question: may a text hold an entity? One pattern, run over whole batches of chat as it was written.

The search skips to one of a set of leading characters; most alternatives then begin with a set for the second
character, so that they are ruled out before anything is tried, and look back at what must stand before it. Where a
detector changes, its alternative here changes with it: a property test holds the two together. No part matches a
line's end.
"""

import re

from processor.fraud.detectors.spelling import HAN, HAN_DIGITS, INVISIBLE, STYLED_DIGITS


def _wide(letters: str) -> str:
    """Latin letters in either case and width, for a character class."""
    both = letters.lower() + letters.upper()
    return both + "".join(chr(ord(letter) + 0xFEE0) for letter in both)


def _word(letters: str) -> str:
    return "".join(f"[{_wide(letter)}]" for letter in letters)


# Sets of characters. Those beyond the basic plane stand as one range: a set with many of them is slow.
_BASIC = range(0x10000)
_DIGIT = "0-9０-９" + "".join(chr(code) for code in STYLED_DIGITS if code in _BASIC) + "\U0001d7ce-\U0001d7ff"
_ANY_DIGIT = _DIGIT + HAN_DIGITS
_LETTER = "a-zA-Zａ-ｚＡ-Ｚ"
_SPACE = " \u3000\u00a0"
_DASH = r"\-－‐‑‒–—―−﹣"
_JOINT = rf"{_SPACE}.·．﹒_＿()（）{_DASH}{INVISIBLE}"
_COLON = ":：﹕"
_AT = "@＠"
_DOT = ".．﹒"
_DOTS = f"{_DOT}。｡点點"
_OPEN = r"(（\[［"
_SIGN = "¥￥$＄€£₮₹₦₵"
_BASE58 = "1-9A-HJ-NP-Za-km-z"
_SCALE = "十百千万亿"
_NUMERAL = f"零〇一二两三四五六七八九{_SCALE}"
_FORMAL = "零壹贰叁肆伍陆柒捌玖拾佰仟万萬亿億"
_UNIT = "元圆块人美刀港欧英马令林泰€$＄"
_LATIN_UNITS = (
    *zip("rydbepcuhgmstqrrrnkiaz", "muouuonskbyghuusaasnua", strict=True),
)  # how they begin: rmb, yuan, dollars …
_CODES = (
    "rm",
    "ny",
    "dt",
    "sd",
    "kd",
    "ur",
    "bp",
    "yr",
    "gd",
    "hb",
    "mb",
    "rs",
    "nr",
    "ud",
    "zd",
    "ad",
    "ar",
    "es",
    "gn",
    "sh",
)  # how currency codes end
_GAP = f"[{_SPACE}\t=~～>＞→❤️♥💬・·{_DASH}]{{0,4}}"

_LATIN_FIRST = _wide("rydbepcuhgmstqnkiaz")
_LATIN_UNIT = "|".join(f"(?<=[{_wide(one)}])[{_wide(two)}]" for one, two in _LATIN_UNITS)
_MONEY = f"[{_UNIT}{_SCALE}多几余{_wide('w')}]|[{_wide('u')}](?![{_LETTER}])|[{_LATIN_FIRST}](?:{_LATIN_UNIT})"
_BEFORE = "|".join([*map(_word, _CODES), "民币"])

_TRIGGERS: tuple[tuple[str, tuple[str, ...]], ...] = (  # leading characters, and what makes each worth a look
    (
        f"[{_wide('cdp')}]",
        (
            f"{_word('ode')}(?<=[{_wide('c')}]...)",
            f"{_word('ot')}[{_SPACE}](?<=[{_SPACE}][{_wide('d')}]...)",
            f"(?<={_word('otp')})",
        ),
    ),
    (
        f"[{_DOTS}]",
        (
            f"[{_LETTER}](?<=[{_LETTER}{_DIGIT}_＿{_DASH}]..)",
            f"[{_LETTER}中公网商在集香我购娱](?<=[{HAN}{_LETTER}{_DIGIT}{_DASH}][{_DOT}].)",
            f"[)\\]）］](?<=[{_OPEN}][{_DOT}].)",
        ),
    ),
    (
        f"[{_DIGIT}]",
        (
            f"[{_ANY_DIGIT}](?:[{_JOINT}]{{0,2}}[{_ANY_DIGIT}]){{3}}",
            f"[{_JOINT}][{_JOINT}]?[{_ANY_DIGIT}](?:[{_JOINT}]{{0,2}}[{_ANY_DIGIT}]){{3}}",
            f"{_MONEY}",
            f"[{_SPACE}]{{1,2}}(?:{_MONEY})",
            f"[{_SPACE}{_DASH}]{_word('digit')}",
            f"[{_BASE58}](?<=[13].)[{_BASE58}]{{24}}",
            "[xX](?<=0.)[0-9a-fA-F]{40}",
            "[02-9ac-hj-np-zAC-HJ-NP-Z](?<=[bB][cC]1.)",
            f"(?<=[{_LETTER}].)",
            f"(?<=[{_SIGN}].)",
            f"(?<=[{_SIGN}][{_SPACE}].)",
            f"(?<=(?:{_BEFORE}).)",
            f"(?<=(?:{_BEFORE})[{_SPACE}].)",
            "(?<=[sS][.].)",
            f"(?<=[sS][.][{_SPACE}].)",
            f"(?<=[{_wide('rn')}][{_SPACE}].)",
        ),
    ),
    (
        f"[{_SCALE}]",
        (
            f"[{_NUMERAL}]{{0,13}}[多几]?(?:[{_UNIT}]|[{_wide('u')}](?![{_LETTER}])|[{_LATIN_FIRST}](?:{_LATIN_UNIT}))",
            f"(?<=[{_NUMERAL}]万)",
        ),
    ),
    (f"[{_FORMAL}]", ("[元圆圓整]",)),
    ("[一幺壹]", (f"[{_ANY_DIGIT}]{{10}}",)),
    (f"[{_COLON}]", (f"{_GAP}[{_AT}{_LETTER}]",)),
    (f"[{_AT}]", (f"[{_LETTER}{_DIGIT}{_DASH}]", f"{_GAP}[{_AT}]?[{_LETTER}]")),
    ("信", ("(?<=短信)",)),
    (
        "码",
        (
            "(?<=[证验态信权录认]码)",
            "(?<=动态密码)",
            f"[{_COLON}{_SPACE}是为{_LETTER}{_DIGIT}](?<=[享屏会议别伴接代]..)",
        ),
    ),
    ("令", ("(?<=动态口令)",)),
    ("位", ("[数的码](?<=[六四五八6458６４５８]..)",)),
    ("号", (f"{_GAP}[{_LETTER}]",)),
    ("[_＿]", ("",)),
    ("[/／]", ("[/／]",)),
    (f"[{_OPEN}]", (_word("dot"),)),
    ("T", (f"[{_BASE58}]{{33}}",)),
)

_LEADS = "".join(lead.strip("[]") for lead, _ in _TRIGGERS)
_REST = "|".join(f"(?<={lead})(?:{'|'.join(ways)})" for lead, ways in _TRIGGERS)

HINT = re.compile(f"[{_LEADS}](?:{_REST})")
