"""When a worker is live and ready."""

from typing import Any

import pytest

from processor.ops.health import assess

FACTS: dict[str, Any] = {
    "fatal": None,
    "joined": True,
    "lanes": {0: "running", 1: "running"},
    "rulesets": ["base 42@9f86d081884c"],
}


def test_a_worker_whose_lanes_run_is_ready() -> None:
    health = assess(**FACTS)
    assert (health.live, health.ready) == (True, True)
    assert health.checks["lanes"] == "2 running"


def test_redis_away_shows_but_takes_nobody_out_of_service() -> None:
    health = assess(**FACTS, redis="connection refused", refused=["base"])
    assert (health.live, health.ready) == (True, True)
    assert health.checks["redis"].startswith("away (connection refused)")
    assert health.checks["refused"].startswith("base: ")


@pytest.mark.parametrize(
    "change",
    [{"joined": False}, {"lanes": {0: "running", 1: "restarting"}}, {"rulesets": []}],
    ids=["not joined", "a lane restarts", "no ruleset"],
)
def test_a_worker_that_does_not_do_all_its_work_is_live_but_not_ready(change: dict[str, Any]) -> None:
    health = assess(**FACTS | change)
    assert (health.live, health.ready) == (True, False)


def test_a_worker_without_partitions_is_ready_once_it_has_joined() -> None:
    assert assess(**FACTS | {"lanes": {}}).ready


def test_what_cannot_mend_itself_makes_a_worker_neither_live_nor_ready() -> None:
    health = assess(**FACTS | {"fatal": "a lane task ended"})
    assert (health.live, health.ready) == (False, False)
    assert health.checks["process"] == "a lane task ended"
