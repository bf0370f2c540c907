r"""Word lists of other programs, to entries: what was taken, what was folded together, what was refused and why.

Formats:
- *plain*: one word a line, or several with ，、；;| or tabs between them; `term,category,severity` lines are ours.
- *csv*, *xlsx*: columns by the names in their first row; `columns` overrides.
- *houbb*: the files of houbb/sensitive-word: dictionaries (a line is a word), `…allow…` files (words to leave alone),
  `…tag…` files (`word tag1,tag2`), which grade the dictionaries' words, or are lists themselves if they come alone.
- *regex*: one expression a line. What is only words (`foo|bar`, `a\.b`) becomes terms, what is more becomes patterns,
  and what a linear-time engine cannot run is refused.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import PurePath
from typing import Literal, NamedTuple, get_args

from processor.errors import Invalid
from processor.matching.term import forms
from processor.model import Severity
from processor.rulesets.decoding import decode
from processor.rulesets.directory import CATEGORY, bad_category, numbered
from processor.rulesets.document import Entry, Kind, entry_of
from processor.rulesets.entries import entry_flaws, term_flaw
from processor.rulesets.sheets import read_rows

Format = Literal["plain", "csv", "xlsx", "houbb", "regex"]
Role = Literal["term", "allow", "tag", "pattern"]


def _named(table: str) -> dict[str, str]:
    """From lines "ours: theirs, theirs …" a table from theirs to ours."""
    lines = (line.partition(":") for line in table.strip().splitlines())
    return {name.strip(): ours.strip() for ours, _, names in lines for name in names.split(",")}


COLUMNS = ("term", "category", "severity", "lexicon", "kind", "expires", "owner", "note")
_HEADINGS = _named("""
    term: term, word, words, keyword, keywords, phrase, text, content, sensitive_word, sensitiveword
    term: 词, 词语, 词条, 敏感词, 敏感词语, 关键词, 关键字, 违禁词, 违规词, 屏蔽词, 词汇, 名称, 内容, 文本
    category: category, categories, type, tag, tags, label, labels, class
    category: 分类, 类别, 类型, 标签, 词类, 词库, 场景
    severity: severity, level, grade, risk, 等级, 级别, 风险等级, 风险级别, 严重程度, 敏感等级, 处置等级
    lexicon: lexicon, list, file
    kind: kind, 匹配方式
    expires: expires, expiry, 有效期, 到期, 到期时间, 过期时间
    owner: owner, 负责人, 创建人
    note: note, notes, remark, remarks, comment, 备注, 说明
""")
_KINDS: tuple[Kind, ...] = get_args(Kind)
_CATEGORIES = _named("""
    drugs: 1, 毒品, 涉毒
    sexual: 2, 色情, 涉黄, 低俗
    gambling: 3, 赌博, 涉赌, 博彩
    politics: 0, 政治, 涉政
    illegal: 4, 违法
    terror: 暴恐, 恐怖, 涉恐
    weapons: 枪支, 涉枪, 涉枪涉爆
    fraud: 诈骗, 欺诈
    trade: 黑产
    ads: 广告
""")  # the numbers are houbb's
_SEVERITIES = _named("""
    high: high, 高, 高危, 严重, critical, block
    medium: medium, 中, 中危, moderate, review
    low: low, 低, 低危, mask
    log: log, 记录, 观察
""")
_PLAIN = re.compile(r"[,，、；;|\t]")
_DELIMITERS = ",\t;|"
_OURS = 3  # parts of a line term,category,severity
_FORMULA = re.compile(r"'(?='*[=+\-@])")  # how a cell is written that must not be taken for a formula
_AT_WORDS = re.compile(
    r"^(?:\(\?i\))?(?:\\b|\(\?<![^()]*\))?|(?:\\b|\(\?![^()]*\))$"
)  # wants to stand at a word's ends


class Row(NamedTuple):
    """One word of a list as it stands there."""

    line: int
    term: str
    category: str = ""
    severity: str = ""
    role: Role = "term"
    more: Mapping[str, str] = {}  # other columns by our names


class Remark(NamedTuple):
    """A word that is not among the entries as it stands in the list."""

    source: str
    line: int
    term: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How lists are to be read; what is empty is guessed."""

    category: str = "custom"  # of words for which the list has none
    severity: Severity = Severity.HIGH
    format: Format | None = None
    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # our name → heading, or number from 1
    meanings: Mapping[str, str] = field(default_factory=dict)  # the list's word for a category or severity → ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How one file was read."""

    name: str
    format: Format
    encoding: str  # "" for a workbook
    words: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of the lists; every word of them is an entry, allowed, folded together or refused."""

    lexicons: Mapping[str, list[Entry]]  # by the name of the file they are to stand in
    sources: Sequence[Source]
    folded: Sequence[Remark]
    refused: Sequence[Remark]

    @property
    def terms(self) -> int:
        """How many entries there are."""
        return sum(map(len, self.lexicons.values()))


def gather(files: Mapping[str, bytes], ask: Ask) -> Imported:
    """The entries of all `files` (content by name), each word once.

    Raises: Invalid, if a file cannot be read at all, a column is not there, or `ask` names what cannot be.
    """
    if not CATEGORY.fullmatch(ask.category):
        raise Invalid([bad_category(ask.category)])
    read = {name: _read(name, content, ask) for name, content in files.items()}
    sources = [source for source, _ in read.values()]
    return _sort(sources, {name: rows for name, (_, rows) in read.items()}, ask)


def guess(name: str, content: bytes) -> Format:
    """The format of a file, by its name and its first bytes; *plain* if nothing says otherwise."""
    lower = name.lower()
    if lower.endswith((".xlsx", ".xlsm")) or content.startswith(b"PK\x03\x04"):
        return "xlsx"
    if lower.endswith((".csv", ".tsv")):
        return "csv"
    if "sensitive_word" in lower or _role(name) != "term":
        return "houbb"
    return "regex" if "regex" in lower or "pattern" in lower else "plain"


def _read(name: str, content: bytes, ask: Ask) -> tuple[Source, list[Row]]:
    form = ask.format or guess(name, content)
    if form == "xlsx":
        rows, encoding = list(_table(read_rows(content, source=name), name, ask)), ""
    else:
        text, encoding = decode(content, source=name, encoding=ask.encoding)
        match form:
            case "csv":
                rows = list(_table(_cells(text), name, ask))
            case "houbb":
                rows = list(_houbb(text, _role(name)))
            case "regex":
                rows = list(_expressions(text))
            case _:
                rows = list(_plain(text))
    return Source(name=name, format=form, encoding=encoding, words=len(rows)), rows


def _plain(text: str) -> Iterator[Row]:
    for number, line in numbered(text):
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == _OURS and parts[2].lower() in set(Severity):
            yield Row(number, parts[0], parts[1], parts[2])
        elif len(line) > 2 and line.startswith("/") and line.endswith("/"):  # noqa: PLR2004  more than the slashes
            yield Row(number, line[1:-1], role="pattern")
        else:
            yield from (Row(number, word.strip()) for word in _PLAIN.split(line) if word.strip())


def _role(name: str) -> Role:
    """What a file of houbb's holds, by its name."""
    lower = PurePath(name).name.lower()
    if "allow" in lower or "white" in lower:
        return "allow"
    return "tag" if re.search(r"(^|[_\-.])tags?([_\-.]|$)", lower) else "term"


def _houbb(text: str, role: Role) -> Iterator[Row]:
    for number, line in numbered(text, comments=False):
        if role == "tag":
            word, _, tags = line.partition(" ")
            yield Row(number, word, tags.strip(), role="tag")
        else:
            yield Row(number, line, role=role)


def _expressions(text: str) -> Iterator[Row]:
    for number, line in numbered(text):
        slashed = re.fullmatch(r"/(.+)/[a-z]*", line)
        expression = slashed[1] if slashed else line
        words = list(_words(expression))
        if words:
            yield from (Row(number, word) for word in words)
        else:
            yield Row(number, expression, role="pattern")


def _words(expression: str) -> Iterator[str]:
    """The words that an expression stands for, if it stands for nothing but words."""
    inner = _AT_WORDS.sub("", expression)
    grouped = re.fullmatch(r"\((?:\?:)?([^()]*)\)", inner)
    alternatives = re.split(r"(?<!\\)\|", grouped[1] if grouped else inner)
    plain = re.compile(r"(?:[^\\.^$*+?{}\[\]()|]|\\[^\w\s]|\\ )+")
    if all(plain.fullmatch(each) for each in alternatives):
        yield from (re.sub(r"\\(.)", r"\1", each) for each in alternatives)


def _cells(text: str) -> list[list[str]]:
    """The rows of a CSV text, whatever stands between its cells."""
    head = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=head.count)
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        return [[cell[1:] if _FORMULA.match(cell) else cell for cell in row] for row in rows]
    except csv.Error as error:
        raise Invalid([f"not CSV: {error}"]) from None


def _table(rows: Sequence[Sequence[str]], name: str, ask: Ask) -> Iterator[Row]:
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    known = {_HEADINGS[cell]: place for place, cell in reversed([*enumerate(head)]) if cell in _HEADINGS}
    named = {ours: _column(head, column, name) for ours, column in ask.columns.items()}
    has_head = "term" in known or any(not column.isdecimal() for column in ask.columns.values())
    if not has_head:
        known = _unnamed(rows)
    places = known | named
    for number, row in enumerate(rows[has_head:], start=1 + has_head):
        cells = {ours: row[column].strip() for ours, column in places.items() if column < len(row)}
        if cells.get("term"):
            kind = cells.get("kind", "")
            role: Role = "allow" if kind == "allow" else "pattern" if kind == "pattern" else "term"
            yield Row(number, cells["term"], cells.get("category", ""), cells.get("severity", ""), role, cells)


def _column(head: Sequence[str], column: str, name: str) -> int:
    if column.isdecimal() and int(column) > 0:
        return int(column) - 1
    if column.strip().lower() not in head:
        raise Invalid([f"{name}: no column is called {column!r}; there are: {', '.join(head) or 'none'}"])
    return head.index(column.strip().lower())


def _unnamed(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """The columns of a table without headings: ours if its third one holds severities, else words in the first."""
    thirds = [row[2].strip().lower() for row in rows if len(row) >= _OURS]
    if thirds and all(third in _SEVERITIES for third in thirds):
        return {"term": 0, "category": 1, "severity": 2}
    return {"term": 0}


class _Sorted:
    """Words as they are taken one by one: each once, by how they are read."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.lexicons: dict[str, list[Entry]] = {}
        self.first: dict[tuple[str, str], tuple[str, str, int]] = {}
        self.folded: list[Remark] = []
        self.refused: list[Remark] = []

    def take(self, source: str, row: Row, tags: Mapping[str, str]) -> None:
        """One word to the entries, or to where it belongs."""
        if flaw := _flaw(row):
            self.refused.append(Remark(source, row.line, row.term, flaw))
            return
        key = _key(row)
        allowed = self.first.get(("allow", key[1])) if row.role != "pattern" else None
        if row.role != "allow" and allowed:
            self.folded.append(Remark(source, row.line, row.term, "is on the list of allowed words"))
        elif known := self.first.get(key):
            term, where, line = known
            self.folded.append(Remark(source, row.line, row.term, f"is read the same as {term!r} ({where}:{line})"))
        elif isinstance(entry := self._entry(row, tags.get(key[1], "")), str):
            self.refused.append(Remark(source, row.line, row.term, entry))
        else:
            self.first[key] = (row.term, source, row.line)
            self.lexicons.setdefault(_stem(row.more.get("lexicon") or source), []).append(entry)

    def _entry(self, row: Row, tags: str) -> Entry | str:
        """The entry, or why it cannot be one."""
        severity = self._severity(row.severity)
        if severity is None:
            return f"unknown severity {row.severity!r}: give it a meaning, e.g. --map {row.severity}=high"
        kind = row.more.get("kind") or (row.role if row.role in _KINDS else "term")
        told = {name: row.more[name] for name in ("expires", "owner", "note") if row.more.get(name)}
        grade = {} if kind == "allow" else {"category": self._category(row.category or tags), "severity": severity}
        try:
            entry = entry_of({"term": row.term, "kind": kind, **grade, **told})
        except Invalid as error:
            return error.problems[0]
        return entry if entry.is_plain else next(entry_flaws(entry), entry)  # a plain one has been looked at as a word

    def _category(self, said: str) -> str:
        """The first of the list's tags that is known; else the first, fit to be a category."""
        tags = [tag for tag in re.split(r"[,，;；|]\s*", said.strip()) if tag]
        meanings = {**_CATEGORIES, **self.ask.meanings}
        known = [meanings[tag] for tag in tags if tag in meanings]
        fit = [re.sub(r"[^\w.\-]+", "-", tag.lower()).strip("-.")[:64] for tag in tags]
        return next((tag for tag in (*known, *fit) if CATEGORY.fullmatch(tag)), self.ask.category)

    def _severity(self, said: str) -> Severity | None:
        word = self.ask.meanings.get(said, said).lower()
        if not word:
            return self.ask.severity
        return Severity(_SEVERITIES[word]) if word in _SEVERITIES else None


def _sort(sources: Sequence[Source], files: Mapping[str, Iterable[Row]], ask: Ask) -> Imported:
    """Allowed words first, since they decide about the others; then terms, graded by the tag files."""
    placed = [(name, row) for name, rows in files.items() for row in rows]
    alone = not any(row.role == "term" for _, row in placed)  # tag files without a dictionary are lists themselves
    tagged = [(name, row) for name, row in placed if row.role == "tag"]
    tags = {_key(row)[1]: row.category for _, row in tagged if not _flaw(row)}
    made = _Sorted(ask)
    for wanted in (("allow",), ("term", "pattern", *(("tag",) if alone else ()))):
        for name, row in placed:
            if row.role in wanted:
                made.take(name, row, tags)
    for name, row in () if alone else tagged:
        if flaw := _flaw(row):
            made.refused.append(Remark(name, row.line, row.term, flaw))
        elif _key(row) not in made.first:
            why = "has tags, but none of the dictionaries has the word"
            made.folded.append(Remark(name, row.line, row.term, why))
    return Imported(lexicons=made.lexicons, sources=sources, folded=made.folded, refused=made.refused)


def _key(row: Row) -> tuple[str, str]:
    """What two words have in common that come to one entry."""
    if row.role == "pattern":
        return "pattern", row.term
    kind = row.more.get("kind") or "term"
    return ("allow" if row.role == "allow" else kind, forms(row.term)[0])


def _flaw(row: Row) -> str | None:
    """Why a word cannot be an entry of a lexicon file, or None."""
    if row.role == "pattern":
        return None  # what is wrong with an expression, the entry tells
    if "," in row.term or "\n" in row.term:
        return "a comma or a line end cannot stand in a term of a lexicon file"
    return term_flaw(row.term) or ("the term begins with #, as comments do" if row.term.startswith("#") else None)


@cache
def _stem(name: str) -> str:
    """A name for the lexicon file that holds the words of `name`."""
    bare = re.sub(r"\.(txt|csv|tsv|xlsx|xlsm|regex|re|dic|dict|text)$", "", PurePath(name).name, flags=re.IGNORECASE)
    stem = re.sub(r"[^\w.\-]+", "-", bare)
    return stem.strip("-.") or "words"
