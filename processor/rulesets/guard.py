"""How much of the traffic a new ruleset may flag: a band, looked at over its last messages.

Too many is told as soon as it is certain for the whole window, even while that still fills; too few only when the
window is full. What is in force is watched beside it, over the same messages in a shadow and over the others in a
canary: where that one leaves the band on the same side, the traffic is at fault and not the new ruleset, and nothing is
told. Or else whoever floods a chat with forbidden words could have new rules taken back.
"""

from collections import deque
from typing import Annotated

from msgspec import Meta, Struct

_CONTROL_LEAST = 0.01  # of the window: fewer messages of the ruleset in force say nothing

Share = Annotated[float, Meta(ge=0, le=1)]


class Guard(Struct, frozen=True, kw_only=True, gc=False):
    """A band for the share of messages that are flagged, and over how many messages it is looked at."""

    high: Share = 0.2
    low: Share = 0.0
    window: Annotated[int, Meta(ge=1)] = 10_000

    def __str__(self) -> str:
        return f"{percent(self.low)}..{percent(self.high)} of {self.window:,} messages"


class Count(Struct, frozen=True, gc=False):
    """Messages and how many of them were flagged: by a ruleset that is watched, and by the one in force."""

    messages: int = 0
    flagged: int = 0
    others: int = 0
    others_flagged: int = 0


class Watch:
    """The last messages of one ruleset in this process, and whether they leave its band."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._batches: deque[Count] = deque()
        self._sums = [0, 0, 0, 0]

    def add(self, batch: Count) -> str | None:
        """Count a batch; why the ruleset must go, if it must."""
        self._shift(batch, 1)
        if self._batches and not self._batches[-1].messages:  # what holds none of its own takes no place
            batch = _both(self._batches.pop(), batch)
        self._batches.append(batch)
        while self._sums[0] - self._batches[0].messages >= self.guard.window:
            self._shift(self._batches.popleft(), -1)
        return self._too_many() or self._too_few()

    @property
    def share(self) -> float | None:
        """The flagged share of the last messages; None before the first."""
        return self._sums[1] / self._sums[0] if self._sums[0] else None

    @property
    def share_in_force(self) -> float | None:
        """The same of the ruleset in force; None while too few messages tell it."""
        messages, flagged = self._sums[2:]
        return flagged / messages if messages and messages >= _CONTROL_LEAST * self.guard.window else None

    def _shift(self, batch: Count, sign: int) -> None:
        counts = (batch.messages, batch.flagged, batch.others, batch.others_flagged)
        self._sums = [held + sign * more for held, more in zip(self._sums, counts, strict=True)]

    def _too_many(self) -> str | None:
        messages, flagged = self._sums[:2]
        high = self.guard.high
        if flagged <= high * max(messages, self.guard.window) or (self.share_in_force or 0) > high:
            return None
        return self._reason("more than", high)

    def _too_few(self) -> str | None:
        messages, flagged = self._sums[:2]
        low = self.guard.low
        if messages < self.guard.window or flagged >= low * messages:
            return None
        if self.share_in_force is not None and self.share_in_force < low:
            return None
        return self._reason("less than", low)

    def _reason(self, than: str, bound: float) -> str:
        messages, flagged = self._sums[:2]
        before = (
            "" if self.share_in_force is None else f", where the ruleset in force flags {percent(self.share_in_force)}"
        )
        return f"it flags {flagged:,} of the last {messages:,} messages, {than} {percent(bound)}{before}"


def _both(one: Count, other: Count) -> Count:
    return Count(
        one.messages + other.messages,
        one.flagged + other.flagged,
        one.others + other.others,
        one.others_flagged + other.others_flagged,
    )


def percent(share: float) -> str:
    """0.05 as 5%."""
    return f"{100 * share:.4g}%"
