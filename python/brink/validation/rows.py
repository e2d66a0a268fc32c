"""One predicted number beside one measured number, and what many of them amount to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Row:
    """A comparison. ``held_out``: the prediction comes from a fit that has not seen it."""

    group: str
    id: str
    metric: str
    measured: float
    predicted: float
    held_out: bool

    @property
    def error(self) -> float:
        """Relative error, signed: 0.1 for a prediction 10 % above the measurement."""
        return self.predicted / self.measured - 1.0


@dataclass(frozen=True)
class Summary:
    """The errors of one group and metric, as fractions."""

    group: str
    metric: str
    held_out: bool
    count: int
    mape: float
    median: float
    p95: float
    worst: float
    worst_id: str


def summarise(rows: Iterable[Row]) -> list[Summary]:
    """MAPE, median, p95 and worst absolute error of each (group, metric, held out), in order of appearance."""
    grouped: dict[tuple[str, str, bool], list[Row]] = {}
    for row in rows:
        if row.measured > 0 and math.isfinite(row.predicted):
            grouped.setdefault((row.group, row.metric, row.held_out), []).append(row)
    found = []
    for (group, metric, held_out), members in grouped.items():
        errors = np.abs([row.error for row in members])
        worst = int(np.argmax(errors))
        found.append(Summary(group, metric, held_out, len(members), float(errors.mean()), float(np.median(errors)),
                             float(np.quantile(errors, 0.95)), float(errors[worst]), members[worst].id))
    return found


def write_json(rows: Iterable[Row], path: Path) -> None:
    """Writes the rows as a JSON list of {group, id, metric, measured, predicted, held_out}."""
    text = ",\n".join(json.dumps(asdict(row)) for row in rows)
    path.write_text(f"[\n{text}\n]\n" if text else "[]\n", encoding="utf-8")
