"""brink calibrate: make it true for a GPU and an engine, from measurements."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from brink import __version__, checkout, engine
from brink import host_fit as fitting
from brink.calibration.results import is_results_file
from brink.commands import calibrate_kernels
from brink.console import err, out, reported
from brink.errors import ConfigError
from brink.validation.measured import load_template
from brink.validation.replay import Replay
from brink.validation.serving import default_profile, load_cases

app = typer.Typer(help="Fit a profile to measurements.", no_args_is_help=True)

_DATA = typer.Argument(metavar="DATA", help="Folder of the measurements.", show_default=False)


app.command("diff")(calibrate_kernels.diff)
app.command("import")(calibrate_kernels.import_tables)


@app.command("fit")
@reported
def fit(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of measurement tables, or results.jsonl of brink-kernels.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Profile to write; its serving constants are kept.", show_default=False)],
    gpu: Annotated[Path | None, typer.Option(help="GPU description; by default the H100 SXM's.", show_default=False)] = None,
    base: Annotated[
        Path | None, typer.Option(help="Results only: profile for what was not measured; by default the output, when it exists.", show_default=False)
    ] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Results only: section to take from the base all the same.", show_default=False)] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Results only: write the fit report (.json or text).", show_default=False)] = None,
) -> None:
    """Fit kernel times to measurement tables (a minute or two) or to the results of brink-kernels."""
    if is_results_file(data):
        calibrate_kernels.fit_results(data, output, gpu, base, keep or [], report)
        return
    _need_folder(data)
    if base or keep or report:
        raise ConfigError("", "--base, --keep or --report with a folder", "these belong to the results of brink-kernels")
    description = gpu or checkout.configs() / "gpus" / "h100_sxm.json"
    old = output.read_text(encoding="utf-8") if output.is_file() else ""
    with err().status("fitting kernel times"):
        text = engine.module().fit_kernels(str(data), str(description), old)
    fitting.write_whole(output, text)
    out().print(f"Profile: {output}", soft_wrap=True)


@app.command("host")
@reported
def host(
    data: Annotated[Path, _DATA],
    profile: Annotated[Path, typer.Option(help="Profile whose serving constants are fitted and written.", show_default=False)],
    folds: Annotated[bool, typer.Option(help="Also fit without each model's runs, for brink validate.")] = True,
) -> None:
    """Fit the host and in-situ constants to whole serving runs (long: hundreds of runs)."""
    _need_folder(data)
    fit_host(data, profile, write_profile=True, with_folds=folds)
    out().print(f"Profile: {profile}", soft_wrap=True)


def fit_host(data: Path, profile: Path | None, *, write_profile: bool, with_folds: bool = True) -> None:
    """Fits the constants on all cases and, for each model, on all cases but its own.

    Writes them into the profile (``write_profile``) and into configs/validation/host_folds.json.
    """
    configs = checkout.configs() / "validation"
    template = load_template(configs / "serving.json")
    base = profile or default_profile(template, configs)
    cases = load_cases(data, template)
    console = err()
    with console.status("fitting") as status:
        fit = fitting.HostFit(Replay(template, configs), cases, base, report=lambda text: status.update(text))
        everything = fitting.fit_everything(fit)
        console.print(f"all runs: {_shown(everything)}")
        left_out = fitting.folds_of(fit) if with_folds else {}
    for model, constants in left_out.items():
        console.print(f"without {model}: {_shown(constants)}")
    if write_profile:
        fitting.write_constants(everything, base)
    if left_out:
        _write_folds(configs / "host_folds.json", left_out, data, base)


def _write_folds(path: Path, folds: dict[str, fitting.Constants], data: Path, profile: Path) -> None:
    kernels = {key: value for key, value in fitting.load_profile(profile).items() if key not in ("host", "in_situ")}
    tables = sorted((data / "serving").rglob("*.csv*"))
    digest = hashlib.sha256(b"".join(hashlib.sha256(table.read_bytes()).digest() for table in tables)).hexdigest()
    document = {
        "schema_version": 1,
        "what": "constants fitted to all serving runs but those of the model named; brink validate predicts that model with them",
        "provenance": {
            "tool": f"brink calibrate host {__version__}",
            "serving_tables_sha256": digest,
            "kernel_profile_sha256": hashlib.sha256(json.dumps(kernels, sort_keys=True).encode()).hexdigest(),
        },
        "folds": {model: {name: float(f"{value:.4g}") for name, value in constants.items()} for model, constants in folds.items()},
    }
    fitting.write_whole(path, json.dumps(document, indent=2) + "\n")


def _shown(constants: fitting.Constants) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in constants.items())


def _need_folder(data: Path) -> None:
    if not data.is_dir():
        raise ConfigError("", "no such folder", "give the folder of the measurements", str(data))
