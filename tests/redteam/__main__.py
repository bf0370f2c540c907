"""Score one half of the written lines: `python -m tests.redteam building` (or `sealed`, once, at the end).

Prints what went wrong for the half that may be looked at; of the sealed one, figures only.
"""

import sys
from collections import Counter
from collections.abc import Sequence

from processor.model import Hit
from processor.redteam.score import by_reading, false_hits, hits_of
from tests.redteam.lines import Half, benign, boundaries, builtin_rules, evaded, own_rules


def main(half: Half) -> None:
    rules = own_rules()
    lines = evaded(half)
    found = [_names(hits, line.term) for line, hits in zip(lines, _hits([x.text for x in lines]), strict=True)]
    of, hit = Counter(x.evasion for x in lines), Counter(x.evasion for x, ok in zip(lines, found, strict=True) if ok)
    print(f"evaded: {sum(found)} of {len(lines)} found ({sum(found) / len(lines):.1%})")
    for evasion, count in of.most_common():
        print(f"  {evasion}: {hit[evasion]}/{count}")
    edges = boundaries(half)
    judged = [_as_it_stands(hits, x.term) for x, hits in zip(edges, _hits([x.text for x in edges]), strict=True)]
    for meant in (False, True):
        right = sum(x.meant is meant and got is meant for x, got in zip(edges, judged, strict=True))
        print(f"boundaries, {'meant' if meant else 'not meant'}: {right} of {sum(x.meant is meant for x in edges)} right")
    harmless = benign(half)
    acted, logged = false_hits(harmless, builtin_rules())
    print(f"built-in lexicons: {len(acted)} of {len(harmless)} harmless lines hit by a term graded above log")
    read = {n: hits for n, all_hits in enumerate(hits_of(harmless, rules)) if (hits := [h for h in all_hits if h.via])}
    print(f"terms.txt: {len(read)} of {len(harmless)} harmless lines hit by a reading")
    for each in by_reading(read, len(harmless)):
        print(f"  {each.via}: {each.lines}")
    if half is Half.SEALED:
        return
    for line, ok in zip(lines, found, strict=True):
        if not ok:
            print(f"missed {line.evasion}\t{line.term}\t{line.text!r}")
    for edge, got in zip(edges, judged, strict=True):
        if got is not edge.meant:
            print(f"{'missed' if edge.meant else 'straddled'}\t{edge.term}\t{edge.text}")
    for number, hits in [*acted.items(), *read.items()]:
        print(f"false\t{harmless[number]}\t{[(hit.term, hit.text, '+'.join(hit.via)) for hit in hits]}")


def _hits(texts: Sequence[str]) -> list[Sequence[Hit]]:
    return list(hits_of(texts, own_rules()))


def _names(hits: Sequence[Hit], term: str) -> bool:
    return any(hit.term == term for hit in hits)


def _as_it_stands(hits: Sequence[Hit], term: str) -> bool:
    return any(hit.term == term for hit in hits)


if __name__ == "__main__":
    main(Half(sys.argv[1] if len(sys.argv) > 1 else Half.BUILDING))
