"""Figures that have no read-out: their values are in titles that a browser shows under the pointer."""

from __future__ import annotations

from html import escape


def figure(key: str, title: str, caption: str, legend: str, width: float, height: float, drawing: str) -> str:
    """An HTML figure around an SVG drawing of its own units."""
    return (
        f'<figure class="chart still" id="chart-{key}"><figcaption><h3>{escape(title)}</h3>'
        f'{f"<p>{escape(caption)}</p>" if caption else ""}<div class="legend">{legend}</div></figcaption>'
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">{drawing}</svg></figure>'
    )


def text(x: float, y: float, words: str, *, css: str = "tick", anchor: str = "start") -> str:
    """One line of text."""
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float, css: str = "grid") -> str:
    """A straight line."""
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def bar(x: float, y: float, width: float, height: float, fill: str, title: str = "") -> str:
    """A rectangle, with what the pointer shows."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.4):.1f}" height="{max(height, 0.0):.1f}" fill="{fill}">{inside}</rect>'


def shortened(words: str, length: int) -> str:
    """Text of at most ``length`` characters."""
    return words if len(words) <= length else f"{words[: length - 1].rstrip()}…"
