"""The demo, run as a newcomer runs it, in a pipe: it tells the truth and cleans up after itself."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.services, pytest.mark.timeout(150)]

MESSAGES = 8_000


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory for everything temporary, which must be empty in the end."""
    yield tmp_path
    assert [path.name for path in tmp_path.iterdir()] == []


def start(place: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "processor.cli", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(place), "CHATGUARD_KAFKA__BOOTSTRAP_SERVERS": "nobody.example:9092"},
    )


def line_with(words: str, demo: subprocess.Popen[str]) -> str:
    assert demo.stdout
    for line in demo.stdout:
        if words in line:
            return line
    raise AssertionError(f"the demo never said: {words}")


def test_the_demo_holds_what_it_claims(place: Path) -> None:
    demo = start(place, "--messages", str(MESSAGES))
    said, _ = demo.communicate()
    assert demo.returncode == 0, said
    account = re.search(r"([\d,]+) in = ([\d,]+) delivered \+ ([\d,]+) flagged \+ ([\d,]+) dead letters", said)
    assert account, said
    count, *parts = (int(number.replace(",", "")) for number in account.groups())
    assert count == MESSAGES == sum(parts)
    assert all(parts)
    assert "0 lost, 0 duplicated, 0 out of order, 0 altered" in said
    assert "SIGKILL for worker 1" in said
    assert re.search(r"First hit \d+\.\d\d s after PUBLISH: chat\.flagged/\d/\d+", said)
    assert re.search(r"▸.+◂", said), "spans are marked where there are no colours"
    assert "FR-" in said
    assert "\x1b[" not in said, "no colours in a pipe"


def test_interrupted_the_demo_leaves_nothing_behind(place: Path) -> None:
    demo = start(place)
    line_with("SIGKILL for worker 1", demo)
    family = psutil.Process(demo.pid).children(recursive=True)
    assert len(family) >= 6, "Kafka, Redis, two workers, and who looks after them"
    demo.send_signal(signal.SIGINT)
    said, _ = demo.communicate(timeout=40)
    assert demo.returncode == 130, said
    assert "Traceback" not in said, said
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_a_worker_that_dies_unasked_makes_the_demo_fail_and_name_its_log(tmp_path: Path) -> None:
    demo = start(tmp_path)
    os.kill(int(line_with("worker 2   process", demo).split()[3].rstrip(",")), signal.SIGKILL)
    said, _ = demo.communicate()
    assert demo.returncode == 1, said
    assert "Failed: worker 2 ended without being told to. The workers' logs are in" in said
    assert list(tmp_path.glob("chatguard-demo-*/worker-2.log"))
