"""brink.simulate: one run of a scenario."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brink.pool import pool
from brink.result import RunResult
from brink.scenario import Scenario


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    sim_time_s: float
    finished: int  # requests
    total: int | None  # requests, where the workload's length is known
    wall_s: float

    @classmethod
    def from_json(cls, text: str) -> Progress:
        """Reads a 'P' frame."""
        fields: dict[str, Any] = json.loads(text)
        total = fields.get("total")
        return cls(
            float(fields.get("sim_time_s", 0.0)),
            int(fields.get("finished", 0)),
            None if total is None else int(total),
            float(fields.get("wall_s", 0.0)),
        )


def simulate(
    scenario: Scenario,
    *,
    out: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    settings: list[str] | None = None,
) -> RunResult:
    """Runs a scenario and returns its results.

    ``out``: also write the result folder there (whole or not at all). ``seed``: in place of
    the scenario's. ``progress``: called about five times a second; what it raises ends the
    run. ``settings``: "POINTER=VALUE" texts as of ``brink run --set``.

    Safe to call from several threads; each call uses an engine process of its own. Raises
    ConfigError, TraceError, EngineError; Ctrl-C ends the run and raises KeyboardInterrupt.
    """
    if not isinstance(scenario, Scenario):
        raise TypeError(f"simulate takes a brink.Scenario, not a {type(scenario).__name__}; brink.Scenario.load reads a file")
    request = {
        "scenario": scenario.to_dict(),
        "base_dir": str(scenario.base_dir),
        "settings": list(settings or []),
        "seed": None if seed is None else operator.index(seed),
        "out": None if out is None else str(Path(out).resolve()),
        "progress_interval_s": 0.2,
        "files": True,
    }

    def on_progress(text: str) -> None:
        assert progress is not None
        progress(Progress.from_json(text))

    with pool.server() as server:
        text = json.dumps(request, ensure_ascii=False, allow_nan=False)
        answer = server.run(text, on_progress if progress is not None else None)
    return RunResult(dict(answer["files"]), None if out is None else Path(out))
