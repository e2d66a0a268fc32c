"""Axes: from values to pixels, and where the ticks go."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic axis from [low, high] to [begin, end] in pixels."""

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Pixel of a value; values outside the axis land on its ends."""
        low, high = self._place(self.low), self._place(self.high)
        share = (self._place(min(max(value, self.low), self.high)) - low) / ((high - low) or 1.0)
        return self.begin + share * (self.end - self.begin)

    def _place(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, count: int = 5) -> list[float]:
        """Round values inside the axis, about ``count`` of them."""
        return _log_ticks(self.low, self.high, count) if self.log else _linear_ticks(self.low, self.high, count)


def _linear_ticks(low: float, high: float, count: int) -> list[float]:
    span = high - low
    if span <= 0:
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float, count: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**d for d in decades for m in mantissas if low * 0.999 <= m * 10.0**d <= high * 1.001]
        if len(ticks) <= count + 2:
            return ticks
    return ticks


def label(value: float) -> str:
    """A tick's text: 0.05, 2.5, 40, 1,200, 15k."""
    magnitude = abs(value)
    if magnitude >= 1e6:
        return f"{value / 1e6:g}M"
    if magnitude >= 1e4:
        return f"{value / 1e3:g}k"
    return f"{value:,.0f}" if magnitude >= 1000 else f"{value:.4g}"


def ceiling(value: float) -> float:
    """The next round number at or above a value: the top of an axis from zero."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * m for m in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if power * m >= value * 0.9999)


def bin_width(span: float, bins: int) -> float:
    """A round width in seconds that gives about ``bins`` intervals."""
    for width in (0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800):
        if span / width <= bins:
            return float(width)
    return span / bins


def interval(t: np.ndarray, width: float) -> np.ndarray:
    """The middle of the interval that each second belongs to; ``t``: when the seconds begin."""
    return (np.floor(t / width + 1e-9) + 0.5) * width
