"""The regimes of each replica over time, under the throughput of the cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from brink.pointer import get
from brink.report.charts import Chart, Line, Strip
from brink.report.hatch import CROSS, DOTS, FALLING, GRID, RISING, Fill
from brink.report.scale import bin_width, interval

# In order of priority: the first predicate that holds names the regime.
FILLS = {
    "isolation_strict": Fill("#F0E442", GRID, "#7a6f00"),
    "memory_evaporation": Fill("#CC79A7", DOTS),
    "paging": Fill("#D55E00", CROSS, "#fff"),
    "memory_pressured": Fill("#E69F00", RISING),
    "queue_degraded": Fill("#56B4E9", FALLING),
    "normal": Fill("#E8EBEF"),
}
_ORDER = {name: rank for rank, name in enumerate(FILLS)}
_STRIPS_MAX = 8  # more replicas are shown as shares
_BINS = 600


def regime_charts(timeseries: pd.DataFrame, summary: dict[str, Any], warmup_s: float) -> list[Chart]:
    """Output tokens a second, with a strip a replica below; nothing when regimes were not followed."""
    if "regime" not in timeseries or not timeseries["regime"].notna().any():
        return []
    width = max(1.0, bin_width(float(timeseries["t_s"].max()), _BINS))  # rows are seconds
    per_second = timeseries.groupby("t_s")["output_tokens"].sum()
    rates = per_second.groupby(interval(per_second.index.to_numpy(dtype=float), width)).mean()
    strips = _strips(timeseries, width)
    seen = {kind for strip in strips for *_, kind in strip.spans}
    return [Chart(
        "regimes", "Throughput and regimes", "simulated time (s)", "output tokens per second",
        [Line("all replicas", [float(t) for t in rates.index], [float(v) for v in rates], 0)],
        caption=_caption(summary, len(strips) > _STRIPS_MAX), from_zero=True, shade_to=warmup_s,
        strips=strips, strip_fills={name.replace("_", " "): fill for name, fill in FILLS.items() if name.replace("_", " ") in seen}, wide=True,
    )]


def _caption(summary: dict[str, Any], shares: bool) -> str:
    times = get(summary, "/regimes/label_share") or {}
    told = [f"{name.replace('_', ' ')} {share:.1%}".replace("%", " %") for name, share in times.items() if share]
    each = "Shares of the replicas" if shares else "The worst regime of each interval"
    changes = get(summary, "/regimes/transitions")
    return (f"{each}, by priority of the labels." + (f" Replica time: {', '.join(told)}." if told else "")
            + (f" {changes:,} changes." if isinstance(changes, int) else ""))


def _strips(timeseries: pd.DataFrame, width: float) -> list[Strip]:
    table = timeseries[timeseries["regime"].isin(_ORDER)]
    rank = table["regime"].map(_ORDER).astype(int)
    start = np.floor(table["t_s"].to_numpy(dtype=float) / width + 1e-9) * width
    worst = rank.groupby([table["replica"].to_numpy(), start]).min()
    strips = []
    for replica in sorted(set(table["replica"])):
        strips.append(Strip(f"replica {replica}", _spans(worst[replica], width)))
    if len(strips) <= _STRIPS_MAX:
        return strips
    return _share_strips(worst, width)


def _spans(worst: pd.Series, width: float) -> list[tuple[float, float, str]]:
    """Intervals in a row with the same regime are one span."""
    names = [name.replace("_", " ") for name in FILLS]
    spans: list[tuple[float, float, str]] = []
    for t, rank in worst.items():
        kind, begin = names[rank], float(t)  # type: ignore[arg-type]
        if spans and spans[-1][2] == kind and abs(spans[-1][1] - begin) < 1e-6:
            spans[-1] = (spans[-1][0], begin + width, kind)
        else:
            spans.append((begin, begin + width, kind))
    return spans


def _share_strips(worst: pd.Series, width: float) -> list[Strip]:
    """With many replicas: the median, and the tenths of replicas that are worst off."""
    levels = ((0.0, "worst replica"), (0.1, "worst tenth"), (0.25, "worst quarter"), (0.5, "median"))
    by_time = worst.groupby(level=1)
    return [Strip(name, _spans(by_time.quantile(q, interpolation="lower").astype(int), width)) for q, name in levels]
