"""Measured runs, simulated: the scenario of a case, and its figures."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import brink
from brink.scenario import Scenario
from brink.validation.measured import METRICS, Case, Target, window_figures

WORKERS = 2  # simultaneous runs; each is one engine process

Figures = list[dict[str, float]]  # one for each target


class Replay:
    """Simulates cases from the templates in ``folder`` with one profile."""

    def __init__(self, template: dict[str, Any], folder: Path, profile: Path | None = None) -> None:
        self.template, self.folder, self.profile = template, folder, profile

    def scenario(self, case: Case, profile: Path | None = None) -> Scenario:
        """The scenario that stands for a measured run."""
        engine = self.template["engines"][case.version]
        changes: dict[str, Any] = {
            "/name": case.id,
            "/model": self.template["models"][case.model]["config"],
            "/engine/tensor_parallel_size": case.tensor_parallel_size,
            "/measure/warmup_s": self.template["warmup_s"],
            **{f"/engine/{key}": value for key, value in case.engine.items()},
        }
        if case.trace is not None:
            changes["/workload/trace"] = {"format": "plain", "path": str(case.trace.resolve())}
        for key, value in (case.workload or {}).items():
            changes[f"/workload/{key}"] = value
        chosen = profile or self.profile
        if chosen is not None:
            changes["/profile"] = str(chosen.resolve())
        return Scenario(engine["scenario"], self.folder).with_(changes)

    def figures(self, case: Case, targets: Sequence[Target], seeds: Sequence[int], profile: Path | None = None) -> Figures:
        """The METRICS of each target: of the one run for recorded requests, else the median over seeds."""
        scenario = self.scenario(case, profile)
        runs: list[Figures] = []
        for seed in seeds[:1] if case.recorded else seeds:
            requests = brink.simulate(scenario, seed=seed).requests
            runs.append([window_figures(requests, target.from_s, target.to_s) for target in targets])
        return [{metric: statistics.median(run[i][metric] for run in runs) for metric in METRICS} for i in range(len(targets))]


def in_parallel(jobs: Sequence[Callable[[], Any]], done: Callable[[], None] | None = None) -> list[Any]:
    """Results of the jobs in their order, WORKERS at a time; the first error ends the rest."""
    with ThreadPoolExecutor(WORKERS) as executor:
        futures = [executor.submit(job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
                if done is not None:
                    done()
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            brink.pool.pool.cancel()
            raise
        return [future.result() for future in futures]
