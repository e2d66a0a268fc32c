"""What can go wrong, as exceptions that carry the facts needed to mend it."""

from __future__ import annotations

import json
from typing import Any


class BrinkError(Exception):
    """Every error Brink raises on purpose."""


class ConfigError(BrinkError, ValueError):
    """A field of a scenario, model, GPU, cluster or profile file that cannot be used.

    Attributes: ``file`` ("" when the value did not come from a file), ``pointer`` (JSON
    Pointer), ``got`` and ``allowed`` (what is allowed, or what to do).
    """

    def __init__(self, pointer: str, got: str, allowed: str, file: str = "", message: str = "") -> None:
        self.pointer, self.got, self.allowed, self.file = pointer, got, allowed, file
        place = ": ".join(part for part in (file, pointer) if part)
        super().__init__(message or f"{place or 'input'}: got {got}; {allowed}")

    def in_file(self, file: str) -> ConfigError:
        """The same error, naming the file it was found in (kept if one is already named, or if it is about no field)."""
        named = self.file or not (self.got or self.allowed)
        return self if named else ConfigError(self.pointer, self.got, self.allowed, file)


class TraceError(BrinkError, ValueError):
    """A row of a trace or measurement table that cannot be used; the message names file and line."""


class EngineError(BrinkError, RuntimeError):
    """The engine could not finish: it is missing, it crashed, or it was cancelled.

    Attributes: ``signal`` (number of the signal that ended it, or None), ``last_words`` (the
    end of its error output), ``cancelled``.
    """

    def __init__(
        self, message: str, *, signal: int | None = None, last_words: str = "", cancelled: bool = False
    ) -> None:
        self.signal, self.last_words, self.cancelled = signal, last_words.strip(), cancelled
        super().__init__(f"{message}\n{self.last_words}" if self.last_words else message)


def from_engine(text: str) -> BrinkError:
    """The exception for the JSON of a run server's 'E' frame."""
    fields: dict[str, Any] = json.loads(text)
    message = str(fields.get("message") or "the engine gave no reason")
    kind = fields.get("kind")
    if kind == "config":
        given = [str(fields.get(key) or "") for key in ("pointer", "got", "allowed", "file")]
        return ConfigError(*given, message=message)
    if kind == "trace":
        return TraceError(message)
    return EngineError(
        message,
        signal=fields.get("signal") or None,
        last_words=str(fields.get("last_words") or ""),
        cancelled=kind == "cancelled",
    )
