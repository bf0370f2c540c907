"""The form of reminder texts, and what is wrong with them, before somebody reads them.

A text is a title and a body in one language; `{hotline}` in it is whom to ask in doubt, by the policy.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from processor.fraud.entities import find_entities
from processor.fraud.rule import STAGES, TYPES

Templates = Mapping[str, Mapping[str, Mapping[str, str]]]  # template → locale → title, body

LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
PLACEHOLDER = "{hotline}"
HOTLINES: Mapping[str, str] = {"zh-CN": "96110", "en": "the local police"}
"""Whom to ask in doubt, where a policy says nothing."""

MOST_TITLE = 60  # characters
MOST_BODY = 500
_ANY = re.compile(r"remind\..+\.v[0-9]+")
_READ = re.compile(rf"remind\.({'|'.join(TYPES)})(\.({'|'.join(STAGES)}|sender))?(\.again)?\.v[0-9]+")
_BLANK = re.compile(r"\{[^{}]*\}")  # what looks like a placeholder


def base_flaws(templates: Templates) -> Iterator[str]:
    """What is wrong with a base's texts, one sentence each; its rules may name templates as they like."""
    for template, texts in templates.items():
        if not _ANY.fullmatch(template):
            yield f"reminders: {template!r} is no name of a template: write remind.<type>.v1"
        yield from _flaws(template, texts)


def readable(template: str) -> bool:
    """Whether it is the name of a template as reminders are looked up by."""
    return _READ.fullmatch(template) is not None


def overlay_flaws(templates: Templates) -> Iterator[str]:
    """What is wrong with a tenant's texts: as for the base, and each must be one that can be read."""
    for template, texts in templates.items():
        if not readable(template):
            yield (
                f"reminders: nobody comes to template {template!r}: write remind.<type>.v1, with .sender or a stage "
                f"({', '.join(STAGES)}), .again or both before .v1; types: {', '.join(TYPES)}"
            )
        yield from _flaws(template, texts)


def hotline_flaws(hotlines: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with whom to ask, by locale."""
    for locale, hotline in hotlines.items():
        place = f"policy: reminder.hotline: {locale}"
        if not LOCALE.fullmatch(locale):
            yield f"{place} is no language tag: write zh-CN, en, …"
        yield from (f"{place}: {flaw}" for flaw in _text_flaws(hotline, MOST_TITLE))
        if "{" in hotline or "}" in hotline:
            yield f"{place}: holds a brace: nothing is filled in here"


def _flaws(template: str, texts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    if not texts:
        yield f"reminders: {template}: has no text in any language"
    for locale, text in texts.items():
        if not LOCALE.fullmatch(locale):
            yield f"reminders: {template}: {locale!r} is no language tag: write zh-CN, en, …"
        for part, said, most in (("title", text["title"], MOST_TITLE), ("body", text["body"], MOST_BODY)):
            flaws: Iterable[str] = (*_text_flaws(said, most), *_blank_flaws(said))
            yield from (f"reminders: {template}: {locale}: {part}: {flaw}" for flaw in flaws)


def _text_flaws(said: str, most: int) -> Iterator[str]:
    if not said.strip():
        yield "is empty"
    if len(said) > most:
        yield f"has {len(said)} characters, more than {most}: nobody would read it"
    if any(not char.isprintable() and char != "\n" for char in said):
        yield "holds characters that cannot be seen"
    for entity in find_entities(said):
        if entity.kind == "url":
            yield f"names a link, {entity.text!r}: people are told to click on none"


def _blank_flaws(said: str) -> Iterator[str]:
    for name in _BLANK.findall(said):
        if name != PLACEHOLDER:
            yield f"{name} is no placeholder: only {PLACEHOLDER} is filled in, with the policy's reminder.hotline"
