"""One child process, its data directory and its guardian, seen from the parent."""

import json
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from processor.embedded import guardian
from processor.errors import EmbeddedFailed

Say = Callable[[str], None]
"""Takes one line about what is being done, for a person to read."""

PORTS = range(20_000, 30_000)
"""Below the ranges from which systems take a client's ports: a client that keeps knocking at a dead service's port
could otherwise be given that very port and connect to itself, and the service could never have it back."""


PORT_TRIES = 5
CLOSE_WITHIN_S = 20.0


def silent(_: str) -> None:
    """The `Say` of those who do not want to know."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now; who binds it must be ready to lose a race for it."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Service:
    """A process that dies, and whose data directory goes, with this one, however this one ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pid = 0
        self._guardian = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", "-S", guardian.__file__, f"chatguard-{name.lower()}-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._one_at_a_time = threading.Lock()
        hello = self._hear()
        if "error" in hello:
            self.close()
            raise EmbeddedFailed(f"{name} has no place for its data ({hello['error']}): set TMPDIR to one.")
        self.directory = Path(hello["directory"])
        self.log = self.directory / f"{name.lower()}.log"

    def start(self, argv: list[str], answers: Callable[[], bool], *, within: float) -> None:
        """Start the process and wait until `answers()`; EmbeddedFailed when it ends or `within` seconds pass."""
        self._again = partial(self._run, argv, answers, within)
        self._again()

    def restart(self) -> None:
        """Start the same process again, on the data it left; a running one is stopped first."""
        self.stop()
        self._again()

    def runs(self) -> bool:
        return self._ask({"poll": True})["code"] is None

    def kill(self) -> None:
        """SIGKILL; back when the process is gone. The data directory stays."""
        self._ask({"end": int(signal.SIGKILL), "within": 0.0})

    def stop(self, *, within: float = 15.0) -> None:
        """SIGTERM, and SIGKILL after `within` seconds; back when the process is gone. The data directory stays."""
        self._ask({"end": int(signal.SIGTERM), "within": within})

    def close(self) -> None:
        """End the process and remove the data directory."""
        try:
            self._guardian.communicate(b'{"close": true}\n', timeout=CLOSE_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._guardian.kill()  # on Linux its child goes with it
            self._guardian.communicate()

    def _run(self, argv: list[str], answers: Callable[[], bool], within: float) -> None:
        reply = self._ask({"start": argv, "log": str(self.log)})
        if "error" in reply:
            raise EmbeddedFailed(f"{self.name} did not start: {reply['error']}")
        self.pid = reply["pid"]
        deadline = time.monotonic() + within
        while not answers():
            if not self.runs():
                raise EmbeddedFailed(f"{self.name} stopped while starting. Its last words:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise EmbeddedFailed(f"{self.name} gave no answer in {within:.0f} s. Its log:\n{self.last_words()}")
            time.sleep(0.02)

    def said(self, words: str) -> bool:
        """Whether the log has these words in it."""
        return self.log.exists() and words in self.log.read_text(errors="replace")

    def last_words(self, lines: int = 12) -> str:
        """The end of the log, without Java's stack frames."""
        if not self.log.exists():
            return "(no log)"
        said = self.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in said if not line.startswith("\tat ")][-lines:])

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._guardian.stdin
        with self._one_at_a_time:
            try:
                self._guardian.stdin.write(json.dumps(command).encode() + b"\n")
                self._guardian.stdin.flush()
            except (OSError, ValueError) as error:
                raise EmbeddedFailed(f"The process that looks after {self.name} is gone.") from error
            return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._guardian.stdout
        line = self._guardian.stdout.readline()
        if not line:
            raise EmbeddedFailed(f"The process that looks after {self.name} is gone.")
        reply: dict[str, Any] = json.loads(line)
        return reply


@contextmanager
def running(name: str, start: Callable[[Service], str]) -> Iterator[tuple[Service, str]]:
    """A service for as long as the context lasts, and what `start` returned for it: its address.

    `start` takes ports that were free a moment ago; if somebody else was faster it is called again, for a new service.
    """
    for tries_left in reversed(range(PORT_TRIES)):
        service = Service(name)
        try:
            try:
                address = start(service)
            except EmbeddedFailed:
                if tries_left and service.said("already in use"):
                    continue
                raise
            yield service, address
            return
        finally:
            service.close()


class Handle:
    """A running service, for those who use it or, in a test, break it.

    `kill`, `stop` and `restart` keep address and data directory, which goes when the context that started it ends.
    They raise EmbeddedFailed when the service is somebody else's: given by its address, not started here.
    """

    def __init__(self, service: Service | None) -> None:
        self._service = service

    @property
    def pid(self) -> int:
        """Id of the service's process; another one after `restart`."""
        return self._own().pid

    @property
    def log(self) -> Path:
        """File with what the service says."""
        return self._own().log

    def runs(self) -> bool:
        """Whether the process is there; that of somebody else is taken to be."""
        return self._service is None or self._service.runs()

    def kill(self) -> None:
        """SIGKILL; back when the process is gone."""
        self._own().kill()

    def stop(self) -> None:
        """SIGTERM, the clean way down; back when the process is gone."""
        self._own().stop()

    def restart(self) -> None:
        """Start again, after a clean stop if it still runs; back when it answers."""
        self._own().restart()

    def last_words(self) -> str:
        """The end of its log."""
        return self._own().last_words()

    def _own(self) -> Service:
        if self._service is None:
            raise EmbeddedFailed("This service was started elsewhere and can only be used, not stopped or restarted.")
        return self._service
