"""Requests for a verification code: someone wants to be told a code that only its owner should see.

The code itself is no cue, and neither is a bank that says not to tell it. So the code and a wish to be given it (to
"me", "customer service", "the officer") must stand close together in one clause, without a negation.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from processor.fraud.detectors.spelling import Found

MAY = re.compile("码|短信|口令|位|code|otp|digit|password")
"""What a text with a request holds; cheap to ask."""

_WHOM = "(?:我们?|咱们?|客服|工作人员|专员|老师|警官|经理|这边)"
_CODE = re.compile(
    "(?:验证|校验|动态|短信|认证|授权|登录|确认)码|动态密码|动态口令|验证短信|收到的短信|短信内容|短信截图|那条短信"
    "|[六四五八6458]位(?:数字?|的数字|数?的?码)|(?<![a-z])(?:code|otp|passcode)(?![a-z])"
)
_WISH = re.compile(
    rf"(?:(?:转|回)?发|报|念|读|说|告诉|告知|给|提供|截个?图|截屏|拍照|拍|输)[一下个张段来过送到给]{{0,4}}{_WHOM}"
    "(?!了|的?手机|的?邮箱|没|的时候)"  # what was sent already is no request
    "|(?:报|念|读|说|发)(?:一下|过来|上来|出来)(?!了|没)|提供(?:一下|过来)"
)
_NO = re.compile("不要|不能|不会|不可|不得|不应|别(?!的|人)|勿|切莫|严禁|谨防|拒绝|任何人|他人|骗子|诈骗|never")
_GAP = 12
_BREAK = re.compile(r"[\n。！？!?；;]")

_EN_ASK = "(?<![a-z])(?:send|give|tell|read|text|forward|show|share|provide|dictate)"
_EN_CODE = re.compile(
    r"(?:(?<![a-z0-9])[4-8][ -]digits?(?: (?:code|number|pin|otp))?|(?<![a-z])one-time password"
    r"|(?<![a-z])(?:code|otp|passcode)s?)(?![a-z])"
)
_EN_WISH = re.compile(rf"{_EN_ASK}[a-z ]{{0,12}}? (?:me|us)(?![a-z])")
_EN_BACK = re.compile(
    rf"{_EN_ASK} [a-z0-9 -]{{0,24}}?(?:[4-8][ -]digits|code|otp|passcode)(?: [a-z ]{{0,16}}?)?"
    r" (?:(?:to|with) (?:me|us)|back|aloud|out loud)(?![a-z])"
    r"|(?<![a-z])what(?:'s|’s|s| is| was) (?:the|that|your) [a-z0-9 -]{0,24}?(?:code|otp|passcode)"
    r" (?:that )?(?:you|they|we|i) [a-z ]{0,12}?(?:got|get|received|sent|texted)(?![a-z])"
)
_EN_NO = re.compile(r"(?<![a-z])(?:don['’]?t|do not|never|not|won['’]?t|no ?one|nobody|anyone|scammers?)(?![a-z])")
_EN_GAP, _EN_BEFORE = 24, 40
_OTHER_CODE = re.compile(
    r"(?<![a-z])(?:source|promo\w{0,8}|discount|coupon|zip|postal|post|qr|bar|error|invite|invitation|referral|country"
    r"|area|dress|product|gift|colou?r|status|python|java\w{0,6}|html|sample|example|room|door|gate|wifi)[ -]?code"
)


def find(low: str) -> Iterator[Found]:
    """Requests for a code in a text folded and in lower case; the value is "otp"."""
    for start, end in _pairs(low, _CODE, _WISH, _GAP):
        if not _NO.search(low, max(0, start - 8), end):
            yield Found(start, end, "otp")
    if not _EN_CODE.search(low):
        return
    back = (match.span() for match in _EN_BACK.finditer(low))
    for start, end in (*_pairs(low, _EN_CODE, _EN_WISH, _EN_GAP), *back):
        if not _EN_NO.search(low, max(0, start - _EN_BEFORE), end) and not _OTHER_CODE.search(low, start, end):
            yield Found(start, end, "otp")


def _pairs(text: str, code: re.Pattern[str], wish: re.Pattern[str], gap: int) -> Iterator[tuple[int, int]]:
    """The spans in which a code and a wish for it stand next to each other, in either order."""
    codes = [(*match.span(), "code") for match in code.finditer(text)]
    wishes = [(*match.span(), "wish") for match in wish.finditer(text)] if codes else []
    for (start, until, what), (since, end, other) in pairwise(sorted(codes + wishes)):
        if what != other and since - until <= gap and not _BREAK.search(text, until, since):
            yield start, max(until, end)
