"""`chatguard lexicon lint`: what is wrong or hardly meant in a ruleset, before it is in force."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from processor.cli.options import AsJson, Config, Source, Tenant
from processor.cli.sources import compiles, is_lexicon, read_alone, text_of
from processor.errors import Invalid, Misconfigured
from processor.fraud.wording import readable
from processor.policy import merge
from processor.policy import parse as parse_policy
from processor.rulesets import benign
from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, OverlayDocument
from processor.rulesets.lint import Finding, Report, inspect
from processor.rulesets.places import places
from processor.rulesets.rule_lint import unread
from processor.rulesets.rule_places import Places as RulePlaces
from processor.rulesets.rule_places import rule_places

_TEMPLATE = re.compile(r"^reminders: (?:nobody comes to template )?'?(remind[\w.\-]*)")


def lint(
    source: Source,
    tenant: Tenant = None,
    base: Annotated[str, typer.Option(help="For an overlay: the base it lies over.")] = "builtin",
    chat: Annotated[
        list[Path] | None,
        typer.Option("--chat", help="Ordinary chat of your own, one message a line, beside the lines shipped."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors do.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Check a ruleset without publishing it, and try its terms on some 5,000 lines of ordinary chat.

    Exits with 1 for errors, with --strict for warnings too.
    """
    report = _examined(source, tenant, base, [*benign.lines(), *_lines(chat or ())], config)
    errors, warnings = report.count("error"), report.count("warning")
    if as_json:
        facts = {name: getattr(report, name) for name in report.__struct_fields__}
        print(msgspec.json.encode({"errors": errors, "warnings": warnings, **facts}).decode())
    else:
        _print(report)
        print(f"{errors} errors, {warnings} warnings")
    raise typer.Exit(1 if errors or (strict and warnings) else 0)


def _examined(source: str, tenant: str | None, base: str, ordinary: Sequence[str], config: Path | None) -> Report:
    try:
        document = asyncio.run(read_alone(source, tenant, config))
    except Invalid as error:
        return Report(findings=_invalid(error.problems), terms=0)
    ground = None if isinstance(document, BaseDocument) else asyncio.run(read_alone(base, None, config))
    if ground is not None and not isinstance(ground, BaseDocument):
        raise Misconfigured([f"{base} is no base ruleset: name one with --base."])
    today = datetime.now(UTC).date().isoformat()
    try:
        report = inspect(document, base=ground, ordinary=ordinary, places=places(source), today=today)
    except Invalid as error:
        return Report(findings=_invalid(error.problems), terms=0)
    lines = rule_places(source)
    lone = is_lexicon(source)  # has no policy of its own, and is not published without one
    known = {f"alias {finding.term}=" for finding in report.findings if finding.kind == "alias"}
    problems = [] if lone else [p for p in compiles(document) if not p.startswith(tuple(known) or ("\0",))]
    over = _over(document, ground, lines) if isinstance(document, OverlayDocument) and ground else []
    return replace(report, findings=[*_invalid(problems, lines), *over, *report.findings])


def _over(overlay: OverlayDocument, base: BaseDocument, lines: RulePlaces) -> list[Finding]:
    """What to say of an overlay's policy and reminder texts as they lie over the base's."""
    try:
        parse_policy(merge(base.policy or builtin().policy, overlay.policy))
    except Invalid as error:
        return _invalid(error.problems)
    return [
        _located(Finding(level="warning", kind="reminder", message=said, part="reminders", term=name), name, lines)
        for name in (unread(base, overlay.reminders) if overlay.reminders else ())
        for said in [f"no rule comes to template {name!r}: is its version another one?"]
        if readable(name)
    ]


def _invalid(problems: Iterable[str], lines: RulePlaces | None = None) -> list[Finding]:
    return [
        _located(Finding(level="error", kind="invalid", message=problem), _TEMPLATE.search(problem), lines or {})
        for problem in problems
    ]


def _located(finding: Finding, about: str | re.Match[str] | None, lines: RulePlaces) -> Finding:
    place = lines.get(("template", about if isinstance(about, str) else about[1] if about else ""))
    return replace(finding, file=place.file, line=place.line) if place else finding


def _lines(files: Iterable[Path]) -> list[str]:
    return [line for file in files for line in text_of(file).split("\n") if line.strip()]


def _print(report: Report) -> None:
    console = Console(highlight=False, markup=False)
    if console.is_terminal:
        table = Table("", "where", "kind", "finding", box=None, pad_edge=False)
        for finding in report.findings:
            colour = "red" if finding.level == "error" else "yellow"
            table.add_row(finding.level, finding.where, finding.kind, finding.message, style=colour)
        if report.findings:
            console.print(table)
    else:
        for finding in report.findings:
            print(f"{finding.level}: {finding.where and f'{finding.where}: '}{finding.message}")
    if report.terms and report.ordinary_lines:
        hit, of = report.ordinary_hit, report.ordinary_lines
        print(f"{report.terms:,} terms hit {hit:,} of {of:,} ordinary lines ({hit / of:.3%})")
