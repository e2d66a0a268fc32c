"""Confidence intervals of means and of ratios of means, from a handful of paired samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
MIN_SAMPLES = 2
NEGLIGIBLE = 1e-3  # of a value: what is certainly smaller is no change to speak of


@dataclass(frozen=True)
class Interval:
    """A mean and where the true one lies with probability LEVEL."""

    mean: float
    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Whether ``value`` cannot be told from the mean."""
        return self.low <= value <= self.high

    def negligible(self, of: float) -> bool:
        """Whether all of it is less than a thousandth of ``of``."""
        return max(abs(self.low), abs(self.high)) < NEGLIGIBLE * abs(of)

    def to_list(self) -> list[float]:
        """[mean, low, high]."""
        return [self.mean, self.low, self.high]


def mean_interval(samples: Sequence[float] | np.ndarray, level: float = LEVEL) -> Interval:
    """Student's t interval of the mean: exact for normal samples, however few."""
    x = _samples(samples)
    mean = float(x.mean())
    half = _t(len(x), level) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Interval(mean, mean - half, mean + half)


def ratio_interval(
    above: Sequence[float] | np.ndarray, below: Sequence[float] | np.ndarray, level: float = LEVEL
) -> Interval | None:
    """Interval of mean(above) / mean(below) over pairs; None when mean(below) cannot be told from 0.

    Fieller's theorem (J. R. Stat. Soc. B 16, 1954): every ratio r for which a t test does not
    reject mean(above - r * below) = 0. So it contains 0 exactly when ``mean_interval(above)`` does.
    """
    y, x = _samples(above), _samples(below)
    if len(x) != len(y):
        raise ValueError(f"{len(y)} values over {len(x)}")
    if mean_interval(x, level).contains(0.0):
        return None
    covariance = np.cov(y, x, ddof=1) * (_t(len(x), level) ** 2 / len(x))
    a = x.mean() ** 2 - covariance[1, 1]
    b = y.mean() * x.mean() - covariance[0, 1]
    c = y.mean() ** 2 - covariance[0, 0]
    root = math.sqrt(max(0.0, b * b - a * c))
    return Interval(float(y.mean() / x.mean()), float((b - root) / a), float((b + root) / a))


def _samples(values: Sequence[float] | np.ndarray) -> np.ndarray:
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or len(x) < MIN_SAMPLES:
        raise ValueError(f"an interval needs at least {MIN_SAMPLES} samples")
    return x


def _t(count: int, level: float) -> float:
    from scipy.special import stdtrit  # takes a while to load, and most commands need none of it

    return float(stdtrit(count - 1, 0.5 + level / 2))
