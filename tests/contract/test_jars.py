"""Kafka's jars: fetched once, whatever fetches them is checked, and what goes wrong is said with what to do."""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from processor.embedded import run_kafka
from processor.embedded.jars import class_path, maven_mirror, read_lock
from processor.errors import EmbeddedFailed

pytestmark = pytest.mark.services

CONTENT = {f"part{n}": f"content of part {n}".encode() * 50_000 for n in range(6)}


class Repository(ThreadingHTTPServer):
    """A Maven repository on the loopback address; remembers what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.files = {f"/maven/org/example/{name}/1.0/{name}-1.0.jar": data for name, data in CONTENT.items()}
        self.asked: list[str] = []
        self.delay_s = 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/maven"

    def asked_for_jars(self) -> list[str]:
        return sorted(path.rsplit("/", 1)[1] for path in self.asked if path.endswith(".jar"))


class _Request(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        time.sleep(self.server.delay_s)
        body = self.server.files.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who never used Maven, jgo or chatguard."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "M2_REPO", "JGO_CACHE_DIR", "JGO_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return home


@pytest.fixture
def repository(home: Path) -> Iterator[Repository]:
    """A repository that the user's jgo settings put in the place of the central one."""
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        (home / ".config").mkdir()
        (home / ".config" / "jgo.conf").write_text(f"[repositories]\ncentral = {server.url}\n")
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "jars.lock"
    path.write_text(
        "# what Kafka is made of\n"
        + "".join(
            f"org.example:{name}:1.0 {len(data)} {hashlib.sha256(data).hexdigest()}\n" for name, data in CONTENT.items()
        )
    )
    return path


def get(cache: Path, lock: Path) -> tuple[Path, ...]:
    return class_path(cache, say=lambda _: None, progress=lambda _done, _total: None, lock_file=lock)


def test_every_jar_is_fetched_once_and_then_used_from_the_cache(
    tmp_path: Path, lock: Path, repository: Repository
) -> None:
    cache = tmp_path / "cache"
    progress: list[tuple[int, int]] = []
    said: list[str] = []
    paths = class_path(
        cache, say=said.append, progress=lambda done, total: progress.append((done, total)), lock_file=lock
    )
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    total = sum(map(len, CONTENT.values()))
    assert progress[-1] == (total, total)
    assert progress == sorted(progress)
    assert said == ["Fetching Kafka, once: 6 files, 5 MB …"]
    assert get(cache, lock) == paths
    assert len(repository.asked_for_jars()) == len(CONTENT)
    assert sorted(cache.iterdir()) == sorted([*paths, cache / ".lock", cache / "stamp.json"])


def test_a_jar_that_was_changed_in_the_cache_is_refused_by_name(
    tmp_path: Path, lock: Path, repository: Repository
) -> None:
    changed = get(tmp_path / "cache", lock)[2]
    changed.write_bytes(b"something else")
    with pytest.raises(EmbeddedFailed, match=r"part2-1\.0\.jar is not the file it should be.*[Dd]elete it"):
        get(tmp_path / "cache", lock)
    changed.unlink()
    assert get(tmp_path / "cache", lock)[2].read_bytes() == CONTENT["part2"]
    assert repository.asked_for_jars().count("part2-1.0.jar") == 2


def test_a_repository_that_serves_another_file_is_refused_and_nothing_of_it_is_kept(
    tmp_path: Path, lock: Path, repository: Repository
) -> None:
    repository.files["/maven/org/example/part4/1.0/part4-1.0.jar"] = b"not what was pinned"
    with pytest.raises(EmbeddedFailed, match=r"part4-1\.0\.jar, as fetched, is not the file pinned in jars\.lock"):
        get(tmp_path / "cache", lock)
    assert not (tmp_path / "cache" / "part4-1.0.jar").exists()
    assert not list((tmp_path / "cache").glob("fetch-*"))


def test_an_interrupted_fetch_goes_on_with_what_is_missing(tmp_path: Path, lock: Path, repository: Repository) -> None:
    missing = repository.files.pop("/maven/org/example/part5/1.0/part5-1.0.jar")
    with pytest.raises(EmbeddedFailed, match=r"part5-1\.0\.jar, a part of Kafka, could not be fetched"):
        get(tmp_path / "cache", lock)
    (tmp_path / "cache" / "fetch-killed").mkdir()
    repository.asked.clear()
    repository.files["/maven/org/example/part5/1.0/part5-1.0.jar"] = missing
    get(tmp_path / "cache", lock)
    assert repository.asked_for_jars() == ["part5-1.0.jar"]
    assert not list((tmp_path / "cache").glob("fetch-*"))


def test_processes_that_fetch_at_once_share_one_fetch(tmp_path: Path, lock: Path, repository: Repository) -> None:
    repository.delay_s = 0.2
    code = """
import sys
from pathlib import Path
from processor.embedded.jars import class_path
class_path(Path(sys.argv[1]), say=print, progress=lambda *_: None, lock_file=Path(sys.argv[2]))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), str(lock)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert repository.asked_for_jars() == sorted(f"{name}-1.0.jar" for name in CONTENT)
    assert sum("Fetching Kafka" in text for text in said) == 1


def test_jars_in_the_local_maven_repository_are_used_if_they_are_the_right_ones(
    tmp_path: Path, home: Path, lock: Path, repository: Repository
) -> None:
    for jar in read_lock(lock.read_text()):
        local = home / ".m2" / "repository" / jar.maven_path
        local.parent.mkdir(parents=True)
        local.write_bytes(b"damaged" if jar.artifact == "part0" else CONTENT[jar.artifact])
    get(tmp_path / "cache", lock)
    assert repository.asked_for_jars() == ["part0-1.0.jar"]


def test_a_mirror_of_the_central_repository_in_mavens_settings_is_followed(
    tmp_path: Path, home: Path, lock: Path, repository: Repository
) -> None:
    (home / ".config" / "jgo.conf").unlink()
    (home / ".m2").mkdir()
    (home / ".m2" / "settings.xml").write_text(
        '<settings xmlns="urn:any"><mirrors><mirror><id>near</id>'
        f"<mirrorOf>*</mirrorOf><url>{repository.url}/</url></mirror></mirrors></settings>"
    )
    get(tmp_path / "cache", lock)
    assert len(repository.asked_for_jars()) == len(CONTENT)


@pytest.mark.parametrize(
    ("mirror_of", "url"),
    [
        ("central", "https://m.example"),
        ("*", "https://m.example"),
        ("external:*", "https://m.example"),
        ("a, central", "https://m.example"),
        ("*,!central", None),
        ("a", None),
    ],
)
def test_a_mirror_counts_if_it_stands_for_the_central_repository(home: Path, mirror_of: str, url: str | None) -> None:
    (home / ".m2").mkdir()
    mirror = f"<mirror><mirrorOf>{mirror_of}</mirrorOf><url>https://m.example/</url></mirror>"
    (home / ".m2" / "settings.xml").write_text(f"<settings><mirrors>{mirror}</mirrors></settings>")
    assert maven_mirror().get("central") == url


def test_without_a_network_one_sentence_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    with (
        pytest.raises(EmbeddedFailed, match=r"could not be fetched: .*Check the network.*BOOTSTRAP_SERVERS") as failed,
        run_kafka(),
    ):
        pass
    assert "\n" not in str(failed.value)


def test_a_cache_that_cannot_be_written_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    with pytest.raises(EmbeddedFailed, match=r"home/file/chatguard.*Set XDG_CACHE_HOME"), run_kafka():
        pass


def test_a_stamp_that_is_no_json_only_costs_a_check(tmp_path: Path, lock: Path, repository: Repository) -> None:
    get(tmp_path / "cache", lock)
    (tmp_path / "cache" / "stamp.json").write_text("{half a")
    assert get(tmp_path / "cache", lock)
    assert len(repository.asked_for_jars()) == len(CONTENT)
    assert "part0-1.0.jar" in (tmp_path / "cache" / "stamp.json").read_text()
