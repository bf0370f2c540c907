"""One batch while rulesets are tried out: the same path as ever, walked by two rulesets. Pure, as `judge` is.

A canary's messages are judged by the candidate alone; all others by what is in force, and of these a shadow's are
judged by the candidate once more, on conversation windows of its own, to tell what it would have decided. What comes
out stands in the order in which it came in, whoever has judged it.
"""

from collections import ChainMap, Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec
from msgspec import Struct

from processor.fraud.window import Window
from processor.judge import Item, Judged, Judgements, Windows, judge
from processor.model import ChatMessage, Input, Malformed
from processor.routing import Outcome, Place, Tally, route
from processor.ruleset import Rules, Trial

Step = tuple[str, str]  # two verdicts: of what is in force, and of the candidate


class Finding(Struct, frozen=True):
    """What one batch tells of one ruleset that is watched: a candidate, or one that has newly come into force."""

    tenant: str | None  # whose overlay it is; None: a base
    version: int
    mode: str  # "shadow", "canary" or "probation"
    verdicts: Counter[str] = msgspec.field(default_factory=Counter)
    in_force: Counter[str] = msgspec.field(
        default_factory=Counter
    )  # shadow: of the same messages; canary: of the others
    changes: Counter[Step] = msgspec.field(default_factory=Counter)  # of a shadow, equal ones included


class Settled(NamedTuple):
    """A batch's outcome, what it told, and the shadows' windows, true once the batch is committed."""

    outcome: Outcome
    findings: Sequence[Finding]
    shadowed: Windows


def settle(
    inputs: Sequence[Input],
    items: Sequence[Item],
    times: Sequence[int],
    rules: Rules,
    place: Place,
    now: int,
    windows: Windows,
    shadows: Windows,
) -> Settled:
    """Judge and route a batch by `rules` and by what they try out; the arguments are those of `judge` and `route`.

    `windows` and `shadows` hold the conversations, as what is in force and as what is tried out sees them. Never
    raises. While nothing is tried out, this is `judge` and `route` and nothing else.
    """
    if not rules.trials and not rules.probation:
        return Settled(route(inputs, items, judge(items, times, rules, windows), rules, place, now), (), {})
    trials = [_trial(item, rules) for item in items]
    sides = [trial.rules if trial and trial.mode == "canary" else rules for trial in trials]
    judged = _judge_by(items, times, sides, windows)
    shadowing = [(number, trial) for number, trial in enumerate(trials) if trial and trial.mode == "shadow"]
    shadowed = _judge_by(
        [items[number] for number, _ in shadowing],
        [times[number] for number, _ in shadowing],
        [trial.rules for _, trial in shadowing],
        ChainMap(shadows, windows) if shadows else windows,  # type: ignore[arg-type]
    )
    would = {number: each for (number, _), each in zip(shadowing, shadowed.each, strict=True)}
    findings = _findings(items, trials, judged.each, would, rules)
    return Settled(_route_by(inputs, items, judged, sides, place, now), findings, shadowed.windows)


def verdict(judged: Judged | Malformed) -> str:
    """The verdict in a word, as headers tell it."""
    return "dead" if isinstance(judged, Malformed) else str(judged.action)


def _trial(item: Item, rules: Rules) -> Trial | None:
    if isinstance(item, Malformed):
        return None
    trial = rules.trial(item)
    return trial if trial and trial.takes(item) else None


def _judge_by(items: Sequence[Item], times: Sequence[int], sides: Sequence[Rules], windows: Windows) -> Judgements:
    """Judge each item by its side; a conversation is on one side, so its messages stay in order."""
    groups: dict[int, list[int]] = {}
    for number, side in enumerate(sides):
        groups.setdefault(id(side), []).append(number)
    each: list[Judged | Malformed] = [_NOTHING] * len(items)
    changed: dict[str, Window] = {}
    rejected: Counter[tuple[str, str]] = Counter()
    for numbers in groups.values():
        own = judge(
            [items[number] for number in numbers],
            [times[number] for number in numbers],
            sides[numbers[0]],
            ChainMap(changed, windows) if changed else windows,  # type: ignore[arg-type]
        )
        for number, judged in zip(numbers, own.each, strict=True):
            each[number] = judged
        changed.update(own.windows)
        rejected.update(own.rejected)
    return Judgements(each, changed, rejected)


def _route_by(
    inputs: Sequence[Input],
    items: Sequence[Item],
    judged: Judgements,
    sides: Sequence[Rules],
    place: Place,
    now: int,
) -> Outcome:
    """The records of a batch in its order: each run of one side is routed on its own, the windows come last.

    With the windows goes what was rejected, which is counted for the batch as a whole.
    """
    outcomes = [
        route(inputs[start:end], items[start:end], Judgements(judged.each[start:end], {}), sides[start], place, now)
        for start, end in _runs(sides)
    ]
    last = route([], [], Judgements([], judged.windows, judged.rejected), sides[0], place, now)
    outcomes.append(last)
    records = [record for outcome in outcomes for record in outcome.records]
    return Outcome(records, judged.windows, _sum([outcome.tally for outcome in outcomes]))


def _runs(sides: Sequence[Rules]) -> Iterator[tuple[int, int]]:
    start = 0
    for _, run in groupby(sides, key=id):
        end = start + sum(1 for _ in run)
        yield start, end
        start = end


def _sum(tallies: Sequence[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        for name in Tally.__struct_fields__:
            getattr(total, name).update(getattr(tally, name))
    return total


def _findings(
    items: Sequence[Item],
    trials: Sequence[Trial | None],
    each: Sequence[Judged | Malformed],
    shadowed: Mapping[int, Judged | Malformed],
    rules: Rules,
) -> list[Finding]:
    findings = {
        tenant: Finding(tenant=tenant, version=trial.version, mode=trial.mode) for tenant, trial in rules.trials.items()
    }
    probations = {
        tenant: Finding(tenant=tenant, version=_version(rules, tenant), mode="probation") for tenant in rules.probation
    }
    for number, item in enumerate(items):
        if not isinstance(item, ChatMessage):
            continue
        decided, trial = verdict(each[number]), trials[number]
        if trial and trial.mode == "canary":
            findings[trial.tenant].verdicts[decided] += 1
            continue
        for tenant in {item.tenant_id, None} & rules.probation:
            probations[tenant].verdicts[decided] += 1
        if concerned := rules.trial(item):
            finding = findings[concerned.tenant]
            if number in shadowed:
                would = verdict(shadowed[number])
                finding.verdicts[would] += 1
                finding.changes[decided, would] += 1
                finding.in_force[decided] += 1
            elif concerned.mode == "canary":
                finding.in_force[decided] += 1
    return [*findings.values(), *probations.values()]


def _version(rules: Rules, tenant: str | None) -> int:
    return rules.base.version if tenant is None else rules.overlays[tenant].version


_NOTHING = Malformed(reason="not judged", kind="judge")
