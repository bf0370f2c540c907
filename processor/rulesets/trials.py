"""What a worker tries out and watches beside what is in force, and what it takes back by itself.

Only the watcher task puts candidates in; the lanes' findings come from the same event loop. A ruleset that leaves its
band goes at once in this process, and is remembered so that it does not come again while the store still names it; the
watcher tells the store at its next look, which it is woken for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex

from processor.errors import Invalid
from processor.rollout import Finding
from processor.ruleset import Base, Overlay, Rules, Trial
from processor.rulesets.document import BASE, Scope, tenant_of, tenant_scope
from processor.rulesets.guard import Count, Watch
from processor.rulesets.rollout import Candidate, Totals
from processor.rulesets.store import Pointer, Probation


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A candidate and what it was compiled to."""

    candidate: Candidate
    compiled: Base | Overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A ruleset has left its band: the candidate, or what is in force on probation."""

    scope: Scope
    version: int
    reason: str
    probation: Probation | None  # None: it was a candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A trial at the time of a scrape; shares are of this process' last messages, None while unknown."""

    version: int
    digest: str
    mode: str  # "shadow", "canary" or "probation"
    share: float  # of the messages that it is tried on
    flagged: float | None
    flagged_in_force: float | None


Key = tuple[Scope, int]  # a version on trial


@dataclass
class Trials:
    """The candidates and probations of this process."""

    tested: Mapping[Scope, Tested] = field(default_factory=dict)
    probations: Mapping[Scope, Probation] = field(default_factory=dict)
    untold: dict[Scope, Trip] = field(default_factory=dict)  # trips that the store does not know of yet
    hopeless: dict[Scope, tuple[Pointer, tuple[str, ...]]] = field(default_factory=dict)  # candidates refused, and why
    on_trip: Callable[[Trip], None] = lambda _: None
    worker: str = field(default_factory=lambda: token_hex(6))  # how this process calls itself in the store
    totals: dict[Key, Totals] = field(default_factory=dict)
    unsent: set[Key] = field(default_factory=set)  # whose totals have grown since the store was told
    worn: list[object] = field(default_factory=list)  # what was compiled and is tried out no more, to be freed
    _tripped: set[Key] = field(default_factory=set)
    _watches: dict[Key, Watch] = field(default_factory=dict)

    def wanted(self, candidate: Candidate, scope: Scope, in_force: int) -> bool:
        """Whether a candidate that the store names is to be tried out here, version `in_force` being in force."""
        refused = self.hopeless.get(scope)
        return (
            candidate.version > in_force
            and (scope, candidate.version) not in self._tripped
            and not (refused and refused[0] == candidate.pointer)
        )

    def watches(self, probation: Probation, scope: Scope, in_force: tuple[int, str], now: int) -> bool:
        """Whether a probation that the store names is to be kept here, and is not over at `now` (ms)."""
        named = (probation.version, probation.digest)
        return named == in_force and now < probation.until and (scope, probation.version) not in self._tripped

    def put(self, tested: Mapping[Scope, Tested], probations: Mapping[Scope, Probation]) -> None:
        """Take over what is tried out from now on; a watch goes on while its version and its guard stay."""
        used = {id(each.compiled) for each in tested.values()}
        self.worn += [each.compiled for each in self.tested.values() if id(each.compiled) not in used]
        self.tested, self.probations = tested, probations
        guards = {(s, each.candidate.version): each.candidate.plan.guard for s, each in tested.items()}
        guards |= {(scope, each.version): each.guard for scope, each in probations.items()}
        self.totals = {key: total for key, total in self.totals.items() if key in guards or key in self.unsent}
        old = self._watches
        self._watches = {
            key: old[key] if key in old and old[key].guard == guard else Watch(guard)
            for key, guard in guards.items()
            if guard
        }

    def rules(self, base: Base, overlays: Mapping[str, Overlay]) -> tuple[Rules, dict[Scope, Invalid]]:
        """What is in force with what is tried out beside it, and the candidates that do not fit in.

        Raises: Invalid, if base and overlays do not go together.
        """
        in_force = Rules(base=base, overlays=overlays)
        trials: dict[str | None, Trial] = {}
        misfits: dict[Scope, Invalid] = {}
        for scope, tested in self.tested.items():
            try:
                trials[tenant_of(scope)] = _trial(tested, in_force)
            except Invalid as error:
                misfits[scope] = error
        watched = {tenant_of(scope) for scope in self.probations}
        probation = frozenset(tenant for tenant in watched if tenant is None or tenant in overlays)
        if not trials and not probation:
            return in_force, misfits
        return Rules(base=base, overlays=overlays, trials=trials, probation=probation), misfits

    def observe(self, findings: Iterable[Finding]) -> None:
        """Count what a committed batch told; whoever leaves its band is taken back."""
        for finding in findings:
            scope = BASE if finding.tenant is None else tenant_scope(finding.tenant)
            self._add(scope, finding)
            watch = self._watches.get((scope, finding.version))
            if watch and (reason := watch.add(count(finding))):
                self._trip(scope, finding, reason)

    def _add(self, scope: Scope, finding: Finding) -> None:
        if not finding.verdicts:
            return
        key = scope, finding.version
        changes = {f"{before}>{after}": number for (before, after), number in finding.changes.items()}
        new = Totals(verdicts=finding.verdicts, in_force=finding.in_force, changes=changes)
        self.totals[key] = self.totals.get(key, Totals()).plus(new)
        self.unsent.add(key)

    def readings(self) -> dict[Scope, Reading]:
        """What is tried out, for metrics; a candidate before a probation."""
        found: dict[Scope, Reading] = {}
        for scope, probation in self.probations.items():
            found[scope] = self._reading(scope, probation.version, probation.digest, "probation", 1.0)
        for scope, tested in self.tested.items():
            candidate = tested.candidate
            found[scope] = self._reading(
                scope, candidate.version, candidate.digest, candidate.plan.mode, candidate.plan.share
            )
        return found

    def _reading(self, scope: Scope, version: int, digest: str, mode: str, share: float) -> Reading:
        watch = self._watches.get((scope, version))
        return Reading(
            version=version,
            digest=digest,
            mode=mode,
            share=share,
            flagged=watch.share if watch else None,
            flagged_in_force=watch.share_in_force if watch else None,
        )

    def _trip(self, scope: Scope, finding: Finding, reason: str) -> None:
        key = (scope, finding.version)
        probation = self.probations.get(scope) if finding.mode == "probation" else None
        self._tripped.add(key)
        self.untold[scope] = trip = Trip(scope=scope, version=finding.version, reason=reason, probation=probation)
        if probation:
            self.put(self.tested, {s: each for s, each in self.probations.items() if s != scope})
        else:
            self.put({s: each for s, each in self.tested.items() if s != scope}, self.probations)
        self.on_trip(trip)


def count(finding: Finding) -> Count:
    """A batch's verdicts as what a watch counts."""
    return Count(*_flagged(finding.verdicts), *_flagged(finding.in_force))


def _flagged(verdicts: Mapping[str, int]) -> tuple[int, int]:
    return sum(verdicts.values()), verdicts.get("review", 0) + verdicts.get("block", 0)


def _trial(tested: Tested, in_force: Rules) -> Trial:
    candidate, compiled = tested.candidate, tested.compiled
    if isinstance(compiled, Overlay):
        rules = Rules(base=in_force.base, overlays={compiled.tenant: compiled})  # it judges no other tenant
    else:
        rules = Rules(base=compiled, overlays=in_force.overlays)
    return Trial(
        tenant=compiled.tenant if isinstance(compiled, Overlay) else None,
        version=candidate.version,
        digest=candidate.digest,
        rules=rules,
        mode=candidate.plan.mode,
        share=candidate.plan.share,
        unit=candidate.plan.unit,
    )
