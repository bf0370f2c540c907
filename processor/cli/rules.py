"""`chatguard rules`: fraud rules and scorecards checked, tried, explained, and what became of what they said."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from processor.cli.options import AsJson, Config
from processor.cli.outcomes import enter_topics
from processor.cli.progress import progress_bar
from processor.cli.sources import read_alone, rules_of, text_of
from processor.cli.table import aligned, print_table
from processor.errors import ChatguardError, Invalid, Misconfigured
from processor.feedback import KINDS, FeedbackReport, Ledger, RuleStats
from processor.fraud.trace import Found, Part, Trace, Traced, Words, trace
from processor.fraud.window import Window
from processor.judge import Judged, judge, marks_of
from processor.model import ChatMessage, Malformed, Verdict, encode
from processor.routing import verdict_of
from processor.ruleset import Rules
from processor.rulesets.document import BaseDocument
from processor.rulesets.rule_examples import BEGUN_MS, MINUTE_MS, Failure, rules_in, try_examples
from processor.rulesets.rule_lint import RuleFinding, inspect_rules, invalid
from processor.rulesets.rule_places import rule_places
from processor.stream.codec import decode, time_of

app = typer.Typer(help="Fraud rules and scorecards: check, try, explain, count.", no_args_is_help=True)

_NAME = "explain"  # stands for the ids that a text by itself has not
_SHOWN = 8  # rules that did not fire
_COLUMNS = ("fired", "reminded", "flagged", *KINDS)

Ruleset = Annotated[str, typer.Argument(help="A ruleset's directory or .json document, or builtin.")]


@app.command()
def lint(
    source: Ruleset = "builtin",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check groups, rules, scorecards and reminder templates.

    Exits with 1 for errors, with --strict for warnings too.
    """
    findings = _inspected(source)
    errors = sum(1 for each in findings if each.level == "error")
    warnings = len(findings) - errors
    if as_json:
        print(msgspec.json.encode({"errors": errors, "warnings": warnings, "findings": findings}).decode())
    else:
        for finding in findings:
            print(f"{finding.level}: {finding.where and f'{finding.where}: '}{finding.message}")
        print(f"{errors} errors, {warnings} warnings")
    raise typer.Exit(1 if errors or (strict and warnings) else 0)


def _inspected(source: str) -> list[RuleFinding]:
    places = rule_places(source)
    try:
        return inspect_rules(base_of(source), places)
    except Invalid as error:
        return invalid(error.problems, places)


def base_of(source: str, config: Path | None = None) -> BaseDocument:
    """The base ruleset that `source` names. Raises: Invalid, Misconfigured, Unavailable."""
    document = asyncio.run(read_alone(source, None, config))
    if not isinstance(document, BaseDocument):
        raise Misconfigured([f"{source} is no base ruleset: fraud rules stand in base rulesets only."])
    return document


def rules_named(source: str, config: Path | None = None) -> Rules:
    """The rules that `source` names, compiled. Raises: Invalid, Misconfigured, Unavailable."""
    document = base_of(source, config)
    return rules_of(document, document)


@app.command("test")
def try_out(source: Ruleset = "builtin", as_json: AsJson = False) -> None:
    """Judge every rule's and scorecard's own hit and miss examples; exits with 1 if one comes out otherwise."""
    rules = rules_named(source)
    with progress_bar("Judging examples", sum(len(rule.hits) + len(rule.misses) for rule in rules_in(rules))) as step:
        tried = try_examples(rules, step)
    if as_json:
        print(msgspec.json.encode(tried).decode())
    else:
        for failure in tried.failures:
            _print_failure(failure)
        if tried.without:
            print(f"without examples: {', '.join(tried.without)}")
        print(f"{tried.examples:,} examples of {tried.rules} rules, {len(tried.failures)} come out otherwise")
    raise typer.Exit(1 if tried.failures else 0)


def _print_failure(failure: Failure) -> None:
    fired = ", ".join(failure.fired) or "nothing"
    print(f"{failure.rule}: {failure.wanted} {failure.number} came out otherwise; fired: {fired}")
    for line in failure.conversation:
        print(f"  {line}")


@app.command()
def stats(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of values, one JSON object per line; without any, the topics themselves."),
    ] = None,
    from_kafka: Annotated[bool, typer.Option("--from-kafka", help="Read the topics, beside the files.")] = False,
    tenant: Annotated[str | None, typer.Option(help="Only what is of this tenant.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what became of each rule: fired, reminded, flagged, what people did, confirmed, rejected, precision.

    Joins the values of reminder, flagged and feedback, read as far as they reach now; commits nothing.
    """
    ledger = Ledger(tenant=tenant)
    for file in files or ():
        _enter_file(ledger, file)
    if from_kafka or not files:
        enter_topics(ledger, config)
    report = ledger.report()
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        _print_stats(report)


def _enter_file(ledger: Ledger, file: Path) -> None:
    try:
        with file.open("rb") as lines, progress_bar(f"Reading {file.name}", file.stat().st_size) as step:
            for line in lines:
                if line.strip():
                    ledger.add(line)
                step(len(line))
    except OSError as error:
        raise Misconfigured([f"{file} cannot be read: {error.strerror}."]) from error


def _print_stats(report: FeedbackReport) -> None:
    if report.rules:
        print_table(("rule", *_COLUMNS, "precision", "95 %"), [_stats_row(row) for row in report.rules])
    notes = [f"{report.unmatched:,} about nothing known"] if report.unmatched else []
    notes += [f"{report.unreadable:,} values could not be read"] if report.unreadable else []
    print(f"{report.messages:,} messages, {report.feedback:,} feedback{''.join(f', {note}' for note in notes)}")


def _stats_row(row: RuleStats) -> list[str]:
    counts = [f"{getattr(row, name):,}" for name in _COLUMNS]
    if row.precision is None:
        return [row.rule, *counts, "–", "–"]
    return [row.rule, *counts, f"{row.precision:.1%}", f"{row.precision_from:.1%}–{row.precision_to:.1%}"]


class Step(Struct, frozen=True):
    """One message of a conversation, judged and traced."""

    verdict: Verdict
    trace: Trace


@app.command()
def explain(
    text: Annotated[str | None, typer.Argument(help="The text, as somebody wrote it.")] = None,
    conversation: Annotated[
        Path | None, typer.Option(help='A file of lines "A: text" and "B: text", or of messages as JSON.')
    ] = None,
    ruleset: Annotated[str, typer.Option(help="A ruleset's directory or .json document, or builtin.")] = "builtin",
    as_json: AsJson = False,
) -> None:
    """Show which rules and scorecards a text meets: which parts, by which words, and what is missing."""
    if (text is None) == (conversation is None):
        raise Misconfigured(["Give a text, or a file with --conversation."])
    messages = _conversation(conversation) if conversation else [(_message(0, "A", text or ""), BEGUN_MS)]
    steps = explained(messages, rules_named(ruleset))
    if as_json:
        for step in steps:
            print(encode(step).decode())
        return
    page = _Page(Console(highlight=False, markup=False, emoji=False))
    for (message, _), step in zip(messages, steps, strict=True):
        page.show(message, step)


def _conversation(file: Path) -> list[tuple[ChatMessage, int]]:
    messages: list[tuple[ChatMessage, int]] = []
    for number, line in enumerate(text_of(file).split("\n"), start=1):
        usual = BEGUN_MS + len(messages) * MINUTE_MS
        if line.startswith("{"):
            item = decode(line.encode())
            if isinstance(item, Malformed):
                raise Misconfigured([f"{file.name}:{number}: {item.reason}"])
            messages.append((item, time_of(item, usual)))
        elif line.strip():
            speaker, colon, text = line.partition(":")
            if not colon or speaker not in {"A", "B"}:
                raise Misconfigured([f'{file.name}:{number}: wanted "A: text", "B: text" or a message as JSON'])
            messages.append((_message(len(messages), speaker, text.strip()), usual))
    if not messages:
        raise Misconfigured([f"{file.name} holds no message."])
    return messages


def _message(number: int, sender: str, text: str) -> ChatMessage:
    return ChatMessage(
        message_id=f"m{number + 1}",
        tenant_id=_NAME,
        conversation_id=_NAME,
        sender_id=sender,
        type="text",
        content=text,
    )


def explained(messages: Sequence[tuple[ChatMessage, int]], rules: Rules) -> list[Step]:
    """Judge messages one after the other, each with its trace. Raises: ChatguardError if the judge stumbles."""
    windows: dict[str, Window] = {}
    words: Words = {}
    steps: list[Step] = []
    for message, at in messages:
        window = windows.get(message.conversation_id)
        judgements = judge([message], [at], rules, windows)
        judged = judgements.each[0]
        if not isinstance(judged, Judged):
            raise ChatguardError(f"The judge stumbled: {judged.reason}.")
        marks, entities = marks_of(message, at, rules)
        fired = {*(judged.fraud.rules if judged.fraud else ()), *judged.shadow}
        seen, words = trace(
            rules.base.ground.book,
            message,
            at=at,
            marks=marks,
            entities=entities,
            window=window,
            fired=fired,
            words=words,
        )
        windows.update(judgements.windows)
        steps.append(Step(verdict_of(message, judged, rules.scope(message.tenant_id)), seen))
    return steps


class _Page:
    """How people see it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, message: ChatMessage, step: Step) -> None:
        seen, verdict = step.trace, step.verdict
        self._console.print(Text(f"{message.message_id} {message.sender_id}: {message.content or ''}", style="bold"))
        if seen.found:
            self._console.print(self._found(seen.found))
        if seen.cancelled:
            by = f": {', '.join(seen.cancelled_by)}" if seen.cancelled_by else ""
            self._console.print(Text(f"Counts for nothing by itself ({seen.cancelled}{by})", style="yellow"))
        fired = [each for each in seen.rules if each.fired]
        others = [each for each in seen.rules if not each.fired]
        for each in [*fired, *others[:_SHOWN]]:
            self._rule(each)
        if len(others) > _SHOWN:
            self._console.print(f"… and {len(others) - _SHOWN} more of which something is met; --json has them all")
        self._decision(verdict, seen)

    def _found(self, found: Sequence[Found]) -> Table:
        table = aligned("found", "from–to", "is of")
        for each in found:
            place = "" if each.field == "content" else f" {each.field}"
            table.add_row(each.text, f"{each.start}–{each.end}{place}", ", ".join(each.of))
        return table

    def _rule(self, each: Traced) -> None:
        style = "red" if each.fired and not each.on_trial else "yellow" if each.fired else "dim"
        state = "fired" if each.fired else "not fired"
        trial = " on trial" if each.on_trial else ""
        head = f"\n{each.rule} {each.title}: {state}{trial}, score {each.score}, stage {each.stage or '–'}"
        self._console.print(Text(head, style=style))
        table = aligned("", "part", "", "by")
        for part in each.parts:
            table.add_row("✓" if part.met else "✗", f"{part.clause} {part.what}", _points(part), ", ".join(part.by))
        self._console.print(table)
        if each.missing:
            self._console.print(f"  missing: {'; '.join(each.missing)}")

    def _decision(self, verdict: Verdict, seen: Trace) -> None:
        fraud = verdict.fraud
        said = f", fraud score {fraud.score} ({' '.join(fraud.types)}), stage {fraud.stage or '–'}" if fraud else ""
        remind = ", with a reminder" if verdict.remind else ""
        self._console.print(Text(f"\nDecision: {verdict.action}{remind}{said}", style="bold"))
        for sentence, points in seen.context if fraud else ():
            self._console.print(f"  {sentence} (+{points})")
        self._console.print()


def _points(part: Part) -> str:
    return f"+{part.points}" if part.points else ""
