"""Output of the command line: one place for consoles, error paragraphs and exit codes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from brink.errors import BrinkError, ConfigError, EngineError

EXIT_INPUT = 2  # the caller can mend it
EXIT_ENGINE = 1  # the caller cannot
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

F = TypeVar("F", bound=Callable[..., Any])


def out() -> Console:
    """Standard output."""
    return Console(highlight=False)


def err() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False)


def error_text(error: BrinkError) -> Text:
    """An error as one paragraph: where, what was got, what is allowed."""
    text = Text("error: ", style="bold red")
    if isinstance(error, ConfigError) and (error.got or error.allowed):
        place = ": ".join(part for part in (error.file, error.pointer) if part)
        text.append(f"{place}: " if place else "", style="bold red")
        text.append("; ".join(part for part in (f"got {error.got}" if error.got else "", error.allowed) if part), style="red")
    else:
        text.append(str(error), style="red")
    return text


def reported(command: F) -> F:
    """A command whose errors are a red paragraph and an exit code instead of a traceback."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except BrinkError as error:
            err().print(error_text(error), soft_wrap=True)
            raise typer.Exit(EXIT_ENGINE if isinstance(error, EngineError) else EXIT_INPUT) from None
        except KeyboardInterrupt:
            err().print(Text("interrupted; nothing was written", style="red"))
            raise typer.Exit(EXIT_INTERRUPTED) from None

    return wrapper  # type: ignore[return-value]
