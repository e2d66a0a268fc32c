"""Where the files are that a finished run was made from.

A result holds the scenario as resolved, whose paths start from the scenario's own folder, and
the digests of the files, but not where that folder was: results are the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brink.errors import ConfigError
from brink.pointer import get
from brink.result import RunResult
from brink.scenario import Scenario

_PATHS = {"model": "/model", "cluster": "/cluster", "profile": "/profile", "workload": "/workload", "trace": "/workload/trace/path",
          "input_tokens": "/workload/input_tokens/path", "output_tokens": "/workload/output_tokens/path"}


def scenario_of(result: RunResult, base: Path | None = None) -> Scenario:
    """The scenario of a finished run, ready to run again.

    ``base``: the folder its relative paths start from; without it, folders around the result,
    the working directory and the checkout are tried. A folder counts when the files there have
    the digests of the run's. Raises ConfigError when none does.
    """
    scenario = result.scenario
    digests = get(result.summary, "/provenance/inputs_sha256") or {}
    tried = [base] if base is not None else list(dict.fromkeys(_candidates(result.directory)))
    for folder in tried:
        if all(_same(folder, path, digests.get(key)) for key, path in _files(scenario)):
            return Scenario(scenario, folder)
    names = ", ".join(path for _, path in _files(scenario))
    got = f"no folder from which {names} are the files of the run" if base is None else f"{base}, from which {names} are not the files of the run"
    raise ConfigError("", got, "give --base, the folder the scenario file was in", str(result.directory or ""))


def _files(scenario: dict[str, Any]) -> list[tuple[str, str]]:
    values = ((key, get(scenario, pointer)) for key, pointer in _PATHS.items())
    return [(key, value) for key, value in values if isinstance(value, str)]


def _candidates(directory: Path | None) -> Iterator[Path]:
    here = Path.cwd()
    checkout = Path(__file__).resolve().parents[3]
    for root in (directory, here, checkout):
        if root is not None:
            around = root.resolve()
            yield from (around, around / "configs" / "scenarios", *around.parents)


def _same(folder: Path, path: str, digest: Any) -> bool:
    file = folder / path
    if not file.is_file():
        return False
    return not isinstance(digest, str) or hashlib.sha256(file.read_bytes()).hexdigest() == digest
