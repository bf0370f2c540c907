"""What is in force: one reference that the judge reads once per batch, and the facts about it that operators ask for.

Only the watcher writes here, from one task; swapping is one assignment, so a batch sees the old rules or the new ones
and never a mixture. What does not fit leaves the last good in force and is remembered, so that it is neither compiled
nor reported again until the store names something else.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from processor.errors import Invalid
from processor.rollout import Finding
from processor.ruleset import Base, Overlay, Rules
from processor.rulesets.document import BASE, Scope, tenant_of
from processor.rulesets.rollout import Candidate
from processor.rulesets.store import Pointer, Probation
from processor.rulesets.trials import Tested, Trials, Trip

Source = Literal["store", "disk", "builtin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One compiled ruleset and where it came from."""

    version: int
    digest: str
    source: Source
    loaded_at: int  # ms since the epoch
    compiled: Base | Overlay

    @property
    def named(self) -> tuple[int, str]:
        """What a pointer to it says."""
        return self.version, self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One scope, for metrics, `/readyz` and logs."""

    version: int  # 0: built in, or nothing yet
    digest: str  # 64 hex digits; "" for nothing yet
    source: Source | None
    loaded_at: int | None  # ms since the epoch
    error: str | None  # why what the store names is not in force, if it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A ruleset has come into force."""

    scope: Scope
    version: int
    digest: str
    source: Source
    seconds: float  # that verifying and compiling took


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What the store names cannot be used; the last good stays. Told once per pointer and reason."""

    scope: Scope
    version: int | None  # None: the pointer itself cannot be read or is gone
    digest: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A tenant's overlay was taken out of force."""

    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLost:
    """The store cannot be read; told once, until it is found again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFound:
    """The store can be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTrouble:
    """A copy on disk could not be written, or was left out."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBegun:
    """A candidate is tried out, or is now tried out in another way."""

    scope: Scope
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded:
    """A candidate is tried out no more."""

    scope: Scope
    version: int
    promoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRefused:
    """A candidate cannot be used; told once."""

    scope: Scope
    version: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TripUntold:
    """A ruleset went as it left its band, but the store cannot be told."""

    scope: Scope
    reason: str


Event = (
    Loaded
    | Refused
    | Dropped
    | StoreLost
    | StoreFound
    | CopyTrouble
    | TrialBegun
    | TrialEnded
    | TrialRefused
    | Trip
    | TripUntold
)
Report = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    pointer: Pointer | None
    problems: tuple[str, ...]
    hopeless: bool  # the same bytes can only fail again …
    beside: Rules | None = None  # … as long as these are in force


class Rulesets:
    """The rulesets in force. The judge reads `current`; the rest is for operators."""

    current: Rules
    checked_at: int | None = None  # when the store was last read to the end, ms since the epoch
    lost: str | None = None  # why the store cannot be read, if it cannot
    listening: bool = False  # whether publications are heard at once, or only found by looking

    def __init__(self, base: Held, seconds: float, report: Report) -> None:
        self._held: dict[Scope, Held] = {}
        self._refusals: dict[Scope, _Refusal] = {}
        self._report = report
        self.trials = Trials(on_trip=self._tripped)
        self.alarm: Callable[[], None] = lambda: None  # wakes whoever tells the store of trips
        self._put({BASE: base})
        self._settled(BASE, (base, seconds))

    @property
    def held(self) -> Mapping[Scope, Held]:
        """What is in force, by scope."""
        return self._held

    @property
    def refused(self) -> frozenset[Scope]:
        """The scopes in which what the store names is not in force."""
        return frozenset(self._refusals)

    def status(self) -> dict[Scope, Status]:
        """Every scope that is in force or should be."""
        return {scope: self._status(scope) for scope in sorted({*self._held, *self._refusals})}

    def hopeless(self, scope: Scope, pointer: Pointer) -> bool:
        """Whether what `pointer` names was tried already and can only fail again."""
        refusal = self._refusals.get(scope)
        if refusal is None or refusal.pointer != pointer or not refusal.hopeless:
            return False
        return refusal.beside is None or refusal.beside is self.current

    def confirm(self, scope: Scope) -> None:
        """The store names what is in force, or names nothing where nothing is."""
        self._refusals.pop(scope, None)
        held = self._held.get(scope)
        if held is not None and held.source == "disk":
            self._held[scope] = replace(held, source="store")

    def refuse(
        self,
        scope: Scope,
        pointer: Pointer | None,
        problems: Sequence[str],
        *,
        hopeless: bool = False,
        beside: Rules | None = None,
    ) -> None:
        """Keep what is in force and remember why; `hopeless` as `hopeless()` asks for it."""
        new = _Refusal(pointer=pointer, problems=tuple(problems), hopeless=hopeless, beside=beside)
        old = self._refusals.get(scope)
        self._refusals[scope] = new
        if old is None or (old.pointer, old.problems) != (new.pointer, new.problems):
            version, digest = (pointer.version, pointer.digest) if pointer else (None, None)
            self._report(Refused(scope=scope, version=version, digest=digest, problems=new.problems))

    def swap(self, changes: Mapping[Scope, tuple[Held, float] | None]) -> None:
        """Put the changes in force: a new ruleset with the seconds it took, or None for an overlay that goes.

        All at once if they fit together, else one by one, refusing those that do not fit what is in force beside them.
        """
        if not changes:
            return
        try:
            self._put({scope: change[0] if change else None for scope, change in changes.items()})
        except Invalid:
            for scope, change in changes.items():
                self._put_one(scope, change)
        else:
            for scope, change in changes.items():
                self._settled(scope, change)

    def try_out(self, tested: Mapping[Scope, Tested], probations: Mapping[Scope, Probation]) -> None:
        """Put candidates beside what is in force, all of them; costs nothing if they are the same as before."""
        old = self.trials.tested
        if tested == old and probations == self.trials.probations:
            return
        self.trials.put(tested, probations)
        self._put({})
        for scope, each in old.items():
            if scope not in tested:
                promoted = self._held[scope].version == each.candidate.version if scope in self._held else False
                self._report(TrialEnded(scope=scope, version=each.candidate.version, promoted=promoted))
        for scope, each in self.trials.tested.items():
            if scope not in old or old[scope].candidate != each.candidate:
                self._report(TrialBegun(scope=scope, candidate=each.candidate))

    def refuse_trial(self, scope: Scope, candidate: Candidate, problems: Sequence[str]) -> None:
        """Remember why a candidate cannot be tried out."""
        self.trials.hopeless[scope] = candidate.pointer, tuple(problems)
        self._report(TrialRefused(scope=scope, version=candidate.version, problems=tuple(problems)))

    def observe(self, findings: Iterable[Finding]) -> None:
        """Count what a committed batch told of candidates and of what is on probation."""
        self.trials.observe(findings)

    def found(self) -> None:
        """The store was read to the end."""
        self.checked_at = now()
        if self.lost is not None:
            self.lost = None
            self._report(StoreFound())

    def away(self, reason: str) -> None:
        """The store could not be read; what is in force stays."""
        if self.lost is None:
            self._report(StoreLost(reason=reason))
        self.lost = reason

    def _put(self, changes: Mapping[Scope, Held | None]) -> None:
        merged = {**self._held, **changes}
        held = {scope: each for scope, each in merged.items() if each is not None}
        self.current, misfits = self.trials.rules(cast("Base", held[BASE].compiled), _overlays(held))
        self._held = held
        for scope, error in misfits.items():
            self.refuse_trial(scope, self.trials.tested[scope].candidate, error.problems)
        if misfits:
            left = {scope: each for scope, each in self.trials.tested.items() if scope not in misfits}
            self.trials.put(left, self.trials.probations)

    def _tripped(self, trip: Trip) -> None:
        self._put({})
        self._report(trip)
        self.alarm()

    def _put_one(self, scope: Scope, change: tuple[Held, float] | None) -> None:
        try:
            self._put({scope: change[0] if change else None})
        except Invalid as error:
            assert change is not None
            pointer = Pointer(version=change[0].version, digest=change[0].digest)
            self.refuse(scope, pointer, error.problems, hopeless=True, beside=self.current)
        else:
            self._settled(scope, change)

    def _settled(self, scope: Scope, change: tuple[Held, float] | None) -> None:
        if change is None or change[0].source != "disk":  # a copy from disk does not settle what the store has
            self._refusals.pop(scope, None)
        if change is None:
            self._report(Dropped(scope=scope))
            return
        held, seconds = change
        self._report(Loaded(scope=scope, version=held.version, digest=held.digest, source=held.source, seconds=seconds))

    def _status(self, scope: Scope) -> Status:
        held, refusal = self._held.get(scope), self._refusals.get(scope)
        return Status(
            version=held.version if held else 0,
            digest=held.digest if held else "",
            source=held.source if held else None,
            loaded_at=held.loaded_at if held else None,
            error="; ".join(refusal.problems) if refusal else None,
        )


def _overlays(held: Mapping[Scope, Held]) -> dict[str, Overlay]:
    return {
        tenant: cast("Overlay", each.compiled)
        for scope, each in held.items()
        if (tenant := tenant_of(scope)) is not None
    }


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
