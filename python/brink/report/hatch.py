"""Fills that differ by colour and by pattern, so that they can be told apart in any colour vision and in black and white.

Colours are Okabe and Ito's; the patterns are defined once a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Fill:
    """A background colour and the lines on it ("" for none)."""

    colour: str
    lines: str = ""  # an SVG path in a square of 8 by 8
    ink: str = "#333"

    @property
    def key(self) -> str:
        """Name of its pattern."""
        return f"hatch-{self.colour.lstrip('#')}-{abs(hash_of(self.lines))}"

    @property
    def css(self) -> str:
        """The value of an SVG fill attribute."""
        return f"url(#{self.key})" if self.lines else self.colour


RISING, FALLING, CROSS = "M-2 2L2 -2M0 8L8 0M6 10L10 6", "M-2 6L2 10M0 0L8 8M6 -2L10 2", "M0 0L8 8M0 8L8 0"
LEVEL, UPRIGHT, GRID = "M0 4H8", "M4 0V8", "M0 4H8M4 0V8"
DOTS = "M1.5 2h1.6M5.5 6h1.6"

# Of series in a fixed order: stacked shares, tactics.
SERIES = (
    Fill("#56B4E9"), Fill("#E69F00", RISING), Fill("#009E73", UPRIGHT), Fill("#CC79A7", DOTS), Fill("#0072B2", FALLING, "#fff"),
    Fill("#D55E00", LEVEL), Fill("#F0E442", CROSS),
)
OTHER = Fill("#D5D9DE", GRID, "#9aa3ad")


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    value = 0
    for character in text:
        value = (value * 131 + ord(character)) % 1_000_003
    return value


def definitions(fills: list[Fill]) -> str:
    """The patterns, to be put into the page once."""
    patterns = {fill.key: fill for fill in fills if fill.lines}
    made = "".join(
        f'<pattern id="{key}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{fill.colour}"/>'
        f'<path d="{fill.lines}" stroke="{fill.ink}" stroke-width="1.1" fill="none"/></pattern>'
        for key, fill in patterns.items()
    )
    return f'<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>{made}</defs></svg>' if made else ""


def swatch(fill: Fill, name: str) -> str:
    """One entry of a legend."""
    return (f'<span><svg width="22" height="12" aria-hidden="true"><rect x="0.5" y="0.5" width="21" height="11" fill="{fill.css}" '
            f'stroke="#8892a0"/></svg>{escape(name)}</span>')
