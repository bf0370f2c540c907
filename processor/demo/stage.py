"""The stage: a Kafka and a Redis of our own, and worker processes, just as an operator would run them.

A worker runs under a guardian (`embedded/guardian.py`), so that it never outlives the demo, however that ends.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processor.demo.scrape import Scrape, scrape
from processor.embedded import Kafka, Progress, Redis, Say, run_services
from processor.embedded.service import Service
from processor.errors import ChatguardError, Unavailable
from processor.ops.group import PREFIX as SETTINGS_PREFIX

PARTITIONS = 4
SESSION_MS = 6_000
PREFIX = "chat."
GROUP = "chatguard-demo"

_STARTS_WITHIN_S = 60.0
_STOPS_WITHIN_S = 20.0


class Failed(ChatguardError):
    """The demo did not show what it promises; the message is one sentence that says what was missing."""


class Worker:
    """A worker process."""

    def __init__(self, number: int, service: Service, port: int) -> None:
        self.number = number
        self.port = port
        self._service = service

    @property
    def name(self) -> str:
        """As people call it."""
        return f"worker {self.number}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._service.pid

    @property
    def url(self) -> str:
        """Where it tells its metrics and its health."""
        return f"http://127.0.0.1:{self.port}"

    def metrics(self) -> Scrape:
        """What it counts. Raises: Unavailable."""
        return scrape(self.port)

    def lanes(self) -> list[int]:
        """The partitions whose lanes run here; none if it does not answer."""
        try:
            counted = self.metrics()
        except Unavailable:
            return []
        states = [s for s in counted.samples if s.name == "lane_state" and s.labels["state"] == "running" and s.value]
        return sorted(int(sample.labels["partition"]) for sample in states)

    def rulesets(self) -> list[str]:
        """The base ruleset in force here as version@digest; none if it does not answer."""
        try:
            counted = self.metrics()
        except Unavailable:
            return []
        bases = [
            s.labels for s in counted.samples if s.name == "ruleset_info" and s.labels["scope"] == "base" and s.value
        ]
        return [f"{base['version']}@{base['digest']}" for base in bases]

    def runs(self) -> bool:
        """Whether the process is there."""
        return self._service.runs()

    def kill(self) -> None:
        """SIGKILL."""
        self._service.kill()

    def stop(self) -> bool:
        """Ask it to end. Gives whether it did so in good order."""
        self._service.stop(within=_STOPS_WITHIN_S)
        return self._service.said('"worker stops"') and not self._service.said("Traceback")

    def close(self) -> None:
        """Forget it."""
        self._service.close()


@dataclass
class Stage:
    """What the demo plays on."""

    kafka: Kafka
    redis: Redis
    folder: Path  # for the workers' logs
    workers: list[Worker] = field(default_factory=list)  # the living ones
    _exits: ExitStack = field(default_factory=ExitStack)

    @property
    def client(self) -> Mapping[str, Any]:
        """The arguments of an aiokafka client."""
        return {"bootstrap_servers": self.kafka.bootstrap_servers}

    @property
    def settings(self) -> dict[str, str]:
        """What tells a command of chatguard where everything is, and a worker how to behave here."""
        return {
            "CHATGUARD_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "CHATGUARD_KAFKA__GROUP_ID": GROUP,
            "CHATGUARD_TOPICS__PREFIX": PREFIX,
            "CHATGUARD_REDIS__URL": self.redis.url,
        }

    def start_worker(self, number: int) -> Worker:
        """Start one more worker; back when it serves its metrics. Raises: EmbeddedFailed, with its last words."""
        service = Service(f"Worker-{number}")
        self._exits.callback(service.close)
        service.log = self.folder / f"worker-{number}.log"
        settings = {
            **self.settings,
            "CHATGUARD_KAFKA__SESSION_TIMEOUT_MS": str(SESSION_MS),
            "CHATGUARD_KAFKA__HEARTBEAT_INTERVAL_MS": "500",
            "CHATGUARD_HTTP__PORT": "0",
            "CHATGUARD_RULESETS__DIRECTORY": str(service.directory / "rulesets"),
        }
        argv = [*_environment(settings), sys.executable, "-m", "processor.cli", "worker"]
        service.start(argv, lambda: bool(_port(service.log)), within=_STARTS_WITHIN_S)
        worker = Worker(number, service, _port(service.log))
        self.workers.append(worker)
        return worker

    def dead(self) -> list[str]:
        """The names of workers that ended by themselves."""
        return [worker.name for worker in self.workers if not worker.runs()]

    def stop_workers(self) -> list[str]:
        """Stop all workers. Gives the names of those that did not end in good order."""
        workers, self.workers = self.workers, []
        return [worker.name for worker in workers if not worker.stop()]


@contextmanager
def stage(*, say: Say, progress: Progress) -> Iterator[Stage]:
    """Kafka and Redis, for as long as the context lasts; whatever workers are left at its end are killed.

    Raises: EmbeddedFailed, if they do not start; Failed, for what fails in the body, with the place of the logs.
    """
    with run_services(say=say, progress=progress) as services, ExitStack() as exits:
        folder = Path(tempfile.mkdtemp(prefix="chatguard-demo-"))
        try:
            yield Stage(kafka=services.kafka, redis=services.redis, folder=folder, _exits=exits)
        except ChatguardError as error:
            raise Failed(f"{error} The workers' logs are in {folder}") from error
        except Exception:
            raise  # a fault of the demo itself: the logs stay as well
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _environment(settings: Mapping[str, str]) -> list[str]:
    """The beginning of a command line that gives a process these settings, and none of the user's own."""
    unset = [word for name in sorted(os.environ) if name.startswith(SETTINGS_PREFIX) for word in ("-u", name)]
    return ["env", *unset, *(f"{name}={value}" for name, value in settings.items())]


def _port(log: Path) -> int:
    """Where the worker says it serves its metrics; 0 while it has not said so."""
    for line in log.read_text().splitlines() if log.exists() else ():
        if line.startswith("{") and '"http_port"' in line:
            return int(json.loads(line)["http_port"])
    return 0
