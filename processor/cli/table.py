"""A table on a terminal, columns between tabs in a pipe."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write the rows to standard output."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        for row in (titles, *rows):
            print("\t".join(row))
        return
    table = Table(*titles, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
