"""Accounts on other messengers: the name of the messenger, and an account on it.

Names of messengers are ordinary words ("line", 飞机), and words follow them ("wechat please"). So an account made of
letters alone must be introduced by a colon, by @ or by 号; without them it must be *coded*: hold an underscore, or a
digit after a letter.
"""

import re
from collections.abc import Iterator

from processor.fraud.detectors.spelling import Found, digits_only

MAY = re.compile("微|薇|威|徽|魏|we|v|wx|tg|tele|q|扣扣|企鹅|飞机|电报|whats|wa|ws|line")
"""The messengers' names, loosely; cheap to ask."""

_GAP = "[ \t=~>→❤️♥💬・·-]{0,4}"
_NOUN = "(?:号码?|账号|帐号|账户|id|群号?|频道|同号|名)?(?:是|为)?"
_SAYS = rf"{_GAP}{_NOUN}{_GAP}[:@]{_GAP}@?"
_SAYS_NUMBER = rf"(?:{_SAYS}|{_GAP}{_NOUN}{_GAP})"
_PLAIN = "[a-z][a-z0-9_-]{5,19}"
_CODED = "(?=[a-z-]{0,18}(?:_|[a-z][0-9]))[a-z][a-z0-9_-]{4,19}"
_PHONE = "1[3-9][0-9]{9}"
_END = "(?![a-z0-9_])"
_NUMBER_END = "(?![0-9a-z_.]| ?(?:元|块|万|年|人|个|次|首|部))"

_WECHAT = "(?:[微薇威徽魏][信芯❤♥心x]|微(?=[ :])|(?<![a-z])(?:weixin|wechat|we chat|v信|v❤|vx|wx|vchat)(?![a-z]))"
_ADD_V = f"(?:(?:加|\\+|➕|私)(?:我|个|一下)?{_GAP}[v微薇](?![a-z信]))"
_WECHAT_ACCOUNT = (
    rf"(?:{_SAYS}(?P<said>{_PLAIN})|{_GAP}{_NOUN}号{_GAP}(?P<named>{_PLAIN})"
    rf"|{_SAYS_NUMBER}(?P<found>{_PHONE}|{_CODED})){_END}"
)
_WHATSAPP = rf"(?<![a-z])(?:whats ?app|w[as](?= ?[:+]))(?:{_SAYS_NUMBER}|{_GAP}(?:me |at |on |is ){{1,2}})"
_LINE = r"(?:(?<![a-z])line ?(?:id|号|账号)|(?:加|add)(?:我|你| me)? ?line)"
_LINE_ACCOUNT = "[a-z][a-z0-9._-]{3,19}"
_PATTERNS = (
    ("wechat", rf"(?:{_WECHAT}|{_ADD_V}){_WECHAT_ACCOUNT}"),
    ("wechat", rf"(?<![a-z0-9.])v ?: ?(?P<found>{_PHONE}|{_CODED}){_END}"),
    ("qq", rf"(?:(?<![a-z])(?:qq|q群|q(?= ?:))|加q|扣扣|企鹅){_SAYS_NUMBER}(?P<found>[1-9][0-9]{{4,10}}){_NUMBER_END}"),
    ("telegram", rf"(?:(?<![a-z])(?:tg|telegram)(?![a-z])|飞机|电报){_SAYS}(?P<found>[a-z][a-z0-9_]{{4,31}}){_END}"),
    ("telegram", rf"(?<![a-z])(?:tg|telegram)(?![a-z]){_GAP}{_NOUN}{_GAP}(?P<found>{_CODED}){_END}"),
    ("whatsapp", rf"{_WHATSAPP}(?P<found>\+?[0-9](?:[ -]?[0-9]){{7,14}})(?![0-9])"),
    ("line", rf"{_LINE} ?[:是]? ?@?(?P<found>{_CODED}){_END}"),
    ("line", rf"(?:{_LINE} ?: ?@?|(?<![a-z])line ?: ?@)(?P<found>{_LINE_ACCOUNT}){_END}"),
)
_COMPILED = tuple((messenger, re.compile(pattern)) for messenger, pattern in _PATTERNS)
_NO_NAMES = frozenset("please hello thanks only number account friend friends group contact payment https".split())  # noqa: SIM905  reads as a list of words


def find(low: str) -> Iterator[Found]:
    """Messenger accounts in a folded, lower-cased text; the value is "messenger:account"."""
    for messenger, pattern in _COMPILED:
        for match in pattern.finditer(low):
            account = next(group for group in match.groups() if group)
            if account not in _NO_NAMES:
                number = digits_only(account) if messenger == "whatsapp" else account
                yield Found(*match.span(), f"{messenger}:{number}")
