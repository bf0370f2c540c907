"""`chatguard screen`: the worker's judge on a file or a pipe, without Kafka and Redis."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from io import BufferedIOBase
from pathlib import Path
from typing import Annotated, cast

import msgspec
import typer
from msgspec.structs import replace

from processor.cli.progress import progress_bar
from processor.errors import Misconfigured
from processor.judge import Item, judge
from processor.matching.folding import squeeze
from processor.model import ChatMessage, Malformed, encode
from processor.routing import verdict_of
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin, parse_aliases, parse_terms, read_base
from processor.rulesets.document import BaseDocument, Entry, FraudDocument, canonical, digest
from processor.stream.codec import decode
from processor.stream.conversations import Conversations

STANDARD = Path("-")
_CHUNK = 1 << 20
_DAY_MS = 86_400_000
_MOST_CONVERSATIONS = 200_000


def screen(
    source: Annotated[
        Path, typer.Option("--input", help="Raw messages, one JSON object per line; - is standard input.")
    ] = STANDARD,
    sink: Annotated[
        Path, typer.Option("--output", help="Where verdicts go, one per line; - is standard output.")
    ] = STANDARD,
    ruleset: Annotated[Path | None, typer.Option(help="A ruleset's directory, instead of the built-in one.")] = None,
    lexicon: Annotated[
        list[Path] | None, typer.Option(help="Terms to add, one per line: term[,category[,severity]]. May be repeated.")
    ] = None,
    aliases: Annotated[Path | None, typer.Option(help="Spellings to add, one per line: spelling=term.")] = None,
    no_builtin: Annotated[
        bool, typer.Option("--no-builtin", help="Nothing of the built-in lexicons and rules.")
    ] = False,
) -> None:
    """Judge messages from a file or a pipe: one verdict per line, in the same order.

    Conversations are followed by `sent_at`. A line that is no message gives a line with "verdict":"dead".
    """
    rules = rules_for(ruleset, lexicon or [], aliases, no_builtin=no_builtin)
    with ExitStack() as stack:
        reader = _open(stack, source, "rb")
        writer = _open(stack, sink, "wb")
        size = source.stat().st_size if source != STANDARD else None
        bar = stack.enter_context(progress_bar("Judging", size))
        windows = Conversations(most=_MOST_CONVERSATIONS, ttl_ms=_DAY_MS)
        last = 0
        for lines, length in _chunks(reader):
            items = [decode(line) for line in lines]
            times = []
            for item in items:
                last = item.sent_at if isinstance(item, ChatMessage) and item.sent_at is not None else last
                times.append(last)
            writer.write(b"".join(_judged(items, times, rules, windows)))
            writer.flush()
            bar(length)


def rules_for(ruleset: Path | None, lexicons: Iterable[Path], aliases: Path | None, *, no_builtin: bool) -> Rules:
    """The rules that the options ask for; raises Misconfigured if a file cannot be read, Invalid for its content."""
    document = read_base(ruleset) if ruleset else builtin()
    if no_builtin:
        document = replace(document, lexicons={}, aliases={}, fraud=FraudDocument())
    added: dict[str, list[Entry]] = {
        f"{file.stem}#{number}": parse_terms(_read(file), source=file.name, least=1)
        for number, file in enumerate(lexicons)
    }
    document = replace(document, lexicons={**document.lexicons, **added})
    if aliases:
        document = replace(document, aliases={**document.aliases, **_known_aliases(document, aliases)})
    return Rules(base=compile_base(document, version=0, digest=digest(canonical(document))))


def _known_aliases(document: BaseDocument, file: Path) -> dict[str, str]:
    """The file's aliases; one that stands for no term of the lexicons is left out, with a word."""
    known = {squeeze(entry.term) for entries in document.lexicons.values() for entry in entries}
    spellings = parse_aliases(_read(file), source=file.name)
    for spelling, term in spellings.items():
        if squeeze(term) not in known:
            print(f"{file.name}: {spelling}={term} is left out, since no lexicon has {term}", file=sys.stderr)
    return {spelling: term for spelling, term in spellings.items() if squeeze(term) in known}


def _judged(items: list[Item], times: list[int], rules: Rules, windows: Conversations) -> Iterator[bytes]:
    judgements = judge(items, times, rules, windows)
    windows.apply(judgements.windows, windows.stale(judgements.windows, times[-1]), times[-1])
    for item, judged in zip(items, judgements.each, strict=True):
        if isinstance(judged, Malformed) or isinstance(item, Malformed):
            error = judged.reason if isinstance(judged, Malformed) else ""
            yield msgspec.json.encode({"verdict": "dead", "error": error}) + b"\n"
        else:
            yield encode(verdict_of(item, judged, rules.scope(item.tenant_id))) + b"\n"


def _chunks(source: BufferedIOBase) -> Iterator[tuple[list[bytes], int]]:
    """The lines as they become available, many at a time, each time with the bytes that were read."""
    rest = b""
    while chunk := source.read1(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines, len(chunk)
    if rest:
        yield [rest], 0


def _open(stack: ExitStack, path: Path, mode: str) -> BufferedIOBase:
    if path == STANDARD:
        return cast("BufferedIOBase", sys.stdin.buffer if mode == "rb" else sys.stdout.buffer)
    try:
        return cast("BufferedIOBase", stack.enter_context(path.open(mode)))
    except OSError as error:
        raise Misconfigured([f"{path} cannot be opened: {error.strerror}."]) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Misconfigured([f"{path} cannot be read: {error.strerror}."]) from error
    except UnicodeDecodeError:
        raise Misconfigured([f"{path} is not UTF-8: save it as UTF-8 text."]) from None
