"""Drift: how often completions differ, by output length and among the slow requests, and how far the tail is from idle."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd

from brink.headline import milliseconds
from brink.pointer import get
from brink.report.charts import HEIGHT, WIDTH
from brink.report.hatch import RISING, Fill, swatch
from brink.report.scale import ceiling
from brink.report.scale import label as tick_label
from brink.report.still import bar, figure, rule, text

_LENGTHS = 6  # groups of output length
_LEAST = 20  # requests in a group
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 12, 54
IDLE, PAIRWISE = Fill("#0072B2"), Fill("#E69F00", RISING)
_SERIES = (("drift_from_idle", "from the same request alone and idle", IDLE), ("drift_pairwise", "between two executions under this load", PAIRWISE))


def drift_figures(requests: pd.DataFrame, warmup_s: float) -> list[str]:
    """Bars by output length and by latency; none when drift was not followed."""
    if "drift_from_idle" not in requests or not requests["drift_from_idle"].notna().any():
        return []
    kept = requests[(requests["arrival_s"] >= warmup_s) & requests["drift_from_idle"].notna()]
    groups = [_by_length(kept), _by_latency(kept)]
    return [drawn for drawn in groups if drawn]


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


def _by_length(kept: pd.DataFrame) -> str:
    lengths = kept["output_tokens"].to_numpy(dtype=float)
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, _LENGTHS + 1)).round())
    if len(edges) < 2:
        edges = np.array([lengths.min(), lengths.max() + 1])
    which = np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, len(edges) - 2)
    groups = []
    for index in range(len(edges) - 1):
        rows = kept[which == index]
        if len(rows) >= _LEAST:
            low, high = int(rows["output_tokens"].min()), int(rows["output_tokens"].max())
            groups.append((str(low) if low == high else f"{low}–{high}", rows))
    return _bars("drift-length", "Divergence by output length", "output tokens", groups,
                 "Expected share of completions that differ in some token; longer ones have more chances to.")


def _by_latency(kept: pd.DataFrame) -> str:
    """Every group with the mix of output lengths of all requests, so that slow does not just mean long."""
    rank = kept.groupby(_length_class(kept))["e2e_s"].rank(pct=True)
    groups = []
    for name, low, high in (("fastest 10 %", 0.0, 0.1), ("10–45 %", 0.1, 0.45), ("median", 0.45, 0.55), ("55–90 %", 0.55, 0.9),
                            ("90–99 %", 0.9, 0.99), ("slowest 1 %", 0.99, 1.0)):
        rows = kept[(rank > low) & (rank <= high)]
        if len(rows) >= _LEAST:
            groups.append((name, rows))
    if len(groups) < 2:
        return ""
    return _bars("drift-latency", "Divergence by end-to-end latency", "E2E among requests of like length", groups,
                 "Ranks are within classes of output length, so slow does not just mean long.")


def _length_class(kept: pd.DataFrame) -> pd.Series:
    """Powers of two: within one, lengths differ by less than a factor of two."""
    return np.floor(np.log2(kept["output_tokens"].clip(lower=1)))


def _bars(key: str, title: str, axis: str, groups: list[tuple[str, pd.DataFrame]], caption: str) -> str:
    if not groups:
        return ""
    shares = [[100 * float(rows[column].mean()) for column, *_ in _SERIES] for _, rows in groups]
    highest = max(max(pair) for pair in shares)
    top = ceiling(1.05 * highest) if highest > 0 else 1.0
    bottom, slot = HEIGHT - _BOTTOM, (WIDTH - _LEFT - _RIGHT) / len(groups)
    wide = min(0.36 * slot, 34)
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        y = bottom - (bottom - _TOP) * tick
        parts += [rule(_LEFT, y, WIDTH - _RIGHT, y), text(_LEFT - 6, y + 3.5, tick_label(tick * top), anchor="end")]
    for index, ((name, rows), pair) in enumerate(zip(groups, shares, strict=True)):
        middle = _LEFT + (index + 0.5) * slot
        for place, ((_, meaning, fill), share) in enumerate(zip(_SERIES, pair, strict=True)):
            high = (bottom - _TOP) * share / top
            parts.append(bar(middle + (place - 1) * wide, bottom - high, wide, high, fill.css, f"{name}: {share:.3g} % {meaning}, {len(rows):,} requests"))
        parts.append(text(middle, bottom + 14, name, anchor="middle"))
        parts.append(text(middle, bottom + 27, f"n = {len(rows):,}", anchor="middle"))
    parts.append(rule(_LEFT, bottom, WIDTH - _RIGHT, bottom, "axis"))
    parts.append(text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, axis, css="name", anchor="middle"))
    parts.append(f'<text class="name" transform="rotate(-90)" x="{-(bottom + _TOP) / 2:.1f}" y="11" text-anchor="middle">completions that differ (%)</text>')
    legend = "".join(swatch(fill, meaning) for _, meaning, fill in _SERIES)
    return figure(key, title, caption, legend, WIDTH, HEIGHT, "".join(parts))
