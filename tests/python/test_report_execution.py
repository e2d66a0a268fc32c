"""The report's regimes, cascades, plans and drift: drawn from their data, absent without it."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import brink
from brink import explain as explaining
from brink.explain.cascades import cascade_rows
from brink.explain.ledger import Ledger
from brink.report import cascades, drift, plans, regimes, render
from brink.report.hatch import Fill, definitions
from brink.result import RunResult
from test_explain import HARMLESS, SLOW, FakeEngine, explained, scenario_with
from test_explain_ledger import lines, two_trees

SECTIONS = ("Regimes", "Cascades", "Execution plans", "Drift")


def table(result: RunResult, name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(result.files[name]))


def bare(result: RunResult) -> RunResult:
    """The run as an engine gives it that followed none of the mechanisms."""
    series = table(result, "timeseries.csv").drop(columns=["regime", "plan_switches"], errors="ignore")
    summary = {k: v for k, v in result.summary.items() if k not in ("plans", "regimes", "drift", "waits", "cascades", "p99_drift", "hypotheses")}
    files = {"summary.json": json.dumps(summary).encode(), "scenario.json": result.files["scenario.json"],
             "timeseries.csv": series.to_csv(index=False).encode(), "requests.csv": result.files["requests.csv"]}
    return RunResult(files)


def tactics() -> pd.DataFrame:
    columns = ("operator", "kind", "load", "load_from", "load_to", "tactic_id", "tactic", "precision", "repeatable", "fallback", "steps",
               "load_share", "gpu_share")
    rows = [("qkv_proj", "gemm", "padded_tokens", low, high, tactic, f"128x{tactic}x64", "bf16", True, "none", steps, 0.5, 0.1)
            for low, high, tactic, steps in ((1, 1, 64, 30), (1, 1, 128, 10), (3, 4, 128, 60))]
    rows.append(("lm_head", "gemm", "sampled_rows", 1, 1, 7, "only <one>", "bf16", True, "none", 40, 1.0, 0.1))
    return pd.DataFrame(rows, columns=columns)


def drift_section() -> dict[str, Any]:
    """Section "drift" of a summary, as far as it is drawn."""
    tally = {"requests": 200, "divergence_from_idle": 0.04, "divergence_from_idle_se": 0.001, "divergence_pairwise": 0.02,
             "divergence_pairwise_se": None}
    part = {"divergence_from_idle": 0.05, "divergence_pairwise": 0.03}
    return tally | {
        "by_output_tokens": [tally | {"output_tokens_from": 33, "output_tokens_to": 64}],
        "by_plan_switches": [tally | {"switches_from": 0, "switches_to": 0}],
        "by_regime": {"paging": tally},
        "tail": {"requests": 200, "median_10_percent": part, "slowest_1_percent": part | {"divergence_from_idle": None}},
    }


@pytest.fixture(scope="module")
def whole(result: RunResult, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """A run with everything there is to draw, on disk, explained."""
    plain = bare(result)
    series = table(plain, "timeseries.csv")
    series["regime"] = np.where(series["t_s"].between(10, 15), "paging", "normal")
    series["plan_switches"] = 3
    pair = {f"{q}_{what}": 2.0 for q in ("p50", "p99") for what in ("idle_ms", "load_ms", "ratio")}
    summary = plain.summary | {"regimes": {"label_share": {"normal": 0.8, "paging": 0.2}, "transitions": 2},
                               "drift": drift_section(), "p99_drift": {"ttft": pair, "tpot": pair, "e2el": {}}, "hypotheses": ["scalar_fp16_at_17"]}
    scenario = plain.scenario | {"conditions": [SLOW, HARMLESS]}
    files = plain.files | {"timeseries.csv": series.to_csv(index=False).encode(),
                           "summary.json": json.dumps(summary).encode(), "scenario.json": json.dumps(scenario).encode(),
                           "tactics.csv": tactics().to_csv(index=False).encode(), "ledger.jsonl": two_trees()}
    folder = RunResult(files).write(tmp_path_factory.mktemp("whole") / "run")
    explaining.write(explained(scenario_with(SLOW, HARMLESS), FakeEngine()), folder)
    return RunResult.load(folder)


def headings(page: str) -> list[str]:
    return re.findall(r"<h2>([^<]+)</h2>", page)


def test_sections_are_there_with_their_data_only(result: RunResult, whole: RunResult) -> None:
    without = render(bare(result))
    assert not set(SECTIONS) & set(headings(without))
    assert "<pattern" not in without
    page = render(whole)
    assert [heading for heading in headings(page) if heading in SECTIONS] == list(SECTIONS)
    for figure in ("regimes", "cascades", "shares", "tactics-qkv-proj", "plan-switches", "drift-length", "drift-latency", "drift-regime", "drift-switches"):
        assert f'id="chart-{figure}"' in page
    assert 'id="chart-tactics-lm-head"' not in page  # it never switches
    assert "Always one tactic: lm head (only &lt;one&gt;)" in page
    assert "Active hypotheses: scalar_fp16_at_17" in page and "Active hypotheses" not in without


def test_every_pattern_that_is_used_is_defined_once(whole: RunResult) -> None:
    page = render(whole)
    used, defined = set(re.findall(r"url\(#([\w-]+)\)", page)), re.findall(r'<pattern id="([\w-]+)"', page)
    assert used and used == set(defined) and len(defined) == len(set(defined))


def test_patterns_have_names_of_their_own() -> None:
    every = [*regimes.FILLS.values(), *cascades.FILLS.values(), drift.IDLE, drift.PAIRWISE]
    hatched = {fill for fill in every if fill.lines}
    assert len({fill.key for fill in hatched}) == len(hatched)
    assert definitions([Fill("#fff")]) == ""


def test_strips_join_equal_regimes_and_keep_the_worst() -> None:
    t = np.arange(20)
    rows = pd.DataFrame({"t_s": t, "replica": 0, "output_tokens": 5, "regime": ["normal"] * 8 + ["queue_degraded"] * 4 + ["paging"] * 8})
    chart, = regimes.regime_charts(rows, {}, 0.0)
    assert chart.strips[0].spans == [(0.0, 8.0, "normal"), (8.0, 12.0, "queue degraded"), (12.0, 20.0, "paging")]
    assert list(chart.strip_fills) == ["paging", "queue degraded", "normal"]
    # A day: an interval of minutes shows its worst second.
    day = pd.DataFrame({"t_s": np.arange(86_400), "replica": 0, "output_tokens": 5, "regime": "normal"})
    day.loc[40_000, "regime"] = "paging"
    chart, = regimes.regime_charts(day, {}, 0.0)
    bad = [span for span in chart.strips[0].spans if span[2] == "paging"]
    assert len(bad) == 1 and bad[0][0] <= 40_000 < bad[0][1] and bad[0][1] - bad[0][0] <= 300


def test_many_replicas_become_a_few_strips() -> None:
    rows = pd.DataFrame([{"t_s": t, "replica": r, "output_tokens": 1, "regime": "paging" if r < 3 and t > 4 else "normal"}
                         for t in range(10) for r in range(20)])
    chart, = regimes.regime_charts(rows, {}, 0.0)
    assert [strip.name for strip in chart.strips] == ["worst replica", "worst tenth", "worst quarter", "median"]
    assert [len(strip.spans) for strip in chart.strips] == [2, 2, 1, 1]  # 3 of 20 replicas are in trouble


def test_tactic_bars_have_the_shares_of_their_load() -> None:
    drawn, = plans.tactic_figures(tactics())
    assert "1: 128x64x64, 75.0% of 40 steps" in drawn and "3–4: 128x128x64, 100.0% of 60 steps" in drawn
    assert "2 tactics; the usual one ran in 70.0 % of its steps" in drawn


def test_drift_bars_have_the_summarys_figures() -> None:
    drawn = "".join(drift.drift_figures({"drift": drift_section()}))
    assert "64: 4 ± 0.2 % from the same request alone and idle, 200 requests" in drawn
    assert "64: 2 % between two executions under this load, 200 requests" in drawn
    assert "middle 10 %: 5 %" in drawn and "slowest 1 %:" not in drawn  # nothing is known of it
    assert drift.drift_figures({}) == drift.drift_figures({"drift": {"requests": 0}}) == []


def test_a_long_ledger_stays_small() -> None:
    events: list[dict[str, Any]] = []
    for n in range(20_000):
        events.append({"kind": "condition", "condition": 0, "at_s": n * 0.1, "until_s": n * 0.1 + 0.05})
        events.append({"kind": "collective_wait", "cause": 2 * n + 1, "at_s": n * 0.1, "until_s": n * 0.1 + 0.05, "delay_s": 0.01})
    rows = cascade_rows(Ledger.parse(lines(*events)), {}, {})
    drawn = cascades.cascade_figure(rows, 2000.0, 0.0)
    assert len(drawn) < 20_000
    assert "collective wait ×20,000, 200 s" in drawn


def test_labels_are_escaped() -> None:
    scenario = {"conditions": [SLOW | {"name": "<b>x</b>"}]}
    rows = cascade_rows(Ledger.parse(two_trees()), {}, scenario)
    assert "<b>" not in cascades.cascade_figure(rows, 50.0, 0.0)


def test_a_browser_draws_it_without_complaint(chromium: str, whole: RunResult, tmp_path: Path) -> None:
    probe = ("<script>console.log('patterns ' + [...document.querySelectorAll('[fill^=\"url\"]')].every(e => "
             "document.querySelector(e.getAttribute('fill').slice(4, -1))) + ' ' + document.querySelectorAll('figure').length);</script>")
    path = tmp_path / "report.html"
    path.write_text(render(whole).replace("</body>", probe + "</body>"))
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=3000",
         f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,4000", f"--screenshot={tmp_path / 'page.png'}", f"file://{path}"],
        capture_output=True, text=True, timeout=120, check=False,
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert len(console) == 1 and re.search(r"patterns true \d\d", console[0]), console
