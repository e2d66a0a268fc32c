"""What `brink explain` found out about a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brink.explain.attribution import Attribution
from brink.explain.cascades import CascadeRow
from brink.explain.causes import Cause
from brink.explain.counterfactual import Experiment
from brink.explain.regimes import Push


@dataclass(frozen=True)
class Explanation:
    """A run's cascades and regimes, and what paired runs say of its causes."""

    name: str
    summary: dict[str, Any]
    cascades: list[CascadeRow]
    regimes: dict[str, float]  # share of replica time; empty when not followed
    pushes: list[Push]
    causes: list[Cause]  # that can be removed
    untested: list[Cause]  # of them, beyond the number that is tested
    runs: Experiment | None  # None: no counterfactual runs were made
    found: Attribution | None  # the same
    other: list[str]  # figures of the run that the engine does not give again
