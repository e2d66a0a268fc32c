"""Which charts a report shows, made from a run's tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from brink import headline
from brink.headline import milliseconds
from brink.pointer import get
from brink.report.charts import COLOURS, Chart, Line, Mark
from brink.report.scale import bin_width, interval

_CDF_POINTS = 240
_TIME_POINTS = 300
_REPLICAS_SHOWN = 6  # more lines than this cannot be told apart: then median and range


def cdf_charts(requests: pd.DataFrame, summary: dict[str, Any], warmup_s: float) -> list[Chart]:
    """Distribution of TTFT, TPOT and E2E over the requests that count."""
    kept = requests[(requests["arrival_s"] >= warmup_s) & (requests["outcome"] == "completed")]
    charts = []
    for key, column, name in (("ttft", "ttft_s", "TTFT"), ("tpot", "tpot_s", "TPOT"), ("e2el", "e2e_s", "End-to-end latency")):
        values_ms = np.sort(kept[column].dropna().to_numpy(dtype=float)) * 1e3
        if len(values_ms) < 2:
            continue
        unit, scale = ("s", 1e-3) if values_ms[-1] >= 10_000 else ("ms", 1.0)
        share = _cdf_shares(len(values_ms))
        x = np.quantile(values_ms, share) * scale
        limit = headline.slo_limit(summary, key)
        p99 = float(np.quantile(values_ms, 0.99))
        charts.append(
            Chart(
                f"cdf-{key}", name, f"{name} ({unit})", "requests at or below (%)",
                [Line(name, x.tolist(), (share * 100).tolist())],
                caption=f"Half within {milliseconds(float(np.median(values_ms)))}, 99 % within {milliseconds(p99)}.",
                x_log=bool(x[0] > 0 and x[-1] / x[0] > 8),
                y_max=100.0,
                marks=[Mark(limit * scale, f"p99 limit {milliseconds(limit)}")] if limit else [],
            )
        )
    return charts


def _cdf_shares(count: int) -> np.ndarray:
    """Shares at which a distribution is drawn: even in the body, finer towards the tail."""
    body = np.linspace(0.0, 1.0, _CDF_POINTS)
    tail = 1.0 - np.geomspace(0.1, max(1.0 / count, 1e-5), 40)
    return np.unique(np.concatenate([body, tail]))


def flow_charts(requests: pd.DataFrame, summary: dict[str, Any], warmup_s: float) -> list[Chart]:
    """Requests in and out, and TTFT, over time: does the cluster keep up?"""
    end = float(np.nanmax(requests[["arrival_s", "finish_s"]].to_numpy(dtype=float)))
    width = bin_width(end, 120)
    edges = np.arange(0.0, end + width, width)
    centres = (edges[:-1] + width / 2).tolist()
    done = requests[requests["outcome"] == "completed"]
    arrived = np.histogram(requests["arrival_s"], edges)[0] / width
    finished = np.histogram(done["finish_s"].dropna(), edges)[0] / width
    charts = [
        Chart("flow", "Requests arriving and finishing", "simulated time (s)", "requests per second",
              [Line("arriving", centres, arrived.tolist()), Line("finishing", centres, finished.tolist(), 1)],
              caption="Where finishing stays below arriving, a queue builds up.", from_zero=True, shade_to=warmup_s)
    ]
    unit, scale = ("s", 1.0) if float(done["ttft_s"].max() or 0.0) >= 10.0 else ("ms", 1e3)
    ttft = _binned_quantiles(done["arrival_s"], done["ttft_s"] * scale, edges)
    limit = headline.slo_limit(summary, "ttft")
    charts.append(
        Chart("ttft-time", "TTFT by arrival time", "simulated time (s)", f"TTFT ({unit})",
              [Line("p50", centres, ttft[0.5]), Line("p99", centres, ttft[0.99], 1)],
              caption="Median and 99th percentile of the requests that arrived in each interval.",
              marks=[Mark(limit * scale / 1e3, f"p99 limit {milliseconds(limit)}", True)] if limit else [], from_zero=True, shade_to=warmup_s)
    )
    return charts


def _binned_quantiles(at: pd.Series, values: pd.Series, edges: np.ndarray) -> dict[float, list[float]]:
    grouped = values.groupby(np.digitize(at, edges) - 1)
    bins = range(len(edges) - 1)
    return {q: grouped.quantile(q).reindex(bins).astype(float).tolist() for q in (0.5, 0.99)}


# (column, key, title, axis, scale, y_max, how rows of one interval combine, caption)
_SERIES = (
    ("waiting", "waiting", "Waiting requests", "requests", 1.0, None, "max", "Queued at the replica, not in a batch yet."),
    ("running", "running", "Running requests", "requests", 1.0, None, "mean", "Holding a seat and KV blocks."),
    ("kv_usage", "kv", "KV cache use", "blocks in use (%)", 100.0, 100.0, "max", "At 100 % running requests are preempted."),
    ("decode_batch", "batch", "Decode batch", "sequences a step", 1.0, None, "mean", "Sequences that got a token, mean over steps."),
    ("step_ms", "step", "Step time", "ms", 1.0, None, "mean", "From the scheduling decision to the tokens being out."),
    ("busy_fraction", "busy", "Busy", "share of time in a step (%)", 100.0, 100.0, "mean", "At 100 % a replica goes from step to step."),
)
_TOTALS = (
    ("output_tokens", "output-tokens", "Output tokens", "tokens per second", "All replicas together."),
    ("prefill_tokens", "prefill-tokens", "Prefill tokens", "tokens per second", "Prompt tokens computed, all replicas together."),
    ("preemptions", "preemptions", "Preemptions", "preemptions per second", "Requests that gave up their KV blocks."),
)


def replica_charts(timeseries: pd.DataFrame, scenario: dict[str, Any], warmup_s: float) -> list[Chart]:
    """Queue, batch, KV use and step time over time, for each replica."""
    charts = []
    width = bin_width(float(timeseries["t_s"].max()), _TIME_POINTS)
    seats = get(scenario, "/engine/max_num_seqs")
    for column, key, title, axis, scale, y_max, combine, caption in _SERIES:
        table = _by_replica(timeseries, column, width, combine) * scale
        top = float(np.nanmax(table.to_numpy(dtype=float))) if len(table) else 0.0
        marks = []
        if key in ("running", "batch") and isinstance(seats, int) and top >= 0.6 * seats:
            marks = [Mark(float(seats), f"max_num_seqs {seats}", True)]
        charts.append(Chart(key, title, "simulated time (s)", axis, _replica_lines(table), caption, y_max=y_max,
                            marks=marks, from_zero=True, shade_to=warmup_s))
    return charts


def total_charts(timeseries: pd.DataFrame, warmup_s: float) -> list[Chart]:
    """Tokens and preemptions a second over all replicas."""
    charts = []
    width = bin_width(float(timeseries["t_s"].max()), _TIME_POINTS)
    for column, key, title, axis, caption in _TOTALS:
        per_second = timeseries.groupby("t_s")[column].sum()
        if column == "preemptions" and not per_second.any():
            continue
        middles = interval(per_second.index.to_numpy(dtype=float), width)
        rates = per_second.groupby(middles).mean()
        line = Line("all replicas", [float(v) for v in rates.index], [float(v) for v in rates], 2)
        charts.append(Chart(key, title, "simulated time (s)", axis, [line], caption, from_zero=True, shade_to=warmup_s))
    return charts


def _by_replica(timeseries: pd.DataFrame, column: str, width: float, combine: str) -> pd.DataFrame:
    values = timeseries[column].astype(float)
    if column in ("step_ms", "decode_batch"):
        values = values.where(timeseries["steps"] > 0)  # an idle second has no step: a gap, not zero
    keyed = pd.DataFrame({"t": interval(timeseries["t_s"].to_numpy(dtype=float), width),
                          "replica": timeseries["replica"].to_numpy(), "value": values.to_numpy()})
    return keyed.pivot_table(index="t", columns="replica", values="value", aggfunc=combine, dropna=False)


def _replica_lines(table: pd.DataFrame) -> list[Line]:
    t = [float(v) for v in table.index]
    if table.shape[1] <= min(_REPLICAS_SHOWN, len(COLOURS)):
        return [Line(f"replica {replica}", t, table[replica].tolist(), i) for i, replica in enumerate(table.columns)]
    band = (table.min(axis=1).tolist(), table.max(axis=1).tolist())
    return [Line(f"median of {table.shape[1]} replicas, with range", t, table.median(axis=1).tolist(), 0, band)]
