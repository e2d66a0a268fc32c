"""What the paired runs say about each cause: its effect, its share of all effects, its amplification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brink.explain.causes import Cause
from brink.explain.counterfactual import Experiment
from brink.explain.intervals import Interval, mean_interval, ratio_interval
from brink.explain.metrics import METRICS, Metric
from brink.explain.shapley import shapley


@dataclass(frozen=True)
class Effect:
    """One cause and one metric, over the paired seeds. Values in the metric's unit."""

    metric: Metric
    with_all: float  # mean over the seeds, all causes acting
    without: float  # the same without this cause
    change: Interval  # with all causes - without this one
    shapley: Interval  # the cause's part of (all causes - none)
    share: Interval | None  # shapley over the whole; None: the whole cannot be told from 0
    run: tuple[float, float]  # of the run itself: with all causes, without this one
    worse: int  # seeds with more of the metric with the cause than without
    better: int  # with less

    @property
    def distinguishable(self) -> bool:
        """Whether the cause's part is told from none, and worth telling."""
        return self._told(self.shapley)

    @property
    def removal_distinguishable(self) -> bool:
        """Whether removing this cause alone is told from no effect, and worth telling."""
        return self._told(self.change)

    def _told(self, interval: Interval) -> bool:
        return not interval.contains(0.0) and not interval.negligible(self.with_all)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; intervals are [mean, low, high]."""
        return {
            "metric": self.metric.key, "unit": self.metric.unit, "with_all": self.with_all, "without": self.without,
            "change": self.change.to_list(), "shapley": self.shapley.to_list(),
            "share": None if self.share is None else self.share.to_list(),
            "distinguishable": self.distinguishable, "removal_distinguishable": self.removal_distinguishable,
            "run_with_all": self.run[0], "run_without": self.run[1], "worse_seeds": self.worse, "better_seeds": self.better,
        }


@dataclass(frozen=True)
class Verdict:
    """All that was found about one cause."""

    cause: Cause
    effects: list[Effect]
    root_delay_s: float  # mean over the seeds
    amplification: Interval | None  # seconds of E2E over all requests for each second at the root
    pairs: int  # requests compared, over all seeds
    seeds: int

    @property
    def amplified(self) -> Interval | None:
        """The amplification where it is told from 0."""
        return None if self.amplification is None or self.amplification.contains(0.0) else self.amplification

    def effect(self, key: str) -> Effect | None:
        """The effect on one metric, where every run has it."""
        return next((effect for effect in self.effects if effect.metric.key == key), None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return self.cause.to_dict() | {
            "root_delay_s": self.root_delay_s,
            "amplification": None if self.amplification is None else self.amplification.to_list(),
            "pairs": self.pairs,
            "effects": [effect.to_dict() for effect in self.effects],
        }


@dataclass(frozen=True)
class Attribution:
    """The verdicts, and by metric what all causes do together."""

    verdicts: list[Verdict]
    total: dict[str, Interval]  # all causes - none

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"total": {key: interval.to_list() for key, interval in self.total.items()},
                "causes": [verdict.to_dict() for verdict in self.verdicts]}


def attribute(runs: Experiment) -> Attribution:
    """Intervals over the seeds from the worth of every coalition."""
    total = {key: mean_interval(worth[:, -1] - worth[:, 0]) for key, worth in runs.worth.items()}
    values = {key: shapley(worth) for key, worth in runs.worth.items()}
    verdicts = []
    for i, cause in enumerate(runs.causes):
        effects = [_effect(metric, runs.worth[metric.key], values[metric.key][:, i], i)
                   for metric in METRICS if metric.key in runs.worth]
        delay_s, added_s = runs.root_delay_s[:, i], runs.e2e_added_s[:, i]
        known = bool(np.isfinite(added_s).all() and (delay_s > 0).any())
        verdicts.append(Verdict(cause, effects, float(delay_s.mean()), ratio_interval(added_s, delay_s) if known else None,
                                int(runs.pairs[:, i].sum()), len(runs.seeds)))
    return Attribution(verdicts, total)


def _effect(metric: Metric, worth: np.ndarray, values: np.ndarray, player: int) -> Effect:
    full = worth.shape[1] - 1
    whole, lacking = worth[:, full], worth[:, full & ~(1 << player)]
    return Effect(
        metric, float(whole.mean()), float(lacking.mean()), mean_interval(whole - lacking), mean_interval(values),
        ratio_interval(values, whole - worth[:, 0]), (float(whole[0]), float(lacking[0])),
        int((whole > lacking).sum()), int((whole < lacking).sum()),
    )
