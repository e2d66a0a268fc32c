"""brink explain: paired runs without a cause, what is said of them, the command."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import brink
from brink import explain as explaining
from brink.cli import app
from brink.errors import ConfigError, EngineError
from brink.explain import figures
from brink.explain.causes import causes_of, without
from brink.explain.counterfactual import experiment
from brink.explain.investigate import choose
from brink.explain.ledger import Ledger
from brink.explain.metrics import METRICS
from brink.explain.origin import scenario_of
from brink.result import RunResult
from conftest import ROOT
from test_explain_ledger import lines

runner = CliRunner()

SLOW = {"kind": "slow_rank", "name": "nic", "rank": 5, "replica": 0, "factor": 1.3, "from_s": 10, "until_s": 20}
HARMLESS = {"kind": "jitter", "name": "harmless"}
REQUESTS = 50


class FakeEngine:
    """A run whose p99 E2E is 1000 ms, 500 more with the slow rank (400 under the controller), 80 less by the controller.

    Every seed has its own load, and every run a noise keyed by what it lacks: seeds differ, pairs do not.
    """

    def __init__(self, noise_ms: float = 3.0) -> None:
        self.noise_ms = noise_ms
        self.asked: list[tuple[tuple[str, ...], int]] = []
        self._lock = threading.Lock()

    def __call__(self, scenario: brink.Scenario, seed: int) -> RunResult:
        kinds = tuple(item["kind"] for item in scenario.get("/conditions", []))
        controlled = scenario.get("/control/policy", "none") != "none"
        with self._lock:
            self.asked.append((kinds + (("control",) if controlled else ()), seed))
        key = [seed, "slow_rank" in kinds, "jitter" in kinds, controlled]
        value = 1000.0 + np.random.default_rng(seed).normal(0, 200) + np.random.default_rng(key).normal(0, self.noise_ms)
        value += ((400.0 if controlled else 500.0) if "slow_rank" in kinds else 0.0) - (80.0 if controlled else 0.0)
        summary = {"p99_e2el_ms": value, "mean_e2el_ms": value / 2, "p99_ttft_ms": 30.0, "p99_tpot_ms": None, "measured_requests": REQUESTS,
                   "completed": REQUESTS, "duration": 10.0, "request_goodput": None}
        files = {"summary.json": json.dumps(summary).encode(), "scenario.json": scenario.to_json().encode()}
        if scenario.get("/output/requests"):
            rows = [f"{i},{'completed' if i else 'rejected'},{value / 1000 if i else ''}" for i in range(REQUESTS)]
            files["requests.csv"] = "\n".join(["request_id,outcome,e2e_s", *rows]).encode()
        if scenario.get("/output/ledger"):
            files["ledger.jsonl"] = ledger()
        return RunResult(files)


def ledger() -> bytes:
    return lines(
        {"kind": "condition", "condition": 0, "rank": 5},
        {"kind": "collective_wait", "cause": 1, "delay_s": 2.0, "count": 100},
        {"kind": "regime_change", "cause": 2, "detail": "normal -> queue_degraded"},
    )


def scenario_with(*conditions: dict[str, Any], **more: Any) -> brink.Scenario:
    return brink.Scenario({"name": "made up", "seed": 7, "conditions": list(conditions), **more})


def explained(scenario: brink.Scenario, engine: FakeEngine, **options: Any) -> explaining.Explanation:
    first = engine(scenario.with_({"/output": {"requests": True, "ledger": True}}), scenario.get("/seed"))
    return explaining.explain(first, scenario=scenario, run=engine, **options)


def test_causes_are_conditions_and_active_policies() -> None:
    found = causes_of({"conditions": [SLOW, HARMLESS], "control": {"policy": "aimd", "target_ms": 3}, "shaping": {"policy": "none"},
                       "security": {"isolation": "shared", "confidential": True}})
    assert [(cause.pointer, cause.label) for cause in found] == [
        ("/conditions/0", "slow rank “nic” on rank 5 of replica 0, 10–20 s"), ("/conditions/1", "jitter “harmless”"),
        ("/control", "control aimd"), ("/security", "confidential mode"),
    ]
    assert causes_of({}) == []
    assert causes_of({"security": {"isolation": "strict"}})[0].label == "strict isolation"


def test_removal_takes_entries_by_index_and_switches_policies_off() -> None:
    scenario = scenario_with(SLOW, HARMLESS, SLOW, control={"policy": "aimd", "target_ms": 3}, security={"isolation": "replica"})
    causes = causes_of(scenario.to_dict())
    left = without(scenario, [causes[0], causes[2], causes[3], causes[4]]).to_dict()
    assert left == scenario.to_dict() | {"conditions": [HARMLESS], "control": {"policy": "none"},
                                         "security": {"isolation": "shared", "confidential": False}}
    assert without(scenario, []).to_dict() == scenario.to_dict()


def test_every_subset_runs_once_with_every_seed() -> None:
    engine = FakeEngine()
    scenario = scenario_with(SLOW, HARMLESS, control={"policy": "aimd"})
    progress: list[explaining.Progress] = []
    runs = experiment(scenario, causes_of(scenario.to_dict()), [7, 8, 9, 10, 11], run=engine, workers=3, progress=progress.append)
    assert len(engine.asked) == len(set(engine.asked)) == runs.runs == 40
    assert {seed for _, seed in engine.asked} == {7, 8, 9, 10, 11}
    assert runs.worth["p99_e2el_ms"].shape == (5, 8)
    assert "p99_tpot_ms" not in runs.worth  # no run has it
    assert [p.done for p in progress] == list(range(1, 41)) and progress[-1].left_s == 0.0
    # Bit i set: cause i acts. With a fake that makes no noise the table is known.
    exact = experiment(scenario, causes_of(scenario.to_dict()), [7, 8], run=FakeEngine(0.0))
    table = exact.worth["p99_e2el_ms"] - exact.worth["p99_e2el_ms"][:, :1]
    assert table[0] == pytest.approx([0, 500, 0, 500, -80, 320, -80, 320])
    assert table[1] == pytest.approx(table[0])


def test_the_order_in_which_runs_finish_changes_nothing() -> None:
    scenario = scenario_with(SLOW, HARMLESS)
    causes = causes_of(scenario.to_dict())
    one, many = (experiment(scenario, causes, [1, 2, 3], run=FakeEngine(), workers=w) for w in (1, 8))
    for key in one.worth:
        assert (one.worth[key] == many.worth[key]).all()
    assert (one.e2e_added_s == many.e2e_added_s).all()


def test_a_planted_harmless_cause_gets_an_interval_that_contains_0() -> None:
    found = explained(scenario_with(SLOW, HARMLESS), FakeEngine()).found
    assert found is not None
    slow, harmless = found.verdicts
    for key in ("p99_e2el_ms", "mean_e2el_ms"):
        effect = harmless.effect(key)
        assert effect is not None and effect.share is not None
        assert effect.share.contains(0.0) and not effect.distinguishable
        guilty = slow.effect(key)
        assert guilty is not None and guilty.share is not None
        assert guilty.distinguishable and guilty.share.low > 0.9 and guilty.share.contains(1.0)
    unchanged = slow.effect("p99_ttft_ms")  # by no cause, in no run
    assert unchanged is not None and unchanged.shapley.to_list() == [0.0, 0.0, 0.0]
    assert unchanged.share is None and not unchanged.distinguishable


def test_harmless_causes_are_seldom_blamed() -> None:
    # 200 experiments with intervals of 95 %: more than 22 false alarms would happen with probability 0.0002.
    blamed = 0
    scenario = scenario_with(SLOW, HARMLESS)
    causes = causes_of(scenario.to_dict())
    for n in range(200):
        runs = experiment(scenario, causes, list(range(1000 * n, 1000 * n + 5)), run=FakeEngine(), workers=1)
        effect = explaining.attribute(runs).verdicts[1].effect("p99_e2el_ms")
        assert effect is not None
        blamed += effect.distinguishable
    assert blamed <= 22


def verdict_of(worth: list[list[float]]) -> explaining.Verdict:
    """The verdict on one cause from pairs of p99 E2E without and with it, a pair a seed."""
    table = np.array(worth)
    runs = explaining.Experiment(causes_of({"conditions": [SLOW]}), list(range(len(table))), {"p99_e2el_ms": table}, {},
                                 np.zeros((len(table), 1)), np.full((len(table), 1), np.nan), np.zeros((len(table), 1)))
    return explaining.attribute(runs).verdicts[0]


def test_an_effect_has_the_runs_own_pair_and_the_seeds_that_are_worse() -> None:
    effect = verdict_of([[100, 900], [100, 104], [100, 103], [100, 101], [100, 100]]).effect("p99_e2el_ms")
    assert effect is not None
    assert effect.run == (900, 100) and (effect.worse, effect.better) == (4, 0)
    assert effect.change.contains(0.0) and not effect.removal_distinguishable  # one seed tipped over: the mean is not told from none
    assert (effect.with_all, effect.without) == (pytest.approx(261.6), 100)


def test_a_certain_but_negligible_effect_is_not_told() -> None:
    # 0.02 % in every seed: certain, and nothing to put into an incident report.
    tiny = verdict_of([[1000, 1000.2], [1000, 1000.21], [1000, 1000.19], [1000, 1000.2], [1000, 1000.2]]).effect("p99_e2el_ms")
    assert tiny is not None and not tiny.shapley.contains(0.0)
    assert not tiny.distinguishable and not tiny.removal_distinguishable
    small = verdict_of([[1000, 1002], [1000, 1002.1], [1000, 1001.9], [1000, 1002], [1000, 1002]]).effect("p99_e2el_ms")
    assert small is not None and small.distinguishable


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        ((4800, 3710, 5920), "+4.8 s [3.7, 5.9]"),
        ((1130, -30, 2300), "+1.13 s [−0.03, 2.30]"),  # the sign of an end decides
        ((-0.38, -0.54, -0.22), "−0.38 ms [−0.54, −0.22]"),
        ((0, 0, 0), "0 ms [0, 0]"),
        ((142, 141.9, 142.1), "+142.0 ms [141.9, 142.1]"),
    ],
)
def test_changes_are_written_with_the_figures_they_have(interval: tuple[float, float, float], text: str) -> None:
    assert figures.change(METRICS[0], explaining.Interval(*interval)) == text


def test_amplification_is_the_e2e_change_over_the_delay_at_the_root() -> None:
    found = explained(scenario_with(SLOW, HARMLESS), FakeEngine(0.0)).found
    assert found is not None
    slow, harmless = found.verdicts
    # 49 completed requests, 0.5 s each, over 2 s at the root; the rejected one has no pair.
    assert slow.amplification is not None and slow.amplification.mean == pytest.approx(49 * 0.5 / 2)
    assert slow.pairs == 49 * 5
    assert harmless.amplification is None and harmless.root_delay_s == 0.0


def test_the_delay_at_the_root_is_the_summarys_where_it_says_so() -> None:
    engine = FakeEngine(0.0)

    def run(scenario: brink.Scenario, seed: int) -> RunResult:
        given = engine(scenario, seed)
        told = {"cascades": {"conditions": [{"condition": 1, "delay_s": 4.0}]}}
        return RunResult(given.files | {"summary.json": json.dumps(given.summary | told).encode()})

    scenario = scenario_with(SLOW, HARMLESS, control={"policy": "aimd"})
    runs = experiment(scenario, causes_of(scenario.to_dict()), [1, 2], run=run)
    assert runs.root_delay_s.tolist() == [[0.0, 4.0, 0.0]] * 2


def test_the_five_causes_with_most_delay_are_tested() -> None:
    conditions = [SLOW | {"name": f"n{i}"} for i in range(7)]
    delays = [0.0, 5.0, 1.0, 4.0, 0.5, 9.0, 3.0]
    roots = [{"kind": "condition", "condition": i, "delay_s": delay} for i, delay in enumerate(delays)]
    tested, rest = choose(causes_of({"conditions": conditions}), Ledger.parse(lines(*roots)))
    assert [cause.condition for cause in tested] == [1, 2, 3, 5, 6]
    assert [cause.condition for cause in rest] == [0, 4]


def test_the_paragraph_says_what_the_figures_say() -> None:
    text = explaining.paragraph(explained(scenario_with(SLOW, HARMLESS), FakeEngine()))
    assert "traces 1 of 1 change into another regime than normal to slow rank “nic”" in text
    blamed, cleared = text.split("Not distinguishable from no effect: ")
    assert "Without slow rank “nic”" in blamed and "jitter" not in blamed
    assert cleared.startswith("jitter “harmless” (adds ")
    assert "p99 TTFT" not in blamed.split("Each cause was removed")[1]  # nothing changed it
    nothing = explaining.paragraph(explained(scenario_with(HARMLESS), FakeEngine()))
    assert "Without" not in nothing and "Not distinguishable" in nothing
    assert "Nothing was removed" in explaining.paragraph(explained(scenario_with(), FakeEngine()))
    active = explained(scenario_with(SLOW), FakeEngine())
    active.summary["hypotheses"] = ["scalar_fp16_at_17"]
    assert "hypotheses that evidence does not support: scalar_fp16_at_17" in explaining.paragraph(active)
    assert "was not tested" in explaining.paragraph(explained(scenario_with(SLOW), FakeEngine(), test=False))


def test_a_run_that_the_engine_does_not_give_again_is_told() -> None:
    engine = FakeEngine()
    scenario = scenario_with(SLOW)
    same = explained(scenario, engine)
    assert same.other == [] and "does not give the run again" not in explaining.paragraph(same)
    first = engine(scenario.with_({"/output": {"ledger": True}}), 7)
    changed = RunResult(first.files | {"summary.json": json.dumps(first.summary | {"p99_e2el_ms": 1.0}).encode()})
    other = explaining.explain(changed, scenario=scenario, run=engine)
    assert other.other == ["p99 E2E"] and "does not give the run again (p99 E2E differ)" in explaining.paragraph(other)


def test_the_document_is_json_and_agrees_with_itself() -> None:
    found = explained(scenario_with(SLOW, HARMLESS), FakeEngine())
    made = json.loads(json.dumps(explaining.document(found), allow_nan=False))
    assert made["counterfactuals"]["seeds"] == [7, 8, 9, 10, 11] and made["counterfactuals"]["runs"] == 20
    shares = [next(e for e in cause["effects"] if e["metric"] == "p99_e2el_ms")["shapley"][0] for cause in made["counterfactuals"]["causes"]]
    assert sum(shares) == pytest.approx(made["counterfactuals"]["total"]["p99_e2el_ms"][0])
    assert made["cascades"][0]["chain"]["then"][0]["kind"] == "collective_wait"


def test_few_seeds_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 5"):
        explained(scenario_with(SLOW), FakeEngine(), seeds=4)


def test_a_failing_run_ends_the_others() -> None:
    calls: list[int] = []

    def run(scenario: brink.Scenario, seed: int) -> RunResult:
        calls.append(seed)
        raise EngineError("it crashed")

    scenario = scenario_with(SLOW, HARMLESS)
    with pytest.raises(EngineError, match="it crashed"):
        experiment(scenario, causes_of(scenario.to_dict()), list(range(50)), run=run, workers=2)
    assert len(calls) <= 4


def test_a_run_without_a_ledger_says_what_to_do(result: RunResult, tmp_path: Path) -> None:
    folder = result.write(tmp_path / "run")
    (folder / "ledger.jsonl").unlink(missing_ok=True)
    done = runner.invoke(app, ["explain", str(folder)])
    assert done.exit_code == 2
    assert "--set /output/ledger=true" in done.stderr.replace("\n", " ")
    assert not (folder / "explain.json").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "nowhere"),
        (["FOLDER", "--seeds", "4"], "at least 5"),
        (["FOLDER", "--set", "/seed=3"], "for a scenario file"),
    ],
)
def test_wrong_arguments_are_one_paragraph(result: RunResult, tmp_path: Path, arguments: list[str], expected: str) -> None:
    folder = result.write(tmp_path / "run")
    done = runner.invoke(app, ["explain", *(str(folder) if a == "FOLDER" else a for a in arguments)])
    assert done.exit_code == 2
    assert expected in done.stderr.replace("\n", " ")


def test_the_files_of_a_run_are_found_by_their_digests(tmp_path: Path) -> None:
    source = ROOT / "configs" / "scenarios" / "minimal.json"
    done = brink.simulate(brink.Scenario.load(source), out=tmp_path / "run")
    found = scenario_of(RunResult.load(tmp_path / "run"))
    assert found.base_dir == source.parent
    assert brink.simulate(found).summary == done.summary
    with pytest.raises(ConfigError, match="give --base"):
        scenario_of(RunResult.load(tmp_path / "run"), tmp_path)
    # The right names with other content do not count.
    digests = done.summary["provenance"]["inputs_sha256"]
    digests["model"] = "0" * 64
    changed = RunResult(done.files | {"summary.json": json.dumps(done.summary).encode()}, tmp_path / "run")
    with pytest.raises(ConfigError, match="llama-3.1-8b.json, which has changed since the run"):
        scenario_of(changed)
