"""What happened in a run, as sentences: derived from its tables, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brink import headline
from brink.headline import milliseconds
from brink.pointer import get

GOOD, NOTE, BAD = "good", "note", "bad"

_FULL = 0.98  # a pool with less than 2 % free blocks takes no new request of usual length
_QUEUE_MIN = 5  # fewer waiting requests than this are arrivals between two steps


@dataclass(frozen=True)
class Finding:
    """One sentence and how it bears on the run: good, note or bad."""

    tone: str
    text: str


def findings(summary: dict[str, Any], requests: pd.DataFrame | None, timeseries: pd.DataFrame | None,
             scenario: dict[str, Any]) -> list[Finding]:
    """The sentences that apply, the most important first."""
    found = [*_slo(summary), *_failed(summary)]
    if timeseries is not None and len(timeseries):
        seconds = _per_second(timeseries)
        last_arrival = float(requests["arrival_s"].max()) if requests is not None and len(requests) else None
        growing = _growth(seconds, last_arrival)
        found += growing
        if not growing:
            found += _burst(seconds)
        found += _limits(summary, timeseries, scenario)
        found += _balance(timeseries)
    found += _uneven_tokens(summary)
    found += _preemptions(summary, requests)
    if requests is not None and len(requests):
        found += _worst_minute(requests, float(get(scenario, "/measure/warmup_s", 0.0) or 0.0))
    found += _badges(summary)
    return found


def _slo(summary: dict[str, Any]) -> list[Finding]:
    rows = [row for row in headline.latency_rows(summary) if row.met is not None]
    if not rows:
        return []
    ratio = {row.key: (row.values_ms["p99"] or 0.0) / row.limit_p99_ms for row in rows if row.limit_p99_ms}
    missed = [
        Finding(BAD, f"SLO missed: p99 {row.label} is {milliseconds(row.values_ms['p99'])}, "
                     f"{_over(ratio[row.key])} the limit of {milliseconds(row.limit_p99_ms)}.")
        for row in rows if not row.met
    ]
    if missed:
        return missed
    tightest = max(rows, key=lambda row: ratio.get(row.key, 0.0))
    return [Finding(GOOD, f"SLO met: the tightest is p99 {tightest.label}, at {ratio[tightest.key]:.0%} of its "
                          f"limit of {milliseconds(tightest.limit_p99_ms)}.")]


def _over(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio >= 2 else f"{ratio - 1:.1%} over"


def _failed(summary: dict[str, Any]) -> list[Finding]:
    failed, total = int(summary.get("failed") or 0), int(summary.get("num_prompts") or 0)
    if not failed:
        return []
    share = f" ({failed / total:.1%})" if total else ""
    return [Finding(BAD, f"{failed:,} requests{share} failed: rejected, or unfinished when the run ended.")]


def _per_second(timeseries: pd.DataFrame) -> pd.DataFrame:
    return timeseries.groupby("t_s", sort=True).agg(waiting=("waiting", "sum"), running=("running", "sum"),
                                                    kv=("kv_usage", "max"), busy=("busy_fraction", "mean"))


def _growth(seconds: pd.DataFrame, last_arrival: float | None) -> list[Finding]:
    """Whether the queue still grew when arrivals ended: then there is no steady state."""
    t = seconds.index.to_numpy(dtype=float)
    waiting = seconds["waiting"].to_numpy(dtype=float)
    if last_arrival is not None:
        t, waiting = t[t <= last_arrival + 1], waiting[t <= last_arrival + 1]
    half = len(t) // 2
    if half < 10:
        return []
    slope = float(np.polyfit(t[half:], waiting[half:], 1)[0])
    early, late = float(np.mean(waiting[half : half + half // 4 + 1])), float(np.mean(waiting[-(half // 4) - 1 :]))
    if late < 2 * _QUEUE_MIN or late < 1.5 * early or slope <= 0:
        return []
    return [Finding(BAD, f"Overloaded: the queue was still growing when arrivals ended ({waiting[-1]:,.0f} waiting, "
                         f"{slope:+.2f} a second), so latencies depend on how long the run is.")]


def _burst(seconds: pd.DataFrame) -> list[Finding]:
    """The highest queue, and how long it took to drain."""
    waiting = seconds["waiting"].to_numpy(dtype=float)
    t = seconds.index.to_numpy(dtype=float)
    peak = int(np.argmax(waiting))
    if waiting[peak] < 2 * _QUEUE_MIN:
        return [Finding(GOOD, "No queue to speak of: at most "
                              f"{waiting[peak]:.0f} requests waited at the end of any second.")]
    calm = waiting <= max(_QUEUE_MIN, 0.1 * waiting[peak])
    before = np.flatnonzero(calm[:peak])
    after = np.flatnonzero(calm[peak:])
    began = t[before[-1]] if len(before) else t[0]
    text = f"The queue built up from t = {began:.0f} s to {waiting[peak]:,.0f} waiting at t = {t[peak]:.0f} s"
    if len(after):
        return [Finding(NOTE, f"{text} and took {t[peak + after[0]] - t[peak]:.0f} s to drain.")]
    return [Finding(BAD, f"{text} and never drained.")]


def _limits(summary: dict[str, Any], timeseries: pd.DataFrame, scenario: dict[str, Any]) -> list[Finding]:
    """What the waiting requests waited for: KV blocks, seats, or the step itself."""
    kv_full = float((timeseries["kv_usage"] >= _FULL).mean())
    seats = get(scenario, "/engine/max_num_seqs")
    seats_full = float((timeseries["running"] >= seats).mean()) if isinstance(seats, int) else 0.0
    queued = timeseries["waiting"] >= _QUEUE_MIN
    busy = float(timeseries["busy_fraction"].mean())
    found = []
    if kv_full >= 0.01:
        found.append(Finding(BAD, f"KV cache full (98 % or more) in {kv_full:.0%} of replica-seconds: memory limits the batch."))
    if seats_full >= 0.01:
        kv = float(timeseries["kv_usage"].max())
        room = f", while the KV cache was at most {kv:.0%} full: a higher max_num_seqs would let more in" if kv < 0.7 else ""
        found.append(Finding(NOTE, f"All {seats} seats (max_num_seqs) were taken in {seats_full:.0%} of replica-seconds{room}."))
    if not found and queued.mean() >= 0.02:
        found.append(Finding(NOTE, f"Requests waited in {queued.mean():.0%} of replica-seconds with seats and KV blocks "
                                   "free: prefill and the token budget of a step (max_num_batched_tokens) limit."))
    if not found:
        kv = float(summary.get("kv_cache_usage_max") or timeseries["kv_usage"].max())
        found.append(Finding(GOOD, f"Room left: replicas were busy {busy:.0%} of the time and the KV cache was at most {kv:.0%} full."))
    return found


def _balance(timeseries: pd.DataFrame) -> list[Finding]:
    tokens = timeseries.groupby("replica")["output_tokens"].sum()
    if len(tokens) < 2 or tokens.max() <= 1.2 * max(float(tokens.min()), 1.0):
        return []
    return [Finding(NOTE, f"Uneven replicas: replica {tokens.idxmax()} gave {tokens.max() / max(tokens.min(), 1):.1f} "
                          f"times the output tokens of replica {tokens.idxmin()}.")]


def _uneven_tokens(summary: dict[str, Any]) -> list[Finding]:
    """Tokens that come in jerks: steps that carry long prefills hold up the running requests."""
    p50, p99 = summary.get("p50_itl_ms"), summary.get("p99_itl_ms")
    if not p50 or not p99 or p99 < 4 * p50:
        return []
    return [Finding(NOTE, f"Tokens come unevenly: p99 ITL is {p99 / p50:.0f} times the median, from steps that carry prefills; "
                          "a smaller max_num_batched_tokens makes those steps shorter, at the price of TTFT.")]


def _preemptions(summary: dict[str, Any], requests: pd.DataFrame | None) -> list[Finding]:
    count = int(summary.get("preemptions") or 0)
    if not count:
        return []
    hit = ""
    if requests is not None and len(requests):
        hit = f", which hit {float((requests['preemptions'] > 0).mean()):.1%} of requests"
    return [Finding(BAD, f"{count:,} preemptions{hit}: their KV blocks were given up and computed again.")]


def _worst_minute(requests: pd.DataFrame, warmup_s: float) -> list[Finding]:
    kept = requests[(requests["arrival_s"] >= warmup_s) & requests["ttft_s"].notna()]
    minute = (kept["arrival_s"] // 60).astype(int)
    sizes = kept.groupby(minute)["ttft_s"].size()
    p99 = kept.groupby(minute)["ttft_s"].quantile(0.99)[sizes >= 20]
    if len(p99) < 3:
        return []
    worst = int(p99.idxmax())
    usual = float(p99.median())
    if p99[worst] < 1.5 * usual:
        return []
    return [Finding(NOTE, f"The worst minute began at t = {worst * 60} s: p99 TTFT {milliseconds(p99[worst] * 1e3)}, "
                          f"against {milliseconds(usual * 1e3)} in the median minute.")]


def _badges(summary: dict[str, Any]) -> list[Finding]:
    rows = headline.latency_rows(summary)
    worst = headline.worst_badge([row.badge for row in rows])
    names = ", ".join(row.label for row in rows if row.badge == worst)
    share = ((summary.get("badges") or {}).get("step_time_share") or {}).get(worst)
    extent = f" ({share:.1%} of step time)" if isinstance(share, float) else ""
    if worst == "extrapolated":
        return [Finding(NOTE, f"Mind the badge: {names} rest partly on step shapes outside the measured range: extrapolated{extent}.")]
    if worst == "hypothetical":
        return [Finding(NOTE, f"Mind the badge: {names} rest partly on assumptions that no measurement backs: hypothetical{extent}.")]
    return []
