"""What a run gave: the result files, and tables read from them when asked for."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from brink.errors import ConfigError, EngineError

RESULT_FILES = ("summary.json", "requests.csv", "timeseries.csv", "scenario.json", "steps.jsonl", "timeline.json", "ledger.jsonl",
                "tactics.csv", "regimes.csv", "x.jsonl", "s.jsonl")
EXPLANATION = "explain.json"  # beside them once the run was explained; no result of the run itself
PAIR = "pair.json"  # beside them once it was run without its conditions, too


class RunResult:
    """One finished run. Compare ``files`` for byte equality; all else is read from them.

    ``files``: content by name. ``directory``: where the files lie, or None when only in memory.
    """

    def __init__(self, files: dict[str, bytes], directory: Path | None = None) -> None:
        self.files = files
        self.directory = directory

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> RunResult:
        """Reads a result folder. Raises ConfigError when it holds no summary.json."""
        folder = Path(directory)
        files = {name: (folder / name).read_bytes() for name in RESULT_FILES if (folder / name).is_file()}
        if "summary.json" not in files:
            got = "a folder without summary.json" if folder.is_dir() else "no such folder"
            raise ConfigError("", got, "give the result folder of a run", str(directory))
        return cls(files, folder)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Everything in summary.json: vLLM's ``bench serve`` keys and Brink's own."""
        value: dict[str, Any] = json.loads(self._file("summary.json"))
        return value

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The scenario as resolved: defaults filled in, files read."""
        value: dict[str, Any] = json.loads(self._file("scenario.json"))
        return value

    @cached_property
    def requests(self) -> pd.DataFrame:
        """One row a request; instants and latencies in seconds.

        Raises EngineError when the scenario asked for no requests.csv.
        """
        return self._table("requests.csv", "/output/requests")

    @cached_property
    def timeseries(self) -> pd.DataFrame:
        """One row a replica and second. Raises EngineError when there is no timeseries.csv."""
        return self._table("timeseries.csv", "/output/timeseries")

    @cached_property
    def tactics(self) -> pd.DataFrame:
        """One row an operator, load and tactic. Raises EngineError when plans were not followed."""
        return self._table("tactics.csv", "/observe/plans")

    @cached_property
    def explanation(self) -> dict[str, Any] | None:
        """What `brink explain` wrote beside the results; None when the run was not explained."""
        return self._beside(EXPLANATION)

    @cached_property
    def pair(self) -> dict[str, Any] | None:
        """What ``brink run --pair`` wrote beside the results; None when there was no pair of runs."""
        return self._beside(PAIR)

    def write(self, directory: str | os.PathLike[str]) -> Path:
        """Writes the result files into a new folder (or in place of an earlier result) and returns it.

        The folder appears whole or not at all. Raises ConfigError when something else is there.
        """
        target = Path(directory)
        if target.exists() and not (target / "summary.json").is_file() and (not target.is_dir() or any(target.iterdir())):
            raise ConfigError("", f"{target}, which is no result folder", "give a new folder", "")
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        fresh.chmod(0o755)
        try:
            for name, content in self.files.items():
                (fresh / name).write_bytes(content)
            if target.exists():
                shutil.rmtree(target)
            fresh.rename(target)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        return target

    def _beside(self, name: str) -> dict[str, Any] | None:
        path = self.directory / name if self.directory is not None else None
        if path is None or not path.is_file():
            return None
        value: dict[str, Any] = json.loads(path.read_bytes())
        return value

    def _file(self, name: str) -> bytes:
        if name not in self.files:
            raise EngineError(f"the run has no {name}")
        return self.files[name]

    def _table(self, name: str, switch: str) -> pd.DataFrame:
        if name not in self.files:
            raise EngineError(f"the run has no {name}: set {switch} to true in the scenario")
        return pd.read_csv(io.BytesIO(self.files[name]))

    def __repr__(self) -> str:
        done = self.summary.get("completed")
        return f"RunResult({done} requests completed in {self.summary.get('duration')} s)"
