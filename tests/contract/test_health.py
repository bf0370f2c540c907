"""The health pages on a real port, the pulse of a real event loop, and the logs of a real process."""

import asyncio
import io
import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from processor.errors import Misconfigured
from processor.ops.health import Health, serve
from processor.ops.logging import configure
from processor.ops.metrics import Metrics
from processor.ops.pulse import feel_pulse

WELL = Health(live=True, ready=True, checks={"redis": "ok"})


class Site:
    """A server whose health a test may change, and a client of it."""

    def __init__(self, url: str, client: ClientSession) -> None:
        self.url, self.client, self.health = url, client, WELL

    async def get(self, page: str) -> tuple[int, str]:
        async with self.client.get(self.url + page) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with ClientSession() as client:
        site = Site("", client)
        async with serve("127.0.0.1", 0, Metrics(), lambda: site.health) as port:
            site.url = f"http://127.0.0.1:{port}"
            yield site


async def test_a_well_process_says_so_with_its_reasons(site: Site) -> None:
    for page in ("/livez", "/readyz"):
        status, body = await site.get(page)
        assert status == 200
        assert json.loads(body) == {"live": True, "ready": True, "checks": {"redis": "ok"}}


@pytest.mark.parametrize(
    ("health", "livez", "readyz"),
    [
        (Health(live=True, ready=False), 200, 503),
        (Health(live=False, ready=False), 503, 503),
        (Health(live=False, ready=True), 503, 503),
    ],
)
async def test_an_unwell_process_answers_503(site: Site, health: Health, livez: int, readyz: int) -> None:
    site.health = health
    assert [livez, readyz] == [(await site.get(page))[0] for page in ("/livez", "/readyz")]


async def test_prometheus_can_read_the_metrics(site: Site) -> None:
    status, body = await site.get("/metrics")
    names = {family.name for family in text_string_to_metric_families(body)}
    assert status == 200
    assert {"chatguard_messages", "chatguard_lag_records", "process_cpu_seconds"} <= names


async def test_prometheus_may_ask_for_openmetrics(site: Site) -> None:
    async with site.client.get(f"{site.url}/metrics", headers={"Accept": "application/openmetrics-text"}) as answer:
        assert (await answer.text()).endswith("# EOF\n")


async def test_there_is_nothing_else(site: Site) -> None:
    assert (await site.get("/"))[0] == 404


async def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            Misconfigured, match=f"another process listens on 127.0.0.1:{port}; set CHATGUARD_HTTP__PORT"
        ):
            async with serve("127.0.0.1", port, Metrics(), lambda: WELL):
                pass


async def test_an_address_that_is_not_ours_is_told_in_a_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"cannot listen on 192\.0\.2\.1:9464 \(CHATGUARD_HTTP__HOST"):
        async with serve("192.0.2.1", 9464, Metrics(), lambda: WELL):
            pass


async def test_the_port_is_free_again_afterwards() -> None:
    async with serve("127.0.0.1", 0, Metrics(), lambda: WELL) as port:
        pass
    async with serve("127.0.0.1", port, Metrics(), lambda: WELL) as again:
        assert port == again


async def test_whoever_holds_the_event_loop_shows_in_the_pulse() -> None:
    beats: asyncio.Queue[float] = asyncio.Queue()
    task = asyncio.create_task(feel_pulse(beats.put_nowait, every=0.01))
    await beats.get()
    time.sleep(0.2)  # noqa: ASYNC251  what a long batch does
    assert await beats.get() > 0.1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What is logged; what was set before comes back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("processor")
    before = root.handlers, root.level, ours.level, logging.raiseExceptions
    stream = io.StringIO()
    configure("info", "json", stream=stream)
    yield stream
    root.handlers, root.level, ours.level, logging.raiseExceptions = before
    structlog.reset_defaults()


def test_our_lines_and_those_of_libraries_leave_in_one_form(logs: io.StringIO) -> None:
    logging.getLogger("processor.stream").info("begun", extra={"partition": 3})
    logging.getLogger("processor.stream").debug("too mild")
    logging.getLogger("aiokafka").info("too mild for a library")
    logging.getLogger("aiokafka").warning("Heartbeat failed for group %s", "chatguard")
    structlog.get_logger("processor.app").error("stopped", sender_id="u1")
    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert [(line["level"], line["logger"], line["event"]) for line in lines] == [
        ("info", "processor.stream", "begun"),
        ("warning", "aiokafka", "Heartbeat failed for group chatguard"),
        ("error", "processor.app", "stopped"),
    ]
    assert lines[2]["sender_id"] == "withheld"


PROCESS = """
import asyncio, logging, sys
from processor.ops.logging import configure
configure("info", "json")
logging.getLogger("processor").warning("%d", "他说的话")
async def fail(): raise ValueError("他说的话")
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
asyncio.run(main())
"""


def test_not_even_a_broken_log_line_or_a_forgotten_task_lets_words_out() -> None:
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    assert "Task exception was never retrieved" in done.stderr
    assert "他说的话" not in done.stderr
