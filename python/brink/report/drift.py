"""Drift: how often answers differ, by length, in the tail, by regime and by plan switches; and the tail of the latencies."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from brink.headline import milliseconds
from brink.pointer import get
from brink.report.charts import HEIGHT, WIDTH
from brink.report.hatch import RISING, Fill, swatch
from brink.report.scale import Scale, ceiling
from brink.report.scale import label as tick_label
from brink.report.still import bar, figure, rule, text

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 12, 54
_TWO_SIDED = 1.96  # standard errors to either side that hold 95 %
IDLE, PAIRWISE = Fill("#0072B2"), Fill("#E69F00", RISING)
_SERIES = (("divergence_from_idle", "from the same request alone and idle", IDLE),
           ("divergence_pairwise", "between two executions under this load", PAIRWISE))


@dataclass(frozen=True)
class _Group:
    """Requests that are told apart, and the section of the summary about them."""

    name: str
    requests: int
    values: dict[str, Any]


def drift_figures(summary: dict[str, Any]) -> list[str]:
    """Bars by output length, in the tail, by regime and by switches; none when drift was not followed."""
    section = get(summary, "/drift")
    if not isinstance(section, dict) or not section.get("requests"):
        return []
    drawn = [
        _bars("drift-length", "Divergence by output length", "output tokens, up to", _ranges(section, "output_tokens"),
              "Expected share of answers that differ in some token; long ones have more chances to."),
        _bars("drift-latency", "Divergence in the tail", "requests by end-to-end latency", _tail(section),
              "The slowest 1 % against the middle 10 % of the requests, answers of equal length compared."),
        _bars("drift-regime", "Divergence by regime", "regimes the request met", _regimes(section),
              "A request counts in every regime whose predicate held while it ran."),
        _bars("drift-switches", "Divergence by plan switches", "plan switches of its replica while it ran, up to", _ranges(section, "switches", "plan_switches"),
              "Long answers meet more switches and differ more often for their length alone."),
    ]
    return [one for one in drawn if one]


def tail_table(summary: dict[str, Any]) -> str:
    """p99 under load against p99 of the same requests idle; "" when it is not known."""
    pairs = get(summary, "/p99_drift") or {}
    rows = []
    for key, name in (("ttft", "TTFT"), ("tpot", "TPOT"), ("e2el", "E2E")):
        pair = pairs.get(key) or {}
        if pair.get("p99_load_ms") is None:
            continue
        cells = [name]
        for q in ("p50", "p99"):
            ratio = pair.get(f"{q}_ratio")
            cells += [milliseconds(pair.get(f"{q}_idle_ms")), milliseconds(pair.get(f"{q}_load_ms")), "–" if ratio is None else f"{ratio:,.2f}×"]
        rows.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("", "p50 idle", "p50 load", "ratio", "p99 idle", "p99 load", "ratio"))
    return (f'<section class="card"><h3>Latency under load and idle</h3><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
            '<p class="note">The same requests, under this load and each alone on an idle system.</p></section>')


def _ranges(section: dict[str, Any], field: str, key: str = "") -> list[_Group]:
    """Groups of a list whose items have <field>_to."""
    return [_Group(tick_label(float(item[f"{field}_to"])), int(item["requests"]), item) for item in section.get(f"by_{key or field}") or []]


def _tail(section: dict[str, Any]) -> list[_Group]:
    """Median and slowest, of all requests; the lengths of both are alike."""
    tail = section.get("tail") or {}
    names = (("median_10_percent", "middle 10 %", 0.1), ("slowest_1_percent", "slowest 1 %", 0.01))
    requests = int(tail.get("requests") or 0)
    return [_Group(name, round(part * requests), tail[key]) for key, name, part in names
            if requests and (tail.get(key) or {}).get("divergence_from_idle") is not None]


def _regimes(section: dict[str, Any]) -> list[_Group]:
    groups = section.get("by_regime") or {}
    return [_Group(str(name).replace("_", " "), int(item["requests"]), item) for name, item in groups.items()]


def _percent(values: dict[str, Any], key: str) -> float:
    return 100.0 * float(values.get(key) or 0.0)


def _bars(key: str, title: str, axis: str, groups: list[_Group], caption: str) -> str:
    if not groups:
        return ""
    highest = max(_percent(group.values, name) + _TWO_SIDED * _percent(group.values, f"{name}_se") for group in groups for name, *_ in _SERIES)
    top = ceiling(min(1.03 * highest, 100.0)) if highest > 0 else 1.0
    bottom, slot = HEIGHT - _BOTTOM, (WIDTH - _LEFT - _RIGHT) / len(groups)
    wide = min(0.36 * slot, 34)
    parts = []
    height = Scale(0.0, top, bottom, _TOP)
    for tick in height.ticks(4):
        parts += [rule(_LEFT, height(tick), WIDTH - _RIGHT, height(tick)), text(_LEFT - 6, height(tick) + 3.5, tick_label(tick), anchor="end")]
    for index, group in enumerate(groups):
        middle = _LEFT + (index + 0.5) * slot
        for place, (name, meaning, fill) in enumerate(_SERIES):
            parts.append(_bar(group, name, meaning, fill, middle + (place - 1) * wide, wide, bottom, (bottom - _TOP) / top))
        parts += [text(middle, bottom + 14, group.name, anchor="middle"), text(middle, bottom + 27, _count(group.requests), anchor="middle")]
    parts.append(rule(_LEFT, bottom, WIDTH - _RIGHT, bottom, "axis"))
    parts.append(text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, axis, css="name", anchor="middle"))
    parts.append(f'<text class="name" transform="rotate(-90)" x="{-(bottom + _TOP) / 2:.1f}" y="11" text-anchor="middle">answers that differ (%)</text>')
    legend = "".join(swatch(fill, meaning) for _, meaning, fill in _SERIES)
    return figure(key, title, caption, legend, WIDTH, HEIGHT, "".join(parts))


def _bar(group: _Group, name: str, meaning: str, fill: Fill, x: float, wide: float, bottom: float, scale: float) -> str:
    share, half = _percent(group.values, name), _TWO_SIDED * _percent(group.values, f"{name}_se")
    told = f" ± {half:.2g}" if half > 0 else ""
    drawn = bar(x, bottom - share * scale, wide, share * scale, fill.css, f"{group.name}: {share:.3g}{told} % {meaning}, {group.requests:,} requests")
    if half > 0:
        drawn += rule(x + wide / 2, bottom - (share + half) * scale, x + wide / 2, bottom - max(share - half, 0.0) * scale, "error")
    return drawn


def _count(requests: int) -> str:
    return f"n={requests:,}"
