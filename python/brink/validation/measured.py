"""Measured serving runs: what was served, under which load, and what came out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brink.errors import ConfigError, TraceError

METRICS = ("mean_tpot_ms", "mean_e2el_ms", "p99_e2el_ms", "mean_ttft_ms")
_FILE_NAME = re.compile(r"vllm(?P<version>[\d.]+)_(?P<gpu>[^_]+)_(?P<model>.+)-tp(?P<tp>\d+)-(?P<kind>[^-]+)\.csv\.gz")
_WORKLOAD = re.compile(r"(?P<run>exp\d+ )?(?P<kind>.+?) stage_?(?P<stage>\d+)$")


@dataclass(frozen=True)
class Target:
    """What was measured of the requests that arrived in [from_s, to_s). Milliseconds."""

    name: str  # "" for the whole run
    from_s: float
    to_s: float
    measured: dict[str, float]


@dataclass(frozen=True)
class Case:
    """One measured run: a recorded request file, or a load known only by its figures."""

    id: str
    version: str  # of the engine, a key of the template's "engines"
    model: str  # a key of the template's "models"
    tensor_parallel_size: int
    targets: list[Target]
    stages: list[Target] = field(default_factory=list)  # the parts of a recorded run, for fitting
    trace: Path | None = None
    workload: dict[str, Any] | None = None  # of a load without a request file
    engine: dict[str, Any] = field(default_factory=dict)  # settings that differ from the template

    @property
    def recorded(self) -> bool:
        """Whether the requests themselves are known."""
        return self.trace is not None


def load_template(path: Path) -> dict[str, Any]:
    """The scenario templates of configs/validation/serving.json. Raises ConfigError when missing."""
    try:
        template: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("", error.strerror or str(error), "the validation templates belong to a source checkout", str(path)) from None
    return template


def window_figures(requests: pd.DataFrame, from_s: float, to_s: float) -> dict[str, float]:
    """The METRICS of the requests that arrived in [from_s, to_s); NaN without any."""
    kept = requests[(requests["arrival_s"] >= from_s) & (requests["arrival_s"] < to_s) & requests["e2e_s"].notna()]
    if kept.empty:
        return dict.fromkeys(METRICS, float("nan"))
    several = kept[kept["output_tokens"] > 1]
    tpot = (several["e2e_s"] - several["ttft_s"]) / (several["output_tokens"] - 1)
    return {
        "mean_tpot_ms": float(tpot.mean()) * 1e3,
        "mean_e2el_ms": float(kept["e2e_s"].mean()) * 1e3,
        "p99_e2el_ms": float(np.percentile(kept["e2e_s"], 99)) * 1e3,
        "mean_ttft_ms": float(kept["ttft_s"].mean()) * 1e3,
    }


def recorded_cases(data: Path, template: dict[str, Any]) -> list[Case]:
    """The runs of serving/requests whose model and engine the template knows.

    Raises ConfigError without such files, TraceError for one without the needed columns.
    """
    files = sorted((data / "serving" / "requests").glob("*.csv.gz"))
    if not files:
        raise ConfigError("", "no serving/requests/*.csv.gz", "give the folder of the measurements with --data", str(data))
    cases = []
    for file in files:
        name = _FILE_NAME.fullmatch(file.name)
        if name and name["model"] in template["models"] and name["version"] in template["engines"]:
            cases.append(_recorded_case(file, name, template))
    return cases


def not_compared(data: Path, template: dict[str, Any]) -> list[str]:
    """Why each recorded run without a case has none, a sentence a file."""
    reasons = []
    for file in sorted((data / "serving" / "requests").glob("*.csv.gz")):
        name = _FILE_NAME.fullmatch(file.name)
        if not name:
            reasons.append(f"{file.name}: the name is not vllm<version>_<gpu>_<model>-tp<n>-<workload>.csv.gz")
        elif name["model"] not in template["models"]:
            reasons.append(f"{file.name}: no model '{name['model']}' in configs/validation/serving.json")
        elif name["version"] not in template["engines"]:
            reasons.append(f"{file.name}: no engine '{name['version']}' in configs/validation/serving.json")
    return reasons


def _recorded_case(file: Path, name: re.Match[str], template: dict[str, Any]) -> Case:
    requests = pd.read_csv(file)
    missing = {"arrival_s", "output_tokens", "ttft_s", "e2e_s"} - set(requests.columns)
    if missing:
        raise TraceError(f"{file}:1: the columns {', '.join(sorted(missing))} are missing")
    warmup_s = float(template["warmup_s"])
    end = float(requests["arrival_s"].max()) + 1.0
    stage_s = float(template["engines"][name["version"]]["stages"]["seconds"])
    two_rates = end > 1.5 * stage_s and _rate_changes(requests["arrival_s"].to_numpy(), stage_s)
    edges = [(warmup_s, stage_s), (stage_s, end)] if two_rates else [(warmup_s, end)]
    stages = [Target(f"stage{i}", a, b, window_figures(requests, a, b)) for i, (a, b) in enumerate(edges)]
    whole = Target("", warmup_s, end, window_figures(requests, warmup_s, end))
    return Case(file.name.removesuffix(".csv.gz"), name["version"], name["model"], int(name["tp"]), [whole], stages, trace=file)


def _rate_changes(arrival_s: np.ndarray, at_s: float) -> bool:
    """Whether arrivals after ``at_s`` come at another rate than before (by a quarter or more)."""
    before = np.count_nonzero(arrival_s < at_s) / at_s
    after = np.count_nonzero(arrival_s >= at_s) / max(float(arrival_s.max()) - at_s, 1.0)
    return abs(after / max(before, 1e-9) - 1.0) > 0.25


def tabulated_cases(data: Path, template: dict[str, Any], recorded: list[Case]) -> list[Case]:
    """The 16-bit dense vLLM runs of the tables serving/e2e_*.csv that have no request file.

    A run that two sources list counts once. Raises ConfigError when the table is missing.
    """
    paths = sorted((data / "serving").glob("e2e_*.csv"))
    if not paths:
        raise ConfigError("", "no serving/e2e_*.csv", "give the folder of the measurements with --data", str(data))
    table = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    names = {name: slug for slug, model in template["models"].items() for name in model["names"]}
    have = {(case.version, case.model, case.id.rsplit("-", 1)[1]) for case in recorded}
    runs: dict[tuple[str, ...], list[tuple[int, Any]]] = {}
    seen: set[tuple[float, ...]] = set()
    for row in table.itertuples(index=False):
        version = str(row.version).split()[0]
        workload = _WORKLOAD.fullmatch(str(row.workload))
        wanted = (row.engine == "vLLM" and row.model in names and version in template["engines"] and workload
                  and str(row.precision).lower() in ("fp16", "bf16") and "Poisson" in str(row.load))
        figures = (row.in_tok, row.ttft_mean_ms, row.e2e_mean_ms)
        if not wanted or workload is None or figures in seen or (version, names[row.model], workload["kind"]) in have:
            continue
        seen.add(figures)
        run = (workload["run"] or "").strip()
        runs.setdefault((version, names[row.model], str(int(row.tp)), run, workload["kind"]), []).append((int(workload["stage"]), row))
    return [_tabulated_case(key, sorted(rows, key=lambda r: r[0]), template) for key, rows in runs.items()]


def _tabulated_case(key: tuple[str, ...], rows: list[tuple[int, Any]], template: dict[str, Any]) -> Case:
    version, model, tp, run, kind = key
    timing = template["engines"][version]["stages"]
    length_s = float(timing["seconds"] if len(rows) > 1 else timing["single_s"])
    targets, stages = [], []
    for index, (_, row) in enumerate(rows):
        tpot = (row.e2e_mean_ms - row.ttft_mean_ms) / (row.out_tok - 1)
        measured = dict(zip(METRICS, (tpot, row.e2e_mean_ms, row.e2e_p99_ms, row.ttft_mean_ms), strict=True))
        begin = max(index * length_s, float(template["warmup_s"]))
        targets.append(Target(f"stage{index}", begin, (index + 1) * length_s, measured))
        stages.append({"duration_s": length_s, "rate_per_s": float(row.load_value)})
    first = rows[0][1]
    fixed = {name: {"kind": "fixed", "value": int(value)} for name, value in (("input_tokens", first.in_tok), ("output_tokens", first.out_tok))}
    workload = {"arrivals": {"kind": "poisson", "stages": stages}, **fixed}
    label = "-".join(part for part in (model, f"tp{tp}", run, kind) if part)
    return Case(label, version, model, int(tp), targets, targets, workload=workload, engine=_engine_notes(str(first.notes)))


def _engine_notes(notes: str) -> dict[str, Any]:
    """Settings that a table's notes give ("mbt 2048 ... util 0.95")."""
    found: dict[str, Any] = {}
    if tokens := re.search(r"\bmbt (\d+)", notes):
        found["max_num_batched_tokens"] = int(tokens[1])
    if share := re.search(r"\butil (0\.\d+)", notes):
        found["gpu_memory_utilization"] = float(share[1])
    return found
