"""`chatguard screen`: the worker's judge on a file or a pipe, without Kafka and Redis."""

import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from io import BufferedIOBase
from itertools import accumulate
from pathlib import Path
from typing import Annotated, cast

import msgspec
import typer
from msgspec.structs import replace

from processor.cli.options import Aliases, Lexicons, NoBuiltin, Ruleset
from processor.cli.progress import progress_bar
from processor.cli.sources import rules_of, text_of
from processor.errors import ChatguardError, Misconfigured
from processor.fraud.rules import compile_rules
from processor.judge import Item, Judged, judge
from processor.matching.term import identity
from processor.model import Malformed, encode
from processor.routing import verdict_of
from processor.ruleset import Rules
from processor.rulesets.directory import builtin, parse_aliases, parse_terms, read_base
from processor.rulesets.document import BaseDocument, Entry, FraudDocument
from processor.stream.codec import decode, time_of
from processor.stream.conversations import Conversations

STANDARD = Path("-")
_CHUNK = 1 << 20
_MOST_CONVERSATIONS = 200_000


def screen(
    source: Annotated[
        Path, typer.Option("--input", help="Raw messages, one JSON object per line; - is standard input.")
    ] = STANDARD,
    sink: Annotated[
        Path, typer.Option("--output", help="Where verdicts go, one per line; - is standard output.")
    ] = STANDARD,
    ruleset: Ruleset = None,
    lexicon: Lexicons = None,
    aliases: Aliases = None,
    no_builtin: NoBuiltin = False,
) -> None:
    """Judge messages from a file or a pipe: one verdict per line, in the same order.

    Conversations are followed by `sent_at`. A line that is no message gives a line with "verdict":"dead".
    """
    rules = rules_for(ruleset, lexicon or [], aliases, no_builtin=no_builtin)
    try:
        _screen(source, sink, rules)
    except BrokenPipeError:
        raise  # whoever read the verdicts has seen enough; the command ends without a word
    except OSError as error:
        raise ChatguardError(f"The messages or their verdicts got stuck: {error.strerror}.") from error


def _screen(source: Path, sink: Path, rules: Rules) -> None:
    with ExitStack() as stack:
        reader = open_stream(stack, source, "rb")
        if STANDARD not in {source, sink} and sink.exists() and sink.samefile(source):
            raise Misconfigured([f"{sink} is the input: name another file for the verdicts."])
        writer = open_stream(stack, sink, "wb")
        size = source.stat().st_size if source != STANDARD else None
        bar = stack.enter_context(progress_bar("Judging", size))
        windows = new_windows()
        for items, times, read in batches(reader):
            writer.write(b"".join(_verdicts(items, judge_on(items, times, rules, windows), rules)))
            writer.flush()
            bar(read)


def rules_for(ruleset: Path | None, lexicons: Iterable[Path], aliases: Path | None, *, no_builtin: bool) -> Rules:
    """The rules that the options ask for; raises Misconfigured if a file cannot be read, Invalid for its content."""
    if ruleset and not ruleset.is_dir():
        raise Misconfigured([f"{ruleset} is no directory: name one that holds a ruleset."])
    document = read_base(ruleset) if ruleset else builtin()
    if no_builtin and not ruleset:
        document = replace(document, lexicons={}, aliases={}, fraud=FraudDocument())
    added: dict[str, list[Entry]] = {
        f"{file.stem}#{number}": parse_terms(text_of(file), source=file.name, least=1)
        for number, file in enumerate(lexicons)
    }
    document = replace(document, lexicons={**document.lexicons, **added})
    if aliases:
        document = replace(document, aliases={**document.aliases, **_known_aliases(document, aliases)})
    return rules_of(document, document)


def _known_aliases(document: BaseDocument, file: Path) -> dict[str, str]:
    """The file's aliases; one that stands for no term of the lexicons or rules is left out, with a word."""
    known = {identity(entry.term) for entries in document.lexicons.values() for entry in entries}
    fraud = document.fraud
    book = compile_rules(fraud.groups, fraud.rules, fraud.scorecards, fraud.brands)
    known.update(map(identity, (*book.terms, *book.beside)))
    spellings = parse_aliases(text_of(file), source=file.name)
    for spelling, term in spellings.items():
        if identity(term) not in known:
            print(f"{file.name}: {spelling}={term} is left out: no lexicon or rule has {term}", file=sys.stderr)
    return {spelling: term for spelling, term in spellings.items() if identity(term) in known}


def _verdicts(items: Sequence[Item], each: Sequence[Judged | Malformed], rules: Rules) -> Iterator[bytes]:
    for item, judged in zip(items, each, strict=True):
        if isinstance(judged, Malformed) or isinstance(item, Malformed):
            error = judged.reason if isinstance(judged, Malformed) else ""
            yield msgspec.json.encode({"verdict": "dead", "error": error}) + b"\n"
        else:
            yield encode(verdict_of(item, judged, rules.scope(item.tenant_id))) + b"\n"


def new_windows() -> Conversations:
    """Windows of conversations without a past; none goes because it is old."""
    return Conversations(most=_MOST_CONVERSATIONS, ttl_ms=sys.maxsize)


def judge_on(
    items: Sequence[Item], times: Sequence[int], rules: Rules, windows: Conversations
) -> Sequence[Judged | Malformed]:
    """Judge the next messages (at least one); from then on `windows` know of them."""
    judgements = judge(items, times, rules, windows)
    windows.apply(judgements.windows, windows.stale(judgements.windows, times[-1]), times[-1])
    return judgements.each


def batches(source: BufferedIOBase) -> Iterator[tuple[list[Item], list[int], int]]:
    """The messages as they become available, many at a time; the time of each; how many bytes were read for them."""
    last = 0
    for lines in _chunks(source):
        items = [decode(line) for line in lines]
        times = list(accumulate(items, lambda before, item: time_of(item, before), initial=last))[1:]
        last = times[-1]
        yield items, times, sum(map(len, lines), len(lines))


def _chunks(source: BufferedIOBase) -> Iterator[list[bytes]]:
    """The lines as they become available, many at a time; without a byte order mark."""
    begun: list[bytes] = []  # the pieces of a line whose end has not come yet
    chunk = source.read1(_CHUNK).removeprefix(BOM_UTF8)
    while chunk:
        head, *lines = chunk.split(b"\n")
        begun.append(head)
        if lines:
            yield [b"".join(begun), *lines[:-1]]
            begun = lines[-1:]
        chunk = source.read1(_CHUNK)
    if rest := b"".join(begun):
        yield [rest]


def open_stream(stack: ExitStack, path: Path, mode: str) -> BufferedIOBase:
    """A file, or for - standard input or output, until the stack is left. Raises: Misconfigured."""
    if path == STANDARD:
        stream = sys.stdin if mode == "rb" else sys.stdout
        if stream is None:
            raise Misconfigured(["Standard input or output is closed: name files by --input and --output."])
        return cast("BufferedIOBase", stream.buffer)
    try:
        return cast("BufferedIOBase", stack.enter_context(path.open(mode)))
    except OSError as error:
        raise Misconfigured([f"{path} cannot be opened: {error.strerror}."]) from error
