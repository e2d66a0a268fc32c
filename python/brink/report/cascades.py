"""Cascades over time: a row for each root and for what followed from it, one below the other."""

from __future__ import annotations

from brink.explain.cascades import CascadeRow, seconds
from brink.explain.causes import words
from brink.explain.ledger import Link
from brink.report.charts import WIDE
from brink.report.hatch import CROSS, DOTS, FALLING, LEVEL, RISING, UPRIGHT, Fill
from brink.report.scale import Scale
from brink.report.scale import label as tick_label
from brink.report.still import bar, figure, rule, shortened, text

_SHOWN = 4  # cascades
_LINKS_MAX = 7  # rows below a root
_ROW, _GAP = 19, 9
_LEFT, _RIGHT, _TOP, _BOTTOM = 400, 14, 6, 38
_LABEL = 51  # characters
_PIXEL = 1.0  # events nearer than this are one bar

_GREY = Fill("#9aa3ad")
FILLS = {
    "condition": Fill("#1b1f24"), "offered_load": Fill("#5a6472"), "failure": Fill("#1b1f24"), "collective_wait": Fill("#0072B2"),
    "slow_step": Fill("#56B4E9", RISING), "throttle": Fill("#56B4E9", UPRIGHT), "batch_cut": Fill("#E69F00"),
    "batch_recovery": Fill("#F0E442", FALLING), "shaping": Fill("#F0E442", LEVEL), "pin": Fill("#8C6D1F"),
    "preemption": Fill("#D55E00", CROSS, "#fff"), "regime_change": Fill("#CC79A7", DOTS), "plan_switch": Fill("#009E73"),
    "fallback": Fill("#009E73", RISING, "#fff"), "slo_violation": Fill("#D55E00"),
}


def fill(kind: str) -> Fill:
    """How bars of a kind look."""
    return FILLS.get(kind, _GREY)


def cascade_figure(rows: list[CascadeRow], end_s: float, warmup_s: float) -> str:
    """The timeline of the heaviest cascades; "" when there are none."""
    shown = rows[:_SHOWN]
    if not shown:
        return ""
    x = Scale(0.0, max(end_s, max(row.until_s for row in shown)), _LEFT, WIDE - _RIGHT)
    parts: list[str] = []
    y = float(_TOP)
    for number, row in enumerate(shown, 1):
        y = _cascade(parts, number, row, x, y) + _GAP
    bottom = y - _GAP + 4
    more = f" {len(rows) - _SHOWN:,} lighter ones are not drawn." if len(rows) > _SHOWN else ""
    return figure("cascades", "Cascades", "Each row follows from the one it hangs on; the heaviest first." + more, "", WIDE, bottom + _BOTTOM,
                  _grid(x, bottom, warmup_s) + "".join(parts))


def _grid(x: Scale, bottom: float, warmup_s: float) -> str:
    parts = []
    if warmup_s > 0:
        parts.append(f'<rect class="warmup" x="{x.begin:.1f}" y="{_TOP}" width="{x(warmup_s) - x.begin:.1f}" height="{bottom - _TOP:.1f}"/>')
    for tick in x.ticks(10):
        parts += [rule(x(tick), _TOP, x(tick), bottom), text(x(tick), bottom + 14, tick_label(tick), anchor="middle")]
    parts.append(rule(x.begin, bottom, x.end, bottom, "axis"))
    parts.append(text((x.begin + x.end) / 2, bottom + 32, "simulated time (s)", css="name", anchor="middle"))
    return "".join(parts)


def _cascade(parts: list[str], number: int, row: CascadeRow, x: Scale, y: float) -> float:
    """Draws one cascade from ``y`` on; returns where it ends."""
    times = f" ×{row.roots:,}" if row.roots > 1 else ""
    parts.append(text(4, y + 13, shortened(f"{number}  {row.label}", _LABEL - len(times)) + times, css="root"))
    parts.append(_bars(row.chain, x, y))
    left = _LINKS_MAX
    below = [(link, 1, y) for link in reversed(row.chain.ordered())]
    while below:
        link, depth, above = below.pop()
        if left == 0:
            parts.append(text(18, y + _ROW + 13, f"… and {len(below) + 1} more kinds of events"))
            return y + 2 * _ROW
        left -= 1
        y += _ROW
        parts += [_elbow(x(link.first_s), above, y), text(4 + 14 * depth, y + 13, shortened(_label(link), _LABEL - 3 * depth)), _bars(link, x, y)]
        below += [(further, depth + 1, y) for further in reversed(link.ordered())]
    return y + _ROW


def _label(link: Link) -> str:
    count = f" ×{link.count:,}" if link.count > 1 else ""
    return f"↳ {words(link.kind)}{count}" + (f", {seconds(link.delay_s)}" if link.delay_s > 0 else "")


def _elbow(at: float, above: float, y: float) -> str:
    """From the row above down to where this one begins."""
    return f'<path class="cause" d="M{at:.1f} {above + 15:.1f}V{y + 3:.1f}"/>'


def _bars(link: Link, x: Scale, y: float) -> str:
    """The events as bars; those that a pixel cannot tell apart are one."""
    merged: list[list[float]] = []
    for begin, end in sorted(link.spans):
        left, right = x(begin), max(x(end), x(begin) + _PIXEL)
        if merged and left - merged[-1][1] < _PIXEL:
            merged[-1][1] = max(merged[-1][1], right)
        else:
            merged.append([left, right])
    title = f"{words(link.kind)} ×{link.count:,}, {link.first_s:,.2f}–{link.last_s:,.2f} s" + (
        f", delay {seconds(link.delay_s)}" if link.delay_s > 0 else "")
    return "".join(bar(left, y + 4, max(right - left, 2.6), _ROW - 8, fill(link.kind).css, title) for left, right in merged)
