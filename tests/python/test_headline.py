"""The lines of a run that are looked at first."""

from __future__ import annotations

import copy
from typing import Any

import brink
from brink import headline
from brink.headline import Line

SUMMARY: dict[str, Any] = {
    "plans": {"steps": 10, "switches": 1735, "captured_share": 0.943, "fallbacks": {"workspace": 4390}},
    "regimes": {"label_share": {"paging": 0.0, "memory_pressured": 0.0004, "queue_degraded": 0.79, "normal": 0.2096}},
    "drift": {"divergence_from_idle": 0.0257, "divergence_pairwise": 0.12},
    "p99_drift": {"ttft": {"p99_ratio": 30.8}, "tpot": {"p99_ratio": None}, "e2el": {"p99_ratio": 5.9}},
    "cascades": {"conditions": [
        {"condition": 0, "delay_s": 7.472, "request_delay_s": 417.8, "amplification": 55.9, "requests_touched": 109},
        {"condition": 1, "delay_s": 64.0, "request_delay_s": 1185.3, "amplification": 18.5, "requests_touched": 795},
        {"condition": 2, "delay_s": 1.5949, "request_delay_s": 0.0, "amplification": 0.0, "requests_touched": 0},
        {"condition": 3, "delay_s": 0.0, "request_delay_s": 0.0, "amplification": None, "requests_touched": 0},
        {"condition": 4, "delay_s": 0.2, "request_delay_s": 0.0, "amplification": 0.0, "requests_touched": 0},
    ]},
}


def test_a_line_for_what_was_followed() -> None:
    lines = headline.execution(SUMMARY, {0: "stall", 1: "jitter"})
    assert lines == [
        Line("Plans", "1,735 switches, 94 % of steps replay a CUDA graph; fallbacks of operators: workspace 4,390"),
        Line("Regimes", "queue degraded 79 %, normal 21 %, memory pressured below 0.1 % of replica time"),
        Line("Drift", "2.6 % of answers differ from those of an idle system, 12 % between two runs under this load"),
        Line("Tails", "p99 against the same requests alone: TTFT 31 times, E2E 5.9 times"),
        Line("Cascades", "jitter: 64.0 s at the root, 1,185 s over 795 requests (18 times)"),
        Line("", "stall: 7.47 s at the root, 418 s over 109 requests (56 times)"),
        Line("", "condition 2: 1.59 s at the root, the largest delay of no request"),
        Line("", "and 1 more condition"),
    ]


def test_nothing_is_said_of_what_was_not_followed() -> None:
    assert headline.execution({}, {}) == []
    empty = copy.deepcopy(SUMMARY)
    empty["plans"]["steps"] = 0
    empty["regimes"]["label_share"] = {"normal": None}
    empty["drift"]["divergence_from_idle"] = None
    empty["p99_drift"] = {}
    empty["cascades"]["conditions"] = []
    assert headline.execution(empty, {}) == []


def test_a_real_run_has_them(result: brink.RunResult) -> None:
    labels = [line.label for line in headline.execution(result.summary, {})]
    assert labels == ["Plans", "Regimes", "Drift", "Tails"]
