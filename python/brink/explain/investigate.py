"""brink explain as a function: from a finished run to what is to blame, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from brink.errors import ConfigError
from brink.explain.attribution import attribute
from brink.explain.cascades import cascade_rows
from brink.explain.causes import Cause, causes_of
from brink.explain.counterfactual import Progress, Run, experiment, root_delay_s
from brink.explain.explanation import Explanation
from brink.explain.ledger import FILE, Ledger
from brink.explain.metrics import METRICS, read_metrics
from brink.explain.origin import scenario_of
from brink.explain.regimes import pushes, regime_shares
from brink.result import RunResult
from brink.scenario import Scenario

CAUSES_MAX = 5  # every further cause doubles the runs
SEEDS_MIN = 5


def explain(
    result: RunResult,
    *,
    scenario: Scenario | None = None,
    seeds: int = SEEDS_MIN,
    base: Path | None = None,
    test: bool = True,
    run: Run | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Explanation:
    """Explains a run: its cascades, and what it would have been without each cause.

    ``scenario``: what the run was made from; found by ``base`` or around the result otherwise.
    ``seeds``: how many, from the run's own on. ``test``: make counterfactual runs. ``run``: what
    makes one, the engine by default. Raises ConfigError for a run without a ledger and for fewer
    than SEEDS_MIN seeds.
    """
    if seeds < SEEDS_MIN:
        raise ConfigError("--seeds", f"{seeds} seeds", f"at least {SEEDS_MIN}: with fewer an interval says nothing")
    ledger = ledger_of(result)
    rows = cascade_rows(ledger, result.summary, result.scenario)
    causes = causes_of(result.scenario)
    tested, untested = choose(causes, ledger)
    runs = found = None
    other: list[str] = []
    if test and tested:
        origin = scenario or scenario_of(result, base)
        first = int(result.scenario.get("seed") or 0)
        runs = experiment(Scenario(result.scenario, origin.base_dir), tested, list(range(first, first + seeds)),
                          run=run, workers=workers, progress=progress)
        found = attribute(runs)
        other = differences(result.summary, runs.first)
    name = str(result.scenario.get("name") or "run")
    return Explanation(name, result.summary, rows, regime_shares(result.summary), pushes(ledger, result.scenario), causes, untested,
                       runs, found, other)


def ledger_of(result: RunResult) -> Ledger:
    """The run's ledger. Raises ConfigError when it kept none."""
    if FILE not in result.files:
        raise ConfigError("", f"a run without {FILE}", "run it again with --set /output/ledger=true, or give the scenario file",
                          str(result.directory or ""))
    return Ledger.parse(result.files[FILE], str((result.directory or Path()) / FILE))


def choose(causes: list[Cause], ledger: Ledger) -> tuple[list[Cause], list[Cause]]:
    """The causes to test and the rest: of more than CAUSES_MAX those with most delay at their roots."""
    ranked = sorted(causes, key=lambda cause: -root_delay_s(ledger, cause))
    kept = {cause.pointer for cause in ranked[:CAUSES_MAX]}
    return [cause for cause in causes if cause.pointer in kept], [cause for cause in causes if cause.pointer not in kept]


def differences(summary: dict[str, Any], again: dict[str, float]) -> list[str]:
    """Metrics in which a repetition differs from the run: empty when the engine and its files are the same."""
    before = read_metrics(summary)
    return [metric.label for metric in METRICS if metric.key in before and before[metric.key] != again.get(metric.key, before[metric.key])]
