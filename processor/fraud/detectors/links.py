"""Web addresses and e-mail addresses.

A bare domain counts when it ends in a top-level domain people are lured to. Endings that are also words (`live`,
`me`) or file names (`ai`, `mobi`) need a second sign: a path, `www`, a digit in the name, three labels, or for words
Chinese around them, where no sentence ends in a bare full stop. `end.Next` is two sentences: hence no Title case.
"""

import re
from collections.abc import Iterator

from processor.fraud.detectors.spelling import HAN, Found

_STRONG = frozenset(
    """com net org cn edu gov info biz xyz top vip cc site online icu ltd wang ren tech asia tv app website bet casino
    poker porn sex cam sbs cfd cyou bond tokyo kim shop tw hk mo jp kr sg th vn ph ru uk de fr es nl eu ca au br mx
    tr ua ch se fi dk cz pt ro gr hu ae sa pk bd lk np kh gg pw tk ml ga cf gq su vc ws nu ly gd vg bz cx lc mn sc st
    club loan loans bid co xin lat ng ke za gh nz ie ug zm zw""".split()  # noqa: SIM905  reads as a list of words
)
_WORDS = frozenset(
    """store fun ink work win men link click live life world today space host press cloud red group chat games game fit
    art design center company email finance fund capital money cash credit exchange market trade trading express
    global international network news buzz monster rest bar beauty hair quest autos homes mom lol pics pro dev page help
    support delivery center claims services solutions digital agency systems care me in is io
    it to so at be us my no am as do id la im fm re pm sh ag one gg""".split()  # noqa: SIM905
)
_FILES = frozenset("ai mobi pub zip mov pl py md rs ps".split())  # noqa: SIM905
_HAN_TLDS = "中国|公司|网络|网址|商城|在线|集团|香港|中文网|我爱你|网店|购物|娱乐"
_PLAIN_TLDS = "com|net|org|cn|cc|top|vip|xyz|shop|site|icu"

MAY = re.compile("[.。｡点點]")
"""What joins the labels of a domain, unless it is spelt out."""

_DOT = r"(?:[.。｡点點]|\[\.\]|\(\.\)| ?[(\[]dot[)\]] ?| dot )"
_LABEL = "[a-z0-9_-]"
_SCHEME = r"(?:https?|hxxps?|ftp) ?: ?// ?"
_HOST = re.compile(
    rf"(?<![a-z0-9_@-])(?<![a-z0-9_-]\.)(?P<scheme>{_SCHEME}(?:[a-z0-9._%+:-]{{1,64}}@)?)?"
    rf"(?P<host>{_LABEL}{{1,63}}+(?:{_DOT}{_LABEL}{{1,63}}+){{1,9}}+)(?!@)"
)
_HAN_HOST = re.compile(
    rf"(?<![@{HAN}])(?:{_SCHEME})?(?P<host>[a-z0-9{HAN}-]{{1,24}}+\.(?:{_HAN_TLDS}))(?![a-z0-9{HAN}])"
    rf"|(?P<mixed>[{HAN}]{{1,15}}+\.(?:{_PLAIN_TLDS}))(?![a-z0-9_-]|[.@][a-z0-9])"
)
_SPLIT = re.compile(_DOT)
_REST = re.compile(r"(?::[0-9]{2,5})?(?:[/?#][!-;=?-~]{0,2048}+)?")
_TRAILING = ".,;:!?)]}'\""
_HAN = re.compile(f"[{HAN}]")
_AT = re.compile("(?<=[a-z0-9_%+-])@(?=[a-z0-9])")
_DOMAIN = re.compile(r"[a-z0-9-]{1,63}+(?:\.[a-z0-9-]{1,63}+){1,8}+")
_LOCAL = "abcdefghijklmnopqrstuvwxyz0123456789._%+-"
_MAX_LOCAL = 64


def find_emails(low: str) -> Iterator[Found]:
    """E-mail addresses in a folded, lower-cased text; the value is the address."""
    for at in _AT.finditer(low):
        before = low[max(0, at.start() - _MAX_LOCAL) : at.start()]
        local = before[len(before.rstrip(_LOCAL)) :].lstrip(".")
        domain = _DOMAIN.match(low, at.end())
        start = at.start() - len(local)
        if local and domain and domain[0].rpartition(".")[2].isalpha() and low[max(0, start - 2) : start] != "//":
            yield Found(start, domain.end(), low[start : domain.end()])


def find_urls(text: str, folded: str, low: str) -> Iterator[Found]:
    """Web addresses; the value is the domain in lower case, with plain dots.

    `text` is as written, `folded` of the same length, `low` the latter in lower case.
    """
    for match in _HOST.finditer(low):
        host = _Host(text, folded, match)
        count = host.domain()
        if count:
            yield Found(match.start(), _whole(text, host.ends[count - 1]), ".".join(host.labels[:count]))
    for match in _HAN_HOST.finditer(low):
        yield Found(match.start(), _whole(text, match.end()), match["host"] or match["mixed"])


def _whole(text: str, end: int) -> int:
    """Where the address ends whose domain ends at `end`: after port, path and query."""
    rest = _REST.match(text, end)
    return end + len(rest[0].rstrip(_TRAILING)) if rest else end


class _Host:
    """Labels that dots of some kind join, of which the first ones may be a domain."""

    def __init__(self, text: str, folded: str, match: re.Match[str]) -> None:
        start, end = match.span("host")
        dots = [dot.span() for dot in _SPLIT.finditer(match.string, start, end)]
        self.starts = [start, *(until for _, until in dots)]
        self.ends = [*(since for since, _ in dots), end]
        self.labels = [match.string[since:until] for since, until in zip(self.starts, self.ends, strict=True)]
        self.dots = [match.string[since:until] for since, until in dots]
        self.text, self.folded, self.start = text, folded, match.start()
        self.schemed = match["scheme"] is not None

    def domain(self) -> int:
        """How many labels are the domain; 0 if none are."""
        if self.schemed and len(self.labels) >= 4 and all(map(str.isdecimal, self.labels[:4])):  # noqa: PLR2004  IPv4
            return 4
        for count in range(len(self.labels), 1, -1):
            if self._is_ending(count):
                return count if self._is_left_off(count) and self._is_likely(count) else 0
        return 0

    def _is_ending(self, count: int) -> bool:
        tld = self.labels[count - 1]
        known = tld in _STRONG or tld in _WORDS or tld in _FILES or tld.startswith("xn--")
        return known or (self.schemed and tld.isalpha() and len(tld) > 1)

    def _is_left_off(self, count: int) -> bool:
        """Whether what follows the domain may be another sentence and not its continuation."""
        if count == len(self.labels):
            return True
        return self.dots[count - 1] in "。｡" or self.folded[self.starts[count]].isupper()

    def _is_likely(self, count: int) -> bool:
        name, tld, dot = self.labels[count - 2], self.labels[count - 1], self.dots[count - 2]
        if self.schemed or self.labels[0] == "www" or tld.startswith("xn--"):
            return True
        written = self.folded[self.starts[count - 1] : self.ends[count - 1]]
        if name.isdecimal() and len(name) < 3:  # noqa: PLR2004  "3点vip", "1.top"
            return False
        coded = any(char in "0123456789-" for label in self.labels[:count] for char in label)
        if tld in _STRONG:
            return coded or not written.istitle()
        deep = self.text[self.ends[count - 1] : self.ends[count - 1] + 1] == "/" or count > 2  # noqa: PLR2004  name and ending
        if tld in _FILES or written.istitle() or " " in dot:
            return deep
        return deep or (coded and not name.isdecimal()) or self._is_among_han(self.ends[count - 1])

    def _is_among_han(self, end: int) -> bool:
        around = self.text[max(0, self.start - 2) : self.start] + self.text[end : end + 2]
        return any(_HAN.match(char) for char in around)
