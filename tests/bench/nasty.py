"""How long the judge takes over nasty texts: `python -m tests.bench.nasty [KB] [BUDGET]`, milliseconds per kB.

The aim is at most 1 ms per kB for texts of 64 kB, and no more per kB than for an eighth of it: time in proportion to
length. A text that is far too slow at an eighth of the length is not tried in full. Exits with 1 if one goes over.
"""

import sys
from collections.abc import Sequence
from time import perf_counter

from processor.redteam.nasty import NASTY, nasty_text
from processor.redteam.score import hits_of
from processor.ruleset import Rules
from tests.redteam.lines import builtin_rules, own_rules, terms

KB = 1024
BUDGET_MS = 1.0
PART = 8
HOPELESS = 10  # budgets
RUNS = 3


def main(size: int, budget: float) -> int:
    words = terms()
    lexicons = {"terms.txt": own_rules(), "built-in": builtin_rules()}
    list(hits_of(["贷款 meth 时代孕育"], lexicons["built-in"]))  # what is loaded at first use is loaded now
    columns = [f"{name}, {kb:g} kB" for name in lexicons for kb in (size / PART, size)]
    print(f"{'ms per kB':20}" + "".join(f"{column:>18}" for column in columns))
    over = 0
    for name in NASTY:
        costs = [cost for rules in lexicons.values() for cost in _costs(name, words, size, budget, rules)]
        slow = any(cost is None or cost > budget for cost in costs)
        over += slow
        shown = "".join(f"{'-' if cost is None else format(cost, '.3f'):>18}" for cost in costs)
        print(f"{name:20}{shown}{'   SLOW' if slow else ''}", flush=True)
    print(f"{over} of {len(NASTY)} over {budget:g} ms per kB")
    return 1 if over else 0


def _costs(name: str, words: Sequence[str], size: int, budget: float, rules: Rules) -> list[float | None]:
    """For an eighth of the length and for all of it; None if that was not tried."""
    part = cost(nasty_text(name, words, size * KB // PART), rules)
    return [part, cost(nasty_text(name, words, size * KB), rules) if part < HOPELESS * budget else None]


def cost(text: str, rules: Rules) -> float:
    """Milliseconds per kB, the best of some runs."""
    return min(_seconds(text, rules) for _ in range(RUNS)) * 1000 / (len(text.encode()) / KB)


def _seconds(text: str, rules: Rules) -> float:
    began = perf_counter()
    list(hits_of([text], rules))
    return perf_counter() - began


if __name__ == "__main__":
    kilobytes = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    sys.exit(main(kilobytes, float(sys.argv[2]) if len(sys.argv) > 2 else BUDGET_MS))
