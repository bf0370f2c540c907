"""The error tree.

    ChatguardError
    ├── Unavailable      Kafka or Redis is away: wait and try again
    │   └── LaneLost     this partition's transaction cannot go on; start the lane anew
    ├── Misconfigured    settings or topics are wrong: a person must act; lists everything wrong at once
    ├── Invalid          a ruleset, lexicon or rule is wrong: the last good one stays in force
    └── EmbeddedFailed   an embedded service could not be installed or started

Bad messages are no errors: decoding one gives a `Malformed` value. Foreign exceptions (Kafka, Redis, Maven)
stop at the module that talks to the outside and go on as one of these.
"""

from collections.abc import Sequence


class ChatguardError(Exception):
    """Base of everything this package raises on purpose."""


class Unavailable(ChatguardError):
    """A broker or store cannot be reached just now."""


class LaneLost(Unavailable):
    """The lane's transaction failed or was fenced; what it held is not visible and its offset has not moved."""


class Misconfigured(ChatguardError):
    """Something an operator must mend; `problems` holds one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Invalid(ChatguardError):
    """A ruleset, lexicon or rule cannot be used; `problems` holds one sentence each, with file and line if known."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class EmbeddedFailed(ChatguardError):
    """An embedded Kafka or Redis did not install or start; the message says what to do."""
