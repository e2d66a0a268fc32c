"""Execution plans: which tactics ran at which load, and how often they switched."""

from __future__ import annotations

from typing import Any

import pandas as pd

from brink.pointer import get
from brink.report.charts import HEIGHT, WIDTH, Chart, Line
from brink.report.hatch import OTHER, SERIES, Fill, swatch
from brink.report.scale import bin_width, interval
from brink.report.scale import label as tick_label
from brink.report.still import bar, figure, rule, shortened, text

_OPERATORS_MAX = 6
_LEAST_SHARE = 0.05  # of the steps at a load, to be a block of its own
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 8, 42
_STEPS_HIGH = 26  # of the bars that say how many steps a load had
_TIME_POINTS = 300
_LOADS = {"decode_sequences": "decoding sequences, up to", "padded_tokens": "tokens in the step, padded, up to", "sampled_rows": "sampled tokens, up to"}


def tactic_figures(tactics: pd.DataFrame) -> list[str]:
    """Shares of the tactics by load, for the operators whose choice varies most; those that never switch have none."""
    varied = []
    for name, rows in tactics.groupby("operator", sort=False):
        total = rows.groupby("tactic")["steps"].sum()
        if len(total) > 1:
            varied.append((float(total.max() / total.sum()), -int(total.sum()), str(name), rows))
    varied.sort(key=lambda item: item[:3])
    return [_figure(name, modal, rows) for modal, _, name, rows in varied[:_OPERATORS_MAX]]


def constant_note(tactics: pd.DataFrame) -> str:
    """A sentence about the operators that always ran one tactic; "" when there are none."""
    one = [f"{str(name).replace('_', ' ')} ({rows['tactic'].iloc[0]})" for name, rows in tactics.groupby("operator", sort=False)
           if rows["tactic"].nunique() == 1]
    return f"Always one tactic: {', '.join(one)}." if one else ""


def switch_charts(timeseries: pd.DataFrame, summary: dict[str, Any], warmup_s: float) -> list[Chart]:
    """Plan switches a second; nothing when plans were not followed."""
    if "plan_switches" not in timeseries or not timeseries["plan_switches"].notna().any():
        return []
    width = bin_width(float(timeseries["t_s"].max()), _TIME_POINTS)
    per_second = timeseries.groupby("t_s")["plan_switches"].sum()
    rates = per_second.groupby(interval(per_second.index.to_numpy(dtype=float), width)).mean()
    captured = get(summary, "/plans/captured_share")
    fallbacks = get(summary, "/plans/fallbacks") or {}
    told = [f"{captured:.1%} of the steps ran as a CUDA graph.".replace("%", " %")] if isinstance(captured, float) else []
    named = ", ".join(f"{kind} {count:,}" for kind, count in ((str(k).replace("_", " "), v) for k, v in fallbacks.items()))
    told += [f"Fallbacks (operators times steps): {named}."] if named else []
    return [Chart("plan-switches", "Plan switches", "simulated time (s)", "switches per second",
                  [Line("all replicas", [float(t) for t in rates.index], [float(v) for v in rates], 1)],
                  caption=" ".join(["Steps in which some operator ran another tactic than in the step before.", *told]),
                  from_zero=True, shade_to=warmup_s)]


def _figure(name: str, modal: float, rows: pd.DataFrame) -> str:
    loads = rows.groupby(["load_from", "load_to"])["steps"].sum().sort_index()
    order = rows.groupby("tactic")["steps"].sum().sort_values(ascending=False, kind="stable")
    shown = list(order.index[: len(SERIES)])
    fills: dict[str, Fill] = dict(zip(shown, SERIES, strict=False))
    parts = _axes()
    slot = (WIDTH - _LEFT - _RIGHT) / max(len(loads), 1)
    wide = min(0.78 * slot, 60)
    bottom, high = HEIGHT - _BOTTOM, HEIGHT - _BOTTOM - _TOP - _STEPS_HIGH - 6
    most = int(loads.max())
    for index, ((low, last), steps) in enumerate(loads.items()):
        x = _LEFT + (index + 0.5) * slot - wide / 2
        here = rows[(rows["load_from"] == low)].groupby("tactic")["steps"].sum()
        span = str(low) if low == last else f"{low}–{last}"
        parts.append(_stack(here, int(steps), fills, x, wide, bottom, high, span))
        parts.append(bar(x, _TOP + _STEPS_HIGH * (1 - steps / most), wide, _STEPS_HIGH * steps / most, "#9aa3ad", f"{span}: {steps:,} steps"))
        parts.append(text(x + wide / 2, bottom + 14, tick_label(float(last)), anchor="middle"))
    axis = _LOADS.get(str(rows["load"].iloc[0]), str(rows["load"].iloc[0]))
    parts.append(text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, axis, css="name", anchor="middle"))
    legend = "".join(swatch(fill, shortened(tactic, 44)) for tactic, fill in fills.items())
    if len(order) > len(shown):
        legend += swatch(OTHER, f"{len(order) - len(shown)} more")
    fell = rows[rows["fallback"].fillna("none") != "none"]["steps"].sum() / max(int(rows["steps"].sum()), 1)
    caption = (f"{len(order)} tactic{'s' if len(order) > 1 else ''}; the usual one ran in {modal:.1%} of its steps".replace("%", " %")
               + (f", a fallback in {fell:.1%}".replace("%", " %") if fell > 0 else "") + ". Grey on top: steps at this load.")
    return figure(f"tactics-{name.replace('_', '-')}", name.replace("_", " "), caption, legend, WIDTH, HEIGHT, "".join(parts))


def _axes() -> list[str]:
    bottom, top = HEIGHT - _BOTTOM, _TOP + _STEPS_HIGH + 6
    parts = []
    for share in (0, 25, 50, 75, 100):
        y = bottom - (bottom - top) * share / 100
        parts += [rule(_LEFT, y, WIDTH - _RIGHT, y), text(_LEFT - 6, y + 3.5, tick_label(share), anchor="end")]
    parts.append(rule(_LEFT, bottom, WIDTH - _RIGHT, bottom, "axis"))
    parts.append(text(_LEFT - 6, _TOP + _STEPS_HIGH - 8, "steps", anchor="end"))
    parts.append(f'<text class="name" transform="rotate(-90)" x="{-(bottom + top) / 2:.1f}" y="11" text-anchor="middle">steps (%)</text>')
    return parts


def _stack(here: pd.Series, steps: int, fills: dict[str, Fill], x: float, wide: float, bottom: float, high: float, span: str) -> str:
    """The tactics of one load. Those without a colour of their own are blocks of their own while they are large enough."""
    parts, y = [], bottom
    named = [tactic for tactic in fills if tactic in here.index]
    others = here.drop(named).sort_values(ascending=False, kind="stable")
    large = others[others >= _LEAST_SHARE * steps]
    blocks = [(str(tactic), int(here[tactic]), fills.get(str(tactic), OTHER)) for tactic in [*named, *large.index]]
    small = int(others.sum() - large.sum())
    if small:
        blocks.append((f"{len(others) - len(large)} rarer tactics", small, OTHER))
    for tactic, count, fill in blocks:
        y -= high * count / steps
        parts.append(bar(x, y, wide, high * count / steps, fill.css, f"{span}: {tactic}, {count / steps:.1%} of {steps:,} steps"))
    return "".join(parts)
