"""Other processes, seen from outside."""

import time
from collections.abc import Callable

import psutil

GONE_WITHIN_S = 10.0


def comes_true(fact: Callable[[], bool], within: float = GONE_WITHIN_S) -> bool:
    deadline = time.monotonic() + within
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it may go between two looks
        return False
