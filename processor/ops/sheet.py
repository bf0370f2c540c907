"""The settings sheet: every setting's name, default, limits and meaning; those of Kafka stand in `kafka.py`."""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from processor.model import Topic
from processor.ops.group import PREFIX, Directory, Group, Name, allowed, require
from processor.ops.kafka import Kafka


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _redis_url(value: SecretStr) -> SecretStr:
    url = urlsplit(value.get_secret_value())
    located = url.path if url.scheme == "unix" else url.hostname
    # An @ behind the host means that a password held a character which ends the host part: it would be shown.
    if url.scheme not in {"redis", "rediss", "unix"} or not located or url.port == 0 or "@" in url.path:
        raise ValueError("no Redis address")
    return value


def _state_directory() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111  never raises
    return Path(state) / "chatguard" / "rulesets"


class Topics(Group):
    """How the topics are called."""

    prefix: str = Field(
        "chat.",
        pattern=r"^[a-zA-Z0-9._-]{0,200}$",
        description="Put in front of `raw`, `delivered`, … as it stands; the dot is part of it.",
        json_schema_extra=allowed("up to 200 of the characters a-z A-Z 0-9 . _ -"),
    )

    def name(self, topic: Topic) -> str:
        """The full name of a topic."""
        return self.prefix + topic


class Redis(Group):
    """Where rulesets come from. Redis away stops nothing: the last good rulesets stay in force."""

    url: Annotated[SecretStr, AfterValidator(_redis_url)] = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="Server, database and credentials, e.g. `rediss://user:password@host:6379/0`.",
        json_schema_extra=allowed("a URL that starts with redis://, rediss:// or unix://")
        | {"default": "redis://127.0.0.1:6379/0"},
    )
    poll_seconds: float = Field(
        10, ge=0.1, le=3_600, description="Pause between looks at the rulesets' versions, in case a message was missed."
    )
    timeout_seconds: float = Field(5, ge=0.1, le=60, description="Longest wait for a connection or an answer.")

    @property
    def location(self) -> str:
        """The URL without user, password and options: fit for a log line."""
        url = urlsplit(self.url.get_secret_value())
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


class Http(Group):
    """Where `/metrics`, `/livez` and `/readyz` are served."""

    host: Name = Field(
        "127.0.0.1",
        description="Address to listen on. The endpoints ask nobody who they are, so they open beyond this "
        "machine only where that is wished: containers set `0.0.0.0` (or `::`).",
    )
    port: int = Field(9464, ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")


class Rulesets(Group):
    """What a worker keeps of the rulesets it has seen, and how large tenants' overlays may be."""

    directory: Directory = Field(
        default_factory=_state_directory,
        description="Last good copies, for a start while Redis is away. "
        "Default: `chatguard/rulesets` under `$XDG_STATE_HOME`, or under `~/.local/state`.",
    )
    tenant_terms: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Most terms of one tenant's overlay; a larger one is refused when it is pushed, and by the "
        "workers, which keep the tenant's last good one.",
    )
    tenant_bytes: int = Field(
        4_194_304, ge=1_000, le=268_435_456, description="Most bytes of one tenant's overlay, in the same way."
    )


class Stats(Group):
    """How often each term hits and is rejected, counted in Redis; `chatguard lexicon stats` reports it."""

    every_seconds: float = Field(
        30,
        ge=0,
        le=3_600,
        description="Pause between two turns in which a worker adds up what it has counted; 0 counts nothing. "
        "What a worker counted since its last turn is lost if it is killed.",
    )
    keep_days: int = Field(35, ge=1, le=3_650, description="How long a day's counts are kept.")


class MetricSettings(Group):
    """What `/metrics` tells."""

    tenant_label: bool = Field(default=False, description="Whether to count messages and name rulesets per tenant too.")
    tenant_cap: int = Field(
        100, ge=1, le=10_000, description='Most tenants to name; those seen later are counted together as "other".'
    )


class Log(Group):
    """What is written to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="Mildest level to write. Libraries are heard from `warning` on."
    )
    format: Literal["json", "console"] = Field("json", description="One JSON object per line, or lines for a person.")


class State(Group):
    """The conversation windows that fraud rules look at."""

    max_conversations: int = Field(
        200_000,
        ge=1,
        le=100_000_000,
        description="Most conversations and people to remember per partition; the idlest goes first.",
    )
    ttl_seconds: int = Field(
        604_800,
        ge=60,
        le=31_536_000,
        description="Idle time after which a conversation is forgotten; fraud rules look back up to seven days.",
    )


class Lanes(Group):
    """How a partition's lane deals with trouble."""

    max_judge_failures: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="Records in a row that may fail in judging (each becomes a dead letter) before the lane stops: "
        "a bad deployment must not divert the whole stream.",
    )
    restart_min_seconds: float = Field(0.5, ge=0.01, le=60, description="First pause before a lost lane starts anew.")
    restart_max_seconds: float = Field(30, ge=0.01, le=3_600, description="Longest such pause; it doubles up to here.")

    @model_validator(mode="after")
    def _agrees(self) -> "Lanes":
        require(
            (
                self.restart_min_seconds <= self.restart_max_seconds,
                (
                    f"{PREFIX}LANES__RESTART_MIN_SECONDS ({self.restart_min_seconds}) must not exceed "
                    f"{PREFIX}LANES__RESTART_MAX_SECONDS ({self.restart_max_seconds})."
                ),
            )
        )
        return self


class Settings(Group):
    """All settings of a process, checked. A program calls `load`; a test builds one by hand."""

    kafka: Kafka = Field(default_factory=Kafka)
    topics: Topics = Field(default_factory=Topics)
    redis: Redis = Field(default_factory=Redis)
    http: Http = Field(default_factory=Http)
    rulesets: Rulesets = Field(default_factory=Rulesets)
    stats: Stats = Field(default_factory=Stats)
    metrics: MetricSettings = Field(default_factory=MetricSettings)
    log: Log = Field(default_factory=Log)
    state: State = Field(default_factory=State)
    lanes: Lanes = Field(default_factory=Lanes)
