"""What a pair of runs gave, for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from brink import pair as pairs


def print_pair(console: Console, pair: pairs.Pair) -> None:
    """The figures with and without the conditions, side by side."""
    console.print(Text(f"With and without: {'; '.join(pair.labels)}", "bold"))
    table = Table(box=None, header_style="dim", padding=(0, 3, 0, 0), pad_edge=False)
    table.add_column("")
    for column in ("with it", "without", "it adds"):
        table.add_column(column, justify="right", no_wrap=True)
    for heading, rows in ((pair.meanwhile, pair.rows), ("the whole run", pair.whole)):
        table.add_row(Text(heading, "dim"))
        for row in rows:
            cells = (pairs.value(row, row.with_it), pairs.value(row, row.without), pairs.change(row))
            table.add_row(Text(f"  {row.label}", "bold"), *cells)
    console.print(table)
