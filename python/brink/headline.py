"""The few numbers of a run that are looked at first, read from its summary."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Line:
    """What is said of how a run executed, under a label."""

    label: str
    text: str


_CONDITIONS_TOLD = 3
_REGIMES_TOLD = 3


def execution(summary: dict[str, Any], conditions: Mapping[int, str]) -> list[Line]:
    """Plans, regimes, drift, tails and the cascades of conditions, a line each: what the run followed of them.

    ``conditions`` names the entries of /conditions by their index.
    """
    told = (("Plans", _plans(summary)), ("Regimes", _regimes(summary)), ("Drift", _drift(summary)), ("Tails", _tails(summary)))
    lines = [Line(label, text) for label, text in told if text]
    return lines + [Line("" if i else "Cascades", text) for i, text in enumerate(_cascades(summary, conditions))]


def _plans(summary: dict[str, Any]) -> str:
    plans = summary.get("plans")
    if not plans or not plans.get("steps"):
        return ""
    text = f"{plans['switches']:,} switches, {_share(plans['captured_share'])} of steps replay a CUDA graph"
    if fallbacks := plans.get("fallbacks"):
        text += f"; fallbacks of operators: {', '.join(f'{reason} {count:,}' for reason, count in fallbacks.items())}"
    return text


def _regimes(summary: dict[str, Any]) -> str:
    shares = (summary.get("regimes") or {}).get("label_share") or {}
    longest = sorted(((share, name) for name, share in shares.items() if share), key=lambda pair: -pair[0])
    told = [f"{name.replace('_', ' ')} {_share(share)}" for share, name in longest[:_REGIMES_TOLD]]
    return f"{', '.join(told)} of replica time" if told else ""


def _drift(summary: dict[str, Any]) -> str:
    drift = summary.get("drift") or {}
    idle, pair = _number(drift.get("divergence_from_idle")), _number(drift.get("divergence_pairwise"))
    if idle is None or pair is None:
        return ""
    return f"{_share(idle)} of answers differ from those of an idle system, {_share(pair)} between two runs under this load"


def _tails(summary: dict[str, Any]) -> str:
    found = summary.get("p99_drift") or {}
    ratios = [(label, _number((found.get(key) or {}).get("p99_ratio"))) for key, label, _ in METRICS]
    told = [f"{label} {_times(ratio)}" for label, ratio in ratios if ratio is not None]
    return f"p99 against the same requests alone: {', '.join(told)}" if told else ""


def _cascades(summary: dict[str, Any], conditions: Mapping[int, str]) -> list[str]:
    """Conditions by the delay they put on requests, the largest first."""
    found = [entry for entry in (summary.get("cascades") or {}).get("conditions") or [] if entry["delay_s"] or entry["requests_touched"]]
    found.sort(key=lambda entry: -entry["request_delay_s"])
    told = []
    for entry in found[:_CONDITIONS_TOLD]:
        name = conditions.get(entry["condition"], f"condition {entry['condition']}")
        told.append(f"{name}: {_seconds(entry['delay_s'])} at the root, {_reach(entry)}")
    if (rest := len(found) - _CONDITIONS_TOLD) > 0:
        told.append(f"and {rest} more condition{'s' if rest > 1 else ''}")
    return told


def _reach(entry: dict[str, Any]) -> str:
    """What a condition did to the requests that it delayed more than any other condition did."""
    if not entry["requests_touched"]:
        return "the largest delay of no request"
    factor = _number(entry.get("amplification"))
    grew = f" ({_times(factor)})" if factor is not None else ""
    return f"{_seconds(entry['request_delay_s'])} over {entry['requests_touched']:,} requests{grew}"


def _share(share: float) -> str:
    """0.0257 is "2.6 %"; what is there is never 0 %."""
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.1f} %" if percent >= 0.1 else "below 0.1 %"


def _times(ratio: float) -> str:
    return f"{ratio:,.{0 if ratio >= 10 else 1}f} times"


def _seconds(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} s"


def milliseconds(value: float | None) -> str:
    """A latency for people: three significant figures, in ms below 1 s and in s above."""
    if value is None:
        return "–"
    unit, shown = ("s", value / 1000) if value >= 1000 else ("ms", value)
    digits = 0 if shown >= 100 else 1 if shown >= 10 else 2
    return f"{shown:,.{digits}f} {unit}"
