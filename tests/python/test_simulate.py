"""brink.simulate: results, errors, processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import brink
from brink import engine
from brink.pool import ServerPool, pool
from conftest import LONG, small_scenario


def children(pid: int) -> list[int]:
    """Direct children of a process, from /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def wait_until(condition, seconds: float = 10.0):  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail("the condition did not come true")


def test_tables_agree_with_the_summary(result: brink.RunResult) -> None:
    requests = result.requests
    assert len(requests) == result.summary["num_prompts"] == 300
    ttft_ms = requests["ttft_s"].to_numpy() * 1e3
    assert result.summary["mean_ttft_ms"] == pytest.approx(float(ttft_ms.mean()), rel=1e-6)
    assert result.summary["p99_ttft_ms"] == pytest.approx(float(np.percentile(ttft_ms, 99)), rel=1e-6)
    assert result.timeseries["output_tokens"].sum() == requests["output_tokens"].sum()
    assert result.scenario["engine"]["max_num_seqs"] == 64


def test_same_bytes_as_brink_sim(scenario_file: Path, tmp_path: Path) -> None:
    direct = tmp_path / "direct"
    subprocess.run([engine.find_engine(), "run", str(scenario_file), "-o", str(direct), "--seed", "11",
                    "--set", "/engine/max_num_seqs=16"], check=True, capture_output=True)
    loaded = brink.Scenario.load(scenario_file)
    by_setting = brink.simulate(loaded, seed=11, settings=["/engine/max_num_seqs=16"], out=tmp_path / "served")
    by_copy = brink.simulate(loaded.with_({"/engine/max_num_seqs": 16}), seed=11)
    expected = {path.name: path.read_bytes() for path in direct.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "served").iterdir()} == expected
    assert by_setting.files == expected
    assert by_copy.files == expected
    assert {path.name: path.read_bytes() for path in by_copy.write(tmp_path / "written").iterdir()} == expected


def test_seed_changes_the_run_and_repeats_it(scenario: brink.Scenario, result: brink.RunResult) -> None:
    assert brink.simulate(scenario).files == result.files
    assert brink.simulate(scenario, seed=8).files["requests.csv"] != result.files["requests.csv"]


def test_config_error_has_its_fields(scenario: brink.Scenario) -> None:
    with pytest.raises(brink.ConfigError) as caught:
        brink.simulate(scenario.with_({"/engine/max_num_seq": 1}))
    assert caught.value.pointer == "/engine/max_num_seq"
    assert "max_num_seqs" in caught.value.allowed
    assert isinstance(caught.value, ValueError)


def test_trace_error_names_file_and_line(scenario: brink.Scenario, tmp_path: Path) -> None:
    trace = tmp_path / "bad.csv"
    trace.write_text("arrival_s,input_tokens,output_tokens\n0.0,10,10\n1.0,ten,10\n")
    bad = {"/workload": {"trace": {"format": "plain", "path": str(trace)}}}
    with pytest.raises(brink.TraceError, match=r"bad\.csv:3"):
        brink.simulate(scenario.with_(bad))


def test_missing_engine_says_what_to_do(scenario: brink.Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINK_ENGINE", "/nowhere/brink-sim")
    with pytest.raises(brink.EngineError, match=r"BRINK_ENGINE names /nowhere/brink-sim.*make build"):
        brink.simulate(scenario)


def test_progress_is_reported_and_can_end_the_run(scenario: brink.Scenario) -> None:
    seen: list[brink.Progress] = []

    def stop(progress: brink.Progress) -> None:
        seen.append(progress)
        if len(seen) == 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        brink.simulate(scenario.with_(LONG), progress=stop)
    assert seen[-1].sim_time_s > seen[0].sim_time_s
    assert seen[-1].finished > 0


def test_write_refuses_what_is_no_result_folder(result: brink.RunResult, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep")
    with pytest.raises(brink.ConfigError, match="no result folder"):
        result.write(tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "keep"
    folder = result.write(tmp_path / "new")
    assert result.write(folder) == folder
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "precious.txt"]
    assert brink.RunResult.load(folder).summary == result.summary


def test_eight_threads_fifty_runs_each_get_their_own_result() -> None:
    scenarios = [small_scenario(**{"/workload/num_requests": 20 + k % 5, "/seed": k % 5}) for k in range(50)]
    alone = [brink.simulate(s).files for s in scenarios[:5]]
    with ThreadPoolExecutor(8) as executor:
        results = list(executor.map(brink.simulate, scenarios * 8))
    assert len(results) == 400
    assert all(r.files == alone[k % 5] for k, r in enumerate(results))
    assert len(pool._free) <= 9


def test_killed_child_is_an_engine_error_and_the_server_lives(scenario: brink.Scenario) -> None:
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(brink.simulate, scenario.with_(LONG))
        server = wait_until(pool.busy)[0]
        child = wait_until(lambda: children(server))[0]
        os.kill(child, signal.SIGSEGV)
        with pytest.raises(brink.EngineError) as caught:
            future.result(timeout=20)
    assert caught.value.signal == signal.SIGSEGV
    assert not caught.value.cancelled
    assert brink.simulate(scenario).summary["completed"] == 300


def test_killed_server_is_an_engine_error(scenario: brink.Scenario) -> None:
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(brink.simulate, scenario.with_(LONG))
        server = wait_until(pool.busy)[0]
        wait_until(lambda: children(server))
        os.kill(server, signal.SIGKILL)
        with pytest.raises(brink.EngineError, match="signal 9") as caught:
            future.result(timeout=20)
    assert caught.value.signal == signal.SIGKILL
    assert brink.simulate(scenario).summary["completed"] == 300


def test_last_words_of_a_server_that_dies(tmp_path: Path, scenario: brink.Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = tmp_path / "brink-sim"
    dying.write_text("#!/bin/sh\necho 'assertion failed: kv >= 0' >&2\nexit 3\n")
    dying.chmod(0o755)
    monkeypatch.setenv("BRINK_ENGINE", str(dying))
    with pytest.raises(brink.EngineError, match="exit status 3") as caught:
        brink.simulate(scenario)
    assert caught.value.last_words == "assertion failed: kv >= 0"


def test_something_else_than_a_run_server(tmp_path: Path, scenario: brink.Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    chatty = tmp_path / "brink-sim"
    chatty.write_text("#!/bin/sh\necho 'Usage: something else entirely'\nsleep 60\n")
    chatty.chmod(0o755)
    monkeypatch.setenv("BRINK_ENGINE", str(chatty))
    with pytest.raises(brink.EngineError, match="not a frame"):
        brink.simulate(scenario)


def test_cancel_from_another_thread(scenario: brink.Scenario) -> None:
    own = ServerPool()
    with own.server() as server, ThreadPoolExecutor(1) as executor:
        text = '{"scenario":' + scenario.with_(LONG).to_json() + ',"base_dir":"/","settings":[],"seed":null,"out":null,"files":true}'
        future = executor.submit(server.run, text)
        wait_until(lambda: children(server.pid))
        own.cancel()
        with pytest.raises(brink.EngineError) as caught:
            future.result(timeout=10)
    assert caught.value.cancelled
    assert children(server.pid) == []


_INTERRUPTED = """
import sys, brink
from conftest import LONG, small_scenario
try:
    brink.simulate(small_scenario(**LONG), progress=lambda p: print(p.finished, flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""


def test_interrupt_ends_the_child() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen([sys.executable, "-c", _INTERRUPTED], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    server = wait_until(lambda: children(process.pid))[0]
    child = wait_until(lambda: children(server))[0]
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    rest, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "interrupted"
    assert time.monotonic() - began < 5.0
    wait_until(lambda: not Path(f"/proc/{child}").exists())
    wait_until(lambda: not Path(f"/proc/{server}").exists())


def test_killed_python_leaves_no_process_behind() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen([sys.executable, "-c", _INTERRUPTED], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    process.stdout.readline()
    server = wait_until(lambda: children(process.pid))[0]
    child = wait_until(lambda: children(server))[0]
    process.kill()
    process.communicate()
    wait_until(lambda: not Path(f"/proc/{child}").exists() and not Path(f"/proc/{server}").exists())


def test_other_threads_run_while_one_waits(scenario: brink.Scenario) -> None:
    counted = 0
    stop = threading.Event()

    def count() -> None:
        nonlocal counted
        while not stop.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    began = time.monotonic()
    try:
        brink.simulate(scenario.with_({"/workload/num_requests": 20000}))
        waited = time.monotonic() - began
    finally:
        stop.set()  # a thread left counting would keep a failed test run from ending
        thread.join()
    assert counted > 100 * waited  # with the GIL held it would be a handful
