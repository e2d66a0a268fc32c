"""The command line: what it prints, its errors and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import brink
from brink.cli import app
from conftest import LONG

runner = CliRunner()


def brink_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run([sys.executable, "-m", "brink", *arguments], cwd=cwd, capture_output=True, text=True,
                          env=environment, check=False)


def test_run_prints_the_headline_and_writes_the_report(scenario_file: Path, tmp_path: Path) -> None:
    done = brink_command("run", str(scenario_file), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar without a terminal
    folder = tmp_path / "out" / "small-1"
    summary = json.loads((folder / "summary.json").read_text())
    for label in ("TTFT", "TPOT", "ITL", "E2E"):
        assert re.search(rf"^{label}\s+\d", done.stdout, re.MULTILINE)
    assert f"{summary['mean_ttft_ms']:,.1f}"[:3] in done.stdout
    assert "SLO" in done.stdout
    assert "Report: out/small-1/report.html" in done.stdout
    assert (folder / "report.html").is_file()
    assert brink_command("run", str(scenario_file), "--no-report", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "out" / "small-2" / "report.html").exists()


def test_run_takes_settings_seed_and_output(scenario_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    done = runner.invoke(app, ["run", str(scenario_file), "-o", str(folder), "--seed", "3", "--set", "/engine/max_num_seqs=9"])
    assert done.exit_code == 0, done.output
    scenario = json.loads((folder / "scenario.json").read_text())
    assert scenario["engine"]["max_num_seqs"] == 9
    assert scenario["seed"] == 3


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere.json"], "nowhere.json: got no such file"),
        (["small.json", "--set", "/engine/max_num_seq=1"], "/engine/max_num_seq"),
        (["small.json", "--set", "/engine/max_num_seqs=0"], "small.json: /engine/max_num_seqs: got the integer 0"),
        (["small.json", "--set", "/engine/max_num_seqs=many"], "the string"),
        (["small.json", "--set", "/model=../nothing.json"], "/model"),
        (["small.json", "--set", "nonsense"], "nonsense"),
    ],
)
def test_errors_are_one_paragraph_and_exit_code_2(scenario_file: Path, tmp_path: Path, arguments: list[str], expected: str) -> None:
    done = brink_command("run", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_engine_failure_is_exit_code_1(scenario_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINK_ENGINE", str(tmp_path / "none"))
    done = brink_command("run", str(scenario_file), cwd=tmp_path)
    assert done.returncode == 1
    assert "make build" in done.stderr
    assert "Traceback" not in done.stderr


def test_interrupt_says_so_and_leaves_nothing(tmp_path: Path, scenario: brink.Scenario) -> None:
    long = tmp_path / "long.json"
    long.write_text(scenario.with_(LONG).to_json())
    process = subprocess.Popen([sys.executable, "-m", "brink", "run", str(long)], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2.5)  # starting takes about 1 s
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors.strip() == "interrupted; nothing was written"
    assert output == ""
    assert sorted(path.name for path in tmp_path.rglob("*")) in (["long.json"], ["long.json", "out"])


def test_inspect_shows_the_engines_facts(scenario_file: Path, tmp_path: Path) -> None:
    done = brink_command("inspect", str(scenario_file), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    table = brink_command("inspect", str(scenario_file), cwd=tmp_path)
    assert table.returncode == 0, table.stderr
    for section in facts:
        assert not facts[section] or section.replace("_", " ").lower() in table.stdout.lower()
    bad = brink_command("inspect", str(scenario_file), "--set", "/engine/max_num_seq=1", cwd=tmp_path)
    assert bad.returncode == 2
    assert "/engine/max_num_seq" in bad.stderr


TROUBLE = (
    "--set", "/hypotheses/scalar_fp16_at_17=true",
    "--set", '/conditions=[{"kind": "slow_rank", "name": "hot card", "rank": 0, "factor": 1.25}]',
)


def test_inspect_shows_plans_splits_and_conditions(scenario_file: Path, tmp_path: Path) -> None:
    done = brink_command("inspect", str(scenario_file), *TROUBLE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Active hypotheses: scalar_fp16_at_17. Evidence does not support them." in done.stdout
    assert re.search(r"^qkv_proj +1\b.* bf16/sm90", done.stdout, re.MULTILINE)
    assert re.search(r"^ +17 +hypothesis/scalar_fp16 \(hypothesis\)", done.stdout, re.MULTILINE)
    assert re.search(r"^ +1,024( +\d+){6}", done.stdout, re.MULTILINE)
    assert re.search(r"^0 +slow_rank +name hot card, replica all, rank 0, factor 1.25", done.stdout, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_run_says_what_is_active_and_how_it_executed(scenario_file: Path, tmp_path: Path) -> None:
    done = brink_command("run", str(scenario_file), "--no-report", *TROUBLE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Active hypotheses: scalar_fp16_at_17. Evidence does not support them." in done.stdout
    for label in ("Plans", "Regimes", "Drift", "Tails"):
        assert re.search(rf"^{label} ", done.stdout, re.MULTILINE), label
    assert re.search(r"^Cascades +slow rank “hot card” on rank 0: [\d.]+ s at the root, ", done.stdout, re.MULTILINE)
    off = json.dumps({"plans": False, "regimes": False})
    calm = brink_command("run", str(scenario_file), "--no-report", "--set", f"/observe={off}", cwd=tmp_path)
    assert "Active hypotheses" not in calm.stdout
    assert not re.search("^(Plans|Regimes|Drift|Cascades) ", calm.stdout, re.MULTILINE)


def test_report_of_a_finished_run(result: brink.RunResult, tmp_path: Path) -> None:
    folder = result.write(tmp_path / "run")
    done = brink_command("report", str(folder), "-o", "page.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")
    bad = brink_command("report", "nowhere", cwd=tmp_path)
    assert bad.returncode == 2
    assert "nowhere: got no such folder; give the result folder of a run" in bad.stderr


def test_only_the_commands_of_this_version() -> None:
    text = runner.invoke(app, ["--help"]).output
    for command in ("run", "inspect", "report", "validate", "calibrate"):
        assert re.search(rf"\b{command}\b", text)
    for command in ("capacity", "compare", "explain", "sweep", "recommend"):
        assert runner.invoke(app, [command]).exit_code == 2


def test_unknown_run_folder_and_data_folder(tmp_path: Path) -> None:
    for arguments in (["validate", "--data", "nowhere"], ["calibrate", "fit", "nowhere", "-o", "p.json"],
                      ["calibrate", "host", "nowhere", "--profile", "p.json"]):
        done = brink_command(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert "nowhere: got no such folder" in done.stderr
