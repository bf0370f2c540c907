"""Kafka's jars: fetched once from a Maven repository, pinned by hash, kept in the user's cache.

`jars.lock`, which `pin.py` writes, lists each jar of the broker's class path: `group:artifact:version size sha256`.
A jar comes from the user's local Maven repository if it is there and matches, else jgo downloads it, from the
repositories that the user's jgo settings and Maven mirrors name. Each is checked before it is moved into place, so an
interrupted download goes on where it stopped; a stamp with sizes and times then saves later starts the hashing.
"""

import fcntl
import hashlib
import json
import os
import shutil
import ssl
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processor.embedded.service import Say
from processor.errors import EmbeddedFailed

LOCK_FILE = Path(__file__).with_name("jars.lock")
TRIES = 3
DOWNLOADS_AT_ONCE = 4
HTTP_TIMEOUT_S = 15

Progress = Callable[[int, int], None]
"""Takes the bytes fetched so far and the bytes to fetch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def maven_path(self) -> Path:
        return Path(*self.group.split("."), self.artifact, self.version, self.name)


def read_lock(text: str) -> tuple[Jar, ...]:
    return tuple(
        Jar(group=group, artifact=artifact, version=version, size=int(size), sha256=sha256)
        for coordinates, size, sha256 in (line.split() for line in text.splitlines() if not line.startswith("#"))
        for group, artifact, version in [coordinates.split(":")]
    )


def cache_dir() -> Path:
    """Where chatguard keeps what it can fetch again: `$XDG_CACHE_HOME/chatguard`, by default under `~/.cache`."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if Path(root).is_absolute() else Path.home() / ".cache") / "chatguard"


def class_path(cache: Path, *, say: Say, progress: Progress, lock_file: Path = LOCK_FILE) -> tuple[Path, ...]:
    """The jars of the Kafka broker, in `cache`; fetches what is missing.

    Raises EmbeddedFailed when a jar cannot be had or is not the pinned one.
    """
    lock = lock_file.read_text()
    jars = read_lock(lock)
    paths = tuple(cache / jar.name for jar in jars)
    stamp = cache / "stamp.json"
    if _stamped(stamp, lock, paths):
        return paths
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _only_one(cache / ".lock", say):
            if not _stamped(stamp, lock, paths):
                _complete(cache, jars, say, progress)
                write_whole(stamp, json.dumps(_stamp(lock, paths)).encode())
    except OSError as error:
        raise EmbeddedFailed(
            f"The cache directory {cache} cannot be used: {error.strerror or error}. "
            "Set XDG_CACHE_HOME to a directory that you can write to, with 100 MB to spare."
        ) from error
    return paths


def _stamp(lock: str, paths: tuple[Path, ...]) -> dict[str, object]:
    files = {path.name: [(stat := path.stat()).st_size, int(stat.st_mtime)] for path in paths}
    return {"lock": hashlib.sha256(lock.encode()).hexdigest(), "files": files}


def _stamped(stamp: Path, lock: str, paths: tuple[Path, ...]) -> bool:
    try:
        return bool(json.loads(stamp.read_text()) == _stamp(lock, paths))
    except (OSError, ValueError):
        return False


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that others see whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as part:
        part.write(content)
    Path(part.name).replace(path)


@contextmanager
def _only_one(path: Path, say: Say) -> Iterator[None]:
    """Hold the lock file: of two processes that want the same jars, one fetches and the other waits."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is fetching Kafka; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _complete(cache: Path, jars: tuple[Jar, ...], say: Say, progress: Progress) -> None:
    missing = [jar for jar in jars if not _is_there(cache / jar.name, jar)]
    if not missing:
        return
    for left_behind in cache.glob("fetch-*"):  # by one that was killed; we hold the lock
        shutil.rmtree(left_behind)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as staging:
        fetch = _Fetch(Path(staging), missing, progress)
        to_fetch = [jar for jar in missing if not fetch.from_local(jar, cache)]
        if to_fetch:
            megabytes = sum(jar.size for jar in to_fetch) / 1e6
            say(f"Fetching Kafka, once: {len(to_fetch)} files, {megabytes:.0f} MB …")
            with _system_certificates(), ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
                for _ in pool.map(lambda jar: fetch.download(jar, cache), to_fetch):
                    pass


@contextmanager
def _system_certificates() -> Iterator[None]:
    """Trust what the system trusts: a company's own certificate authority is known there, but not to requests."""
    trusted = ssl.get_default_verify_paths()
    place = trusted.cafile or (trusted.capath if trusted.capath and any(Path(trusted.capath).glob("*.0")) else None)
    if place is None or {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & os.environ.keys():
        yield
        return
    os.environ["REQUESTS_CA_BUNDLE"] = place
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]


def _is_there(path: Path, jar: Jar) -> bool:
    """Whether the jar is in the cache; EmbeddedFailed if another file stands in its place."""
    if not path.exists():
        return False
    if _sha256(path) != jar.sha256:
        raise EmbeddedFailed(
            f"{path} is not the file it should be (its SHA-256 differs from the one in jars.lock): damaged or changed. "
            f"Delete it and start again, and it will be fetched anew."
        )
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Fetch:
    """One round of fetching; counts bytes over all threads."""

    def __init__(self, staging: Path, jars: list[Jar], progress: Progress) -> None:
        try:
            from jgo.config import GlobalSettings
            from jgo.maven import MavenContext, PythonResolver
        except ImportError as error:
            raise EmbeddedFailed("The embedded Kafka needs the extra: pip install 'chatguard[embedded]'") from error
        settings = GlobalSettings.load()
        self.local = settings.repo_cache
        self.context = MavenContext(
            resolver=PythonResolver(progress_callback=self._file_progress),
            repo_cache=staging,
            local_repos=[],
            timeout=HTTP_TIMEOUT_S,
        )
        self.context.remote_repos.update(maven_mirror() | settings.repositories)
        self._progress = progress
        self._total = sum(jar.size for jar in jars)
        self._done = 0
        self._lock = threading.Lock()

    def from_local(self, jar: Jar, cache: Path) -> bool:
        """Take the jar from the user's own Maven repository, if that holds the right one."""
        local = self.local / jar.maven_path
        if not local.is_file() or local.stat().st_size != jar.size or _sha256(local) != jar.sha256:
            return False
        part = self.context.repo_cache / jar.name
        shutil.copyfile(local, part)
        part.replace(cache / jar.name)
        self._count(jar.size)
        return True

    def download(self, jar: Jar, cache: Path) -> None:
        artifact = self.context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        for tries_left in reversed(range(TRIES)):
            try:
                path = Path(artifact.resolve())
                break
            except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; "not found" is a RuntimeError
                (self.context.repo_cache / jar.maven_path).unlink(missing_ok=True)
                if not tries_left:
                    raise EmbeddedFailed(
                        f"{jar.name}, a part of Kafka, could not be fetched: {_cause(error)}. Check the network or the "
                        "proxy (HTTPS_PROXY); behind a company mirror name it in ~/.m2/settings.xml or in jgo's "
                        "settings; or use a Kafka that runs already: CHATGUARD_KAFKA__BOOTSTRAP_SERVERS=host:port."
                    ) from error
                time.sleep(1)
        if _sha256(path) != jar.sha256:
            raise EmbeddedFailed(
                f"{jar.name}, as fetched, is not the file pinned in jars.lock (its SHA-256 differs): nothing was kept. "
                "Try again; if it stays so, ask who runs the Maven mirror or proxy that you fetch through."
            )
        path.replace(cache / jar.name)

    def _count(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._progress(min(self._done, self._total), self._total)

    @contextmanager
    def _file_progress(self, _name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield self._count


def _cause(error: BaseException) -> str:
    """The innermost reason of an error, on one line."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return " ".join(str(error).split()) or type(error).__name__


def maven_mirror() -> dict[str, str]:
    """What `~/.m2/settings.xml` puts in the place of the central repository; jgo itself does not read that file."""
    try:
        root = ET.parse(Path.home() / ".m2" / "settings.xml").getroot()  # noqa: S314 - the user's own settings
    except (OSError, ET.ParseError):
        return {}
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        of = {name.strip() for name in (mirror.findtext("{*}mirrorOf") or "").split(",")}
        url = (mirror.findtext("{*}url") or "").strip().rstrip("/")
        if url and of & {"*", "central", "external:*"} and "!central" not in of:
            return {"central": url}
    return {}
