"""Calibration from kernels: results of Brink's own, tables of other tools, and what changed."""

from __future__ import annotations

import difflib
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from brink import checkout, engine
from brink.calibration import aiconfigurator, decode_step, vidur
from brink.calibration.results import read_steps
from brink.calibration.tables import Tables
from brink.console import err, out, reported
from brink.errors import ConfigError
from brink.host_fit import write_whole
from brink.validation.rows import Row, write_json


def fit_results(results: Path, output: Path, gpu: Path | None, base: Path | None, keep: list[str], report: Path | None) -> None:
    """Fits a profile to a results file and shows how well; sections that were not measured come from ``base``."""
    older = base if base is not None else output if output.is_file() else None
    with err().status("fitting microkernel results"):
        text = engine.module().fit_microkernels(str(results), str(gpu or _gpu("h100_sxm")), _text(older) if older else "", keep)
    answer: dict[str, Any] = json.loads(text)
    write_whole(output, answer["profile"])
    if report is not None:
        write_whole(report, json.dumps(answer["report"], indent=1) + "\n" if report.suffix == ".json" else answer["text"])
    show_fit(answer["report"])
    out().print(f"Profile: {output}", soft_wrap=True)


def show_fit(report: dict[str, Any]) -> None:
    """Errors by group, held out first, and what the fit left out."""
    console = out()
    roomy = console.width >= 100
    table = _table("group", "", "points", "MAPE %", "p95 %", *(["worst %"] if roomy else []), "bar %", left=2)
    for group in sorted(report["groups"], key=lambda g: not g["held_out"]):
        bar = Text(f"{100 * group['bar']:.0f} {'met' if group['met'] else 'missed'}", style="green" if group["met"] else "bold red") if "bar" in group else Text("")
        errors = [f"{100 * group[name]:.2f}" for name in ("mape", "p95", *(["worst"] if roomy else []))]
        table.add_row(group["group"], "held out" if group["held_out"] else "in sample", f"{group['count']:,}", *errors, bar)
    console.print(table)
    console.print(f"measured: {', '.join(report['measured_sections']) or 'nothing'}", soft_wrap=True)
    if report["carried_sections"]:
        console.print(f"from the base profile: {', '.join(report['carried_sections'])}", soft_wrap=True)
    for note in report["notes"]:
        console.print(f"note: {note}", style="dim", soft_wrap=True, markup=False)


@reported
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="Profile.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="B", help="Profile.", show_default=False)],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the changes as JSON.", show_default=False)] = None,
) -> None:
    """Show what changed between two profiles, by group."""
    changes: list[dict[str, Any]] = json.loads(engine.module().diff_profiles(_text(before), _text(after)))
    if json_file is not None:
        write_whole(json_file, json.dumps(changes, indent=1) + "\n")
    console = out()
    if not changes:
        console.print("no change")
        return
    roomy = console.width >= 120
    table = _table("what", "before", "after", "%", *(["worst %", ""] if roomy else []), left=1)
    last = ""
    for change in changes:
        if change["group"] != last:
            last = change["group"]
            table.add_row(Text(last, style="bold"))
        numbers = ["" if change[side] is None else f"{change[side]:.5g}" for side in ("before", "after")]
        share = Text(f"{100 * change['change']:+.2f}", style="red" if change["change"] > 0 else "green") if change["change"] else Text(change["note"][:8], style="dim")
        worst = f"{100 * change['worst']:.1f}" if change["worst"] else ""
        table.add_row(Text("  " + change["what"]), *numbers, share, *([worst, Text(change["note"], style="dim")] if roomy else []))
    console.print(table)


@reported
def import_tables(
    output: Annotated[Path, typer.Option("-o", "--output", help="Profile to write; its serving constants are kept.", show_default=False)],
    aiconfigurator_dir: Annotated[
        Path | None, typer.Option("--aiconfigurator", metavar="DIR", help="Installed aiconfigurator package, checkout or systems folder.", show_default=False)
    ] = None,
    vidur_dir: Annotated[Path | None, typer.Option("--vidur", metavar="DIR", help="Checkout of Vidur or its data/profiling folder.", show_default=False)] = None,
    system: Annotated[str, typer.Option(help="GPU system of the tables (h100_sxm, h200_sxm, ...; Vidur: h100, a100, ...).")] = "h100_sxm",
    engine_name: Annotated[str, typer.Option("--engine", help="Serving engine of the tables (AIConfigurator).")] = "vllm",
    version: Annotated[str | None, typer.Option(help="Engine version; by default the newest.", show_default=False)] = None,
    fabric: Annotated[str | None, typer.Option(help="Network folder (Vidur); by default SYSTEM_dgx.", show_default=False)] = None,
    gpu: Annotated[Path | None, typer.Option(help="GPU description; by default configs/gpus/SYSTEM.json.", show_default=False)] = None,
    base: Annotated[Path | None, typer.Option(help="Profile whose serving constants are taken; by default the output, when it exists.", show_default=False)] = None,
    tables_dir: Annotated[Path | None, typer.Option("--tables", metavar="DIR", help="Also keep the tables that are fitted.", show_default=False)] = None,
) -> None:
    """Fit a profile to the kernel tables of another tool, without a GPU."""
    if (aiconfigurator_dir is None) == (vidur_dir is None):
        raise ConfigError("", "two sources" if vidur_dir else "no source", "give one of --aiconfigurator DIR and --vidur DIR")
    source = aiconfigurator_dir or vidur_dir
    assert source is not None
    if not source.is_dir():
        raise ConfigError("", "no such folder", "give the folder of the measurements", str(source))
    tables = aiconfigurator.read(source, system, engine_name, version) if aiconfigurator_dir else vidur.read(source, system, fabric)
    fit_tables(tables, gpu or _gpu(system), output, base, tables_dir)


def fit_tables(tables: Tables, gpu: Path, output: Path, base: Path | None = None, tables_dir: Path | None = None) -> None:
    """Writes the tables as the fits read them (into ``tables_dir`` to keep them) and fits a profile.

    Kernel tables say nothing of serving: ``base`` (or the output) gives the host and in-situ constants.
    """
    older = base if base is not None else output if output.is_file() else None
    keep = _text(older) if older else ""
    facts = facts_of(gpu)
    with tempfile.TemporaryDirectory(prefix="brink-import-") as temporary:
        folder = tables_dir or Path(temporary)
        tables.write(folder, facts)
        with err().status("fitting kernel times"):
            text = engine.module().fit_kernels(str(folder), str(gpu), keep)
    write_whole(output, text)
    console = out()
    console.print(f"{tables.origin}: {', '.join(f'{name} {len(frame):,} rows' for name, frame in tables.frames.items())}", soft_wrap=True, markup=False)
    for note in tables.notes:
        console.print(f"note: {note}", style="dim", soft_wrap=True, markup=False)
    console.print(f"Profile: {output}", soft_wrap=True)


def facts_of(gpu: Path) -> list[tuple[str, float, str]]:
    """What the fits need beside the GPU's description: copy and L2 bandwidth.

    Copy: the description's achieved bandwidth, which a copy misses by some per cent.
    L2: at most 64 bytes a cycle reach an SM (DeepGEMM, heuristics of sm90): an upper bound, which is how
    the costs use it.
    """
    try:
        document = json.loads(gpu.read_text(encoding="utf-8"))
        number = {name: float(document[name]["value"]) for name in ("hbm_achieved_gb_per_s", "sms", "clock_of_peak_mhz")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("", str(error), "give a GPU description with --gpu (see configs/gpus)", str(gpu)) from None
    return [("HBM copy", number["hbm_achieved_gb_per_s"] / 1e3, "TB/s"),
            ("L2 read bandwidth", 64.0 * number["sms"] * number["clock_of_peak_mhz"] * 1e6 / 1e9, "GB/s")]


def validate_decode_step(results: Path, profile: Path, json_file: Path | None) -> None:
    """Simulates the replayed traces of a results file on ``profile`` and shows both."""
    with err().status("simulating the replayed traces"):
        rows = decode_step.compare(read_steps(results), profile, checkout.configs())
    if json_file is not None:
        write_json(rows, json_file)
    show_decode_step(rows)


def show_decode_step(rows: list[Row]) -> None:
    """Measured beside simulated, with the bar each percentile has."""
    table = _table("trace", "metric", "measured ms", "simulated ms", "error %", "bar %", left=2)
    for row in rows:
        bar = decode_step.BARS[row.id.rsplit(" ", 1)[1]]
        met = abs(row.error) <= bar
        table.add_row(Text(row.id), row.metric.removesuffix("_ms"), f"{row.measured:.3f}", f"{row.predicted:.3f}",
                      Text(f"{100 * row.error:+.2f}", style="" if met else "bold red"), f"{100 * bar:.0f} {'met' if met else 'missed'}")
    out().print(table)


def _table(*columns: str, left: int) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for i, name in enumerate(columns):
        table.add_column(name, justify="left" if i < left or not name else "right", no_wrap=True)
    return table


def _gpu(name: str) -> Path:
    folder = checkout.configs() / "gpus"
    path = folder / f"{name}.json"
    if path.is_file():
        return path
    names = sorted(p.stem for p in folder.glob("*.json"))
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise ConfigError("", f"no description of GPU '{name}'", f"{hint}write configs/gpus/{name}.json or give one with --gpu; there are {', '.join(names)}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("", str(error), "give a kernel profile", str(path)) from None
