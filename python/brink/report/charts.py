"""Line charts as inline SVG: small, sharp in print, readable without a script.

Colours are Okabe and Ito's set, told apart with every common colour vision; lines differ by
dash as well, so a black-and-white print still tells them apart.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from html import escape

from brink.report.hatch import Fill, swatch
from brink.report.scale import Scale, ceiling, label

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
_DASHES = ("", "6 3", "2 2", "8 3 2 3", "4 4", "1 3", "10 4", "3 1")

WIDTH, WIDE, HEIGHT = 560, 1160, 250
_STRIP = 17  # height of a strip with the gap above it
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 38


@dataclass(frozen=True)
class Line:
    """One line of a chart; both axes in the chart's units. NaN values leave gaps."""

    name: str
    x: list[float]
    y: list[float]
    colour: int = 0
    band: tuple[list[float], list[float]] | None = None  # low and high, shaded


@dataclass(frozen=True)
class Mark:
    """A limit drawn across a chart, with its text."""

    at: float
    text: str
    horizontal: bool = False


@dataclass(frozen=True)
class Strip:
    """A band under the time axis, filled by kind: (from, to, kind) in units of x."""

    name: str
    spans: list[tuple[float, float, str]]


@dataclass(frozen=True)
class Chart:
    """What one figure shows. Units are part of the axis names."""

    key: str
    title: str
    x_name: str
    y_name: str
    lines: list[Line]
    caption: str = ""
    x_log: bool = False
    y_max: float | None = None
    marks: list[Mark] = field(default_factory=list)
    from_zero: bool = False  # the x axis begins at 0
    shade_to: float = 0.0  # the warm-up, shaded from the left end
    strips: list[Strip] = field(default_factory=list)
    strip_fills: dict[str, Fill] = field(default_factory=dict)  # by kind, in the order of the legend
    wide: bool = False  # takes a whole row of the page

    @property
    def width(self) -> int:
        """Units of the drawing."""
        return WIDE if self.wide else WIDTH

    @property
    def left(self) -> int:
        """Where the x axis begins: strips need room for their names."""
        return _LEFT + (44 if self.strips else 0)

    @property
    def below(self) -> float:
        """Height of the strips."""
        return len(self.strips) * _STRIP + (4 if self.strips else 0)


def render(chart: Chart) -> str:
    """The chart as an HTML figure."""
    x, y = _scales(chart)
    parts = [_grid(chart, x, y), *(_band(line, x, y) for line in chart.lines), *(_path(i, line, x, y) for i, line in enumerate(chart.lines)),
             *(_mark(mark, x, y) for mark in chart.marks), *(_strip(i, strip, chart, x) for i, strip in enumerate(chart.strips))]
    summary = escape(f"{chart.title}: {chart.y_name} over {chart.x_name}")
    legend = "".join(_legend_item(i, line) for i, line in enumerate(chart.lines)) if len(chart.lines) > 1 else ""
    legend += "".join(swatch(fill, kind) for kind, fill in chart.strip_fills.items())
    caption = f"<p>{escape(chart.caption)}</p>" if chart.caption else ""
    return (
        f'<figure class="chart" id="chart-{chart.key}"><figcaption><h3>{escape(chart.title)}</h3>{caption}'
        f'<div class="legend">{legend}</div></figcaption>'
        f'<svg viewBox="0 0 {chart.width} {HEIGHT + chart.below:g}" role="img" aria-label="{summary}">{"".join(parts)}'
        '<g class="hover" visibility="hidden"><line class="cursor"/></g></svg>'
        f'<div class="readout" hidden></div><script type="application/json">{_data(chart, x, y)}</script></figure>'
    )


def _finite(values: list[float]) -> list[float]:
    return [v for v in values if math.isfinite(v)]


def _scales(chart: Chart) -> tuple[Scale, Scale]:
    xs = _finite([v for line in chart.lines for v in (line.x[:1] + line.x[-1:])]) or [0.0, 1.0]
    low, high = min(xs), max(xs)
    for mark in chart.marks:
        if not mark.horizontal:
            high, low = max(high, mark.at * 1.05), min(low, mark.at)
    if chart.from_zero:
        low = 0.0
    if chart.x_log:
        low = max(low, high * 1e-6, 1e-9)
        high = max(high, low * 1.1)
    elif high <= low:
        high = low + 1.0
    tops = [v for line in chart.lines for v in _finite(line.y) + _finite(line.band[1] if line.band else [])]
    tops += [mark.at for mark in chart.marks if mark.horizontal]
    top = chart.y_max if chart.y_max is not None else ceiling(1.03 * max(tops, default=1.0))
    return (
        Scale(low, high, chart.left, chart.width - _RIGHT, chart.x_log),
        Scale(0.0, top, HEIGHT - _BOTTOM, _TOP),
    )


def _grid(chart: Chart, x: Scale, y: Scale) -> str:
    parts = []
    if chart.shade_to > x.low:
        parts.append(f'<rect class="warmup" x="{x.begin:.1f}" y="{y.end:.1f}" width="{x(chart.shade_to) - x.begin:.1f}" height="{y.begin - y.end:.1f}"/>')
    for tick in y.ticks():
        at = y(tick)
        parts.append(f'<line class="grid" x1="{x.begin}" x2="{x.end}" y1="{at:.1f}" y2="{at:.1f}"/>'
                     f'<text class="tick" x="{x.begin - 6}" y="{at + 3.5:.1f}" text-anchor="end">{label(tick)}</text>')
    for tick in x.ticks(14 if chart.wide else 7):
        at = x(tick)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{y.begin + chart.below:g}" y2="{y.end}"/>'
                     f'<text class="tick" x="{at:.1f}" y="{y.begin + chart.below + 14:g}" text-anchor="middle">{label(tick)}</text>')
    parts.append(f'<line class="axis" x1="{x.begin}" x2="{x.end}" y1="{y.begin}" y2="{y.begin}"/>')
    parts.append(f'<text class="name" x="{(x.begin + x.end) / 2}" y="{HEIGHT + chart.below - 6:g}" text-anchor="middle">{escape(chart.x_name)}</text>')
    middle = (y.begin + y.end) / 2
    parts.append(f'<text class="name" transform="rotate(-90)" x="{-middle}" y="11" text-anchor="middle">{escape(chart.y_name)}</text>')
    return "".join(parts)


def _points(xs: list[float], ys: list[float], x: Scale, y: Scale) -> str:
    """A path through the points; a gap starts a new piece."""
    parts, pen = [], "M"
    for u, v in zip(xs, ys, strict=True):
        if not (math.isfinite(u) and math.isfinite(v)):
            pen = "M"
            continue
        parts.append(f"{pen}{x(u):.1f} {y(v):.1f}")
        pen = "L"
    return "".join(parts)


def _path(index: int, line: Line, x: Scale, y: Scale) -> str:
    dash = f' stroke-dasharray="{_DASHES[index % len(_DASHES)]}"' if index else ""
    return f'<path class="line" stroke="{COLOURS[line.colour % len(COLOURS)]}"{dash} d="{_points(line.x, line.y, x, y)}"/>'


def _band(line: Line, x: Scale, y: Scale) -> str:
    if line.band is None:
        return ""
    low, high = line.band
    there = [(u, v) for u, v in zip(line.x, high, strict=True) if math.isfinite(v)]
    back = [(u, v) for u, v in zip(line.x, low, strict=True) if math.isfinite(v)][::-1]
    outline = "L".join(f"{x(u):.1f} {y(v):.1f}" for u, v in there + back)
    return f'<path class="band" fill="{COLOURS[line.colour % len(COLOURS)]}" d="M{outline}Z"/>' if outline else ""


def _mark(mark: Mark, x: Scale, y: Scale) -> str:
    if mark.horizontal:
        at = y(mark.at)
        return (f'<line class="limit" x1="{x.begin}" x2="{x.end}" y1="{at:.1f}" y2="{at:.1f}"/>'
                f'<text class="limit-text" x="{x.end - 4}" y="{at - 4:.1f}" text-anchor="end">{escape(mark.text)}</text>')
    at = x(mark.at)
    left_side = at > (x.begin + x.end) / 2
    return (f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{y.begin}" y2="{y.end}"/>'
            f'<text class="limit-text" x="{at + (-5 if left_side else 5):.1f}" y="{y.begin - 8:.1f}" '
            f'text-anchor="{"end" if left_side else "start"}">{escape(mark.text)}</text>')


def _strip(index: int, strip: Strip, chart: Chart, x: Scale) -> str:
    top = HEIGHT - _BOTTOM + 4 + index * _STRIP
    bars = "".join(
        f'<rect class="strip" x="{x(begin):.1f}" y="{top}" width="{max(x(end) - x(begin), 0.3):.1f}" height="{_STRIP - 4}" '
        f'fill="{chart.strip_fills[kind].css}"><title>{escape(f"{strip.name}, {begin:g}–{end:g} s: {kind}")}</title></rect>'
        for begin, end, kind in strip.spans
    )
    return f'<text class="tick" x="{x.begin - 6}" y="{top + 10}" text-anchor="end">{escape(strip.name)}</text>{bars}'


def _legend_item(index: int, line: Line) -> str:
    dash = f' stroke-dasharray="{_DASHES[index % len(_DASHES)]}"' if index else ""
    return (f'<span><svg width="26" height="8" aria-hidden="true"><line x1="1" x2="25" y1="4" y2="4" '
            f'stroke="{COLOURS[line.colour % len(COLOURS)]}" stroke-width="2.2"{dash}/></svg>{escape(line.name)}</span>')


def _number(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _data(chart: Chart, x: Scale, y: Scale) -> str:
    """What the read-out under the pointer needs: values and where the axes are."""
    return json.dumps(
        {
            "x": [x.low, x.high, x.begin, x.end, x.log],
            "y": [y.end, y.begin],
            "x_name": chart.x_name,
            "y_name": chart.y_name,
            "lines": [
                {"name": line.name, "colour": COLOURS[line.colour % len(COLOURS)],
                 "x": [_number(v) for v in line.x], "y": [_number(v) for v in line.y]}
                for line in chart.lines
            ],
        },
        separators=(",", ":"),
    ).replace("</", "<\\/")
