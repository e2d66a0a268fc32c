"""brink report: the HTML page of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brink.console import out, reported
from brink.report import write_report
from brink.result import RunResult


@reported
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Result folder of a run.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="HTML file; by default RUN/report.html.", show_default=False)
    ] = None,
) -> None:
    """Show a run as one self-contained HTML page that needs no network."""
    result = RunResult.load(run)
    out().print(f"Report: {write_report(result, output or run / 'report.html')}", soft_wrap=True)
