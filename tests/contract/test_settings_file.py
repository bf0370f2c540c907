"""The settings file and the environment of a real process; TLS files on a real disk."""

from pathlib import Path

import pytest

from processor.errors import Misconfigured
from processor.ops.settings import load, read


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "chatguard.toml", '[kafka]\ngroup_id = "file"\nsession_timeout_ms = 30000\n')


def test_the_environment_wins_over_the_file(file: Path) -> None:
    loaded = read({"CHATGUARD_KAFKA__GROUP_ID": "environment"}, file)
    assert (loaded.settings.kafka.group_id, loaded.settings.kafka.session_timeout_ms) == ("environment", 30_000)
    assert loaded.origins[("kafka", "group_id")] == "CHATGUARD_KAFKA__GROUP_ID"
    assert loaded.origins[("kafka", "session_timeout_ms")] == str(file)


def test_the_file_may_be_named_in_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATGUARD_CONFIG", str(file))
    monkeypatch.delenv("CHATGUARD_KAFKA__GROUP_ID", raising=False)
    assert load().kafka.group_id == "file"


def test_everything_wrong_in_file_and_environment_is_told_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path / "bad.toml",
        'kafka.group = "im"\nhttp.port = [1]\ntopics = "chat."\nkafka.heartbeat_interval_ms = 20000\n'
        '[log]\nlevel = "loud"\n[log.format]\ncolour = true\n',
    )
    with pytest.raises(Misconfigured) as caught:
        read({"CHATGUARD_REDIS__POLL_SECONDS": "often"}, file)
    assert caught.value.problems == (
        f"kafka.group in {file} is no setting; did you mean kafka.group_id?",
        f"topics in {file} is no setting.",
        f"log.format.colour in {file} is no setting.",
        (
            "CHATGUARD_KAFKA__HEARTBEAT_INTERVAL_MS (20000) must be at most a third of "
            "CHATGUARD_KAFKA__SESSION_TIMEOUT_MS (45000): two heartbeats may get lost."
        ),
        "CHATGUARD_REDIS__POLL_SECONDS is 'often'; allowed: a number from 0.1 to 3600.",
        f"http.port in {file} is '[1]'; allowed: a whole number from 0 to 65535.",
        f"log.level in {file} is 'loud'; allowed: one of debug, info, warning, error.",
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("absent.toml", None, "cannot be read: No such file or directory"),
        ("broken.toml", b"[kafka", "is not TOML: "),
        ("latin.toml", "# für\n".encode("latin-1"), "is not TOML: "),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes | None, problem: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misconfigured) as caught:
        read({}, path)
    (sentence,) = caught.value.problems
    assert sentence.startswith(f"The settings file {path} {problem}")


@pytest.mark.parametrize("unusable", ["CAFILE", "CERTFILE"])
def test_an_unusable_certificate_is_told_in_a_sentence(tmp_path: Path, unusable: str) -> None:
    pem = written(tmp_path / "some.pem", "no certificate")
    kafka = read(
        {"CHATGUARD_KAFKA__SECURITY__PROTOCOL": "SSL", f"CHATGUARD_KAFKA__SECURITY__{unusable}": str(pem)}
    ).settings.kafka
    with pytest.raises(Misconfigured, match="CHATGUARD_KAFKA__SECURITY__: the TLS files cannot be used: "):
        kafka.client()
