"""Numbers that reach a person or an account: phones, bank cards, identity numbers, meetings.

A number never stands inside a longer one. Cards and identity numbers must pass their check digit and begin as such
numbers do, since one order number in ten passes the check digit alone; what is called an order number is none of them.
"""

import calendar
import re
from collections.abc import Iterator

from processor.fraud.detectors.spelling import HAN_DIGITS, SEPARATOR, Found, digits_only, fold_han_digits

MAY = re.compile(r"[0-9](?:[^0-9\n]{0,2}[0-9]){4}|码[:是为 ]{0,3}[a-z0-9]")
"""Five digits that stand together, or a code to share; cheap to ask."""

_S = f"{SEPARATOR}{{0,2}}"  # a separator that may be there
_SS = f"{SEPARATOR}{{1,2}}"  # one that must

_HAN_MOBILE = re.compile(
    f"(?<![0-9{HAN_DIGITS}])[1一幺壹][3-9三四五六七八九叁肆伍陆柒捌玖][0-9{HAN_DIGITS}]{{9}}(?![0-9{HAN_DIGITS}])"
)
_NAMED_ORDER = re.compile(
    "(?:订单|单号|运单|流水|编号|序列号?|凭证|发票|合同|条码|追踪|(?<![a-z])(?:order|tracking|invoice|serial|imei|uid|sn|ref"
    "|reference))(?: ?(?:no|number|num|id|#|号码?))?[:.#是为 ]{0,3}$"
)
_UNIT = "(?! ?(?:元|块|万|千|个|人|次|字|年|米|美元|usd|rmb))"
_OPEN = r"(?<![0-9])(?<![0-9][.,\-_/])"
_CLOSE = r"(?![0-9a-z_]|[.\-_/][0-9])"
_GLUE = frozenset(
    "tel phone mobile call mob wx vx v t p wechat whatsapp wa card no number icbc boc abc ccb cmb visa".split()  # noqa: SIM905  reads as a list of words
)

_MOBILE = re.compile(
    rf"{_OPEN}(?:\(?(?:\+|00)?86\)?{_S})?(?P<number>1[3-9][0-9]{_S}[0-9]{{4}}{_S}[0-9]{{4}}"
    rf"|1[3-9][0-9]{{2}}{_SS}[0-9]{{3}}{_SS}[0-9]{{4}}|1{_SS}[3-9](?:{_SS}[0-9]){{9}}){_CLOSE}"
)
_SERVICE = re.compile(rf"{_OPEN}[48]00(?:{_S}[0-9]){{7}}{_CLOSE}{_UNIT}")
_LANDLINE = re.compile(rf"{_OPEN}\(?0(?:10|2[0-9]|[3-9][0-9]{{2}})(?:\)|{_SS})[0-9]{{3,4}}{_S}[0-9]{{4}}{_CLOSE}")
_ABROAD = re.compile(rf"(?<![0-9a-z)])\+[1-9](?:[ \-.()]{{0,2}}[0-9]){{9,14}}{_CLOSE}{_UNIT}")
# As they are written within Britain, Ireland, Australia and Africa, North America, India. Groups must look like those
# of a phone, so that a date and a time are none.
_ENGLISH = re.compile(
    rf"{_OPEN}(?:0[1-9][0-9]{{8,9}}|0[1-9][0-9]{{1,3}}[ -][0-9]{{3,4}}[ -]?[0-9]{{3,4}}"
    rf"|0[1-9][0-9]{{3}}[ -][0-9]{{5,6}}|0[1-9][ -][0-9]{{4}}[ -][0-9]{{4}}"
    r"|(?:1[ .-]?)?\(?[2-9][0-9]{2}(?:\)[ .-]?|[ .-])[0-9]{3}[ .-][0-9]{4}|[6-9][0-9]{9}"
    rf"|1[38]00[ -][0-9]{{3}}[ -]?[0-9]{{3}}){_CLOSE}{_UNIT}"
)

_CARD = re.compile(
    rf"{_OPEN}(?<![a-z])(?:[0-9]{{13,19}}|[0-9]{{4}}(?:{_SS}[0-9]{{4}}){{2,3}}(?:{_SS}[0-9]{{1,4}})?"
    rf"|[0-9]{{6}}{_SS}[0-9]{{7,13}}|[0-9](?:{_SS}[0-9]){{12,18}}){_CLOSE}"
)
_CARD_SHAPE = re.compile("62[0-9]{14,17}|4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|35[0-9]{14}|3[47][0-9]{13}")

_ID = re.compile(rf"(?<![0-9a-z])[1-9][0-9]{{5}}{_S}(?:19|20)[0-9]{{6}}{_S}[0-9]{{3}}[0-9x](?![0-9a-z])")
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()  # noqa: SIM905
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_MEETING = re.compile(
    "(?:会议(?:室?号|码|id)?|(?:入会|投屏|共享屏幕|屏幕共享|伙伴|识别|设备|连接)(?:码|号|id|代码)?|瞩目|向日葵"
    "|(?<![a-z])(?:zoom|webex|teams|lark|meeting|todesk|teamviewer|anydesk|rustdesk))"
    rf"[^0-9\n]{{0,12}}(?P<number>[0-9]{{3}}{_S}[0-9]{{3,4}}{_S}[0-9]{{3,4}}){_CLOSE}"
)
_SHARE_CODE = re.compile(
    "(?:(?:共享|分享|投屏|入会|会议|识别|伙伴|连接)码|设备代码)[:是为 ]{0,3}(?P<code>[a-z0-9]{4,12})(?![a-z0-9_])"
)


def read_digits(low: str) -> str:
    """The text with mobile numbers in Chinese digits turned to Arabic ones, of the same length."""
    return _HAN_MOBILE.sub(lambda run: fold_han_digits(run[0]), low)


def find_cards(low: str) -> Iterator[Found]:
    """Bank cards; the value is their digits."""
    for match in _CARD.finditer(low):
        digits = digits_only(match[0])
        if _CARD_SHAPE.fullmatch(digits) and _passes_luhn(digits) and not _is_order(low, match.start()):
            yield Found(*match.span(), digits)


def find_ids(low: str) -> Iterator[Found]:
    """Identity numbers of the People's Republic (GB 11643); the value is their 18 characters."""
    for match in _ID.finditer(low):
        number = digits_only(match[0]) + ("X" if match[0][-1] == "x" else "")
        if number[:2] in _PROVINCES and _is_date(number[6:14]) and _check_digit(number) == number[17]:
            yield Found(*match.span(), number)


def find_meetings(low: str) -> Iterator[Found]:
    """Meetings and remote control sessions, with their number; the value is the number or the code."""
    for match in _MEETING.finditer(low):
        number = digits_only(match["number"])
        if not (len(number) == 11 and number[0] == "1" and number[1] >= "3"):  # noqa: PLR2004  a mobile phone
            yield Found(*match.span(), number)
    for match in _SHARE_CODE.finditer(low):
        if any(char in "0123456789" for char in match["code"]):
            yield Found(*match.span(), match["code"])


def find_phones(low: str) -> Iterator[Found]:
    """Phone numbers; the value is their digits, with + and country code for one abroad."""
    for match in _MOBILE.finditer(low):
        if not _is_order(low, match.start()) and not _is_glued(low, match.start()):
            yield Found(*match.span(), digits_only(match["number"]))
    for match in _ABROAD.finditer(low):
        yield Found(*match.span(), "+" + digits_only(match[0]))
    for pattern in (_SERVICE, _LANDLINE, _ENGLISH):
        for match in pattern.finditer(low):
            if not _is_order(low, match.start()) and not _is_glued(low, match.start()):
                yield Found(*match.span(), digits_only(match[0]))


def _is_order(low: str, start: int) -> bool:
    """Whether the words before a number call it an order number or the like."""
    return _NAMED_ORDER.search(low, max(0, start - 20), start) is not None


def _is_glued(low: str, start: int) -> bool:
    """Whether Latin letters stand right before a number and do not name it: it is part of a code then."""
    before = low[max(0, start - 12) : start]
    word = before[len(before.rstrip("abcdefghijklmnopqrstuvwxyz_")) :]
    return bool(word) and word not in _GLUE


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004  one digit
    return total % 10 == 0


def _is_date(digits: str) -> bool:
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]  # noqa: PLR2004  December


def _check_digit(number: str) -> str:
    return "10X98765432"[sum(int(char) * weight for char, weight in zip(number, _WEIGHTS, strict=False)) % 11]
