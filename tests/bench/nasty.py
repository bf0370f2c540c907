"""How long the judge takes over nasty texts: `python -m tests.bench.nasty [KB] [BUDGET]`, milliseconds per kB.

The aim is at most 1 ms per kB for texts of 64 kB, and about the same per kB for longer ones: time in proportion to
length. Exits with 1 if a text goes over the budget.
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


def main(size: int, budget: float) -> int:
    words = terms()
    over = 0
    print(f"{'':24} {'own':>8} {'':>9} {'built-in':>8} {'':>9}   ms per kB at {size // 2} and {size} kB")
    rule_sets = (own_rules(), builtin_rules())
    for name in NASTY:
        texts = [nasty_text(name, words, kb * KB) for kb in (size // 2, size)]
        costs = [cost(text, rules) for rules in rule_sets for text in texts]
        slow = max(costs[1], costs[3]) > budget
        over += slow
        print(f"{name:24} {costs[0]:8.3f} {costs[1]:9.3f} {costs[2]:8.3f} {costs[3]:9.3f}   {'SLOW' if slow else ''}")
    return 1 if over else 0


def cost(text: str, rules: Rules, times: int = 3) -> float:
    """Milliseconds per kB, the best of some runs."""
    return min(_seconds([text], rules) for _ in range(times)) * 1000 / (len(text.encode()) / KB)


def _seconds(texts: Sequence[str], rules: Rules) -> float:
    began = perf_counter()
    list(hits_of(texts, rules))
    return perf_counter() - began


if __name__ == "__main__":
    kilobytes = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    sys.exit(main(kilobytes, float(sys.argv[2]) if len(sys.argv) > 2 else BUDGET_MS))
