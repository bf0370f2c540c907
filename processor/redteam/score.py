"""What the judge made of attacks and of harmless lines: recall by evasion and length, false hits by reading."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from processor.judge import judge
from processor.model import ChatMessage, Hit, Malformed, Severity
from processor.redteam.mutate import EVASIONS, Case, Length
from processor.ruleset import Rules

AS_WRITTEN = "as written"  # a hit that needed no transform
_BATCH = 500


class Share(NamedTuple):
    """So many of so many."""

    found: int
    of: int

    @property
    def rate(self) -> float:
        """Between 0 and 1; 1 for nothing of nothing."""
        return self.found / self.of if self.of else 1.0


class Recall(Struct, frozen=True):
    """How many attacks with one evasion on terms of one length were found."""

    evasion: str
    length: Length
    found: int
    of: int

    @property
    def rate(self) -> float:
        """Between 0 and 1."""
        return Share(self.found, self.of).rate


class FalseHits(Struct, frozen=True):
    """In how many of the harmless lines this reading (the transforms of a hit, in order) found a term."""

    via: str
    lines: int
    of: int


class Report(Struct, frozen=True):
    """One run."""

    terms: int
    seed: int
    recall: Sequence[Recall]
    benign_lines: int
    benign_hit: int  # lines with at least one hit that the policy may act on
    benign_logged: int  # lines with hits of severity log only
    false_hits: Sequence[FalseHits]


def hits_of(texts: Sequence[str], rules: Rules) -> Iterator[Sequence[Hit]]:
    """The hits of each text, judged as a message of its own: nobody else writes in its conversation."""
    for first in range(0, len(texts), _BATCH):
        items = [_message(first + number, text) for number, text in enumerate(texts[first : first + _BATCH])]
        for judged in judge(items, [0] * len(items), rules, {}).each:
            if isinstance(judged, Malformed):
                raise RuntimeError(f"the judge failed on a text: {judged.reason}")  # noqa: TRY004  it is no wrong type
            yield judged.hits


def _message(number: int, text: str) -> ChatMessage:
    return ChatMessage(
        message_id=f"m{number}",
        tenant_id="redteam",
        conversation_id=f"c{number}",
        sender_id=f"s{number}",
        type="text",
        content=text,
    )


def is_found(case: Case, hits: Iterable[Hit]) -> bool:
    """Whether a hit names the very term where it stands."""
    return any(hit.term == case.term and hit.start < case.end and hit.end > case.start for hit in hits)


def missed(cases: Sequence[Case], rules: Rules) -> list[Case]:
    """The attacks that got through."""
    found = hits_of([case.text for case in cases], rules)
    return [case for case, hits in zip(cases, found, strict=True) if not is_found(case, hits)]


def recall(cases: Iterable[Case], through: Iterable[Case]) -> list[Recall]:
    """Recall in the order of the evasions."""
    of = Counter((case.evasion, case.length) for case in cases)
    lost = Counter((case.evasion, case.length) for case in through)
    return [
        Recall(
            evasion=evasion, length=length, found=of[evasion, length] - lost[evasion, length], of=of[evasion, length]
        )
        for evasion in EVASIONS
        for length in Length
        if of[evasion, length]
    ]


def false_hits(lines: Sequence[str], rules: Rules) -> tuple[dict[int, Sequence[Hit]], dict[int, Sequence[Hit]]]:
    """By line number: the hits in harmless lines that the policy may act on; and those of severity log."""
    acted: dict[int, Sequence[Hit]] = {}
    logged: dict[int, Sequence[Hit]] = {}
    for number, hits in enumerate(hits_of(lines, rules)):
        grave = [hit for hit in hits if hit.severity is not Severity.LOG]
        if grave:
            acted[number] = grave
        if len(grave) < len(hits):
            logged[number] = [hit for hit in hits if hit.severity is Severity.LOG]
    return acted, logged


def by_reading(hits: Mapping[int, Sequence[Hit]], lines: int) -> list[FalseHits]:
    """How many lines each reading alone would have hit, most first."""
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for number, found in hits.items():
        for hit in found:
            numbers["+".join(hit.via) or AS_WRITTEN].add(number)
    counted = sorted(((len(each), via) for via, each in numbers.items()), key=lambda pair: (-pair[0], pair[1]))
    return [FalseHits(via=via, lines=count, of=lines) for count, via in counted]


def report(
    terms: Sequence[str], cases: Sequence[Case], benign: Sequence[str], rules: Rules, *, seed: int
) -> tuple[Report, list[Case], dict[int, Sequence[Hit]]]:
    """Judge everything: the report, the attacks that got through, and the hits in harmless lines by line number."""
    through = missed(cases, rules)
    acted, logged = false_hits(benign, rules)
    everything: dict[int, Sequence[Hit]] = {
        number: [*acted.get(number, ()), *logged.get(number, ())] for number in {*acted, *logged}
    }
    result = Report(
        terms=len(terms),
        seed=seed,
        recall=recall(cases, through),
        benign_lines=len(benign),
        benign_hit=len(acted),
        benign_logged=len(logged.keys() - acted.keys()),
        false_hits=by_reading(everything, len(benign)),
    )
    return result, through, everything
