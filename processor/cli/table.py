"""Tables: for people and tools alike, or for people only."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write the rows to standard output: a table on a terminal, columns between tabs in a pipe."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        for row in (titles, *rows):
            print("\t".join(row))
        return
    table = Table(*titles, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def aligned(*titles: str) -> Table:
    """An empty table of long texts, which go on in the next line; its head is left out if no column has a title."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(titles))
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
