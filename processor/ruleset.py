"""A compiled ruleset: what the judge holds in its hand for one batch. Built by `rulesets.compile`, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from processor.fraud.rules import Rulebook
from processor.fraud.wording import Templates
from processor.matching.cut import Cut
from processor.matching.folding import squeeze
from processor.matching.matcher import Matcher
from processor.matching.patterns import Patterns
from processor.matching.sieve import Member, Sieves
from processor.matching.term import identity
from processor.model import ChatMessage, Headers, RulesetNames, Severity
from processor.needs import Company, Needs
from processor.policy import Policy, merge, parse


class Entry(Struct, frozen=True, gc=False):
    """One term of a lexicon as the verdict names it."""

    term: str
    category: str
    severity: Severity
    lexicon: str  # "base" or the tenant's id
    ceiling: int | None = None  # the most that the readings of a hit may cost


class Allow(Struct, frozen=True, gc=False):
    """An innocent phrase: what it covers does not count."""

    term: str


class Meaning(Struct, frozen=True):
    """What it means that the matcher, a pattern or a whole message found entry number n: `meanings[n]`."""

    spelling: str  # the term as the matcher was given it; differs from the entry's for an alias; a pattern has none
    what: Entry | Allow | int  # an int holds the bits of fraud groups
    needs: Needs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """What finds the entries that are no mere terms; their meanings come after those of the matcher's terms."""

    patterns: Patterns = field(default_factory=lambda: Patterns(()))
    first_pattern: int = 0  # the meaning of the first of them
    exact: Mapping[str, Sequence[int]] = field(default_factory=dict)  # whole text, squeezed → meanings
    cut: Cut = field(default_factory=lambda: Cut(()))  # the terms that may be cut over several messages
    company: Company | None = None  # the words that entries need beside them


PLAIN = Kinds()


def whole(text: str) -> str:
    """How a whole message is compared: without separators, and without marks at its ends."""
    return squeeze(text).strip(MARKS)


MARKS = ",!?;\x00"  # what the folded readings make of marks that end a clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What changes seldom, and so outlasts most publications: the fraud rules, and the lexicons that are built in."""

    matcher: Matcher  # of the built-in terms and of the words of fraud rules
    beside: Matcher  # the words of fraud rules that are looked for only beside others
    beside_bits: Sequence[int]
    book: Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The ruleset for everyone."""

    version: int  # 0 is the one built in
    digest: str  # SHA-256 of the canonical bytes, hex
    ground: Ground
    own: Matcher  # of all other terms; their meanings come after those of the ground's
    meanings: Sequence[Meaning]
    kinds: Kinds = PLAIN
    policy: Policy
    policy_document: Mapping[str, Any]
    templates: Templates

    @property
    def name(self) -> str:
        """As verdicts and headers cite it."""
        return f"{self.version}@{self.digest[:12]}"

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """What finds the terms, as numbers of meanings."""
        return self.ground.matcher, self.own


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What one tenant adds, allows, re-grades or switches off."""

    tenant: str
    version: int
    digest: str
    own: Matcher
    meanings: Sequence[Meaning]
    kinds: Kinds = PLAIN
    regraded_terms: Mapping[str, Severity]  # by their identity, as off_terms are
    regraded_categories: Mapping[str, Severity]
    off_terms: frozenset[str]
    off_categories: frozenset[str]
    off_rules: frozenset[str]
    templates: Templates = field(default_factory=dict)  # stand before the base's
    policy_document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As verdicts and headers cite it."""
        return f"{self.version}@{self.digest[:12]}"

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """What finds the terms, as numbers of meanings."""
        return (self.own,)

    def regrade(self, entry: Entry) -> Entry | None:
        """A base entry as this tenant wants it; None if it is switched off."""
        term = identity(entry.term)
        if term in self.off_terms or entry.category in self.off_categories:
            return None
        severity = self.regraded_terms.get(term) or self.regraded_categories.get(entry.category)
        return replace(entry, severity=severity) if severity else entry


def _over(own: Templates, base: Templates) -> Templates:
    """The base's texts, with a tenant's own in place of those of the same template and language."""
    return {**base, **{name: {**base.get(name, {}), **texts} for name, texts in own.items()}} if own else base


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What judges the messages of one tenant."""

    names: RulesetNames
    policy: Policy
    overlay: Overlay | None
    templates: Templates

    def headers(self, verdict: str) -> Headers:
        """The headers that tell the verdict and what reached it."""
        base, tenant = self.names.base, self.names.tenant
        ruleset = f"{base}+{tenant}" if tenant else base
        return (("chatguard-verdict", verdict.encode()), ("chatguard-ruleset", ruleset.encode()))

    @cached_property
    def clean(self) -> Headers:
        """The headers of a message that passed."""
        return self.headers("pass")


class Crowd(NamedTuple):
    """All overlays, for a first look at a batch."""

    numbers: Mapping[str, int]  # by tenant: its number in the sieves
    sieves: Sieves
    heads: Sieves  # of the terms that may be cut over messages
    others: frozenset[str]  # the tenants that have entries which are no mere terms


@dataclass(frozen=True, kw_only=True)
class Rules:
    """One base and all overlays: swapped as a whole, between two batches."""

    base: Base
    overlays: Mapping[str, Overlay] = field(default_factory=dict)
    trials: Mapping[str | None, "Trial"] = field(default_factory=dict)  # by tenant; None: of the base
    probation: frozenset[str | None] = frozenset()  # tenants whose overlay is new and watched; None: the base

    def __post_init__(self) -> None:
        """Merge each overlay's policy once, here, and not for each message; raises Invalid."""
        everyone = Scope(
            names=RulesetNames(base=self.base.name),
            policy=self.base.policy,
            overlay=None,
            templates=self.base.templates,
        )
        object.__setattr__(self, "everyone", everyone)
        object.__setattr__(self, "_scopes", {t: self._scope(overlay) for t, overlay in self.overlays.items()})

    everyone: Scope = field(init=False)
    _scopes: dict[str, Scope] = field(init=False, repr=False)

    @cached_property
    def crowd(self) -> Crowd:
        """The overlays for a first look at a batch; made when the first batch comes."""
        kinds = ((tenant, overlay.kinds) for tenant, overlay in self.overlays.items())
        return Crowd(
            {tenant: number for number, tenant in enumerate(self.overlays)},
            Sieves([overlay.own.member for overlay in self.overlays.values()]),
            Sieves([Member(overlay.kinds.cut.sieve, frozenset()) for overlay in self.overlays.values()]),
            frozenset(tenant for tenant, kind in kinds if kind.patterns or kind.exact),
        )

    def scope(self, tenant: str) -> Scope:
        """What judges `tenant`'s messages."""
        return self._scopes.get(tenant, self.everyone)

    def trial(self, message: ChatMessage) -> "Trial | None":
        """What is tried out on the messages of this one's tenant, if anything: its own overlay before the base."""
        return self.trials.get(message.tenant_id) or self.trials.get(None)

    def _scope(self, overlay: Overlay) -> Scope:
        changes = overlay.policy_document
        return Scope(
            names=RulesetNames(base=self.base.name, tenant=overlay.name),
            policy=parse(merge(self.base.policy_document, changes)) if changes else self.base.policy,
            overlay=overlay,
            templates=_over(overlay.templates, self.base.templates),
        )


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A ruleset that is tried out beside the one in force, on a share of the messages.

    In a shadow it judges them too and decides nothing; in a canary it alone judges them.
    """

    tenant: str | None  # whose overlay it is; None: a base
    version: int
    digest: str  # SHA-256 of the canonical bytes, hex
    rules: Rules  # what would be in force with it
    mode: Literal["shadow", "canary"]
    share: float  # 0..1
    unit: Literal["conversation", "tenant"]  # what is taken as a whole

    def takes(self, message: ChatMessage) -> bool:
        """Whether the message is among the share. A larger share takes all that a smaller one took."""
        if self.share >= 1:
            return True
        unit = message.tenant_id if self.unit == "tenant" else message.conversation_id
        place = blake2b(unit.encode(errors="surrogatepass"), digest_size=8, key=self.digest.encode()[:64]).digest()
        return int.from_bytes(place) < self.share * 2**64
