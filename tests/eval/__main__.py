"""`python -m tests.eval`: what the rules find of the corpus' frauds, and what they say of harmless talk.

Only what is for building is read, unless `--sealed` asks for what nobody has looked at; that is measured once.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.eval import page, report
from tests.eval.corpus import CORPUS, SEALED, Talk, read
from tests.eval.measure import Seen, alone, follow, rules_of, swindlers_lines

LISTS = {"missed": report.missed, "late": report.late, "false": report.false}


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    folders = [SEALED] if options.sealed else options.corpus or [CORPUS]
    talks = [talk for talk in read(folders) if _wanted(talk, options)]
    rules = rules_of(options.ruleset)
    seen = follow(talks, rules)
    if options.list:
        _print(LISTS[options.list](seen))
        return
    lines = swindlers_lines(talks)
    lines_alone = report.lines_alone(lines, alone(lines, rules))
    _print(_tables(seen, lines_alone, sealed=options.sealed))
    if options.docs:
        page.write(seen, lines_alone)


def _tables(seen: Sequence[Seen], lines_alone: str, *, sealed: bool) -> Iterator[str]:
    yield f"The {'sealed' if sealed else 'building'} part: {len(seen)} conversations.\n"
    yield f"Found (reminded or flagged), by type\n\n{report.recall(seen)}\n"
    yield f"By stage\n\n{report.stages(seen)}\n"
    yield f"How early\n\n{report.earliness(seen)}\n"
    yield f"Harmless talk\n\n{report.false_rates(seen)}\n"
    yield f"Swindlers' lines, each alone\n\n{lines_alone}\n"
    yield f"What a score means\n\n{page.calibration(seen)}\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.eval", description=__doc__)
    parser.add_argument("--sealed", action="store_true", help="the sealed part: only to report, never to tune")
    parser.add_argument("--list", choices=LISTS, help="print conversations instead of tables")
    parser.add_argument("--docs", action="store_true", help="write the fraud section of docs/detection.md, too")
    parser.add_argument("--kind", help="only conversations of this kind (fraud, benign, …)")
    parser.add_argument("--type", help="only frauds of this type (SD, TZ, …)")
    parser.add_argument("--lang", choices=("zh", "en"))
    parser.add_argument("--ruleset", type=Path, help="a ruleset's directory, instead of the built-in one")
    parser.add_argument("--corpus", type=Path, action="append", help="a folder of *.jsonl, instead of tests/corpus")
    options = parser.parse_args(arguments)
    if options.sealed and options.list:
        parser.error("the sealed part is not for reading")
    if options.docs and (options.sealed or options.kind or options.type or options.lang or options.corpus):
        parser.error("the page is about all that is for building")
    return options


def _wanted(talk: Talk, options: argparse.Namespace) -> bool:
    return (
        options.kind in {None, talk.kind}
        and options.lang in {None, talk.lang}
        and (talk.kind != "fraud" or options.type in {None, talk.type})
    )


def _print(texts: Iterable[str]) -> None:
    for text in texts:
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
