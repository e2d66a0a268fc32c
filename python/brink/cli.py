"""The `brink` command line."""

from __future__ import annotations

from typing import Annotated

import typer

from brink import __version__
from brink.commands import calibrate
from brink.commands.explain import explain
from brink.commands.inspect import inspect
from brink.commands.report import report
from brink.commands.run import run
from brink.commands.validate import validate

app = typer.Typer(
    name="brink",
    help="Predict what an LLM serving cluster does near its limits.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"brink {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Predict what an LLM serving cluster does near its limits."""


app.command()(run)
app.command()(explain)
app.command()(inspect)
app.command()(report)
app.command()(validate)
app.add_typer(calibrate.app, name="calibrate")
