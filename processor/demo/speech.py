"""What the people of the demo write: the words of one message of each kind."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from processor.demo import offers, smalltalk
from processor.demo.grammar import Draw, Language, Pattern, Pools, patterns

T = TypeVar("T")
Content = dict[str, Any]
"""The fields of a message that say what it is."""

_HERE: Final = "\0"  # stands in a frame where the term comes
_OPENERS: Final = (
    "",
    "",
    "",
    "",
    "",
    "对了，",
    "哎，",
    "话说，",
    "那个，",
    "刚看到，",
    "我说，",
    "诶，",
    "@{who} ",
    "{who}，",
)
_TAILS: Final = (
    "",
    "",
    "",
    "",
    "",
    "",
    "，在线等",
    "，不急",
    "，你看呢",
    "，回头细说",
    "，别忘了",
    "，我先忙了",
    "{laugh}",
)
_DRESSED: Final = 0.5  # of the small talk: with an opener and a tail
_GRAVE: Final = 0.4  # of the offers: blocked, the others go to review
_DISGUISED: Final = 0.6  # of the offers
_TRADITIONAL: Final = 0.15
_CAPTIONED: Final = 0.5  # of the pictures
_OFFER_IN_CAPTION: Final = 0.02


def pick(draw: Draw, choices: Sequence[T]) -> T:
    """One of them."""
    return choices[int(draw() * len(choices))]


def text(content: str) -> Content:
    """A message of mere words."""
    return {"type": "text", "content": content}


class Speech:
    """All patterns, ready to be drawn from."""

    def __init__(self) -> None:
        zh, en = smalltalk.CHINESE_WORDS, smalltalk.ENGLISH_WORDS
        self._talk = {"zh": patterns(smalltalk.CHINESE, zh), "en": patterns(smalltalk.ENGLISH, en)}
        self._openers, self._tails = patterns(_OPENERS, zh), patterns(_TAILS, zh)
        self._captions = patterns(offers.CAPTIONS, zh)
        self._notices = patterns(offers.NOTICES, zh)
        self._offers = {
            "zh": _frames(offers.FRAMES, zh, offers.WORDS),
            "en": _frames(offers.FRAMES_ENGLISH, en, offers.WORDS_ENGLISH),
        }
        self._mentions = {"zh": _frames(offers.MENTIONS, zh), "en": _frames(offers.MENTIONS_ENGLISH, en)}
        self._products = _frames(offers.PRODUCT_FRAMES, zh)

    def talk(self, draw: Draw, language: Language) -> Content:
        """Small talk."""
        said = pick(draw, self._talk[language]).say(draw)
        if language == "zh" and draw() < _DRESSED:
            said = pick(draw, self._openers).say(draw) + said + pick(draw, self._tails).say(draw)
        return text(said)

    def offer(self, draw: Draw, language: Language) -> Content:
        """A term that flags, often in disguise."""
        return text(self._offer(draw, language))

    def mention(self, draw: Draw, language: Language) -> Content:
        """A term that is masked."""
        term = pick(draw, offers.MASKED_ENGLISH) if language == "en" else _spelling(draw, pick(draw, offers.MASKED))
        return text(_say(draw, self._mentions[language], term))

    def product(self, draw: Draw, _: Language) -> Content:
        """The word that becomes a term later."""
        term = _spelling(draw, (offers.PRODUCT, offers.PRODUCT_TRADITIONAL))
        return text(_say(draw, self._products, offers.separated(term, draw) if draw() < 0.1 else term))  # noqa: PLR2004

    def notice(self, draw: Draw, _: Language) -> Content:
        """A warning of fraud in the words of fraud."""
        return text(pick(draw, self._notices).say(draw))

    def question(self, draw: Draw, _: Language) -> Content:
        """Somebody asks whether something is a fraud."""
        return text(pick(draw, offers.QUESTIONS))

    def picture(self, draw: Draw, language: Language) -> Content:
        """A picture, file, voice message or card; some have a caption, a few an offer in it."""
        kind = pick(draw, ("image", "image", "image", "file", "voice", "card"))
        content: Content = {"type": kind, "content": f"https://media.example.net/{int(draw() * 1e9):x}"}
        if kind != "voice" and draw() < _CAPTIONED:
            shown = draw() < _OFFER_IN_CAPTION
            content["texts"] = [self._offer(draw, language) if shown else pick(draw, self._captions).say(draw)]
        return content

    def _offer(self, draw: Draw, language: Language) -> str:
        grave = draw() < _GRAVE
        if language == "en":
            term = pick(draw, offers.BLOCKED_ENGLISH if grave else offers.REVIEWED_ENGLISH)
            disguises: Sequence[Callable[[str, Draw], str]] = offers.ENGLISH_DISGUISES
        else:
            term = _spelling(draw, pick(draw, offers.BLOCKED if grave else offers.REVIEWED))
            disguises = offers.CHINESE_DISGUISES
        if draw() < _DISGUISED:
            term = pick(draw, disguises)(term, draw)
        return _say(draw, self._offers[language], term)


@cache
def speech() -> Speech:
    """The only one there needs to be."""
    return Speech()


def _frames(lines: Sequence[str], *pools: Pools) -> tuple[Pattern, ...]:
    together: dict[str, Sequence[str]] = {"term": (_HERE,)}
    for each in pools:
        together.update(each)
    return patterns(lines, together)


def _say(draw: Draw, frames: Sequence[Pattern], term: str) -> str:
    return pick(draw, frames).say(draw).replace(_HERE, term)


def _spelling(draw: Draw, term: tuple[str, str]) -> str:
    return term[draw() < _TRADITIONAL]
