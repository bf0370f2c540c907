"""`chatguard explain`: one text through the judge, with everything that was tried and why it came out so."""

import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from processor.cli.options import Aliases, Lexicons, NoBuiltin, Ruleset
from processor.cli.screen import rules_for
from processor.cli.table import aligned
from processor.errors import ChatguardError
from processor.judge import Judged, judge
from processor.matching.folding import Batch
from processor.matching.readings import COSTS
from processor.matching.weighing import Rejected
from processor.model import ChatMessage, Hit, Verdict, encode
from processor.routing import verdict_of
from processor.ruleset import Rules
from processor.rulesets.compile import CEILINGS

_TIMES = 20
_NAME = "explain"  # stands for the ids that a text by itself has not
_STYLES = {"high": "bold white on red", "medium": "black on yellow", "low": "black on cyan", "log": "underline"}


class Doubt(Struct, frozen=True):
    """A find that does not count."""

    term: str
    text: str
    start: int
    end: int
    via: Sequence[str]
    cost: int
    why: str


class OtherReading(Struct, frozen=True):
    """A way in which the text was read beside as it is written."""

    via: Sequence[str]
    text: str


class Explanation(Struct, frozen=True):
    """What `explain --json` prints."""

    verdict: Verdict
    costs: Sequence[int]  # of the verdict's hits, in their order
    rejected: Sequence[Doubt]
    readings: Sequence[OtherReading]
    match_us: float  # microseconds, the quickest of several times
    judge_us: float


def explain(
    text: Annotated[str, typer.Argument(help="The text, as somebody wrote it.")],
    ruleset: Ruleset = None,
    lexicon: Lexicons = None,
    aliases: Aliases = None,
    no_builtin: NoBuiltin = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for tools.")] = False,
) -> None:
    """Show how a text is read, what is found in it, what is not and why, and what the policy makes of it."""
    rules = rules_for(ruleset, lexicon or [], aliases, no_builtin=no_builtin)
    explanation = explained(text, rules)
    if as_json:
        print(encode(explanation).decode())
    else:
        _Page(Console(highlight=False, markup=False, emoji=False)).show(text, explanation)


def explained(text: str, rules: Rules) -> Explanation:
    """Judge one text by itself. Raises: ChatguardError if the judge stumbles over it."""
    message = ChatMessage(
        message_id=_NAME, tenant_id=_NAME, conversation_id=_NAME, sender_id=_NAME, type="text", content=text
    )
    matchers, meanings = rules.base.matchers, rules.base.meanings
    rejected: list[Rejected] = []
    for matcher in matchers:
        matcher.find(Batch([text]), rejected)
    judged = judge([message], [0], rules, {}).each[0]
    if not isinstance(judged, Judged):
        raise ChatguardError(f"The judge stumbled: {judged.reason}.")
    return Explanation(
        verdict=verdict_of(message, judged, rules.scope(_NAME)),
        costs=[_cost(hit.via) for hit in judged.hits],
        rejected=[_doubt(one, text, meanings[one.found.term].spelling) for one in rejected],
        readings=list(
            dict.fromkeys(OtherReading(each.via, each.text) for matcher in matchers for each in matcher.readings(text))
        ),
        match_us=_quickest(lambda: [matcher.find(Batch([text])) for matcher in matchers]),
        judge_us=_quickest(lambda: judge([message], [0], rules, {})),
    )


def _doubt(rejected: Rejected, text: str, term: str) -> Doubt:
    found = rejected.found
    return Doubt(term, text[found.start : found.end], found.start, found.end, found.via, found.cost, rejected.why)


def _cost(via: Sequence[str]) -> int:
    return sum(COSTS.get(each, 0) for each in via)


def _quickest(run: Callable[[], object]) -> float:
    took = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        run()
        took.append(time.perf_counter() - begun)
    return round(min(took) * 1e6, 1)


class _Page:
    """How people see it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, text: str, explained: Explanation) -> None:
        verdict = explained.verdict
        self._console.print(_marked(text, verdict.hits))
        self._section("Hits", self._hits(verdict.hits, explained.costs) if verdict.hits else None)
        self._section("Found, but no hit", self._doubts(explained.rejected) if explained.rejected else None)
        self._section("Read otherwise", self._readings(explained.readings) if explained.readings else None)
        if verdict.entities:
            entities = aligned("kind", "text", "value")
            for entity in verdict.entities:
                entities.add_row(entity.kind, entity.text, entity.value)
            self._section("Entities", entities)
        remind = ", with a reminder" if verdict.remind else ""
        score = f", fraud score {verdict.fraud.score} ({' '.join(verdict.fraud.types)})" if verdict.fraud else ""
        self._section(f"Decision: {verdict.action}{remind}{score}", None)
        for reason in verdict.reasons:
            self._console.print(f"  {reason}")
        self._console.print(
            f"\nMatched in {explained.match_us} µs, judged in {explained.judge_us} µs, alone; a batch takes less."
        )

    def _section(self, title: str, table: Table | None) -> None:
        self._console.print(Text(f"\n{title}" + ("" if table or ":" in title else ": none"), style="bold"))
        if table:
            self._console.print(table)

    def _hits(self, hits: Sequence[Hit], costs: Sequence[int]) -> Table:
        table = aligned("term", "text", "from–to", "field", "category", "severity", "via", "cost", "ceiling")
        for hit, cost in zip(hits, costs, strict=True):
            place, ceiling = f"{hit.start}–{hit.end}", str(CEILINGS[hit.severity])
            via = ", ".join(hit.via) or "as written"
            table.add_row(hit.term, hit.text, place, hit.field, hit.category, hit.severity, via, str(cost), ceiling)
        return table

    def _doubts(self, doubts: Sequence[Doubt]) -> Table:
        table = aligned("term", "text", "from–to", "via", "cost", "why not")
        for one in doubts:
            via = ", ".join(one.via) or "as written"
            table.add_row(one.term, one.text, f"{one.start}–{one.end}", via, str(one.cost), one.why)
        return table

    def _readings(self, others: Sequence[OtherReading]) -> Table:
        table = aligned("via", "text")
        for one in others:
            table.add_row(", ".join(one.via), one.text)
        return table


def _marked(text: str, hits: Sequence[Hit]) -> Text:
    marked = Text(text)
    for hit in hits:
        if hit.field == "content":
            marked.stylize(_STYLES[hit.severity], hit.start, hit.end)
    return marked
