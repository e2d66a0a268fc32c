"""Results of the microkernels (JSON Lines), as far as Python reads them itself: whole decode steps."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from brink.errors import ConfigError, TraceError


@dataclass(frozen=True)
class Recorded:
    """One replayed trace. Times in seconds."""

    name: str
    model: str
    limits: dict[str, int]  # tokens_max, seats_max, kv_blocks
    requests: pd.DataFrame  # arrival_s, input_tokens, output_tokens, ttft_s (NaN: no token came)
    steps: pd.DataFrame  # start_s, wall_s, gpu_s, decodes, prefill_tokens
    figures: dict[str, float]  # p50 and p99 of decode_step_s, ttft_s, itl_s


@dataclass(frozen=True)
class StepResults:
    """The decode_step group of a results file."""

    gpu: str
    replays: list[Recorded]
    host_s: float | None  # of a whole step beyond its work on the GPU; None when it was not timed


def is_results_file(path: Path) -> bool:
    """Whether a path names microkernel results rather than a folder of tables."""
    return path.is_file() and path.name.removesuffix(".gz").endswith((".jsonl", ".json"))


def read_steps(path: Path) -> StepResults:
    """Replays and timed steps of a results file.

    Raises TraceError (with the line) for a line that cannot be used and ConfigError when no trace
    was replayed.
    """
    gpu, replays, host = "", [], []
    for number, line in _lines(path):
        if line.get("kind") == "header":
            if gpu and line.get("gpu") != gpu:
                raise TraceError(f"{path}:{number}: measured on '{line.get('gpu')}', the lines above on '{gpu}'; one file holds one type of GPU")
            gpu = str(line.get("gpu", ""))
        if line.get("kind") != "point" or line.get("group") != "decode_step":
            continue
        try:
            what = line["params"]["what"]
            if what == "replay":
                replays.append(_recorded(line["params"], line["metrics"]))
            elif what == "decode":
                host.append(float(line["metrics"]["wall_s"]) - float(line["median_s"]))
        except (KeyError, TypeError, ValueError) as error:
            raise TraceError(f"{path}:{number}: a decode_step point without usable {error}") from None
    if not gpu:
        raise TraceError(f"{path}:1: no header line; give the results file of brink-kernels")
    if not replays:
        raise ConfigError("", "no replayed trace", "measure the group decode_step: brink-kernels --groups decode_step", str(path))
    return StepResults(gpu, replays, max(float(pd.Series(host).median()), 0.0) if host else None)


def _lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
        with opened as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("", str(error), "give the results file of brink-kernels", str(path)) from None
    rows = text.split("\n")
    lines = []
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            value = json.loads(row, parse_constant=_no_constant)
            if not isinstance(value, dict):
                raise ValueError("no object")
        except ValueError as error:
            if number == len(rows):
                break  # the run was ended while it wrote this line
            raise TraceError(f"{path}:{number}: not a JSON object: {error}") from None
        lines.append((number, value))
    return lines


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _recorded(params: dict[str, Any], metrics: dict[str, Any]) -> Recorded:
    steps, requests = metrics["steps"], metrics["per_request"]
    table = pd.DataFrame({"start_s": steps["start_us"], "wall_s": steps["wall_us"], "gpu_s": steps["gpu_us"]}, dtype=float) / 1e6
    table["decodes"], table["prefill_tokens"] = steps["decodes"], steps["prefill_tokens"]
    asked = pd.DataFrame({"arrival_s": requests["arrival_us"], "ttft_s": requests["ttft_us"]}, dtype=float) / 1e6
    asked["input_tokens"], asked["output_tokens"] = requests["input_tokens"], requests["output_tokens"]
    asked.loc[asked["ttft_s"] < 0, "ttft_s"] = float("nan")
    name = f"{params['rate_per_s']:g} requests/s" if "rate_per_s" in params else Path(str(params["trace"])).name
    limits = {key: int(metrics[key]) for key in ("tokens_max", "seats_max", "kv_blocks")}
    figures = {f"p{p}_{metric}": float(metrics[f"p{p}_{metric}"]) for metric in ("decode_step_s", "ttft_s", "itl_s") for p in (50, 99)}
    return Recorded(name, str(params["model"]), limits, asked, table, figures)
