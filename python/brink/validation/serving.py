"""Serving comparisons: every measured run in sample, and with its model left out of the fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from brink.host_fit import profile_with, read_folds
from brink.validation.measured import METRICS, Case, load_template, recorded_cases, tabulated_cases
from brink.validation.replay import Figures, Replay, in_parallel
from brink.validation.rows import Row


def load_cases(data: Path, template: dict[str, Any]) -> list[Case]:
    """Recorded and tabulated runs."""
    recorded = recorded_cases(data, template)
    return recorded + tabulated_cases(data, template, recorded)


def compare(data: Path, configs: Path, profile: Path | None, progress: Callable[[int, int], None]) -> list[Row]:
    """Rows of every serving case: in sample with the profile, left out with its model's fold.

    ``configs``: the folder of serving.json and host_folds.json. Cases whose model has no fold
    get no left-out rows. ``progress`` is called with cases done and in total.
    """
    template = load_template(configs / "serving.json")
    cases = load_cases(data, template)
    replay = Replay(template, configs, profile)
    folds = read_folds(configs / "host_folds.json")
    jobs: list[tuple[Case, bool, Path | None]] = [(case, False, None) for case in cases]
    with ExitStack() as temporary:
        for model, constants in folds.items():
            path = temporary.enter_context(profile_with(constants, profile or default_profile(template, configs)))
            jobs += [(case, True, path) for case in cases if case.model == model]
        finished = 0

        def one_done() -> None:
            nonlocal finished
            finished += 1
            progress(finished, len(jobs))

        seeds = template["seeds"]
        calls = [lambda c=case, p=path: replay.figures(c, c.targets, seeds, p) for case, _, path in jobs]
        results: list[Figures] = in_parallel(calls, one_done)
    return [row for (case, held_out, _), figures in zip(jobs, results, strict=True) for row in _rows(case, figures, held_out)]


def default_profile(template: dict[str, Any], configs: Path) -> Path:
    """The profile that the templates name."""
    names = {engine["scenario"]["profile"] for engine in template["engines"].values()}
    return (configs / sorted(names)[0]).resolve()


def _rows(case: Case, figures: Figures, held_out: bool) -> list[Row]:
    kind = "recorded" if case.recorded else "tabulated"
    return [
        Row(f"serving vLLM {case.version}, {kind}", f"{case.id} {target.name}".strip(), metric,
            target.measured[metric], predicted[metric], held_out)
        for target, predicted in zip(case.targets, figures, strict=True)
        for metric in METRICS
        if target.measured[metric] == target.measured[metric]  # a source may lack a figure (NaN)
    ]


def kernel_rows(data: Path, gpu: Path) -> list[Row]:
    """Kernel comparisons from the engine's own cross-validation; ``gpu``: the GPU's description.

    Raises TraceError or ConfigError for tables that cannot be used.
    """
    from brink import engine

    found = json.loads(engine.module().cross_validate(str(data), str(gpu)))
    return [Row(r["group"], r["id"], r["metric"], r["measured"], r["predicted"], r["held_out"]) for r in found]
