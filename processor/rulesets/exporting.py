"""Lexicons as other programs read them: the way back from `rulesets.importing`.

These formats hold terms and little else. What a format cannot hold is left out and told: rules, aliases and policy
always, in a plain list also categories and severities.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from msgspec import structs

from processor.matching.folding import is_letter
from processor.rulesets.document import BaseDocument, Document, Entry, OverlayDocument
from processor.rulesets.importing import COLUMNS, Format
from processor.rulesets.sheets import write_rows

TITLES = COLUMNS
_TABLES: tuple[Format, ...] = ("csv", "xlsx")
_KINDS: Mapping[Format, frozenset[str]] = {
    "plain": frozenset({"term"}),
    "csv": frozenset({"term", "exact", "pattern", "allow"}),
    "xlsx": frozenset({"term", "exact", "pattern", "allow"}),
    "houbb": frozenset({"term", "allow"}),
    "regex": frozenset({"term", "pattern"}),
}
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
            files = {"": write_rows(TITLES, _rows(document, "xlsx"))}
        case "houbb":
            files = {name: text.encode() for name, text in _houbb(document).items()}
            spaced = [entry.term for _, entry in _entries(document, form) if " " in entry.term]
            if spaced:
                left_out.append(f"the tags of {len(spaced)} terms with a space, which a tag file cannot hold")
        case "regex":
            files = {"": _text(dict.fromkeys(_expression(entry) for _, entry in _entries(document, form)))}
        case _:
            files = {"": _text(dict.fromkeys(entry.term for _, entry in _entries(document, form)))}
    return Exported(files=files, left_out=left_out)


def _left_out(document: Document, form: Format) -> Iterator[str]:
    missing = sum(map(len, document.lexicons.values())) - sum(1 for _ in _entries(document, form))
    if missing:
        yield f"{missing} entries of a kind that this format does not have"
    if form in {"plain", "regex"}:
        yield "categories and severities"
    elif form == "houbb":
        yield "severities"
    if isinstance(document, OverlayDocument):
        if document.allow and form != "houbb":
            yield f"{len(document.allow)} allow entries"
        if document.regrade or document.off != type(document.off)() or document.reminders or document.policy:
            yield "what the overlay re-grades and switches off, its reminders and its policy"
    if isinstance(document, BaseDocument):
        if document.aliases:
            yield f"{len(document.aliases)} aliases"
        if document.fraud.rules or document.reminders or document.policy:
            yield "fraud rules, reminders and policy"


def _entries(document: Document, form: Format) -> Iterator[tuple[str, Entry]]:
    """The entries that the format can hold: one that needs company or a field would hit too much without it."""
    kinds = _KINDS[form]
    for lexicon, entries in document.lexicons.items():
        for entry in entries:
            bare = entry if form in _TABLES else structs.replace(entry, expires=None)
            told = structs.replace(bare, expires=None, owner="", note="", kind="term")
            if entry.kind in kinds and told.is_plain and bare.expires == entry.expires:
                yield lexicon, entry


def _rows(document: Document, form: Format) -> Iterator[tuple[str, ...]]:
    for lexicon, entry in _entries(document, form):
        kind = "" if entry.kind == "term" else entry.kind
        told = (kind, entry.expires or "", entry.owner, entry.note)
        yield entry.term, entry.category, str(entry.severity), lexicon, *told


def _csv(document: Document) -> str:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(TITLES)
    rows = _rows(document, "csv")
    writer.writerows([f"'{cell}" if _FORMULA.match(cell) else cell for cell in row] for row in rows)
    return out.getvalue()


def _houbb(document: Document) -> dict[str, str]:
    entries = [entry for _, entry in _entries(document, "houbb")]
    terms = dict.fromkeys(entry.term for entry in entries if entry.kind == "term")
    tags: dict[str, dict[str, None]] = {}
    for entry in entries:
        if entry.term in terms and " " not in entry.term:
            tags.setdefault(entry.term, {})[entry.category] = None
    allow = document.allow if isinstance(document, OverlayDocument) else []
    allowed = dict.fromkeys([*allow, *(entry.term for entry in entries if entry.kind == "allow")])
    return {
        "sensitive_word_deny.txt": "".join(f"{term}\n" for term in terms),
        "sensitive_word_allow.txt": "".join(f"{term}\n" for term in allowed),
        "sensitive_word_tags.txt": "".join(f"{term} {','.join(each)}\n" for term, each in tags.items()),
    }


def _expression(entry: Entry) -> str:
    """An expression for the term, which wants the end of a word where the matcher does."""
    if entry.kind == "pattern":
        return entry.term
    left, right = is_letter(entry.term[0]), is_letter(entry.term[-1])
    return (_WORD_START if left else "") + re.escape(entry.term) + (_WORD_END if right else "")


def _text(lines: Mapping[str, None]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
