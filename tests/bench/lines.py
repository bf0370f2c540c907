"""Score one part of the written lines: `python -m tests.bench.lines building` (or `sealed`, once, at the end).

Prints what went wrong for the part that may be looked at; of the sealed one, figures only.
"""

import sys
from collections import Counter
from collections.abc import Sequence

from processor.model import Hit
from processor.redteam.score import by_reading, false_hits, hits_of
from tests.redteam.lines import Evaded, Part, benign, boundaries, builtin_rules, evaded, own_rules


def main(part: Part) -> None:
    rules = own_rules(part.terms)
    lines, edges, harmless = evaded(part), boundaries(part), benign(part)
    found = [named(hits, x.term) for x, hits in zip(lines, hits_of([x.text for x in lines], rules), strict=True)]
    judged = [named(hits, x.term) for x, hits in zip(edges, hits_of([x.text for x in edges], rules), strict=True)]
    acted, _ = false_hits(harmless, builtin_rules())
    read = {n: by for n, hits in enumerate(hits_of(harmless, rules)) if (by := [hit for hit in hits if hit.via])}
    _say_evaded(lines, found)
    for meant in (False, True):
        of = [got is meant for edge, got in zip(edges, judged, strict=True) if edge.meant is meant]
        print(f"boundaries, {'meant' if meant else 'not meant'}: {sum(of)} of {len(of)} right")
    print(f"built-in lexicons: {len(acted)} of {len(harmless)} harmless lines hit by a term graded above log")
    print(f"their terms: {len(read)} of {len(harmless)} harmless lines hit by a reading")
    for each in by_reading(read, len(harmless)):
        print(f"  {each.via}: {each.lines}")
    if part is Part.SEALED:
        return
    for line in (line for line, ok in zip(lines, found, strict=True) if not ok):
        print(f"missed {line.evasion}\t{line.term}\t{line.text!r}")
    for edge in (edge for edge, got in zip(edges, judged, strict=True) if got is not edge.meant):
        print(f"{'missed' if edge.meant else 'straddled'}\t{edge.term}\t{edge.text}")
    for where, lexicon in ((acted, "built-in"), (read, "terms.txt")):
        for number, hits in where.items():
            spans = [(hit.term, hit.text, "+".join(hit.via)) for hit in hits]
            print(f"false, {lexicon}\t{harmless[number]}\t{spans}")


def _say_evaded(lines: Sequence[Evaded], found: Sequence[bool]) -> None:
    print(f"evaded: {sum(found)} of {len(lines)} found ({sum(found) / len(lines):.1%})")
    of = Counter(line.evasion for line in lines)
    hit = Counter(line.evasion for line, ok in zip(lines, found, strict=True) if ok)
    for evasion, count in of.most_common():
        print(f"  {evasion}: {hit[evasion]}/{count}")


def named(hits: Sequence[Hit], term: str) -> bool:
    """Whether a hit names the term."""
    return any(hit.term == term for hit in hits)


if __name__ == "__main__":
    main(Part(sys.argv[1] if len(sys.argv) > 1 else Part.BUILDING))
