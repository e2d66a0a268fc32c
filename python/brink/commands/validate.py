"""brink validate: how wrong is it?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from brink import checkout
from brink.commands.calibrate import fit_host
from brink.commands.calibrate_kernels import validate_decode_step
from brink.console import err, out, reported
from brink.errors import ConfigError
from brink.validation import measured, serving
from brink.validation.rows import Row, Summary, summarise, write_json


@reported
def validate(
    data: Annotated[Path, typer.Option(help="Folder of the measurements.")] = Path("../shared/data"),
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write every comparison as JSON.", show_default=False)
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Profile for the in-sample serving rows, in place of the templates'.", show_default=False)
    ] = None,
    with_kernels: Annotated[bool, typer.Option("--kernels/--no-kernels", help="Compare kernel times.")] = True,
    with_serving: Annotated[bool, typer.Option("--serving/--no-serving", help="Replay the measured serving runs (minutes).")] = True,
    decode_step: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only this: simulate the traces replayed in the results of brink-kernels.", show_default=False)
    ] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Fit the constants of every left-out model again first (long).")] = False,
) -> None:
    """Compare predictions with measurements, in sample and left out."""
    if decode_step is not None:
        validate_decode_step(decode_step, profile or checkout.configs() / "profiles" / "h100_sxm.json", json_file)
        return
    if not data.is_dir():
        raise ConfigError("", "no such folder", "give the folder of the measurements with --data", str(data))
    configs = checkout.configs()
    rows: list[Row] = []
    if with_kernels:
        with err().status("cross-validating kernel times"):
            rows += serving.kernel_rows(data, configs / "gpus" / "h100_sxm.json")
    if with_serving:
        if refit:
            fit_host(data, profile, write_profile=False)
        rows += _serving_rows(data, configs / "validation", profile)
        template = measured.load_template(configs / "validation" / "serving.json")
        for reason in measured.not_compared(data, template):
            err().print(f"not compared: {reason}", soft_wrap=True)
    if json_file is not None:
        write_json(rows, json_file)
    print_summaries(summarise(rows))


def _serving_rows(data: Path, configs: Path, profile: Path | None) -> list[Row]:
    columns = (TextColumn("replaying serving runs"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        return serving.compare(data, configs, profile, lambda done, total: bar.update(task, completed=done, total=total))


def print_summaries(summaries: list[Summary]) -> None:
    """Two tables: what the fits have not seen, and what they have."""
    console = out()
    for held_out, title in ((True, "Left out of the fit"), (False, "In sample")):
        chosen = [summary for summary in summaries if summary.held_out == held_out]
        if not chosen:
            continue
        table = Table(box=None, title=title, title_style="bold", title_justify="left", header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("group", "metric"):
            table.add_column(name, no_wrap=True)
        for name in ("rows", "MAPE %", "median %", "p95 %", "worst %"):
            table.add_column(name, justify="right", no_wrap=True)
        if roomy := console.width >= 120:
            table.add_column("worst at", no_wrap=True)
        for s in chosen:
            errors = (f"{100 * s.mape:.2f}", f"{100 * s.median:.2f}", f"{100 * s.p95:.1f}", f"{100 * s.worst:.1f}")
            table.add_row(Text(s.group), Text(s.metric), f"{s.count:,}", *errors, *([Text(s.worst_id)] if roomy else []))
        console.print(table)
        console.print()
