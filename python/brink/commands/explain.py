"""brink explain: which regime ran, what pushed us into it, and what would have been without the cause?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

import brink
from brink import explain as explaining
from brink.commands.run import next_folder
from brink.console import err, out, reported
from brink.errors import ConfigError
from brink.explain import figures
from brink.explain.attribution import Verdict
from brink.explain.cascades import CascadeRow, seconds
from brink.explain.document import text as document_text
from brink.report import write_report
from brink.result import RunResult

_WIDE = 88  # columns: room for how many seeds are worse


@reported
def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Result folder with a ledger, or a scenario file to run first.", show_default=False)],
    seeds: Annotated[int, typer.Option(help="Paired seeds, from the run's own on.")] = explaining.SEEDS_MIN,
    top: Annotated[int, typer.Option(min=1, help="How many cascades to print.")] = 5,
    test: Annotated[bool, typer.Option(help="Test the causes by runs without them.")] = True,
    base: Annotated[
        Path | None, typer.Option(help="Folder the scenario file was in, when RUN is a result folder.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Result folder, when RUN is a scenario file.", show_default=False)
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="POINTER=VALUE", help="Set a field, when RUN is a scenario file. Repeatable.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Runs at once; by default one a processor.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
    report: Annotated[bool, typer.Option(help="Write explain.json and report.html into the result folder.")] = True,
) -> None:
    """Explain a run: its cascades, and what it would have been without their causes."""
    if seeds < explaining.SEEDS_MIN:
        raise ConfigError("--seeds", f"the integer {seeds}", f"at least {explaining.SEEDS_MIN} paired seeds")
    scenario = None
    if run.is_dir():
        if settings or output:
            raise ConfigError("", "--set or --output with a result folder", "they are for a scenario file, which is run first", str(run))
        folder, result = run, RunResult.load(run)
    else:
        folder, scenario, result = _run_first(run, output, settings or [])
    found = _investigate(result, scenario, seeds=seeds, base=base, test=test, workers=workers)
    if report:
        explaining.write(found, folder)
        write_report(RunResult.load(folder), folder / "report.html")
    console = out()
    if as_json:
        console.file.write(document_text(found))
        return
    _print(console, found, top)
    if report:
        console.print(f"\n[dim]Report:[/] {folder / 'report.html'}", soft_wrap=True)


def _run_first(path: Path, output: Path | None, settings: list[str]) -> tuple[Path, brink.Scenario, RunResult]:
    scenario = brink.Scenario.load(path)
    folder = output or next_folder(scenario.name)
    try:
        with err().status(f"running {scenario.name}"):
            brink.simulate(scenario, out=folder, settings=["/output/ledger=true", *settings])
    except ConfigError as error:
        raise error.in_file(str(path)) from None
    return folder, scenario, RunResult.load(folder)


def _investigate(result: RunResult, scenario: brink.Scenario | None, *, seeds: int, base: Path | None, test: bool,
                 workers: int | None) -> explaining.Explanation:
    console = err()
    if not console.is_terminal:
        return explaining.explain(result, scenario=scenario, seeds=seeds, base=base, test=test, workers=workers)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=28), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("paired runs", total=None, state="starting")

        def show(progress: explaining.Progress) -> None:
            bar.update(task, total=progress.total, completed=progress.done, state=_state(progress))

        return explaining.explain(result, scenario=scenario, seeds=seeds, base=base, test=test, workers=workers, progress=show)


def _state(progress: explaining.Progress) -> str:
    left = "" if progress.left_s is None else f"  {progress.left_s:,.0f} s left"
    return f"{progress.done} of {progress.total} runs  {progress.runs_per_s:.2g} runs/s{left}"


def _print(console: Console, found: explaining.Explanation, top: int) -> None:
    console.print(Text(f"{found.name}: cascades", "bold"))
    if not found.cascades:
        console.print("The ledger is empty: nothing out of the ordinary happened.")
    for number, row in enumerate(found.cascades[:top], 1):
        _print_cascade(console, number, row)
    if len(found.cascades) > top:
        console.print(f"[dim]{len(found.cascades) - top:,} more; --top shows them.[/]")
    if found.runs is not None and found.found is not None:
        runs, many = found.runs, len(found.runs.seeds)
        console.print()
        console.print(Text("Without a cause", "bold"))
        console.print(f"[dim]{runs.runs} runs: every combination of {len(runs.causes)} cause{'s' if len(runs.causes) > 1 else ''}, the same "
                      f"{many} seeds each. Means over the seeds, 95 % intervals; the share is of what all of them add (Shapley).[/]")
        for verdict in found.found.verdicts:
            _print_verdict(console, verdict)
        if found.untested:
            console.print(f"[dim]Not tested, being smaller at the root: {', '.join(cause.label for cause in found.untested)}.[/]")
    console.print()
    console.print(Text("For the incident report", "bold"))
    console.print(explaining.paragraph(found), soft_wrap=not console.is_terminal, markup=False)


def _print_cascade(console: Console, number: int, row: CascadeRow) -> None:
    times = f", {row.roots:,} times" if row.roots > 1 else ""
    replicas = "" if not row.replicas else f", replica{'s' if len(row.replicas) > 1 else ''} {', '.join(map(str, row.replicas[:8]))}"
    more = " …" if len(row.replicas) > 8 else ""
    console.print(Text.assemble((f"{number}  {row.label}", "bold"), f"{times}, {row.from_s:,.1f}–{row.until_s:,.1f} s{replicas}{more}"))
    facts = [f"{seconds(row.delay_s)} at the root"] if row.delay_s > 0 else []
    if row.requests:
        delay = f"{seconds(row.request_delay_s)} of delay in " if row.request_delay_s else ""
        facts.append(f"{delay}{row.requests:,} requests")
    if row.amplification:
        facts.append(f"amplification {row.amplification:,.1f}")
    if row.slo_violations:
        facts.append(f"{row.slo_violations:,} SLO violations")
    if not facts:
        facts.append("no delay" if row.requests is not None else "no delay of its own")
    console.print(Padding(Text(" · ".join(facts)), (0, 0, 0, 3)))
    console.print(Padding(Text(row.steps, "dim"), (0, 0, 0, 3)))


def _print_verdict(console: Console, verdict: Verdict) -> None:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False, title_justify="left",
                  title=Text.assemble((verdict.cause.label, "bold"), (f"  {verdict.cause.pointer}", "dim")), title_style="")
    table.add_column("", no_wrap=True)
    counted = console.width >= _WIDE
    for column in ("with it", "without", "it adds", *(["worse"] if counted else []), "share"):
        table.add_column(column, justify="right", no_wrap=True)
    for effect in verdict.effects:
        metric = effect.metric
        adds = Text(figures.added(metric, effect.change, effect.with_all), "" if effect.removal_distinguishable else "dim")
        worse = [f"{effect.worse}/{verdict.seeds}"] if counted else []
        table.add_row(metric.label, figures.value(metric, effect.with_all), figures.value(metric, effect.without), adds, *worse,
                      figures.share(effect.share) if effect.distinguishable else Text("not distinguishable", "dim"))
    console.print(table)
    if verdict.amplified:
        console.print(f"each second at its root cost the requests {figures.times(verdict.amplified)} s of E2E ({verdict.pairs:,} pairs)")
    console.print()
