"""brink inspect: is this layout possible, how is it wired, what will a step cost?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from brink import engine
from brink.commands import inspect_fabric
from brink.console import out, reported

_SCALES = {"_bytes": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))}


@reported
def inspect(
    file: Annotated[Path, typer.Argument(help="Scenario file or cluster file (JSON).", show_default=False)],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="POINTER=VALUE", help="Set a field. Repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write a picture of the fabric.")] = None,
) -> None:
    """Show layout, memory, step times and fabric of a scenario without running it, or the fabric of a cluster."""
    facts = engine.inspect(str(file), settings or [], topology=svg is not None)
    console = out()
    if svg is not None:
        inspect_fabric.write_picture(facts, svg)
    if as_json:
        console.file.write(json.dumps(facts, indent=2) + "\n")
        return
    plain = {key: value for key, value in facts.items() if not isinstance(value, (dict, list))}
    if plain:
        console.print(_facts_table("", plain))
    if active := facts.pop("hypotheses", None):
        console.print(Text(f"Active hypotheses: {', '.join(active)}. Evidence does not support them.", "bold magenta"))
    for section, value in facts.items():
        if section in _TABLES and value:
            console.print(_TABLES[section](value))
        elif isinstance(value, dict):
            console.print(_facts_table(section, value))
        elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            console.print(_rows_table(section, value))
        elif isinstance(value, list):
            console.print(_facts_table(section, {section: value}))


def _title(key: str) -> str:
    return key.replace("_", " ")


def _cell(key: str, value: Any) -> str:
    for suffix, scales in _SCALES.items():
        if key.endswith(suffix) and isinstance(value, (int, float)):
            for scale, unit in scales:
                if abs(value) >= scale:
                    return f"{value / scale:,.2f} {unit}"
            return f"{value:,.0f} B"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, list):
        return ", ".join(_cell("", item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{_title(k)} {_cell(k, v)}" for k, v in value.items())
    return "–" if value is None else str(value)


def _facts_table(section: str, values: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, title=_title(section).capitalize() if section else None,
                  title_style="bold", title_justify="left", pad_edge=False, padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    for key, value in values.items():
        table.add_row(_title(key).removesuffix(" bytes"), Text(_cell(key, value)))
    return table


def _table(title: str) -> Table:
    return Table(box=None, title=title, title_style="bold", title_justify="left", header_style="dim", pad_edge=False, padding=(0, 1))


def _plans_table(rows: list[dict[str, Any]]) -> Table:
    """A row a tactic; why it is not the unconstrained choice stands behind it."""
    table = _table("Plans: tactics of decode steps by batch, on an idle replica")
    for column in ("operator", "batch", "tactic"):
        table.add_column(column)
    last = ""
    for row in rows:
        name = row["operator"]
        fallback = "" if row["fallback"] == "none" else f" ({row['fallback']})"
        table.add_row("" if name == last else name, " ".join(map(str, row["batches"])), Text(row["tactic"] + fallback))
        last = name
    return table


def _splits_table(rows: list[dict[str, Any]]) -> Table:
    table = _table("Attention splits by context and batch")
    batches = list(rows[0]["splits_by_batch"])
    for column in ("context", *batches):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(f"{row['context']:,}", *(str(row["splits_by_batch"].get(batch, "")) for batch in batches))
    return table


def _conditions_table(conditions: list[dict[str, Any]]) -> Table:
    table = _table("Conditions")
    for column in ("", "kind", "fields"):
        table.add_column(column)
    for index, item in enumerate(conditions):
        fields = [f"{key} {_cell(key, value)}" for key, value in item.items() if key != "kind" and value is not None]
        table.add_row(str(index), str(item["kind"]), Text(", ".join(fields)))
    return table


_TABLES: dict[str, Callable[[list[dict[str, Any]]], Table]] = {
    "plans": _plans_table,
    "attention_splits": _splits_table,
    "conditions": _conditions_table,
    **inspect_fabric.TABLES,
}


def _rows_table(section: str, rows: list[dict[str, Any]]) -> Table:
    # A column that says the same in every row takes room from those that do not.
    constant = {key: rows[0][key] for key in rows[0] if len(rows) > 2 and all(row.get(key) == rows[0][key] for row in rows)}
    caption = "In every row: " + ", ".join(f"{_title(key)} {_cell(key, value)}" for key, value in constant.items())
    table = Table(box=None, title=_title(section).capitalize(), title_style="bold", title_justify="left", header_style="dim",
                  caption=caption if constant else None, caption_justify="left", pad_edge=False, padding=(0, 1))
    keys = [key for key in rows[0] if key not in constant]
    for key in keys:
        numeric = all(isinstance(row.get(key), (int, float)) for row in rows)
        table.add_column(_title(key), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(Text(_cell(key, row.get(key)), no_wrap=True) for key in keys))
    return table
