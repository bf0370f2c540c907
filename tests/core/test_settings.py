"""Settings: what is accepted, what is refused and in which words, and that secrets stay secret."""

import inspect
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from processor.errors import Misconfigured
from processor.model import Topic
from processor.ops.settings import Settings, leaves, read

LEAVES = {leaf.variable: leaf for leaf in leaves()}
NUMBERS = [leaf for leaf in LEAVES.values() if "maximum" in leaf.schema]


def problems(**variables: str) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as caught:
        read({f"CHATGUARD_{name}": value for name, value in variables.items()})
    return caught.value.problems


def refusals(environ: dict[str, str]) -> tuple[str, ...]:
    try:
        read(environ)
    except Misconfigured as error:
        return error.problems
    return ()


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read({}).settings == Settings()
    assert set(read({}).origins.values()) == {"default"}


def test_the_defaults_follow_the_settings_sheet_for_the_hot_path() -> None:
    kafka = Settings().kafka
    assert (
        kafka.session_timeout_ms,
        kafka.heartbeat_interval_ms,
        kafka.rebalance_timeout_ms,
    ) == (45_000, 3_000, 60_000)
    assert kafka.request_timeout_ms < kafka.transaction_timeout_ms
    assert (kafka.batch_records, kafka.compression) == (5_000, "none")


def test_a_variable_sets_its_setting_and_is_named_as_its_origin() -> None:
    loaded = read({"CHATGUARD_KAFKA__SECURITY__CHECK_HOSTNAME": "false", "CHATGUARD_LOG__LEVEL": "WARNING"})
    assert loaded.settings.kafka.security.check_hostname is False
    assert loaded.settings.log.level == "warning"
    assert loaded.origins[("log", "level")] == "CHATGUARD_LOG__LEVEL"
    assert loaded.origins[("log", "format")] == "default"


def test_an_empty_variable_counts_as_unset() -> None:
    assert read({"CHATGUARD_KAFKA__GROUP_INSTANCE_ID": "", "CHATGUARD_HTTP__PORT": ""}).settings == Settings()


def test_a_topic_is_the_prefix_and_its_name_as_they_stand() -> None:
    assert Settings().topics.name(Topic.DEAD_LETTER) == "chat.dead-letter"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"HTTP__PORT": "70000"},
            ["CHATGUARD_HTTP__PORT is '70000'; allowed: a whole number from 0 to 65535."],
        ),
        (
            {"REDIS__POLL_SECONDS": "nan"},
            ["CHATGUARD_REDIS__POLL_SECONDS is 'nan'; allowed: a number from 0.1 to 3600."],
        ),
        (
            {"KAFKA__BOOTSTRAP_SERVERS": "kafka-1:9092,kafka-2"},
            [
                (
                    "CHATGUARD_KAFKA__BOOTSTRAP_SERVERS is 'kafka-1:9092,kafka-2'; "
                    "allowed: host:port, several separated by commas."
                )
            ],
        ),
        (
            {"KAFKA__SECURITY__PROTOCOL": "TLS"},
            ["CHATGUARD_KAFKA__SECURITY__PROTOCOL is 'TLS'; allowed: one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL."],
        ),
        (
            {"TOPICS__PREFIX": "chat/"},
            ["CHATGUARD_TOPICS__PREFIX is 'chat/'; allowed: up to 200 of the characters a-z A-Z 0-9 . _ -."],
        ),
        (
            {"METRICS__TENANT_LABEL": "ja"},
            ["CHATGUARD_METRICS__TENANT_LABEL is 'ja'; allowed: true or false."],
        ),
        (
            {"RULESETS__DIRECTORY": "state"},
            ["CHATGUARD_RULESETS__DIRECTORY is 'state'; allowed: an absolute path."],
        ),
        (
            {"KAFKA__SECURITY__CAFILE": "/no/such/file"},
            ["CHATGUARD_KAFKA__SECURITY__CAFILE is '/no/such/file'; allowed: a file that exists."],
        ),
        (
            {"KAFKA__SESION_TIMEOUT_MS": "1"},
            ["CHATGUARD_KAFKA__SESION_TIMEOUT_MS is no setting; did you mean CHATGUARD_KAFKA__SESSION_TIMEOUT_MS?"],
        ),
        (
            {"KAFKA_GROUP_ID": "im"},
            ["CHATGUARD_KAFKA_GROUP_ID is no setting; did you mean CHATGUARD_KAFKA__GROUP_ID?"],
        ),
        (
            {"KAFKA": '{"group_id": "im"}'},
            ["CHATGUARD_KAFKA is no setting."],
        ),
        (
            {"KAFKA__HEARTBEAT_INTERVAL_MS": "20000"},
            [
                (
                    "CHATGUARD_KAFKA__HEARTBEAT_INTERVAL_MS (20000) must be at most a third of "
                    "CHATGUARD_KAFKA__SESSION_TIMEOUT_MS (45000): two heartbeats may get lost."
                )
            ],
        ),
        (
            {"KAFKA__TRANSACTION_TIMEOUT_MS": "10000"},
            [
                (
                    "CHATGUARD_KAFKA__REQUEST_TIMEOUT_MS (15000) must be less than "
                    "CHATGUARD_KAFKA__TRANSACTION_TIMEOUT_MS (10000): a request must not outlive its transaction."
                ),
                (
                    "CHATGUARD_KAFKA__COMMIT_TIMEOUT_MS (30000) must be less than "
                    "CHATGUARD_KAFKA__TRANSACTION_TIMEOUT_MS (10000): we must give up before the broker aborts."
                ),
            ],
        ),
        (
            {"KAFKA__SECURITY__PROTOCOL": "SASL_SSL", "KAFKA__SECURITY__USERNAME": "im"},
            [
                (
                    "CHATGUARD_KAFKA__SECURITY__PROTOCOL is SASL_SSL: set CHATGUARD_KAFKA__SECURITY__USERNAME "
                    "and CHATGUARD_KAFKA__SECURITY__PASSWORD."
                )
            ],
        ),
        (
            {"KAFKA__SECURITY__PASSWORD": "tiger"},
            [
                (
                    "CHATGUARD_KAFKA__SECURITY__PASSWORD is set, but not sent: "
                    "CHATGUARD_KAFKA__SECURITY__PROTOCOL is PLAINTEXT, not SASL_…."
                )
            ],
        ),
        (
            {"LANES__RESTART_MIN_SECONDS": "40"},
            ["CHATGUARD_LANES__RESTART_MIN_SECONDS (40.0) must not exceed CHATGUARD_LANES__RESTART_MAX_SECONDS (30)."],
        ),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_a_bad_setting_is_named_with_what_is_allowed(variables: dict[str, str], expected: list[str]) -> None:
    assert expected == list(problems(**variables))


def test_everything_wrong_is_told_at_once() -> None:
    found = problems(
        KAFKA__GROUP="im",
        KAFKA__SESSION_TIMEOUT_MS="soon",
        TOPICS__PREFIX="ü",
        HTTP__PORT="-1",
        LANES__RESTART_MIN_SECONDS="31",
    )
    assert len(found) == 5


@pytest.mark.parametrize(
    "url",
    [
        "http://tiger@host",
        "redis://",
        "redis://:tiger@",
        "redis://host:0",
        "redis://user:ti/ger@host",
        "redis://user:ti?ger@host",
        "redis://user:ti#ger@host",
        "tiger",
    ],
)
def test_a_wrong_redis_url_is_refused_without_being_shown(url: str) -> None:
    assert problems(REDIS__URL=url) == (
        (
            "CHATGUARD_REDIS__URL has a value that is not allowed; "
            "allowed: a URL that starts with redis://, rediss:// or unix://."
        ),
    )


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("redis://user:tiger@cache.example:6380/2", "redis://cache.example:6380/2"),
        ("rediss://:ti@ger@cache.example?password=tiger", "rediss://cache.example"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock"),
    ],
)
def test_the_location_of_redis_holds_no_credentials(url: str, location: str) -> None:
    assert location == read({"CHATGUARD_REDIS__URL": url}).settings.redis.location


def test_the_variables_that_kubernetes_adds_for_a_service_called_chatguard_are_left_alone() -> None:
    read(
        {
            "CHATGUARD_SERVICE_HOST": "10.0.0.7",
            "CHATGUARD_SERVICE_PORT": "9464",
            "CHATGUARD_SERVICE_PORT_METRICS": "9464",
            "CHATGUARD_PORT": "tcp://10.0.0.7:9464",
            "CHATGUARD_WORKER_PORT_9464_TCP": "tcp://10.0.0.7:9464",
            "CHATGUARD_WORKER_PORT_9464_TCP_PROTO": "tcp",
            "CHATGUARD_WORKER_PORT_9464_TCP_ADDR": "10.0.0.7",
        }
    )
    assert "did you mean CHATGUARD_HTTP__PORT?" in problems(HTTP_PORT="9464")[0]


def test_names_outside_our_prefix_are_none_of_our_business() -> None:
    read({"CHATGUARDIAN": "1", "KAFKA__GROUP_ID": "im", "PATH": "/bin"})


@given(variables=st.dictionaries(st.sampled_from(sorted(LEAVES)), st.text(st.characters(exclude_characters="\0"))))
def test_any_values_either_load_or_are_reported_in_sentences(variables: dict[str, str]) -> None:
    problems = refusals(variables)
    assert all(problem.startswith("CHATGUARD_") and problem.endswith((".", "?")) for problem in problems)
    if not problems:
        origins = read(variables).origins
        assert all(origins[LEAVES[name].path] == name for name, value in variables.items() if value)


@pytest.mark.parametrize("leaf", NUMBERS, ids=lambda leaf: leaf.key)
def test_a_number_is_taken_up_to_its_limits_and_no_further(leaf: Any) -> None:
    for bound, step in ((leaf.schema["minimum"], -0.001), (leaf.schema["maximum"], 0.001)):
        beyond = bound + (step if leaf.schema["type"] == "number" else round(step * 1000))
        named = f"{leaf.variable} is "
        assert not any(problem.startswith(named) for problem in refusals({leaf.variable: str(bound)}))
        assert any(problem.startswith(named) for problem in refusals({leaf.variable: str(beyond)}))


SECRET = "tiger-in-the-tank"
SECURED = {
    "CHATGUARD_KAFKA__SECURITY__PROTOCOL": "SASL_PLAINTEXT",
    "CHATGUARD_KAFKA__SECURITY__USERNAME": "im",
    "CHATGUARD_KAFKA__SECURITY__PASSWORD": SECRET,
    "CHATGUARD_REDIS__URL": f"redis://im:{SECRET}@cache.example",
}


def test_secrets_are_never_printed() -> None:
    loaded = read(SECURED)
    shown = [loaded.shown(leaf) for leaf in leaves()]
    assert SECRET not in f"{loaded!r} {loaded.settings} {shown} {loaded.settings.model_dump_json()}"
    broken = problems(**{name.removeprefix("CHATGUARD_"): value for name, value in SECURED.items()}, HTTP__PORT="x")
    assert SECRET not in " ".join(broken)


def test_a_client_gets_the_credentials_it_needs() -> None:
    assert read(SECURED).settings.kafka.client() == {
        "bootstrap_servers": "127.0.0.1:9092",
        "request_timeout_ms": 15_000,
        "security_protocol": "SASL_PLAINTEXT",
        "ssl_context": None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "im",
        "sasl_plain_password": SECRET,
    }
    assert "sasl_mechanism" not in Settings().kafka.client()


@pytest.mark.parametrize("client", [AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient])
def test_every_kind_of_client_takes_the_arguments(client: Any) -> None:
    assert read(SECURED).settings.kafka.client().keys() <= inspect.signature(client).parameters.keys()


def test_a_tls_client_checks_certificates_and_host_names() -> None:
    context = read({"CHATGUARD_KAFKA__SECURITY__PROTOCOL": "SSL"}).settings.kafka.client()["ssl_context"]
    assert context.check_hostname
    lax = {"CHATGUARD_KAFKA__SECURITY__PROTOCOL": "SSL", "CHATGUARD_KAFKA__SECURITY__CHECK_HOSTNAME": "0"}
    assert not read(lax).settings.kafka.client()["ssl_context"].check_hostname


def test_joining_a_group_may_take_as_long_as_a_rebalance() -> None:
    kafka = read({"CHATGUARD_KAFKA__REBALANCE_TIMEOUT_MS": "120000"}).settings.kafka
    assert kafka.rebalance_timeout_ms < kafka.join_timeout_ms


def test_every_setting_has_a_meaning_and_every_secret_is_known_as_one() -> None:
    assert all(leaf.field.description for leaf in LEAVES.values())
    assert {leaf.path for leaf in LEAVES.values() if leaf.secret} == {
        ("kafka", "security", "key_password"),
        ("kafka", "security", "password"),
        ("redis", "url"),
    }
    assert isinstance(Settings().redis.url, SecretStr)
