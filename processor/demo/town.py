"""Who talks to whom: tenants, their people, and thousands of conversations between them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from processor.demo.grammar import Draw, Language

TENANTS: Final = 60
PEOPLE: Final = 200  # of each tenant
DIRECT, GROUPS = 6_000, 1_500
DAY_MS: Final = 86_400_000
_ENGLISH = 0.22  # of the conversations
_FAVOURITES = 1.6  # 1: all conversations are as busy as each other


Fields = Mapping[str, Any]
"""Fields of a message."""


class Person(NamedTuple):
    """An account."""

    id: str
    sender: Fields  # what the platform says of it


class Conversation(NamedTuple):
    """Two people or a group."""

    key: bytes
    language: Language
    voices: Sequence[Fields]  # for each of its people, the fields that all their messages have


class Town:
    """All conversations; strangers add more."""

    def __init__(self, draw: Draw, start_ms: int) -> None:
        self._draw, self._start_ms = draw, start_ms
        self.people = [self._people(tenant) for tenant in range(TENANTS)]
        self.direct = [self._conversation(f"d{n}", 2) for n in range(DIRECT)]
        self.groups = [self._conversation(f"g{n}", 3 + int(10 * draw() ** 2)) for n in range(GROUPS)]
        self.official = [
            Person(f"{_tenant(n)}-service", {"role": "official", "verified": True}) for n in range(TENANTS)
        ]

    def any(self) -> Conversation:
        """One of the conversations; some are much busier than others."""
        draw = self._draw
        talks = self.direct if draw() < 0.6 else self.groups  # noqa: PLR2004
        return talks[int(len(talks) * draw() ** _FAVOURITES)]

    def strangers(self, number: int, *, language: Language) -> Conversation:
        """A new conversation between an account that is days old and somebody of the town."""
        draw = self._draw
        tenant = int(draw() * TENANTS)
        age = int(draw() * 20 * DAY_MS)
        stranger = Person(f"{_tenant(tenant)}-n{number}", _sender(self._start_ms - age, verified=False))
        somebody = self.people[tenant][int(draw() * PEOPLE)]
        since = self._start_ms - int(draw() * age)
        return _conversation(f"s{number}", tenant, [stranger, somebody], since, language=language)

    def _people(self, tenant: int) -> list[Person]:
        draw, start = self._draw, self._start_ms
        return [
            Person(
                f"{_tenant(tenant)}-u{n}",
                _sender(start - int((40 + 2_000 * draw()) * DAY_MS), verified=draw() < 0.8),  # noqa: PLR2004
            )
            for n in range(PEOPLE)
        ]

    def _conversation(self, name: str, size: int) -> Conversation:
        draw = self._draw
        tenant = int(draw() ** 1.3 * TENANTS)
        first = int(draw() * PEOPLE)
        step = 1 + 2 * int(draw() * 40)
        people = [self.people[tenant][(first + step * n) % PEOPLE] for n in range(size)]
        since = self._start_ms - int((10 + 1_500 * draw()) * DAY_MS) if size == 2 else None  # noqa: PLR2004
        return _conversation(name, tenant, people, since, language="en" if draw() < _ENGLISH else "zh")


def official(voice: Fields) -> Fields:
    """The tenant's service account in the place of somebody."""
    return {**voice, "sender_id": f"{voice['tenant_id']}-service", "sender": {"role": "official", "verified": True}}


def _tenant(number: int) -> str:
    return f"t{number:02}"


def _sender(registered_at: int, *, verified: bool) -> Mapping[str, Any]:
    return {"role": "user", "registered_at": registered_at, "verified": verified}


def _conversation(
    name: str, tenant: int, people: Sequence[Person], since: int | None, *, language: Language
) -> Conversation:
    identity = f"{_tenant(tenant)}-{name}"
    common = {
        "tenant_id": _tenant(tenant),
        "conversation_id": identity,
        "conversation_type": "group" if name.startswith("g") else "direct",
        **({"contact_since": since} if since is not None else {}),
    }
    voices = [
        {
            **common,
            "sender_id": person.id,
            "receiver_ids": [other.id for other in people if other is not person],
            "sender": person.sender,
        }
        for person in people
    ]
    return Conversation(identity.encode(), language, voices)
