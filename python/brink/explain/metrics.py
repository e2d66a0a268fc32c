"""The figures by which causes are judged, read from a run's summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brink.pointer import get


@dataclass(frozen=True)
class Metric:
    """One figure of a run: lower is better for all of them."""

    key: str
    label: str
    unit: str  # "ms", "requests" or "%"
    read: Callable[[dict[str, Any]], float | None]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def slo_violations(summary: dict[str, Any]) -> float | None:
    """Measured requests that failed or broke a limit of the SLO; None without an SLO."""
    good_per_s, duration_s = _number(summary.get("request_goodput")), _number(summary.get("duration"))
    measured = _number(summary.get("measured_requests"))
    if good_per_s is None or duration_s is None or measured is None:
        return None
    return measured - round(good_per_s * duration_s)


def drift_percent(summary: dict[str, Any]) -> float | None:
    """Expected share of completions that differ from those of the same requests alone and idle, in per cent."""
    share = _number(get(summary, "/drift/divergence_from_idle"))
    return None if share is None else 100.0 * share


def _latency(key: str, label: str) -> Metric:
    return Metric(key, label, "ms", lambda summary: _number(summary.get(key)))


METRICS = (
    _latency("mean_e2el_ms", "mean E2E"),
    _latency("p99_e2el_ms", "p99 E2E"),
    _latency("p99_ttft_ms", "p99 TTFT"),
    _latency("p99_tpot_ms", "p99 TPOT"),
    Metric("slo_violations", "SLO violations", "requests", slo_violations),
    Metric("drift", "drift from idle", "%", drift_percent),
)


def read_metrics(summary: dict[str, Any]) -> dict[str, float]:
    """The metrics a summary has."""
    values = ((metric.key, metric.read(summary)) for metric in METRICS)
    return {key: value for key, value in values if value is not None}
