"""The constants between kernel times and serving: fitted on whole serving runs, all together.

Kernel tables say how long kernels take alone. What remains are a few constants of the GPU in a
running engine (``in_situ``) and of the engine's host code (``host``); none belongs to a model,
a workload or a run. docs/model/step-time.md says what each means.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brink import engine
from brink.errors import ConfigError
from brink.validation.measured import METRICS, Case
from brink.validation.replay import Figures, Replay, in_parallel

Constants = dict[str, float]


@dataclass(frozen=True)
class Constant:
    """A fitted constant: where it lives in the profile, its bounds and what was known before."""

    name: str
    section: str  # "in_situ" or "host"
    low: float
    high: float
    start: float
    prior: tuple[float, float] | None = None  # mean and standard deviation


# Bounds are what the mechanism allows; priors come from kernel measurements: a lone attention call
# has a floor of 11 to 12 us, about half of it launch and tile scheduling; the best GEMM shape sustains
# 794.5 TFLOP/s on an H100 SXM (configs/gpus), of which shapes in use are taken to reach nine tenths;
# sampling sorts each row's logits, some 20 sweeps of 16 bytes an entry, and normalises them.
CONSTANTS = (
    Constant("attention_factor", "in_situ", 0.85, 1.1, 0.97, (1.0, 0.03)),
    Constant("attention_overlap_s", "in_situ", 0.0, 12e-6, 6e-6, (6e-6, 3e-6)),
    Constant("sustained_flops", "in_situ", 450e12, 956e12, 715e12, (715e12, 50e12)),
    Constant("request_s", "host", 0.0, 30e-3, 6e-3),
    Constant("step_gap_s", "host", 0.0, 2e-3, 0.15e-3),
    Constant("stream_per_token_s", "host", 0.0, 150e-6, 45e-6),
    Constant("sampler_per_logit_s", "host", 0.005e-9, 0.3e-9, 0.15e-9, (0.15e-9, 0.04e-9)),
)
# Asynchronous scheduling hides it in every run at hand, so no fit can tell; read from vLLM's traces.
FIXED_HOST = {"schedule_s": 0.5e-3}

# How closely each figure is known and wanted: relative standard deviations. Means are tight
# (repeats differ by 1..2 %); p99 and TTFT carry noise and effects that were not recorded.
_TOLERANCE = dict(zip(METRICS, (0.02, 0.02, 0.08, 0.08), strict=True))
_EVALUATIONS = 8  # steps of one fit; the cost no longer moves by a thousandth after four or five
_FIT_SEEDS = (1,)  # synthetic loads: one draw while fitting, several when validating


def sections_with(document: dict[str, Any], constants: Constants, versions: Sequence[str]) -> dict[str, Any]:
    """The ``in_situ`` and ``host`` sections of a profile, with other constants."""
    rounded = {c.name: float(f"{constants[c.name]:.4g}") for c in CONSTANTS}
    in_situ = {c.name: rounded[c.name] for c in CONSTANTS if c.section == "in_situ"}
    host = FIXED_HOST | {c.name: rounded[c.name] for c in CONSTANTS if c.section == "host"}
    return {"in_situ": (document.get("in_situ") or {}) | in_situ, "host": {"vllm": {version: dict(host) for version in versions}}}


def load_profile(path: Path) -> dict[str, Any]:
    """A profile as JSON. Raises ConfigError when it cannot be read."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError("", str(error), "give a profile file with --profile", str(path)) from None
    return document


def host_versions(document: dict[str, Any]) -> list[str]:
    """The engine versions a profile has host constants for; those of the templates when none."""
    return list(((document.get("host") or {}).get("vllm")) or ["0.15", "0.23"])


def write_constants(constants: Constants, path: Path) -> None:
    """Writes the constants into a profile; the rest of the file stays as it is."""
    document = load_profile(path)
    sections = json.dumps(sections_with(document, constants, host_versions(document)))
    write_whole(path, engine.module().with_sections(path.read_text(encoding="utf-8"), sections))


@contextmanager
def profile_with(constants: Constants, base: Path) -> Iterator[Path]:
    """A temporary profile with other constants, removed afterwards."""
    document = load_profile(base)
    with tempfile.TemporaryDirectory(prefix="brink-profile-") as folder:
        path = Path(folder) / base.name
        changed = document | sections_with(document, constants, host_versions(document))
        path.write_text(json.dumps(changed), encoding="utf-8")
        yield path


@dataclass
class HostFit:
    """Fits the constants by simulating every case again and again."""

    replay: Replay
    cases: list[Case]
    base: Path  # profile whose kernel part is used
    report: Callable[[str], None] = lambda text: None
    _known: dict[tuple[str, tuple[float, ...]], Figures] = field(default_factory=dict)

    def predict(self, constants: Constants, cases: Sequence[Case]) -> dict[str, Figures]:
        """Figures of every case, remembered: folds start where the common fit ended."""
        key = tuple(float(f"{constants[c.name]:.6g}") for c in CONSTANTS)
        missing = [case for case in cases if (case.id, key) not in self._known]
        if missing:
            with profile_with(constants, self.base) as path:
                jobs = [lambda c=case: self.replay.figures(c, c.stages, _FIT_SEEDS, path) for case in missing]
                for case, figures in zip(missing, in_parallel(jobs), strict=True):
                    self._known[case.id, key] = figures
        return {case.id: self._known[case.id, key] for case in cases}

    def residuals(self, constants: Constants, cases: Sequence[Case]) -> np.ndarray:
        """Log ratios over their tolerances, then the priors' pulls."""
        predicted = self.predict(constants, cases)
        values = []
        for case in cases:
            share = 1.0 / math.sqrt(len(case.stages))  # a run counts once, however many stages it has
            for stage, figures in zip(case.stages, predicted[case.id], strict=True):
                for metric in METRICS:
                    ratio = figures[metric] / stage.measured[metric]
                    # A run that collapses gives a large but finite pull.
                    pull = math.log(ratio) / _TOLERANCE[metric] if math.isfinite(ratio) and ratio > 0 else 0.0
                    values.append(share * max(-20.0, min(20.0, pull)))
        values += [(constants[c.name] - c.prior[0]) / c.prior[1] for c in CONSTANTS if c.prior]
        return np.array(values)

    def fit(self, cases: Sequence[Case], start: Constants, label: str) -> Constants:
        """The constants that fit ``cases`` best, within their bounds, starting from ``start``."""
        from scipy.optimize import least_squares  # here: loading it takes longer than most commands
        low, span = np.array([c.low for c in CONSTANTS]), np.array([c.high - c.low for c in CONSTANTS])

        def constants_at(x: np.ndarray) -> Constants:
            return {c.name: float(v) for c, v in zip(CONSTANTS, low + span * x, strict=True)}

        def residuals(x: np.ndarray) -> np.ndarray:
            found = self.residuals(constants_at(x), cases)
            self.report(f"{label}: cost {0.5 * float(found @ found):.2f}")
            return found

        x0 = np.clip((np.array([start[c.name] for c in CONSTANTS]) - low) / span, 0.01, 0.99)
        result = least_squares(residuals, x0, jac=_Slope(residuals), bounds=(0.0, 1.0), loss="soft_l1",
                               max_nfev=_EVALUATIONS, xtol=1e-3, ftol=1e-4)
        return constants_at(result.x)


class _Slope:
    """The Jacobian: by finite differences once, then kept up to date by Broyden's rank-1 rule.

    An evaluation simulates every run, and logarithms of latencies are nearly linear in the
    constants: updates from the steps taken anyway replace most finite differences.
    """

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self._function = function
        self._at: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # x, value, slope

    def __call__(self, x: np.ndarray) -> np.ndarray:
        value = self._function(x)
        if self._at is None:
            slope = _finite_differences(self._function, x, value)
        else:
            x_before, before, slope = self._at
            step = x - x_before
            if (length := float(step @ step)) > 0.0:
                slope = slope + np.outer(value - before - slope @ step, step) / length
        self._at = (x.copy(), value, slope)
        return slope


def _finite_differences(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, value: np.ndarray) -> np.ndarray:
    columns = []
    for i in range(len(x)):
        moved = x.copy()
        # 3 % of the bounds' span: with smaller steps the noise of a p99 shows, not its slope.
        moved[i] += 0.03 if x[i] <= 0.5 else -0.03
        columns.append((function(moved) - value) / (moved[i] - x[i]))
    return np.stack(columns, axis=1)


def start_constants() -> Constants:
    """Where a fit begins."""
    return {c.name: c.start for c in CONSTANTS}


def _two_rounds(fit: HostFit, cases: Sequence[Case], label: str) -> Constants:
    """The constants that fit ``cases``; a second round starts with fresh slopes."""
    return fit.fit(cases, fit.fit(cases, start_constants(), label), f"{label}, second round")


def fit_everything(fit: HostFit) -> Constants:
    """The constants that fit all cases."""
    return _two_rounds(fit, fit.cases, "all runs")


def folds_of(fit: HostFit) -> dict[str, Constants]:
    """For each model, the constants fitted without any of its runs.

    A fold starts where every fit does: starting from the common fit would hand it what the
    left-out runs have taught.
    """
    return {
        model: _two_rounds(fit, [case for case in fit.cases if case.model != model], f"without {model}")
        for model in sorted({case.model for case in fit.cases})
    }


def read_folds(path: Path) -> dict[str, Constants]:
    """The left-out constants by model; empty when there is no such file yet."""
    if not path.is_file():
        return {}
    folds: dict[str, Constants] = json.loads(path.read_text(encoding="utf-8"))["folds"]
    return folds


def write_whole(path: Path, text: str) -> None:
    """Writes a file so that a reader sees the old or the new content, nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
