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

_SAME, _CHANGED, _MISSING = "same", "changed", "missing"


def scenario_of(result: RunResult, base: Path | None = None) -> Scenario:
    """The scenario of a finished run, ready to run again.

    ``base``: the folder its relative paths start from; without it, folders around the result,
    the working directory and the checkout are tried. A folder counts when the files there have
    the digests of the run's. Raises ConfigError when none does.
    """
    scenario = result.scenario
    digests = get(result.summary, "/provenance/inputs_sha256") or {}
    tried = [base] if base is not None else list(dict.fromkeys(_candidates(result.directory)))
    files = _files(scenario)
    changed = ""  # the first file that is there, but is another one
    for folder in tried:
        states = {path: _state(folder / path, digests.get(key)) for key, path in files}
        if all(state == _SAME for state in states.values()):
            return Scenario(scenario, folder)
        if not changed and _MISSING not in states.values():
            changed = next(str(folder / path) for path, state in states.items() if state == _CHANGED)
    place = str(result.directory or "")
    if changed:
        raise ConfigError("", f"{changed}, which has changed since the run", "run the scenario again, or give --base, a folder with the files of the run", place)
    missing = ", ".join(path for _, path in files)
    got = f"no folder from which {missing} can be found" if base is None else f"{base}, from which {missing} cannot all be found"
    raise ConfigError("", got, "give --base, the folder the scenario file was in", place)


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


def _state(file: Path, digest: Any) -> str:
    if not file.is_file():
        return _MISSING
    same = not isinstance(digest, str) or hashlib.sha256(file.read_bytes()).hexdigest() == digest
    return _SAME if same else _CHANGED
