"""Sentences about a run follow from its tables, and from nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from brink.findings import BAD, GOOD, findings


def series(waiting: np.ndarray, **columns: Any) -> pd.DataFrame:
    """A time series of one replica with the given queue."""
    base: dict[str, Any] = {
        "t_s": np.arange(1, len(waiting) + 1, dtype=float), "replica": 0, "running": 20, "waiting": waiting, "kv_usage": 0.4,
        "decode_batch": 18.0, "step_ms": 12.0, "prefill_tokens": 800, "output_tokens": 1500, "preemptions": 0, "steps": 80,
        "busy_fraction": 0.9,
    }
    return pd.DataFrame(base | columns)


def requests(ttft_s: np.ndarray, duration_s: float) -> pd.DataFrame:
    n = len(ttft_s)
    return pd.DataFrame({"arrival_s": np.linspace(0, duration_s, n), "ttft_s": ttft_s, "preemptions": 0, "outcome": "completed"})


def texts(*args: Any) -> str:
    return "\n".join(f"{f.tone} {f.text}" for f in findings(*args))


SCENARIO = {"engine": {"max_num_seqs": 64}}


def test_growing_queue_is_overload() -> None:
    t = np.arange(200)
    found = texts({}, requests(np.full(400, 0.1), 200.0), series(t // 2), SCENARIO)
    assert "Overloaded: the queue was still growing when arrivals ended (99 waiting, +0.50 a second)" in found


def test_steady_queue_is_no_overload() -> None:
    rng = np.random.default_rng(1)
    found = texts({}, requests(np.full(400, 0.1), 200.0), series(rng.poisson(30, 200)), SCENARIO)
    assert "Overloaded" not in found


def test_burst_and_its_recovery() -> None:
    waiting = np.zeros(200)
    waiting[50:80] = np.linspace(0, 90, 30)
    waiting[80:120] = np.linspace(88, 0, 40)
    found = texts({}, None, series(waiting), SCENARIO)
    assert "The queue built up from t = 53 s to 90 waiting at t = 80 s and took 37 s to drain." in found


def test_what_limits() -> None:
    queue = np.full(100, 20)
    assert "KV cache full (98 % or more) in 100% of replica-seconds" in texts({}, None, series(queue, kv_usage=0.99), SCENARIO)
    assert "All 64 seats (max_num_seqs) were taken in 100%" in texts({}, None, series(queue, running=64), SCENARIO)
    assert "max_num_batched_tokens" in texts({}, None, series(queue), SCENARIO)
    assert "Room left: replicas were busy 90% of the time and the KV cache was at most 40% full" in texts({}, None, series(queue * 0), SCENARIO)


def test_slo_says_by_how_much() -> None:
    summary = {"p99_ttft_ms": 300.0, "p99_tpot_ms": 20.0, "slo": {"limits": {"ttft_p99_ms": 200.0, "tpot_p99_ms": 25.0}}}
    first = findings(summary, None, None, {})[0]
    assert (first.tone, first.text) == (BAD, "SLO missed: p99 TTFT is 300 ms, 50.0% over the limit of 200 ms.")
    summary["p99_ttft_ms"] = 100.0
    first = findings(summary, None, None, {})[0]
    assert (first.tone, first.text) == (GOOD, "SLO met: the tightest is p99 TPOT, at 80% of its limit of 25.0 ms.")


def test_worst_minute_stands_out() -> None:
    ttft = np.full(600, 0.1)
    ttft[240:300] = 0.5
    assert "The worst minute began at t = 120 s: p99 TTFT 500 ms, against 100 ms in the median minute." in texts(
        {}, requests(ttft, 300.0), None, {}
    )
    assert "worst minute" not in texts({}, requests(np.full(600, 0.1), 300.0), None, {})


def test_preemptions_failures_badges_and_balance() -> None:
    summary = {"preemptions": 12, "failed": 3, "num_prompts": 300,
               "badges": {"ttft": "extrapolated", "tpot": "measured", "itl": "measured", "e2el": "extrapolated",
                          "step_time_share": {"extrapolated": 0.25}}}
    uneven = pd.concat([series(np.zeros(50)), series(np.zeros(50), replica=1, output_tokens=500)])
    found = texts(summary, None, uneven, SCENARIO)
    assert "12 preemptions" in found
    assert "3 requests (1.0%) failed" in found
    assert "TTFT, E2E rest partly on step shapes outside the measured range: extrapolated (25.0% of step time)" in found
    assert "replica 0 gave 3.0 times the output tokens of replica 1" in found
