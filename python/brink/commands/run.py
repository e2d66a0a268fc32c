"""brink run: one run of a scenario, its headline and its report."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

import brink
from brink import headline
from brink import pair as pairs
from brink.commands.pair_table import print_pair
from brink.console import err, out, reported
from brink.errors import ConfigError
from brink.explain.causes import condition_labels
from brink.findings import BAD, GOOD, Finding, findings
from brink.report import write_report
from brink.result import RunResult

_TONES = {GOOD: ("✓", "green"), BAD: ("✗", "red")}
_FACT_LINES = (
    ("completed", "failed", "request_throughput"),
    ("request_goodput", "output_throughput"),
    ("mean_decode_batch", "step_ms_mean"),
    ("kv_cache_usage_mean", "kv_cache_usage_max", "preemptions"),
)
_BADGE_STYLES = {"measured": "green", "interpolated": "cyan", "extrapolated": "yellow", "hypothetical": "magenta"}


@reported
def run(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (JSON).", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Result folder; by default out/<scenario name>-<n>.", show_default=False),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="POINTER=VALUE", help="Set a field, e.g. --set /engine/max_num_seqs=64. Repeatable."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed, in place of the scenario's.", show_default=False)] = None,
    report: Annotated[bool, typer.Option(help="Write report.html into the result folder.")] = True,
    pair: Annotated[bool, typer.Option("--pair", help="Run it without its /conditions, too, and show what they change.")] = False,
) -> None:
    """Run a scenario: what will this cluster do under this traffic?"""
    loaded = brink.Scenario.load(scenario)
    folder = output or next_folder(loaded.name)
    began = time.monotonic()
    try:
        result = _simulate(loaded, folder, settings or [], seed)
        plain = _without_conditions(loaded, result, settings or [], seed) if pair else None
    except ConfigError as error:
        raise error.in_file(str(scenario)) from None
    wall_s = time.monotonic() - began
    console = out()
    _print_headline(console, result, loaded.name, wall_s)
    for finding in run_findings(result):
        _print_finding(console, finding)
    if plain is not None:
        found = pairs.compare(result, plain)
        found.write(folder)
        console.print()
        print_pair(console, found)
    where = write_report(result, folder / "report.html") if report else folder
    console.print(f"\n[dim]{'Report' if report else 'Results'}:[/] {where}", soft_wrap=True)


def _without_conditions(scenario: brink.Scenario, result: RunResult, settings: list[str], seed: int | None) -> RunResult:
    if not result.scenario.get("conditions"):
        raise ConfigError("/conditions", "no condition", "--pair compares a run with the same run without its conditions")
    return _simulate(scenario, None, [*settings, "/conditions=[]"], seed)


def run_findings(result: RunResult) -> list[Finding]:
    """The sentences of a result, whichever tables it has."""
    return findings(
        result.summary,
        result.requests if "requests.csv" in result.files else None,
        result.timeseries if "timeseries.csv" in result.files else None,
        result.scenario,
    )


def next_folder(name: str) -> Path:
    """The first free out/<name>-<n>."""
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".-") or "run"
    return next(p for n in itertools.count(1) if not (p := Path("out") / f"{safe}-{n}").exists())


def _simulate(scenario: brink.Scenario, folder: Path | None, settings: list[str], seed: int | None) -> RunResult:
    console = err()
    if not console.is_terminal:
        return brink.simulate(scenario, out=folder, seed=seed, settings=settings)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=28), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(scenario.name, total=None, state="starting")

        def show(progress: brink.Progress) -> None:
            bar.update(task, total=progress.total, completed=progress.finished, state=_state(progress))

        return brink.simulate(scenario, out=folder, seed=seed, settings=settings, progress=show)


def _state(progress: brink.Progress) -> str:
    wall = max(progress.wall_s, 1e-3)
    of_total = f" of {progress.total:,}" if progress.total else ""
    return (
        f"t = {progress.sim_time_s:,.0f} s  {progress.finished:,}{of_total} requests  "
        f"{progress.finished / wall:,.0f} req/s  {progress.sim_time_s / wall:,.0f}x real time"
    )


def _print_headline(console: Console, result: RunResult, name: str, wall_s: float) -> None:
    summary = result.summary
    duration = float(summary.get("duration") or 0.0)
    gpus = summary.get("gpus")
    cards = f"{gpus} GPU{'s' if gpus > 1 else ''}  " if gpus else ""
    console.print(
        f"[bold]{name}[/]  {summary.get('model_id') or ''}  {cards}"
        f"[dim]{duration:,.0f} s simulated in {wall_s:.2f} s ({duration / max(wall_s, 1e-3):,.0f}x)[/]"
    )
    if active := summary.get("hypotheses"):
        console.print(Text(f"Active hypotheses: {', '.join(map(str, active))}. Evidence does not support them.", "bold magenta"))
    console.print(_latency_table(headline.latency_rows(summary)))
    values = {fact.key: fact for fact in headline.facts(summary)}
    for keys in _FACT_LINES:
        line = "[dim] · [/]".join(_fact(values[key]) for key in keys if key in values)
        console.print(line, soft_wrap=False)
    if lines := headline.execution(summary, condition_labels(result.scenario)):
        console.print()
        console.print(_execution_grid(lines))
    console.print()


def _execution_grid(lines: list[headline.Line]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for line in lines:
        grid.add_row(Text(line.label, "dim"), Text(line.text))
    return grid


def _fact(fact: headline.Fact) -> str:
    return f"[dim]{fact.label}[/] {fact.value:,.{fact.digits}f}{f' {fact.unit}' if fact.unit else ''}"


def _latency_table(rows: list[headline.LatencyRow]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 3, 0, 0), pad_edge=False)
    table.add_column("ms")
    for column in ("mean", "p50", "p90", "p99", "limit"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("badge", no_wrap=True)
    for row in rows:
        verdict = {True: Text("met", "green"), False: Text("missed", "bold red"), None: Text("")}[row.met]
        table.add_row(
            Text(row.label, "bold"),
            *(_ms(row.values_ms[statistic]) for statistic in headline.STATISTICS),
            _ms(row.limit_p99_ms) if row.limit_p99_ms is not None else "",
            verdict,
            Text(row.badge, _BADGE_STYLES.get(row.badge, "")),
        )
    return table


def _ms(value: float | None) -> str:
    """Bare milliseconds: the table's corner says the unit."""
    return "–" if value is None else f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _print_finding(console: Console, finding: Finding) -> None:
    mark, style = _TONES.get(finding.tone, ("•", "yellow"))
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style), Text(finding.text))
    console.print(grid)
