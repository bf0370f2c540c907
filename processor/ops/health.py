"""Whether the process is well, and the three pages that say so: `/livez`, `/readyz` and `/metrics`.

Not live: restarting the process may help. Not ready: it does not do its work yet, or does not do it all. Redis away
makes neither: judging goes on by the last good rulesets, and only the detail tells.
"""

import errno
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from processor.errors import Misconfigured
from processor.ops.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the process is: two answers, and the reasons by what was looked at."""

    live: bool
    ready: bool
    checks: Mapping[str, str] = field(default_factory=dict)


def assess(
    *,
    fatal: str | None,
    joined: bool,
    lanes: Mapping[int, str],
    rulesets: Sequence[str],
    refused: Sequence[str] = (),
    redis: str | None = None,
) -> Health:
    """Health from the facts.

    `fatal`: what cannot mend itself, if anything. `joined`: the group has given us our partitions, be it none.
    `lanes`: state by partition. `rulesets`: names of those in force. `refused`: scopes whose newest ruleset was
    refused. `redis`: why it cannot be read, if it cannot.
    """
    waiting = [f"partition {partition} is {state}" for partition, state in sorted(lanes.items()) if state != "running"]
    checks = {
        "process": fatal or "ok",
        "group": "joined" if joined else "not joined yet",
        "lanes": "; ".join(waiting) or f"{len(lanes)} running",
        "rulesets": ", ".join(rulesets) or "none in force",
        "redis": f"away ({redis}): judging by the last good rulesets" if redis else "ok",
    }
    if refused:
        checks["refused"] = f"{', '.join(refused)}: the newest ruleset cannot be used; the last good one stays"
    return Health(live=not fatal, ready=not fatal and joined and not waiting and bool(rulesets), checks=checks)


@asynccontextmanager
async def serve(host: str, port: int, metrics: Metrics, health: Callable[[], Health]) -> AsyncIterator[int]:
    """Answer while the context is open; gives the port, which is a free one for port 0.

    Raises `Misconfigured` if it cannot listen there.
    """

    async def livez(_: web.Request) -> web.Response:
        now = health()
        return _answer(now, good=now.live)

    async def readyz(_: web.Request) -> web.Response:
        now = health()
        return _answer(now, good=now.live and now.ready)

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", make_aiohttp_handler(metrics.registry))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"another process listens on {host}:{port}; set CHATGUARD_HTTP__PORT to a free port."
        else:
            problem = f"cannot listen on {host}:{port} (CHATGUARD_HTTP__HOST, CHATGUARD_HTTP__PORT): {error.strerror}."
        raise Misconfigured([f"Metrics and health: {problem}"]) from error


def _answer(health: Health, *, good: bool) -> web.Response:
    body = {"live": health.live, "ready": health.ready, "checks": dict(health.checks)}
    return web.json_response(body, status=200 if good else 503)
