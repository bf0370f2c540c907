"""The settings of the Kafka edge, and what they come to for a client."""

import importlib.util
import re
import ssl
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from processor.errors import Misconfigured
from processor.ops.group import MIB, PREFIX, File, Group, Name, allowed, require

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:,\[\]/@]+):(\d{1,5})")

LESS = (
    ("request_timeout_ms", "transaction_timeout_ms", "a request must not outlive its transaction"),
    ("commit_timeout_ms", "transaction_timeout_ms", "we must give up before the broker aborts"),
    ("stop_timeout_ms", "rebalance_timeout_ms", "a worker that finishes its batches must not lose its membership"),
    ("fetch_max_wait_ms", "request_timeout_ms", "a fetch without data must come back before it counts as failed"),
)


def _addresses(value: str) -> str:
    for address in value.split(","):
        match = _ADDRESS.fullmatch(address.strip())
        if not match or not 1 <= int(match[2]) <= 65535:  # noqa: PLR2004  the range of ports
            raise ValueError("no address")
    return ",".join(address.strip() for address in value.split(","))


class Security(Group):
    """How to reach a Kafka that asks who we are."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Transport and authentication of the Kafka connections."
    )
    cafile: File | None = Field(None, description="Certificate authorities to trust, PEM; the system's own if unset.")
    certfile: File | None = Field(None, description="Our certificate chain for mutual TLS, PEM.")
    keyfile: File | None = Field(None, description="The private key of `certfile`, PEM.")
    key_password: SecretStr | None = Field(None, description="Password of `keyfile`.")
    check_hostname: bool = Field(default=True, description="Whether a broker's certificate must name its host.")
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, for the `SASL_` protocols."
    )
    username: str | None = Field(None, description="SASL user name.")
    password: SecretStr | None = Field(None, description="SASL password.")

    @model_validator(mode="after")
    def _agrees(self) -> "Security":
        name, protocol = f"{PREFIX}KAFKA__SECURITY__", self.protocol
        sasl, tls = protocol.startswith("SASL_"), protocol.endswith("SSL")
        user, secret = self.username is not None, self.password is not None
        files = any((self.cafile, self.certfile, self.keyfile))
        require(
            (not sasl or (user and secret), f"{name}PROTOCOL is {protocol}: set {name}USERNAME and {name}PASSWORD."),
            (sasl or not user, f"{name}USERNAME is set, but not sent: {name}PROTOCOL is {protocol}, not SASL_…."),
            (sasl or not secret, f"{name}PASSWORD is set, but not sent: {name}PROTOCOL is {protocol}, not SASL_…."),
            (tls or not files, f"{name}CAFILE, CERTFILE or KEYFILE is set, but {name}PROTOCOL is {protocol}: no TLS."),
            (bool(self.certfile) or not self.keyfile, f"{name}KEYFILE is set without {name}CERTFILE."),
            (bool(self.keyfile) or not self.key_password, f"{name}KEY_PASSWORD is set without {name}KEYFILE."),
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


class Kafka(Group):
    """The group, the batches and the deadlines of the stream."""

    bootstrap_servers: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1:9092",
        description="Brokers to ask first.",
        json_schema_extra=allowed("host:port, several separated by commas"),
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
        6_000,
        ge=100,
        le=600_000,
        description="Time for open batches at shutdown or when a partition is taken away; past it they end unfinished.",
    )
    batch_records: int = Field(5_000, ge=1, le=100_000, description="Most records of one batch, one transaction.")
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
        require(
            (
                self.heartbeat_interval_ms * 3 <= self.session_timeout_ms,
                (
                    f"{PREFIX}KAFKA__HEARTBEAT_INTERVAL_MS ({self.heartbeat_interval_ms}) must be at most a third of "
                    f"{PREFIX}KAFKA__SESSION_TIMEOUT_MS ({self.session_timeout_ms}): two heartbeats may get lost."
                ),
            ),
            (
                self.compression in {"none", "gzip"} or importlib.util.find_spec("cramjam") is not None,
                f"{PREFIX}KAFKA__COMPRESSION is {self.compression}, but the package cramjam is not installed.",
            ),
            *(self._less(*pair) for pair in LESS),
        )
        return self

    def _less(self, low: str, high: str, why: str) -> tuple[bool, str]:
        small, large = getattr(self, low), getattr(self, high)
        names = f"{PREFIX}KAFKA__{low.upper()} ({small})", f"{PREFIX}KAFKA__{high.upper()} ({large})"
        return small < large, f"{names[0]} must be less than {names[1]}: {why}."

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
