"""Paired runs: the scenario with every subset of its causes, each with the same seeds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brink.explain.causes import Cause, without
from brink.explain.ledger import FILE, Ledger
from brink.explain.metrics import METRICS, read_metrics
from brink.pointer import get
from brink.result import RunResult
from brink.scenario import Scenario
from brink.simulate import simulate

Run = Callable[[Scenario, int], RunResult]  # a scenario and a seed


@dataclass(frozen=True)
class Progress:
    """How far the runs are."""

    done: int
    total: int
    wall_s: float

    @property
    def runs_per_s(self) -> float:
        """The rate so far."""
        return self.done / max(self.wall_s, 1e-3)

    @property
    def left_s(self) -> float | None:
        """Expected time left; None before the first run is done."""
        return (self.total - self.done) / self.runs_per_s if self.done else None


@dataclass(frozen=True)
class Experiment:
    """What the runs gave. Coalitions are indexed by bits: bit i is set where cause i acts."""

    causes: list[Cause]
    seeds: list[int]
    worth: dict[str, np.ndarray]  # by metric: shape (seeds, 2**causes); metrics that every run has
    first: dict[str, float]  # metrics of the run with all causes and the first seed
    root_delay_s: np.ndarray  # (seeds, causes): delay at the roots of each cause in the ledger
    e2e_added_s: np.ndarray  # (seeds, causes): sum over requests of E2E with all causes - without this one; NaN: unknown
    pairs: np.ndarray  # (seeds, causes): requests in that sum

    @property
    def runs(self) -> int:
        """How many runs there were."""
        return len(self.seeds) << len(self.causes)


_Latencies = tuple[np.ndarray, np.ndarray]  # request ids, ascending, and their E2E in seconds


@dataclass(frozen=True)
class _Pairs:
    """Two runs, request by request."""

    added_s: float  # sum of the E2E changes; NaN: unknown
    requests: int


@dataclass
class _Seed:
    """What is kept of the runs with one seed."""

    metrics: dict[int, dict[str, float]] = field(default_factory=dict)
    e2e_s: dict[int, _Latencies | None] = field(default_factory=dict)  # by coalition, until it can be paired
    pairs: dict[int, _Pairs] = field(default_factory=dict)  # by cause
    root_delay_s: list[float] = field(default_factory=list)

    def pair(self, full: int, causes: int) -> None:
        """Sums the pairs that are complete and forgets their latencies."""
        if full not in self.e2e_s:
            return
        for i in range(causes):
            lacking = full & ~(1 << i)
            if lacking in self.e2e_s:
                self.pairs[i] = _paired(self.e2e_s[full], self.e2e_s.pop(lacking))
        if len(self.pairs) == causes:
            del self.e2e_s[full]


def experiment(
    scenario: Scenario,
    causes: list[Cause],
    seeds: list[int],
    *,
    run: Run | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Experiment:
    """Runs every subset of the causes with every seed, ``workers`` at once (the processors by default).

    ``run``: what makes one run; by default the engine. Ctrl-C, and whatever a run or ``progress``
    raises, ends the runs in progress.
    """
    gathered = [_Seed() for _ in seeds]
    with closing(_results(scenario, causes, seeds, run, workers, progress)) as results:
        for index, coalition, result in results:
            _take(gathered[index], coalition, result, causes)
    full = (1 << len(causes)) - 1
    keys = [m.key for m in METRICS if all(m.key in of for seed in gathered for of in seed.metrics.values())]
    worth = {key: np.array([[seed.metrics[c][key] for c in range(full + 1)] for seed in gathered]) for key in keys}
    return Experiment(
        causes, seeds, worth, gathered[0].metrics[full],
        np.array([seed.root_delay_s for seed in gathered]),
        np.array([[seed.pairs[i].added_s for i in range(len(causes))] for seed in gathered]),
        np.array([[seed.pairs[i].requests for i in range(len(causes))] for seed in gathered]),
    )


class _Stopped(Exception):
    """Another run failed, or the caller gave up."""


def _engine(stopping: threading.Event) -> Run:
    """Runs of the engine that end soon after ``stopping`` is set."""

    def check(_: object) -> None:
        if stopping.is_set():
            raise _Stopped

    return lambda scenario, seed: simulate(scenario, seed=seed, progress=check)


def outputs(scenario: Scenario, *, requests: bool, ledger: bool) -> Scenario:
    """The scenario with only these output files."""
    off = {"timeseries": False, "steps": False, "timeline": False, "requests": requests, "ledger": ledger}
    given: dict[str, Any] = scenario.get("/output") or {}
    if "records" in given:
        off["records"] = "none"  # type: ignore[assignment]
    return scenario.with_({"/output": given | off})


def _results(
    scenario: Scenario, causes: list[Cause], seeds: list[int], run: Run | None, workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> Iterator[tuple[int, int, RunResult]]:
    """(index of the seed, coalition, result), as they finish."""
    full = (1 << len(causes)) - 1
    # Requests are paired between the full scenario and those that lack one cause.
    paired = {full, *(full & ~(1 << i) for i in range(len(causes)))}
    scenarios = [
        outputs(without(scenario, [cause for i, cause in enumerate(causes) if not coalition >> i & 1]),
                requests=coalition in paired, ledger=coalition == full)
        for coalition in range(full + 1)
    ]
    stopping = threading.Event()
    run = run or _engine(stopping)
    waiting = iter([(index, coalition) for index in range(len(seeds)) for coalition in range(full, -1, -1)])
    total, done, began = len(seeds) * (full + 1), 0, time.monotonic()
    at_once = max(1, workers or os.cpu_count() or 1)
    with ThreadPoolExecutor(at_once) as executor:
        running: dict[Future[RunResult], tuple[int, int]] = {}
        try:
            while True:
                for index, coalition in _take_some(waiting, at_once - len(running)):
                    running[executor.submit(run, scenarios[coalition], seeds[index])] = (index, coalition)
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    place = running.pop(future)
                    result = future.result()
                    done += 1
                    yield (*place, result)
                    if progress is not None:
                        progress(Progress(done, total, time.monotonic() - began))
        finally:
            stopping.set()  # whatever still runs is of no more use


def _take_some(items: Iterator[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    return [item for _, item in zip(range(count), items, strict=False)]


def _take(seed: _Seed, coalition: int, result: RunResult, causes: list[Cause]) -> None:
    """Keeps of a run what is needed, so that its files can go."""
    full = (1 << len(causes)) - 1
    seed.metrics[coalition] = read_metrics(result.summary)
    missing = full & ~coalition
    if missing & (missing - 1) == 0:  # none missing, or one
        seed.e2e_s[coalition] = _latencies(result)
        seed.pair(full, len(causes))
    if coalition == full:
        seed.root_delay_s = _root_delays(result, causes)


def _root_delays(result: RunResult, causes: list[Cause]) -> list[float]:
    """By cause, as the summary says; a summary that does not is made up for from the ledger."""
    told = get(result.summary, "/cascades/conditions")
    if told is not None:
        delays = {int(item["condition"]): float(item["delay_s"]) for item in told}
        return [delays.get(cause.condition, 0.0) for cause in causes]
    ledger = Ledger.parse(result.files[FILE]) if FILE in result.files else Ledger([])
    return [root_delay_s(ledger, cause) for cause in causes]


def root_delay_s(ledger: Ledger, cause: Cause) -> float:
    """Delay at the roots that a cause has in the ledger; 0 for policies, which delay through what they decide."""
    if cause.condition < 0:
        return 0.0
    return sum(cascade.root_delay_s for cascade in ledger.cascades if cascade.root.condition == cause.condition)


def _latencies(result: RunResult) -> _Latencies | None:
    if "requests.csv" not in result.files:
        return None
    done = result.requests[result.requests["outcome"] == "completed"]
    ids = done["request_id"].to_numpy(dtype=np.int64)
    order = np.argsort(ids)
    return ids[order], done["e2e_s"].to_numpy(dtype=float)[order]


def _paired(with_it: _Latencies | None, without_it: _Latencies | None) -> _Pairs:
    """The requests that both runs completed."""
    if with_it is None or without_it is None:
        return _Pairs(float("nan"), 0)
    _, here, there = np.intersect1d(with_it[0], without_it[0], assume_unique=True, return_indices=True)
    return _Pairs(float(np.sum(with_it[1][here] - without_it[1][there])), len(here))
