"""A run beside the same run without its conditions."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from brink import pair
from brink.report.pair import pair_card
from brink.result import RunResult

SLOW = {"kind": "slow_rank", "replica": 1, "rank": 5, "factor": 1.5, "from_s": 10, "until_s": 20}
JITTER = {"kind": "jitter", "replica": "all", "from_s": 15}


def run(conditions: list[dict], step_ms: float = 20.0, waited_s: float = 0.0, **changes: float) -> RunResult:
    """Thirty seconds of two replicas; one request a second."""
    seconds = pd.DataFrame([{"t_s": t, "replica": r, "steps": 50, "step_ms": step_ms if r == 1 and 10 <= t < 20 else 20.0,
                             "plan_switches": 3, "wait_s": waited_s if r == 1 and 10 <= t < 20 else 0.0} for t in range(30) for r in (0, 1)])
    requests = pd.DataFrame({"arrival_s": [t + 0.5 for t in range(30)], "ttft_s": 0.1, "tpot_s": step_ms / 1e3, "e2e_s": 2.0,
                             "drift_from_idle": 0.02, "drift_pairwise": 0.01})
    summary = {"p99_e2el_ms": 2000.0, "request_goodput": 1.0, "duration": 30.0, "measured_requests": 30} | changes
    files = {"summary.json": json.dumps(summary), "scenario.json": json.dumps({"name": "x", "conditions": conditions}),
             "requests.csv": csv(requests), "timeseries.csv": csv(seconds)}
    return RunResult({name: text.encode() for name, text in files.items()})


def csv(table: pd.DataFrame) -> str:
    out = io.StringIO()
    table.to_csv(out, index=False)
    return out.getvalue()


def test_compares_over_the_time_and_the_replicas_of_the_conditions() -> None:
    found = pair.compare(run([SLOW], step_ms=30.0, waited_s=0.7), run([]))
    assert (found.from_s, found.until_s, found.replicas) == (10.0, 20.0, [1])
    rows = {row.key: row for row in found.rows}
    assert rows["step"].label == "mean step of replica 1"
    assert (rows["step"].with_it, rows["step"].without) == (30.0, 20.0)
    assert rows["wait"].with_it == pytest.approx(7.0)
    assert rows["wait"].without == 0.0
    assert rows["switches"].with_it == pytest.approx(6.0)
    assert rows["drift"].with_it == pytest.approx(2.0)
    assert pair.change(rows["step"]) == "+50 %"
    assert pair.change(rows["wait"]) == "+7 s"
    assert pair.change(rows["drift"]) == "none"


def test_conditions_without_an_end_or_a_replica_take_the_whole_run() -> None:
    found = pair.compare(run([SLOW, JITTER]), run([]))
    assert (found.from_s, found.until_s, found.replicas) == (10.0, 30.0, [0, 1])
    assert found.labels == ["slow rank on rank 5 of replica 1, 10–20 s", "jitter, from 15 s"]


def test_violations_are_of_the_whole_run() -> None:
    found = pair.compare(run([SLOW], request_goodput=0.5), run([]))
    violations = next(row for row in found.whole if row.key == "violations")
    assert (violations.with_it, violations.without) == (15.0, 0.0)
    assert pair.change(violations) == "+15"


def test_a_column_that_no_run_has_is_left_out() -> None:
    def stripped(result: RunResult) -> RunResult:
        tables = {"requests.csv": result.requests.drop(columns=["drift_from_idle", "drift_pairwise"]),
                  "timeseries.csv": result.timeseries.drop(columns=["wait_s", "plan_switches"])}
        return RunResult(result.files | {name: csv(table).encode() for name, table in tables.items()})

    found = pair.compare(stripped(run([SLOW])), stripped(run([])))
    assert [row.key for row in found.rows] == ["step", "p50_tpot", "p99_ttft", "p99_e2e"]


def test_the_card_has_what_the_file_has(tmp_path) -> None:
    found = pair.compare(run([SLOW], step_ms=30.0), run([]))
    written = json.loads(found.write(tmp_path).read_text(encoding="utf-8"))
    assert pair.Pair.from_dict(written) == found
    card = pair_card(written)
    assert "slow rank on rank 5 of replica 1" in card
    assert "<td>30.0 ms</td><td>20.0 ms</td><td>+50 %</td>" in card
    assert pair_card(None) == ""
