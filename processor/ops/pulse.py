"""How late the event loop is: judging holds it, and heartbeats and fetches wait meanwhile."""

import asyncio
from collections.abc import Callable


async def feel_pulse(report: Callable[[float], None], *, every: float = 0.1) -> None:
    """Until cancelled, sleep `every` seconds and report how many seconds late it ended."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every
        await asyncio.sleep(every)
        report(max(0.0, loop.time() - due))
