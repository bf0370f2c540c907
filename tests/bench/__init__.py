"""The benchmark: `python -m tests.bench` (or `make bench`) measures and writes `docs/performance.md`.

No figure here is a test. Programs are put side by side in one run, since only ratios survive another machine.
"""
