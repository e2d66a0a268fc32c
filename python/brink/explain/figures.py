"""Numbers as text, in one way for the terminal, the report and the paragraph."""

from __future__ import annotations

from brink.explain.intervals import Interval
from brink.explain.metrics import Metric
from brink.headline import milliseconds

_MINUS = "−"
_DIGITS_MAX = 4


def value(metric: Metric, number: float) -> str:
    """A metric's value: "12.3 s", "1,234", "4.1 %"."""
    if metric.unit == "ms":
        return milliseconds(number)
    if metric.unit == "%":
        return f"{number:.2g} %"
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def change(metric: Metric, interval: Interval) -> str:
    """A difference and its interval in one unit: "+4.80 s [3.71, 5.92]"."""
    scale, unit = 1.0, {"ms": " ms", "%": " points"}.get(metric.unit, "")
    largest = max(abs(interval.mean), abs(interval.low), abs(interval.high))
    if metric.unit == "ms" and largest >= 1000:
        scale, unit = 1e-3, " s"
    digits = _digits(interval, scale)
    mean, low, high = (_signed(x * scale, digits) for x in (interval.mean, interval.low, interval.high))
    plus = "+" if interval.mean > 0 and not mean.startswith(_MINUS) and _nonzero(mean) else ""
    return f"{plus}{mean}{unit} [{low}, {high}]"


def added(metric: Metric, interval: Interval, of: float) -> str:
    """The same, in words where it is nothing to speak of beside the metric's value ``of``."""
    if interval.mean == interval.low == interval.high == 0.0:
        return "nothing"
    return "negligible" if interval.negligible(of) else change(metric, interval)


def share(interval: Interval | None) -> str:
    """A share in per cent with its interval; a dash where there is none."""
    if interval is None:
        return "–"
    mean, low, high = (_signed(100 * x, 0) for x in (interval.mean, interval.low, interval.high))
    return f"{mean} % [{low}, {high}]"


def times(interval: Interval) -> str:
    """An amplification: "34.1 [28.0, 40.3]"."""
    digits = _digits(interval, 1.0)
    mean, low, high = (_signed(x, digits) for x in (interval.mean, interval.low, interval.high))
    return f"{mean} [{low}, {high}]"


def _digits(interval: Interval, scale: float) -> int:
    """Decimals that show two figures of the interval's width, or three of the mean when it is as good as known.

    More where an end close to 0 would lose its sign.
    """
    width = (interval.high - interval.low) * scale
    size = abs(interval.mean) * scale
    finest = max(width, size / 100)
    digits = next((digits for digits, least in ((0, 10.0), (1, 1.0), (2, 0.1), (3, 0.01)) if finest >= least), 4 if finest > 0 else 0)
    for end in (interval.low, interval.high):
        while end != 0.0 and digits < _DIGITS_MAX and not _nonzero(f"{end * scale:.{digits}f}"):
            digits += 1
    return digits


def _nonzero(text: str) -> bool:
    return any(c in "123456789" for c in text)


def _signed(number: float, digits: int) -> str:
    text = f"{abs(number):,.{digits}f}"
    return f"{_MINUS}{text}" if number < 0 and _nonzero(text) else text
