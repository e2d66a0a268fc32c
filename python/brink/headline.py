"""The few numbers of a run that are looked at first, read from its summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

METRICS = (
    ("ttft", "TTFT", "time to first token"),
    ("tpot", "TPOT", "time per output token"),
    ("itl", "ITL", "inter-token latency"),
    ("e2el", "E2E", "end to end"),
)
BADGES = ("measured", "interpolated", "extrapolated", "hypothetical")  # best first
STATISTICS = ("mean", "p50", "p90", "p99")


@dataclass(frozen=True)
class LatencyRow:
    """One latency of a run. Milliseconds; None where nothing was measured."""

    key: str
    label: str
    meaning: str
    values_ms: dict[str, float | None]  # by STATISTICS
    limit_p99_ms: float | None
    badge: str

    @property
    def met(self) -> bool | None:
        """Whether p99 keeps its limit; None without a limit or a value."""
        p99 = self.values_ms["p99"]
        return None if self.limit_p99_ms is None or p99 is None else p99 <= self.limit_p99_ms


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def slo_limit(summary: dict[str, Any], metric: str) -> float | None:
    """The p99 limit of a metric in milliseconds, if the scenario set one."""
    limits = (summary.get("slo") or {}).get("limits") or {}
    return _number(limits.get(f"{metric}_p99_ms"))


def badge(summary: dict[str, Any], metric: str) -> str:
    """The badge of a metric: the worst of everything that went into it; "" when no step ran."""
    value = (summary.get("badges") or {}).get(metric)
    return value if isinstance(value, str) else ""


def worst_badge(badges: list[str]) -> str:
    """The least certain badge of a list; "" when it has none."""
    known = [name for name in badges if name in BADGES]
    return max(known, key=BADGES.index, default="")


def latency_rows(summary: dict[str, Any]) -> list[LatencyRow]:
    """TTFT, TPOT, ITL and E2E as the summary has them."""
    return [
        LatencyRow(
            key,
            label,
            meaning,
            {statistic: _number(summary.get(f"{statistic}_{key}_ms")) for statistic in STATISTICS},
            slo_limit(summary, key),
            badge(summary, key),
        )
        for key, label, meaning in METRICS
    ]


@dataclass(frozen=True)
class Fact:
    """One number beside the latencies: its summary key, what it is, value and unit."""

    key: str
    label: str
    value: float
    unit: str
    digits: int = 0


_FACTS = (
    ("completed", "Requests completed", "", 0, 1.0),
    ("failed", "Requests failed", "", 0, 1.0),
    ("duration", "Duration", "s", 1, 1.0),
    ("request_throughput", "Throughput", "req/s", 2, 1.0),
    ("request_goodput", "Goodput", "req/s", 2, 1.0),
    ("output_throughput", "Output tokens", "tok/s", 0, 1.0),
    ("total_token_throughput", "All tokens", "tok/s", 0, 1.0),
    ("max_concurrent_requests", "Most in flight", "req", 0, 1.0),
    ("mean_decode_batch", "Mean decode batch", "seq", 1, 1.0),
    ("step_ms_mean", "Mean step", "ms", 2, 1.0),
    ("step_ms_p99", "p99 step", "ms", 2, 1.0),
    ("kv_cache_usage_mean", "KV use, mean", "%", 1, 100.0),
    ("kv_cache_usage_max", "KV use, highest", "%", 1, 100.0),
    ("preemptions", "Preemptions", "", 0, 1.0),
)


def facts(summary: dict[str, Any]) -> list[Fact]:
    """Throughput, goodput, KV, batch and preemptions: what the summary has of them."""
    found = []
    for key, label, unit, digits, scale in _FACTS:
        value = _number(summary.get(key))
        if value is not None:
            found.append(Fact(key, label, value * scale, unit, digits))
    return found


def milliseconds(value: float | None) -> str:
    """A latency for people: three significant figures, in ms below 1 s and in s above."""
    if value is None:
        return "–"
    unit, shown = ("s", value / 1000) if value >= 1000 else ("ms", value)
    digits = 0 if shown >= 100 else 1 if shown >= 10 else 2
    return f"{shown:,.{digits}f} {unit}"
