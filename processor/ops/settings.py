"""Every setting of the program: its name, default, limits and meaning.

A setting is read from the environment (`CHATGUARD_KAFKA__GROUP_ID`) or from a TOML file (`group_id` under `[kafka]`);
the environment wins. `Settings` itself is a plain value that reads neither: `load` does. Whatever is wrong is
reported together, one sentence per problem, and a name nobody knows is a problem too: a typing error must not
silently leave a default in force. An empty variable counts as unset.
"""

import difflib
import importlib.util
import os
import re
import ssl
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from processor.errors import Misconfigured
from processor.model import Topic

PREFIX = "CHATGUARD_"
FILE_VARIABLE = "CHATGUARD_CONFIG"
MIB = 1024 * 1024

Place = tuple[str, ...]  # where a setting stands: ("kafka", "security", "cafile")

_SERVICE_LINK = re.compile(r"CHATGUARD_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")
_SERVICE_VALUE = re.compile(r"(tcp|udp|sctp)(://\S+)?|[0-9a-fA-F.:]+")
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:,\[\]/@]+):(\d{1,5})")


def _allowed(words: str) -> dict[str, Any]:
    """What to tell a person about a value that no JSON Schema keyword describes."""
    return {"allowed": words}


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _addresses(value: str) -> str:
    for address in value.split(","):
        match = _ADDRESS.fullmatch(address.strip())
        if not match or not 1 <= int(match[2]) <= 65535:  # noqa: PLR2004  the range of ports
            raise ValueError("no address")
    return ",".join(address.strip() for address in value.split(","))


def _redis_url(value: SecretStr) -> SecretStr:
    url = urlsplit(value.get_secret_value())
    located = url.path if url.scheme == "unix" else url.hostname
    if url.scheme not in {"redis", "rediss", "unix"} or not located or (url.scheme != "unix" and url.port == 0):
        raise ValueError("no Redis address")
    return value


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("relative path")
    return value


def _state_directory() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111  never raises
    return Path(state) / "chatguard" / "rulesets"


def _require(*checks: tuple[bool, str]) -> None:
    """Report every check that does not hold, not only the first."""
    if problems := [sentence for holds, sentence in checks if not holds]:
        raise ValueError("\n".join(problems))


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Name = Annotated[str, Field(min_length=1, pattern=r"^\S+$", json_schema_extra=_allowed("text without spaces"))]


class Security(_Group):
    """How to reach a Kafka that asks who we are."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Transport and authentication of the Kafka connections."
    )
    cafile: FilePath | None = Field(
        None,
        description="Certificate authorities to trust, PEM; the system's own if unset.",
        json_schema_extra=_allowed("a file that exists"),
    )
    certfile: FilePath | None = Field(
        None, description="Our certificate chain for mutual TLS, PEM.", json_schema_extra=_allowed("a file that exists")
    )
    keyfile: FilePath | None = Field(
        None, description="The private key of `certfile`, PEM.", json_schema_extra=_allowed("a file that exists")
    )
    key_password: SecretStr | None = Field(None, description="Password of `keyfile`.")
    check_hostname: bool = Field(default=True, description="Whether a broker's certificate must name its host.")
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, for the `SASL_` protocols."
    )
    username: str | None = Field(None, description="SASL user name.")
    password: SecretStr | None = Field(None, description="SASL password.")

    @model_validator(mode="after")
    def _agrees(self) -> "Security":
        name = f"{PREFIX}KAFKA__SECURITY__"
        sasl, tls = self.protocol.startswith("SASL_"), self.protocol.endswith("SSL")
        identity = self.username is not None and self.password is not None
        _require(
            (
                not sasl or identity,
                f"{name}PROTOCOL is {self.protocol}, so {name}USERNAME and {name}PASSWORD must both be set.",
            ),
            (
                sasl or (self.username is None and self.password is None),
                (
                    f"{name}USERNAME or {name}PASSWORD is set, but {name}PROTOCOL is {self.protocol}, "
                    "which sends neither: choose SASL_SSL or SASL_PLAINTEXT."
                ),
            ),
            (
                tls or not (self.cafile or self.certfile or self.keyfile),
                (
                    f"{name}CAFILE, CERTFILE or KEYFILE is set, but {name}PROTOCOL is {self.protocol}, "
                    "which uses no TLS: choose SSL or SASL_SSL."
                ),
            ),
            (
                self.certfile is not None or self.keyfile is None,
                f"{name}KEYFILE is set without {name}CERTFILE.",
            ),
            (
                self.keyfile is not None or self.key_password is None,
                f"{name}KEY_PASSWORD is set without {name}KEYFILE.",
            ),
        )
        return self

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context that the protocol asks for, or None. Raises `Misconfigured` for unusable files."""
        if not self.protocol.endswith("SSL"):
            return None
        password = self.key_password.get_secret_value() if self.key_password else None
        try:
            context = ssl.create_default_context(cafile=self.cafile)
            context.check_hostname = self.check_hostname
            if self.certfile:
                # A password callback is never asked on the terminal; an empty one fails like a wrong one.
                context.load_cert_chain(self.certfile, self.keyfile, password or "")
        except (ssl.SSLError, OSError) as error:
            raise Misconfigured(
                [f"{PREFIX}KAFKA__SECURITY__: the TLS files cannot be used: {error.strerror or 'unreadable'}."]
            ) from error
        return context


class Kafka(_Group):
    """The group, the batches and the deadlines of the stream."""

    bootstrap_servers: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1:9092",
        description="Brokers to ask first.",
        json_schema_extra=_allowed("host:port, several separated by commas"),
    )
    group_id: Name = Field("chatguard", description="Consumer group; the workers of one group share the partitions.")
    app_id: Name = Field(
        "chatguard",
        description="First part of the transactional ids `<app_id>.<group_id>.<topic>.<partition>`. "
        "Stable for the life of a deployment: it is what fences a dead worker.",
    )
    group_instance_id: Name | None = Field(
        None,
        description="Static membership, different for each worker: a restart within the session moves no partition, "
        "but scaling down then waits for the session to end.",
    )
    session_timeout_ms: int = Field(
        45_000, ge=1_000, le=1_800_000, description="Silence after which a worker counts as dead."
    )
    heartbeat_interval_ms: int = Field(3_000, ge=100, le=600_000, description="Pause between signs of life.")
    rebalance_timeout_ms: int = Field(
        60_000, ge=1_000, le=3_600_000, description="How long a rebalance waits for each worker to finish its batches."
    )
    request_timeout_ms: int = Field(15_000, ge=1_000, le=300_000, description="Longest wait for an answer of a broker.")
    transaction_timeout_ms: int = Field(
        60_000,
        ge=2_000,
        le=900_000,
        description="Age at which the broker aborts an open transaction. Readers of the partitions wait that long for "
        "a worker that vanished and whose partitions nobody took over.",
    )
    commit_timeout_ms: int = Field(
        30_000,
        ge=1_000,
        le=900_000,
        description="Longest time to write and commit one batch; past it the lane starts anew.",
    )
    stop_timeout_ms: int = Field(
        20_000,
        ge=100,
        le=600_000,
        description="Time for open batches at shutdown or when a partition is taken away; past it they end unfinished.",
    )
    batch_records: int = Field(2_000, ge=1, le=100_000, description="Most records of one batch, one transaction.")
    batch_bytes: int = Field(
        4 * MIB, ge=1_024, le=256 * MIB, description="Most input bytes of one batch; a larger record is a batch alone."
    )
    max_partition_fetch_bytes: int = Field(
        MIB,
        ge=1_024,
        le=256 * MIB,
        description="Most bytes to fetch of a partition at once; bounds memory per partition.",
    )
    fetch_max_bytes: int = Field(50 * MIB, ge=1_024, le=1_024 * MIB, description="Most bytes of one fetch answer.")
    fetch_max_wait_ms: int = Field(500, ge=1, le=60_000, description="How long a broker holds a fetch without data.")
    max_request_bytes: int = Field(
        2 * MIB,
        ge=16_384,
        le=256 * MIB,
        description="Largest record or request to write; not above `max.message.bytes` of the output topics.",
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "none",
        description="Compression of what we write. The largest single cost per message; all but gzip need cramjam.",
    )
    security: Security = Field(default_factory=Security)

    @model_validator(mode="after")
    def _agrees(self) -> "Kafka":
        name = f"{PREFIX}KAFKA__"
        _require(
            (
                self.heartbeat_interval_ms * 3 <= self.session_timeout_ms,
                (
                    f"{name}HEARTBEAT_INTERVAL_MS ({self.heartbeat_interval_ms}) must be at most a third of "
                    f"{name}SESSION_TIMEOUT_MS ({self.session_timeout_ms}): "
                    "two lost heartbeats must not end the session."
                ),
            ),
            (
                self.request_timeout_ms < self.transaction_timeout_ms,
                (
                    f"{name}REQUEST_TIMEOUT_MS ({self.request_timeout_ms}) must be less than "
                    f"{name}TRANSACTION_TIMEOUT_MS ({self.transaction_timeout_ms}): "
                    "a request must not outlive its transaction."
                ),
            ),
            (
                self.commit_timeout_ms < self.transaction_timeout_ms,
                (
                    f"{name}COMMIT_TIMEOUT_MS ({self.commit_timeout_ms}) must be less than "
                    f"{name}TRANSACTION_TIMEOUT_MS ({self.transaction_timeout_ms}): "
                    "we must give up before the broker aborts."
                ),
            ),
            (
                self.stop_timeout_ms < self.rebalance_timeout_ms,
                (
                    f"{name}STOP_TIMEOUT_MS ({self.stop_timeout_ms}) must be less than "
                    f"{name}REBALANCE_TIMEOUT_MS ({self.rebalance_timeout_ms}): "
                    "a worker that finishes its batches must not be thrown out of the group."
                ),
            ),
            (
                self.compression in {"none", "gzip"} or importlib.util.find_spec("cramjam") is not None,
                (
                    f"{name}COMPRESSION is {self.compression}, which needs the package cramjam: install it, "
                    "or choose none or gzip."
                ),
            ),
        )
        return self

    def client(self) -> dict[str, Any]:
        """The keyword arguments that all aiokafka clients share. Raises `Misconfigured` for unusable TLS files.

        A consumer should override `request_timeout_ms` with `join_timeout_ms`.
        """
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "request_timeout_ms": self.request_timeout_ms,
            "security_protocol": self.security.protocol,
            "ssl_context": self.security.tls(),
        }
        if self.security.username is not None and self.security.password is not None:
            arguments |= {
                "sasl_mechanism": self.security.mechanism,
                "sasl_plain_username": self.security.username,
                "sasl_plain_password": self.security.password.get_secret_value(),
            }
        return arguments

    @property
    def join_timeout_ms(self) -> int:
        """A consumer's request timeout: joining a group takes as long as its slowest member may take to let go."""
        return max(self.request_timeout_ms, self.rebalance_timeout_ms + 5_000)


class Topics(_Group):
    """How the topics are called."""

    prefix: str = Field(
        "chat.",
        pattern=r"^[a-zA-Z0-9._-]{0,200}$",
        description="Put in front of `raw`, `delivered`, … as it stands; the dot is part of it.",
        json_schema_extra=_allowed("up to 200 of the characters a-z A-Z 0-9 . _ -"),
    )

    def name(self, topic: Topic) -> str:
        """The full name of a topic."""
        return self.prefix + topic


class Redis(_Group):
    """Where rulesets come from. Redis away stops nothing: the last good rulesets stay in force."""

    url: Annotated[SecretStr, AfterValidator(_redis_url)] = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="Server, database and credentials, e.g. `rediss://user:password@host:6379/0`.",
        json_schema_extra=_allowed("a URL that starts with redis://, rediss:// or unix://"),
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


class Http(_Group):
    """Where `/metrics`, `/livez` and `/readyz` are served."""

    host: Name = Field(
        "127.0.0.1",
        description="Address to listen on. The endpoints ask nobody who they are, so they open beyond this "
        "machine only where that is wished: containers set `0.0.0.0` (or `::`).",
    )
    port: int = Field(9464, ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")


class Rulesets(_Group):
    """What a worker keeps of the rulesets it has seen."""

    directory: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=_state_directory,
        description="Last good copies, for a start while Redis is away. "
        "Default: `chatguard/rulesets` under `$XDG_STATE_HOME`, or under `~/.local/state`.",
        json_schema_extra=_allowed("an absolute path"),
    )


class MetricSettings(_Group):
    """What `/metrics` tells."""

    tenant_label: bool = Field(default=False, description="Whether to count messages and name rulesets per tenant too.")
    tenant_cap: int = Field(
        100, ge=1, le=10_000, description='Most tenants to name; those seen later are counted together as "other".'
    )


class Log(_Group):
    """What is written to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="Mildest level to write. Libraries are heard from `warning` on."
    )
    format: Literal["json", "console"] = Field("json", description="One JSON object per line, or lines for a person.")


class State(_Group):
    """The conversation windows that fraud rules look at."""

    max_conversations: int = Field(
        200_000,
        ge=1,
        le=100_000_000,
        description="Most conversations to remember per partition; the idlest goes first.",
    )
    ttl_seconds: int = Field(
        86_400, ge=60, le=31_536_000, description="Idle time after which a conversation is forgotten."
    )


class Lanes(_Group):
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
        _require(
            (
                self.restart_min_seconds <= self.restart_max_seconds,
                (
                    f"{PREFIX}LANES__RESTART_MIN_SECONDS ({self.restart_min_seconds}) must not exceed "
                    f"{PREFIX}LANES__RESTART_MAX_SECONDS ({self.restart_max_seconds})."
                ),
            )
        )
        return self


class Settings(_Group):
    """All settings of a process, checked. A program calls `load`; a test builds one by hand."""

    kafka: Kafka = Field(default_factory=Kafka)
    topics: Topics = Field(default_factory=Topics)
    redis: Redis = Field(default_factory=Redis)
    http: Http = Field(default_factory=Http)
    rulesets: Rulesets = Field(default_factory=Rulesets)
    metrics: MetricSettings = Field(default_factory=MetricSettings)
    log: Log = Field(default_factory=Log)
    state: State = Field(default_factory=State)
    lanes: Lanes = Field(default_factory=Lanes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One setting: where it stands and what it is."""

    path: Place
    field: FieldInfo
    schema: Mapping[str, Any]  # its JSON Schema

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + "__".join(self.path).upper()

    @property
    def key(self) -> str:
        """Its name in a TOML file."""
        return ".".join(self.path)

    @property
    def secret(self) -> bool:
        """Whether its value must not be shown."""
        return "password" in (self.schema.get("format"), *(s.get("format") for s in self.schema.get("anyOf", ())))

    @property
    def allowed(self) -> str:
        """The values it takes, in words."""
        kinds = [kind for kind in self.schema.get("anyOf", [self.schema]) if kind.get("type") != "null"]
        match {**kinds[0], **self.schema}:
            case {"allowed": str(words)}:
                return words
            case {"enum": [*choices]}:
                return "one of " + ", ".join(map(str, choices))
            case {"type": "boolean"}:
                return "true or false"
            case {"type": "integer" | "number" as kind, "minimum": low, "maximum": high}:
                return f"{'a whole' if kind == 'integer' else 'a'} number from {low} to {high}"
            case _:
                return "text"


def leaves(model: type[BaseModel] = Settings, path: Place = ()) -> Iterator[Leaf]:
    """Every setting, in the order of this file."""
    schemas = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, (*path, name))
        else:
            yield Leaf(path=(*path, name), field=field, schema=schemas[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings and where each came from."""

    settings: Settings
    origins: Mapping[Place, str]  # the variable's name, the file's, or "default"

    def shown(self, leaf: Leaf) -> str | float | bool | None:
        """A setting's value as a person may see it: secrets are hidden."""
        if leaf.path == ("redis", "url"):
            return self.settings.redis.location
        value: Any = self.settings
        for name in leaf.path:
            value = getattr(value, name)
        return value if isinstance(value, int | float | None) else str(value)


def load(path: Path | None = None) -> Settings:
    """The settings of this process, from its environment and the TOML file at `path` or at `CHATGUARD_CONFIG`.

    Raises `Misconfigured` with a sentence for everything that is wrong.
    """
    return read(os.environ, path).settings


def read(environ: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Like `load`, from a given environment, with the origin of each setting."""
    known = {leaf.path: leaf for leaf in leaves()}
    named = environ.get(FILE_VARIABLE)
    path = path or (Path(named) if named else None)
    file = dict(_flat(_parse(path))) if path else {}
    variables = {place: environ[leaf.variable] for place, leaf in known.items() if environ.get(leaf.variable)}
    origins = {
        **dict.fromkeys(known, "default"),
        **dict.fromkeys(file, str(path)),
        **{place: known[place].variable for place in variables},
    }
    problems = [*_unknown_variables(environ, known.values()), *_unknown_keys(file, path, known)]
    try:
        settings = Settings.model_validate(_nested({p: v for p, v in (file | variables).items() if p in known}))
    except ValidationError as error:
        problems += [s for detail in error.errors(include_url=False) for s in _sentences(detail, known, origins)]
        raise Misconfigured(problems) from None  # the cause holds the values, secrets among them
    if problems:
        raise Misconfigured(problems)
    return Loaded(settings=settings, origins=origins)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured([f"The settings file {path} cannot be read: {error.strerror}."]) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise Misconfigured([f"The settings file {path} is not TOML: {error}."]) from None


def _flat(tree: Mapping[str, Any], above: Place = ()) -> Iterator[tuple[Place, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, (*above, name))
        else:
            yield (*above, name), value


def _nested(flat: Mapping[Place, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for place, value in flat.items():
        group = tree
        for name in place[:-1]:
            group = group.setdefault(name, {})
        group[place[-1]] = value
    return tree


def _unknown_variables(environ: Mapping[str, str], known: Iterable[Leaf]) -> Iterator[str]:
    names = [FILE_VARIABLE, *(leaf.variable for leaf in known)]
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name not in names and not _is_service_link(name, environ[name]):
            yield f"{name} is no setting{_suggestion(name.upper(), names)}"


def _is_service_link(name: str, value: str) -> bool:
    """Whether Kubernetes put it there: it does so in every pod for each Service, and one may be called chatguard."""
    return bool(_SERVICE_LINK.fullmatch(name)) and bool(_SERVICE_VALUE.fullmatch(value))


def _unknown_keys(file: Mapping[Place, Any], path: Path | None, known: Mapping[Place, Leaf]) -> Iterator[str]:
    names = [leaf.key for leaf in known.values()]
    for place in file:
        if place not in known:
            yield f"{'.'.join(place)} in {path} is no setting{_suggestion('.'.join(place), names)}"


def _suggestion(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else "."


def _sentences(detail: ErrorDetails, known: Mapping[Place, Leaf], origins: Mapping[Place, str]) -> list[str]:
    place = tuple(str(part) for part in detail["loc"])
    if place not in known:  # a check that holds several settings against each other
        return str(detail["ctx"]["error"]).splitlines()
    leaf, origin = known[place], origins[place]
    name = leaf.variable if origin == leaf.variable else f"{leaf.key} in {origin}"
    value = "has a value that is not allowed" if leaf.secret else f"is {str(detail['input'])!r}"
    return [f"{name} {value}; allowed: {leaf.allowed}."]
