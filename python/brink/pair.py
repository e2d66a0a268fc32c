"""A run beside the same run without its conditions: one pair of runs, one seed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brink.explain.causes import causes_of
from brink.explain.metrics import slo_violations
from brink.headline import milliseconds
from brink.result import PAIR, RunResult


@dataclass(frozen=True)
class PairRow:
    """One figure of both runs. None where a run has none."""

    key: str
    label: str
    unit: str  # "ms", "s", "%", "/s" or "requests"
    with_it: float | None
    without: float | None


@dataclass(frozen=True)
class Pair:
    """What the conditions of a scenario changed. Times in seconds of the run."""

    labels: list[str]  # of the conditions
    from_s: float
    until_s: float
    replicas: list[int]  # that they act on; all of them where one names none
    rows: list[PairRow]  # over what happened meanwhile
    whole: list[PairRow]  # over the whole run

    @property
    def meanwhile(self) -> str:
        """Heading of ``rows``."""
        return f"meanwhile ({self.from_s:,.0f}–{self.until_s:,.0f} s)"

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Pair:
        """Reads pair.json's content."""
        rows = {key: [PairRow(**row) for row in found[key]] for key in ("rows", "whole")}
        return cls(**{**found, **rows})

    def write(self, directory: str | Path) -> Path:
        """Writes pair.json into a result folder."""
        path = Path(directory) / PAIR
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def compare(with_it: RunResult, plain: RunResult) -> Pair:
    """Both runs over the time in which the conditions of ``with_it`` act.

    Requests count by when they arrived. Raises EngineError when a run has no requests.csv or no timeseries.csv.
    """
    scenario = with_it.scenario
    conditions = scenario.get("conditions") or []
    labels = [cause.label for cause in causes_of(scenario) if cause.condition >= 0]
    end_s = float(max(with_it.timeseries["t_s"].max(), plain.timeseries["t_s"].max())) + 1.0
    from_s = min((float(item.get("from_s") or 0.0) for item in conditions), default=0.0)
    until_s = max((end_s if item.get("until_s") is None else float(item["until_s"]) for item in conditions), default=end_s)
    named = [item.get("replica") for item in conditions]
    everywhere = sorted(int(r) for r in with_it.timeseries["replica"].unique())
    replicas = sorted({int(r) for r in named}) if named and all(isinstance(r, int) for r in named) else everywhere
    sides = [_meanwhile(run, from_s, min(until_s, end_s), replicas) for run in (with_it, plain)]
    whole = [_whole(run.summary) for run in (with_it, plain)]
    where = f"replica{'s' if len(replicas) > 1 else ''} {', '.join(map(str, replicas[:8]))}{' …' if len(replicas) > 8 else ''}"
    rows = [(key, label.format(replicas=where), unit) for key, label, unit in _MEANWHILE]
    return Pair(labels, from_s, min(until_s, end_s), replicas, _rows(rows, sides), _rows(_WHOLE, whole))


_MEANWHILE = (
    ("step", "mean step of {replicas}", "ms"),
    ("wait", "ranks wait for the slowest", "s"),
    ("p50_tpot", "median TPOT", "ms"),
    ("p99_ttft", "p99 TTFT", "ms"),
    ("p99_e2e", "p99 E2E", "ms"),
    ("switches", "plan switches", "/s"),
    ("drift", "drift from idle", "%"),
    ("pairwise", "drift between two executions", "%"),
)
_WHOLE = (("p99_e2e_run", "p99 E2E", "ms"), ("violations", "SLO violations", "requests"))

_Values = dict[str, float | None]


def _rows(table: Iterable[tuple[str, str, str]], sides: list[_Values]) -> list[PairRow]:
    rows = [PairRow(key, label, unit, sides[0].get(key), sides[1].get(key)) for key, label, unit in table]
    return [row for row in rows if row.with_it is not None or row.without is not None]


def _meanwhile(run: RunResult, from_s: float, until_s: float, replicas: list[int]) -> _Values:
    seconds, requests = run.timeseries, run.requests
    seconds = seconds[(seconds["t_s"] >= from_s) & (seconds["t_s"] < until_s)]
    there = seconds[seconds["replica"].isin(replicas)]
    arrived = requests[(requests["arrival_s"] >= from_s) & (requests["arrival_s"] < until_s)]
    steps = float(there["steps"].sum())
    return {
        "step": float((there["step_ms"] * there["steps"]).sum()) / steps if steps else None,
        "wait": _total(seconds, "wait_s"),
        "p50_tpot": _quantile_ms(arrived, "tpot_s", 0.5),
        "p99_ttft": _quantile_ms(arrived, "ttft_s", 0.99),
        "p99_e2e": _quantile_ms(arrived, "e2e_s", 0.99),
        "switches": None if (all_of := _total(seconds, "plan_switches")) is None else all_of / max(until_s - from_s, 1e-9),
        "drift": _mean_percent(arrived, "drift_from_idle"),
        "pairwise": _mean_percent(arrived, "drift_pairwise"),
    }


def _whole(summary: dict[str, Any]) -> _Values:
    return {"p99_e2e_run": summary.get("p99_e2el_ms"), "violations": slo_violations(summary)}


def _total(table: pd.DataFrame, column: str) -> float | None:
    return float(table[column].sum()) if column in table and len(table) else None


def _quantile_ms(table: pd.DataFrame, column: str, q: float) -> float | None:
    values = table[column].dropna().to_numpy(dtype=float) if column in table else np.array([])
    return float(np.quantile(values, q)) * 1e3 if len(values) else None


def _mean_percent(table: pd.DataFrame, column: str) -> float | None:
    values = table[column].dropna().to_numpy(dtype=float) if column in table else np.array([])
    return 100.0 * float(values.mean()) if len(values) else None


def value(row: PairRow, number: float | None) -> str:
    """A figure for people."""
    if number is None:
        return "–"
    if row.unit == "ms":
        return milliseconds(number)
    if row.unit == "requests":
        return f"{number:,.0f}"
    shown = f"{number:,.0f}" if number >= 100 else f"{number:,.1f}" if number >= 10 or number == 0 else f"{number:.2g}"
    return f"{shown}{row.unit if row.unit.startswith('/') else ' ' + row.unit}"


def change(row: PairRow) -> str:
    """The difference: in per cent, or as it is where there is nothing to compare with."""
    if row.with_it is None or row.without is None:
        return ""
    added = row.with_it - row.without
    if added == 0.0:
        return "none"
    sign = "+" if added > 0 else "−"
    if row.without <= 0.0 or row.unit == "requests":
        return sign + value(row, abs(added))
    percent = 100.0 * abs(added) / row.without
    return f"{sign}{percent:.0f} %" if percent >= 10 else f"{sign}{percent:.2g} %"
