"""The fraud section of `docs/detection.md`: written between two marks, so that the rest of the page is others'."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.eval import report
from tests.eval.measure import Seen

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PLOT = DOCS / "detection.md", DOCS / "detection-calibration.svg"
BEGIN = "<!-- fraud: made by `python -m tests.eval --docs`; edit tests/eval/page.py, not this section. -->"
END = "<!-- fraud: end -->"
BANDS = ((0, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 74), (75, 100))


def write(seen: Sequence[Seen], lines_alone: str) -> None:
    """Puts the section in its place and draws the plot."""
    section = f"{BEGIN}\n\n" + "\n\n".join(_parts(seen, lines_alone)) + f"\n\n{END}\n"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Detection\n"
    if BEGIN in page:
        before, _, rest = page.partition(BEGIN)
        page = before + section + rest.partition(END)[2].lstrip("\n")
    else:
        page = page.rstrip("\n") + "\n\n" + section
    PAGE.write_text(page, encoding="utf-8")
    _draw(seen)


def _parts(seen: Sequence[Seen], lines_alone: str) -> Iterator[str]:
    yield "## Fraud"
    yield (
        "The conversations of `tests/corpus` (those for building; rules were tuned to them, so on other texts "
        "less is found) went through the judge that the worker runs, line by line, half a minute apart, with nothing "
        "known of the people. *Found* means that a line reminded the likely victim or was held for review; *in time*, "
        "that this was no later than the first line that asks for money, a code, a card, an account or the screen. "
        "`make eval` prints these tables; `python -m tests.eval --list missed|late|false` shows the conversations."
    )
    yield "### Found, by type"
    yield report.recall(seen)
    yield "### By stage"
    yield report.stages(seen)
    yield "### How early"
    yield report.earliness(seen)
    yield "### Harmless talk"
    yield "Rates are per 10,000 messages. Near misses are harmless talk written to look like fraud."
    yield report.false_rates(seen)
    yield "### Single lines"
    yield "Swindlers' lines, each as the only one of its conversation."
    yield lines_alone
    yield "### What a score means"
    yield (
        "Conversations by their highest score. Frauds and harmless talk are not as frequent here as on a platform: "
        "read the shares as an order, not as probabilities."
    )
    yield calibration(seen)
    yield f"![Share of frauds by highest score]({PLOT.name})"


def calibration(seen: Sequence[Seen]) -> str:
    """How many conversations of each band of scores are frauds."""
    rows = []
    for low, high in BANDS:
        own = [one for one in seen if low <= one.score <= high and one.talk.kind != "inquiry"]
        frauds = sum(one.talk.kind == "fraud" for one in own)
        rows.append((f"{low}–{high}", len(own), frauds, report.share(frauds, len(own))))
    return report.table(("highest score", "conversations", "frauds", "share"), rows)


def _draw(seen: Sequence[Seen]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "chatguard"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    talks = [one for one in seen if one.talk.kind != "inquiry"]
    for label, harmful, colour in (("frauds", True, "#b3261e"), ("harmless", False, "#3c7d3f")):
        scores = sorted(one.score for one in talks if (one.talk.kind == "fraud") == harmful)
        shares = [sum(score >= at for score in scores) / len(scores) for at in range(101)]
        axes.plot(range(101), shares, label=label, color=colour)
    for at, what in ((30, "remind"), (60, "review")):
        axes.axvline(at, color="#888888", linewidth=0.8, linestyle=":")
        axes.text(at + 1, 1.02, what, fontsize=8, color="#555555")
    axes.set(xlabel="highest score of the conversation", ylabel="share with this score or more", ylim=(0, 1.08))
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)
