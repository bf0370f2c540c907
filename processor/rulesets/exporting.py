"""Lexicons as other programs read them: the way back from `rulesets.importing`.

These formats hold terms and little else. What a format cannot hold is left out and told: rules, aliases and policy
always, in a plain list also categories and severities.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from processor.matching.folding import is_letter
from processor.rulesets.document import BaseDocument, Document, Entry, OverlayDocument
from processor.rulesets.importing import Format
from processor.rulesets.sheets import write_rows

TITLES = ("term", "category", "severity", "lexicon")
_FORMULA = re.compile(r"'*[=+\-@]")  # a cell that begins so is one to Excel, unless one more ' stands before it
_WORD_START, _WORD_END = "(?<![0-9A-Za-z])", "(?![0-9A-Za-z])"  # \b would take a hanzi for part of the word


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Files by name (of one file: the empty name), and a sentence for each thing that they do not hold."""

    files: Mapping[str, bytes]
    left_out: Sequence[str]


def export(document: Document, form: Format) -> Exported:
    """The document's lexicons in a format. Raises: Misconfigured, for a workbook without openpyxl; Invalid."""
    left_out = list(_left_out(document, form))
    match form:
        case "csv":
            files = {"": _csv(document).encode("utf-8-sig")}  # with a mark, or Excel takes it for something else
        case "xlsx":
            files = {"": write_rows(TITLES, _rows(document))}
        case "houbb":
            files = {name: text.encode() for name, text in _houbb(document).items()}
            spaced = [entry.term for _, entry in _entries(document) if " " in entry.term]
            if spaced:
                left_out.append(f"the tags of {len(spaced)} terms with a space, which a tag file cannot hold")
        case "regex":
            files = {"": _text(dict.fromkeys(_expression(entry.term) for _, entry in _entries(document)))}
        case _:
            files = {"": _text(dict.fromkeys(entry.term for _, entry in _entries(document)))}
    return Exported(files=files, left_out=left_out)


def _left_out(document: Document, form: Format) -> Iterator[str]:
    if form in {"plain", "regex"}:
        yield "categories and severities"
    elif form == "houbb":
        yield "severities"
    if isinstance(document, OverlayDocument):
        if document.allow and form != "houbb":
            yield f"{len(document.allow)} allow entries"
        if document.regrade or document.off != type(document.off)() or document.policy:
            yield "what the overlay re-grades and switches off, and its policy"
    if isinstance(document, BaseDocument):
        if document.aliases:
            yield f"{len(document.aliases)} aliases"
        if document.fraud.rules or document.reminders or document.policy:
            yield "fraud rules, reminders and policy"


def _entries(document: Document) -> Iterator[tuple[str, Entry]]:
    for lexicon, entries in document.lexicons.items():
        yield from ((lexicon, entry) for entry in entries)


def _rows(document: Document) -> Iterator[tuple[str, str, str, str]]:
    for lexicon, entry in _entries(document):
        yield entry.term, entry.category, str(entry.severity), lexicon


def _csv(document: Document) -> str:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(TITLES)
    writer.writerows([f"'{cell}" if _FORMULA.match(cell) else cell for cell in row] for row in _rows(document))
    return out.getvalue()


def _houbb(document: Document) -> dict[str, str]:
    terms = dict.fromkeys(entry.term for _, entry in _entries(document))
    tags: dict[str, dict[str, None]] = {}
    for _, entry in _entries(document):
        if " " not in entry.term:
            tags.setdefault(entry.term, {})[entry.category] = None
    allow = document.allow if isinstance(document, OverlayDocument) else []
    return {
        "sensitive_word_deny.txt": "".join(f"{term}\n" for term in terms),
        "sensitive_word_allow.txt": "".join(f"{term}\n" for term in allow),
        "sensitive_word_tags.txt": "".join(f"{term} {','.join(each)}\n" for term, each in tags.items()),
    }


def _expression(term: str) -> str:
    """An expression for the term, which wants the end of a word where the matcher does."""
    left, right = is_letter(term[0]), is_letter(term[-1])
    return (_WORD_START if left else "") + re.escape(term) + (_WORD_END if right else "")


def _text(lines: Mapping[str, None]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
