"""`chatguard lexicon import` and `export`: lexicons from and for other programs."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, cast

import msgspec
import typer

from processor.cli.options import AsJson, Config, Tenant
from processor.cli.sources import read_alone
from processor.errors import Misconfigured
from processor.model import Severity
from processor.rulesets import exporting
from processor.rulesets.directory import lexicon_text, lexicon_yaml, texts, write
from processor.rulesets.document import BaseDocument, Document, Entry, OverlayDocument, canonical
from processor.rulesets.importing import COLUMNS, Ask, Format, Imported, Remark, gather

ImportFormat = Literal["auto", "plain", "csv", "xlsx", "houbb", "regex"]
ExportFormat = Literal["auto", "directory", "json", "plain", "csv", "xlsx", "houbb", "regex"]
SHOWN = 40  # words left out
_SUFFIXES: Mapping[str, ExportFormat] = {".json": "json", ".csv": "csv", ".xlsx": "xlsx", ".txt": "plain"}


def import_words(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Lists, then the target: a new .txt or .yaml lexicon, a directory, or - for standard output."
        ),
    ],
    form: Annotated[ImportFormat, typer.Option("--format", help="How the lists are written.")] = "auto",
    encoding: Annotated[
        str | None, typer.Option(help="By default, what the bytes show: UTF-8/16, GB18030, Big5.")
    ] = None,
    category: Annotated[str, typer.Option(help="Category of words for which the list has none.")] = "custom",
    severity: Annotated[Severity, typer.Option(help="Severity of words for which the list has none.")] = Severity.HIGH,
    column: Annotated[
        list[str] | None, typer.Option(help="term, category, severity or lexicon=HEADING, or =NUMBER from 1.")
    ] = None,
    meaning: Annotated[
        list[str] | None, typer.Option("--map", help="The list's word for a category or severity=ours, e.g. 3=high.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Write an overlay for this tenant, with the allowed words.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn other programs' lists into lexicons, and tell what was taken, folded together and refused, and why."""
    *lists, target = paths
    if not lists:
        raise Misconfigured(
            ["Name the lists and then the target: chatguard lexicon import words.txt lexicons/words.txt"]
        )
    ask = Ask(
        category=category,
        severity=severity,
        format=None if form == "auto" else form,
        encoding=encoding,
        columns=_pairs(column or (), allowed=COLUMNS),
        meanings=_pairs(meaning or ()),
    )
    imported = gather({str(path): _content(path) for path in lists}, ask)
    if str(target) == "-":
        print(_single(imported, yaml=not all(entry.is_plain for entry in _all(imported))), end="")
    else:
        _write(_written(imported, target, tenant), force=force)
    _tell(imported, target, as_json=as_json)


def export(
    target: Annotated[Path, typer.Argument(help="A file, or a directory that is not there yet or empty.")],
    source: Annotated[str, typer.Option("--from", help="builtin, redis, redis:N, or a file or directory.")] = "redis",
    form: Annotated[
        ExportFormat, typer.Option("--format", help="By the target's ending: .json .csv .xlsx .txt, else a directory.")
    ] = "auto",
    tenant: Tenant = None,
    config: Config = None,
) -> None:
    """Write a ruleset as files to edit (`push` puts them in force again), or its terms for other programs."""
    document = asyncio.run(read_alone(source, tenant, config))
    chosen = _SUFFIXES.get(target.suffix.lower(), "directory") if form == "auto" else form
    left_out: Sequence[str] = ()
    try:
        if chosen in {"directory", "houbb"} and target.is_dir() and any(target.iterdir()):
            raise Misconfigured([f"{target} is not empty."])
        if chosen == "directory":
            write(document, target)
        elif chosen == "json":
            target.write_bytes(canonical(document))
        else:
            left_out = _export(document, target, cast("Format", chosen))
    except OSError as error:
        raise Misconfigured([f"{target} cannot be written: {error.strerror}."]) from error
    for part in left_out:
        print(f"note: left out: {part}", file=sys.stderr)
    print(f"{target}: written")


def _export(document: Document, target: Path, form: Format) -> Sequence[str]:
    exported = exporting.export(document, form)
    if "" not in exported.files:
        target.mkdir(parents=True, exist_ok=True)
    for name, content in exported.files.items():
        (target / name if name else target).write_bytes(content)
    return exported.left_out


def _pairs(words: Sequence[str], *, allowed: Sequence[str] = ()) -> dict[str, str]:
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and name and value) or (allowed and name not in allowed):
            known = f", where NAME is one of {', '.join(allowed)}" if allowed else ""
            raise Misconfigured([f"{word!r}: wanted NAME=VALUE{known}."])
        pairs[name] = value
    return pairs


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise Misconfigured([f"{path} cannot be read: {error.strerror}."]) from error


def _all(imported: Imported) -> list[Entry]:
    return [entry for entries in imported.lexicons.values() for entry in entries]


def _written(imported: Imported, target: Path, tenant: str | None) -> dict[Path, str]:
    """The files to write. Raises: Misconfigured, for entries that a text file cannot hold."""
    if target.suffix in {".txt", ".yaml"} and not target.is_dir():
        rich = [entry for entry in _all(imported) if not entry.is_plain]
        if rich and target.suffix == ".txt":
            problem = f"{len(rich)} entries (patterns, allowed words) need more than a line of text"
            raise Misconfigured([f"{target}: {problem}: name a .yaml file or a directory."])
        return {target: _single(imported, yaml=target.suffix == ".yaml")}
    document: Document = BaseDocument(lexicons=dict(imported.lexicons))
    if tenant is not None:
        lexicons = {
            stem: [entry for entry in each if entry.kind != "allow"] for stem, each in imported.lexicons.items()
        }
        lexicons = {stem: each for stem, each in lexicons.items() if each}
        document = OverlayDocument(tenant=tenant, lexicons=lexicons, allow=_allowed(imported))
    wanted = ("lexicons/", "overlay.yaml")  # a base's other files are not for a list of words to write
    return {target / name: text for name, text in texts(document).items() if name.startswith(wanted)}


def _single(imported: Imported, *, yaml: bool) -> str:
    return lexicon_yaml(_all(imported)) if yaml else lexicon_text(_all(imported))


def _allowed(imported: Imported) -> list[str]:
    return [entry.term for entry in _all(imported) if entry.kind == "allow"]


def _write(files: Mapping[Path, str], *, force: bool) -> None:
    there = [str(path) for path in files if path.exists()]
    if there and not force:
        raise Misconfigured([f"{', '.join(there)}: there already; name another target, or --force."])
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Misconfigured([f"{path} cannot be written: {error.strerror}."]) from error


def _tell(imported: Imported, target: Path, *, as_json: bool) -> None:
    out = sys.stderr if str(target) == "-" else sys.stdout
    if as_json:
        facts = {
            "sources": imported.sources,
            "terms": imported.terms,
            "allowed": len(_allowed(imported)),
            "folded": [remark._asdict() for remark in imported.folded],
            "refused": [remark._asdict() for remark in imported.refused],
        }
        print(msgspec.json.encode(facts).decode(), file=out)
        return
    for source in imported.sources:
        encoding = f", {source.encoding}" if source.encoding else ""
        print(f"{source.name}: {source.format}{encoding}, {source.words:,} words", file=out)
    _list("refused", imported.refused)
    _list("folded", imported.folded)
    counts = f"{imported.terms:,} taken, {len(imported.folded):,} folded together, {len(imported.refused):,} refused"
    print(f"{target}: {counts}", file=out)


def _list(what: str, remarks: Sequence[Remark]) -> None:
    for remark in remarks[:SHOWN]:
        print(f"{what}: {remark.source}:{remark.line}: {remark.term!r} {remark.why}", file=sys.stderr)
    if len(remarks) > SHOWN:
        print(f"{what}: … and {len(remarks) - SHOWN:,} more; --json tells all", file=sys.stderr)
