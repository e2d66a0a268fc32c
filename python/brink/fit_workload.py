"""Fit a synthetic workload to a request trace.

>>> from brink.fit_workload import fit
>>> workload = fit("azure_llm_2023_conv.csv")      # a /workload object, with its goodness of fit

or ``python -m brink.fit_workload TRACE.csv --name NAME --source TEXT > workload.json``.

Needs numpy and scipy. Nothing of the trace but fitted parameters enters the result, and the
same trace gives the same result (no random start).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize, special, stats

STAGES = 10  # of equal length: enough to follow a slow trend, each with hundreds of requests
COMPONENTS_MAX = 6  # of a mixture of lognormals
SIGMA_MIN = 0.02  # a narrower component describes single values, not a law


def _seconds(text: str) -> float:
    """Seconds of a plain number or of an Azure timestamp (whose seventh decimal strptime cannot read)."""
    try:
        return float(text)
    except ValueError:
        whole, _, fraction = text.partition(".")
        return datetime.fromisoformat(whole + "+00:00").timestamp() + float("0." + (fraction or "0"))


def read_trace(path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(arrivals in s from the first, input tokens, output tokens) of an azure-llm or plain trace."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        if header[:3] not in (["TIMESTAMP", "ContextTokens", "GeneratedTokens"], ["arrival_s", "input_tokens", "output_tokens"]):
            raise ValueError(f"{path}: got the columns {header}; an azure-llm or plain trace is needed")
        table = [(_seconds(row[0]), int(row[1]), int(row[2])) for row in rows if row]
    if len(table) < 100:
        raise ValueError(f"{path}: got {len(table)} requests; at least 100 are needed for a fit")
    at, inputs, outputs = (np.array(column) for column in zip(*table, strict=True))
    return at - at[0], inputs, outputs


def ks_distance(values: np.ndarray, cdf: Any) -> float:
    """Kolmogorov-Smirnov distance of whole numbers to a law that is rounded to whole numbers."""
    points, counts = np.unique(values, return_counts=True)
    return float(np.max(np.abs(np.cumsum(counts) / len(values) - cdf(points + 0.5))))


def _mixture_cdf(weights: np.ndarray, means: np.ndarray, sigmas: np.ndarray) -> Any:
    return lambda x: np.sum(weights * stats.norm.cdf((np.log(np.asarray(x))[:, None] - means) / sigmas), axis=1)


def _fit_mixture(logs: np.ndarray, components: int, iterations: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expectation-maximisation for a normal mixture, started from evenly spaced quantiles."""
    means = np.quantile(logs, (np.arange(components) + 0.5) / components)
    sigmas = np.full(components, max(logs.std() / components, SIGMA_MIN))
    weights = np.full(components, 1 / components)
    for _ in range(iterations):
        density = np.log(weights) + stats.norm.logpdf(logs[:, None], means, sigmas)
        share = special.softmax(density, axis=1)
        mass = np.maximum(share.sum(axis=0), 1e-300)
        weights = mass / mass.sum()
        means = (share * logs[:, None]).sum(axis=0) / mass
        sigmas = np.maximum(np.sqrt((share * (logs[:, None] - means) ** 2).sum(axis=0) / mass), SIGMA_MIN)
    return weights, means, sigmas


def _log_likelihood(logs: np.ndarray, weights: np.ndarray, means: np.ndarray, sigmas: np.ndarray) -> float:
    return float(special.logsumexp(np.log(weights) + stats.norm.logpdf(logs[:, None], means, sigmas), axis=1).sum())


def fit_lengths(tokens: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """(LENGTH, goodness): the mixture of 1 to COMPONENTS_MAX lognormals that the Bayesian information criterion prefers."""
    logs, longest = np.log(tokens), int(tokens.max())
    fits = [_fit_mixture(logs, components) for components in range(1, COMPONENTS_MAX + 1)]
    best = min(range(len(fits)), key=lambda i: (3 * (i + 1) - 1) * np.log(len(logs)) - 2 * _log_likelihood(logs, *fits[i]))
    weights, means, sigmas = fits[best]
    components = [
        {
            "weight": round(float(w), 4),
            "length": {"kind": "lognormal", "median": round(float(np.exp(m)), 1), "sigma": round(float(s), 4), "max": longest},
        }
        for w, m, s in zip(weights, means, sigmas, strict=True)
    ]
    goodness = {
        "ks_distance": round(ks_distance(tokens, _mixture_cdf(*fits[best])), 4),
        "ks_distance_one_lognormal": round(ks_distance(tokens, _mixture_cdf(*fits[0])), 4),
        "mean_tokens_trace": round(float(tokens.mean()), 1),
        "mean_tokens_fit": round(float(_clipped_mean(weights, means, sigmas, longest)), 1),
    }
    length = {"kind": "mixture", "components": components} if best else components[0]["length"]
    return length, goodness


def _clipped_mean(weights: np.ndarray, means: np.ndarray, sigmas: np.ndarray, longest: int) -> float:
    """E[min(X, longest)] of the mixture (partial expectation of a lognormal, closed form)."""
    z = (np.log(longest) - means) / sigmas
    inside = np.exp(means + sigmas**2 / 2) * stats.norm.cdf(z - sigmas)
    return float(np.sum(weights * (inside + longest * stats.norm.sf(z))))


def fit_arrivals(at: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """(arrivals, goodness): stages of equal length; Poisson or gamma, whichever has the smaller KS distance.

    The gaps are judged in operational time, in which every stage has rate one.
    """
    edges = np.linspace(0.0, np.nextafter(at[-1], np.inf), STAGES + 1)
    counts = np.histogram(at, edges)[0]
    operational = np.interp(at, edges, np.concatenate([[0], np.cumsum(counts)]))
    gaps = np.diff(operational)
    # Variance over mean of the counts in windows of 50 expected requests: 1 for Poisson.
    windows = np.histogram(operational, np.arange(0.0, len(at), 50.0))[0]
    gaps = np.maximum(gaps / gaps.mean(), 1e-9)  # equal instants have a gap of 0, whose logarithm is not finite
    # Maximum likelihood of a gamma law of mean one: log(shape) - digamma(shape) = -mean(log(gap)).
    target = -float(np.mean(np.log(gaps)))
    shape = optimize.brentq(lambda k: np.log(k) - special.digamma(k) - target, 1e-3, 1e6)
    ks_poisson = float(stats.kstest(gaps, "expon").statistic)
    ks_gamma = float(stats.kstest(gaps, stats.gamma(shape, scale=1 / shape).cdf).statistic)
    length_s = float(edges[1] - edges[0])
    stages = [{"duration_s": round(length_s, 3), "rate_per_s": round(float(count) / length_s, 4)} for count in counts]
    gamma = ks_gamma < ks_poisson
    arrivals: dict[str, Any] = {"kind": "gamma", "burstiness": round(shape, 4)} if gamma else {"kind": "poisson"}
    goodness = {
        "ks_distance_poisson": round(ks_poisson, 4),
        "ks_distance_gamma": round(ks_gamma, 4),
        "gamma_burstiness": round(shape, 4),
        "gap_coefficient_of_variation": round(float(gaps.std()), 4),
        "count_dispersion_50_requests": round(float(windows.var() / windows.mean()), 4),
    }
    return {**arrivals, "stages": stages}, goodness


def fit(trace_csv: str | Path) -> dict[str, Any]:
    """A workload description (see docs/model/workload.md) fitted to a trace, with its goodness of fit.

    Raises ValueError for a file that is no azure-llm or plain trace.
    """
    at, inputs, outputs = read_trace(trace_csv)
    arrivals, arrival_fit = fit_arrivals(at)
    input_tokens, input_fit = fit_lengths(inputs)
    output_tokens, output_fit = fit_lengths(outputs)
    rank_correlation = float(stats.spearmanr(inputs, outputs).statistic)
    return {
        "schema_version": 1,
        "provenance": {
            "fitted_by": "brink.fit_workload",
            "method": "stage rates by counting; gaps judged in operational time; lengths as lognormal mixtures by "
            "expectation-maximisation, the number of components by the Bayesian information criterion",
            "requests": len(at),
            "duration_s": round(float(at[-1]), 3),
            "goodness": {
                "arrivals": arrival_fit,
                "input_tokens": input_fit,
                "output_tokens": output_fit,
                "input_output_rank_correlation": round(rank_correlation, 4),
            },
        },
        "arrivals": arrivals,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit a synthetic workload to a request trace; JSON to standard output.")
    parser.add_argument("trace", help="CSV file, azure-llm or plain, .gz too")
    parser.add_argument("--name", default="fitted workload")
    parser.add_argument("--source", default="", help="where the trace comes from and under which licence")
    given = parser.parse_args()
    fitted = fit(given.trace)
    text = json.dumps({"schema_version": 1, "name": given.name, "source": given.source, **fitted}, indent=2)
    # The innermost objects (stages, components) on a line each.
    print(re.sub(r"\{[^{}]*\}", lambda inner: " ".join(inner.group().split()), text))


if __name__ == "__main__":
    main()
