"""What `brink explain` found, as a card: the paragraph, a table of effects, a picture of the shares."""

from __future__ import annotations

from html import escape
from typing import Any

from brink.explain import figures
from brink.explain.intervals import Interval
from brink.explain.metrics import METRICS, Metric
from brink.report.charts import WIDE
from brink.report.scale import Scale
from brink.report.scale import label as tick_label
from brink.report.still import figure, rule, shortened, text

_METRICS: dict[str, Metric] = {metric.key: metric for metric in METRICS}
_DRAWN = ("p99_e2el_ms", "mean_e2el_ms", "p99_ttft_ms", "p99_tpot_ms")  # the first of them that the causes change
_LEFT, _RIGHT, _TOP, _BOTTOM, _ROW = 400, 150, 8, 38, 26


def explanation_card(found: dict[str, Any]) -> str:
    """HTML of explain.json's content; "" when it holds nothing to show."""
    paragraph = str(found.get("paragraph") or "")
    tests = found.get("counterfactuals") or {}
    if not paragraph and not tests:
        return ""
    table = _table(tests) if tests.get("causes") else ""
    return f'<section class="card"><h3>For the incident report</h3><p class="incident">{escape(paragraph)}</p>{table}</section>'


def share_figure(found: dict[str, Any]) -> str:
    """What each cause adds, with intervals, as dots and whiskers; "" without counterfactual runs."""
    tests = found.get("counterfactuals") or {}
    causes = tests.get("causes") or []
    for key in _DRAWN:
        rows = [(cause["label"], effect) for cause in causes for effect in cause["effects"] if effect["metric"] == key]
        if any(effect["distinguishable"] for _, effect in rows):
            return _forest(_METRICS[key], rows)
    return ""


def _interval(values: list[float]) -> Interval:
    return Interval(*values)


def _forest(metric: Metric, rows: list[tuple[str, dict[str, Any]]]) -> str:
    intervals = [_interval(effect["shapley"]) for _, effect in rows]
    low, high = min(0.0, *(i.low for i in intervals)), max(0.0, *(i.high for i in intervals))
    pad = 0.04 * ((high - low) or 1.0)
    scale, unit = (1e-3, "s") if metric.unit == "ms" and max(-low, high) >= 1000 else (1.0, metric.unit)
    x = Scale((low - pad) * scale, (high + pad) * scale, _LEFT, WIDE - _RIGHT)
    bottom = _TOP + _ROW * len(rows) + 4
    parts = []
    for tick in x.ticks(8):
        parts += [rule(x(tick), _TOP, x(tick), bottom), text(x(tick), bottom + 14, tick_label(tick), anchor="middle")]
    parts += [rule(x(0.0), _TOP, x(0.0), bottom, "zero"), rule(x.begin, bottom, x.end, bottom, "axis")]
    parts.append(text((x.begin + x.end) / 2, bottom + 32, f"added to {metric.label} ({unit}), Shapley value with 95 % interval", css="name", anchor="middle"))
    for index, ((name, effect), interval) in enumerate(zip(rows, intervals, strict=True)):
        y = _TOP + _ROW * (index + 0.5)
        css = "whisker" if effect["distinguishable"] else "whisker faint"
        share = figures.share(_interval(effect["share"])) if effect["share"] and effect["distinguishable"] else "not distinguishable"
        parts.append(text(_LEFT - 10, y + 4, shortened(name, 51), anchor="end"))
        parts.append(rule(x(interval.low * scale), y, x(interval.high * scale), y, css))
        parts += [rule(x(edge * scale), y - 5, x(edge * scale), y + 5, css) for edge in (interval.low, interval.high)]
        parts.append(f'<circle class="{"dot" if effect["distinguishable"] else "dot open"}" cx="{x(interval.mean * scale):.1f}" cy="{y:.1f}" r="4.5"/>')
        parts.append(text(WIDE - _RIGHT + 10, y + 4, share))
    caption = "An interval that crosses 0 cannot be told from no effect. On the right: share of what all tested causes add."
    return figure("shares", "What each cause adds", caption, "", WIDE, bottom + _BOTTOM, "".join(parts))


def _table(tests: dict[str, Any]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("", "this run", "without", "all seeds", "without", "it adds (95 %)", "worse", "share of all causes"))
    seeds = tests.get("seeds") or []
    body = "".join(_cause_rows(cause, len(seeds)) for cause in tests["causes"])
    untested = ", ".join(cause["label"] for cause in tests.get("untested") or [])
    rest = f" Not tested, being smaller at the root: {untested}." if untested else ""
    note = (f"{tests.get('runs', 0):,} runs: every combination of the causes with the same {len(seeds)} seeds, the run's own first; "
            f"means over the seeds. Worse: seeds with more of the metric with the cause than without.{rest}")
    return f'<table class="effects"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p class="note">{escape(note)}</p>'


def _cause_rows(cause: dict[str, Any], seeds: int) -> str:
    given = cause.get("amplification")
    amplification = _interval(given) if given else None
    told = ""
    if amplification is not None and not amplification.contains(0.0):
        told = f" · each second at its root cost the requests {figures.times(amplification)} s of E2E"
    rows = [f'<tr class="cause"><td colspan="8">{escape(cause["label"])} <small>{escape(cause["pointer"])}{escape(told)}</small></td></tr>']
    for effect in cause["effects"]:
        metric = _METRICS.get(effect["metric"])
        if metric is None:
            continue
        share = figures.share(_interval(effect["share"])) if effect["share"] and effect["distinguishable"] else "not distinguishable"
        values = (figures.value(metric, effect[key]) for key in ("run_with_all", "run_without", "with_all", "without"))
        cells = (metric.label, *values, figures.added(metric, _interval(effect["change"]), effect["with_all"]), f"{effect['worse_seeds']}/{seeds}", share)
        css = "" if effect["distinguishable"] else ' class="faint"'
        rows.append(f"<tr{css}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    return "".join(rows)
