"""brink explain with the engine: a slow rank is blamed, a harmless condition is not, and the command says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import brink
from brink import explain as explaining
from brink.result import RunResult
from conftest import small_scenario

SLOW = {"kind": "slow_rank", "name": "nic", "rank": 2, "replica": 0, "factor": 3.0, "from_s": 8, "until_s": 20}
# Acts on every step for a while, and adds nothing to any.
HARMLESS = {"kind": "stall", "name": "harmless", "rank": 1, "replica": 0, "extra_ms": 0.0, "from_s": 5, "until_s": 25}


def node(*conditions: dict[str, object], **changes: object) -> brink.Scenario:
    """Four GPUs that work as one."""
    return small_scenario(**{"/engine/tensor_parallel_size": 4, "/conditions": list(conditions), "/output/ledger": True, **changes})


@pytest.fixture(scope="module")
def scenario_() -> brink.Scenario:
    return node(SLOW, HARMLESS)


@pytest.fixture(scope="module")
def found(scenario_: brink.Scenario) -> explaining.Explanation:
    return explaining.explain(brink.simulate(scenario_), scenario=scenario_)


def test_the_slow_rank_is_blamed_and_the_harmless_condition_is_not(found: explaining.Explanation) -> None:
    assert found.found is not None and found.runs is not None
    slow, harmless = found.found.verdicts
    for key in ("mean_e2el_ms", "p99_tpot_ms"):
        effect = slow.effect(key)
        assert effect is not None and effect.share is not None
        assert effect.distinguishable and effect.change.low > 0 and effect.share.low > 0.8
    for effect in harmless.effects:
        assert effect.shapley.contains(0.0) and not effect.distinguishable
        assert effect.share is None or effect.share.contains(0.0)
    # Every request that shares a step waits for it: a second at the root costs more than a second of latency.
    assert slow.amplification is not None and slow.amplification.low > 1.0
    assert "Without slow rank “nic”" in explaining.paragraph(found)


def test_the_first_seed_gives_the_run_again(found: explaining.Explanation) -> None:
    assert found.other == []


def test_taking_a_condition_out_leaves_the_draws_of_the_others() -> None:
    jitter = {"kind": "jitter", "name": "host", "scale": 2.0}
    both, rest, alone = (brink.simulate(node(*conditions)) for conditions in ((HARMLESS, jitter), (jitter,), ()))
    assert both.files["requests.csv"] != alone.files["requests.csv"]  # the jitter does something
    kept = ["request_id", "arrival_s", "first_token_s", "finish_s", "e2e_s"]
    assert both.requests[kept].equals(rest.requests[kept])


def test_the_ledger_names_the_slow_rank(found: explaining.Explanation) -> None:
    row = found.cascades[0]
    assert row.condition == 0 and row.delay_s > 0 and row.requests
    assert "collective wait" in row.steps


def brink_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run([sys.executable, "-m", "brink", *arguments], cwd=cwd, capture_output=True, text=True, env=environment, check=False)


def test_the_command_explains_a_scenario_file_and_a_finished_run(scenario_: brink.Scenario, tmp_path: Path) -> None:
    (tmp_path / "node.json").write_text(scenario_.with_({"/output": {}}).to_json())
    first = brink_command("explain", "node.json", "-o", "out", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""  # no progress bar without a terminal
    for part in ("slow rank “nic” on rank 2 of replica 0, 8–20 s", "at the root", "Without a cause", "not distinguishable",
                 "For the incident report", "Report: out/report.html"):
        assert part in first.stdout
    made = (tmp_path / "out" / "explain.json").read_bytes()
    page = (tmp_path / "out" / "report.html").read_text()
    for figure in ("cascades", "shares"):
        assert f'id="chart-{figure}"' in page
    assert "For the incident report" in page
    again = brink_command("explain", "out", "--json", "--workers", "1", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stdout.encode() == made == (tmp_path / "out" / "explain.json").read_bytes()
    assert json.loads(made)["counterfactuals"]["other_than_the_run"] == []
    ledger_only = brink_command("explain", "out", "--no-test", "--no-report", cwd=tmp_path)
    assert ledger_only.returncode == 0 and "Without a cause" not in ledger_only.stdout
    assert (tmp_path / "out" / "explain.json").read_bytes() == made


def test_a_run_without_causes_says_so(tmp_path: Path) -> None:
    folder = brink.simulate(node(), out=tmp_path / "run").directory
    assert folder is not None
    done = brink_command("explain", str(folder), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Nothing was removed for comparison" in done.stdout
    assert RunResult.load(folder).explanation is not None


def test_an_error_in_a_scenario_file_is_one_paragraph(tmp_path: Path, scenario_: brink.Scenario) -> None:
    (tmp_path / "bad.json").write_text(scenario_.with_({"/conditions/0/factor": 0.5}).to_json())
    done = brink_command("explain", "bad.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: bad.json: /conditions/0/factor") and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
