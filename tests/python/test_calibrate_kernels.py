"""Calibration from kernel results and from other tools' tables, and the loop closed on replayed steps."""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from brink import engine
from brink.calibration import aiconfigurator, decode_step, vidur
from brink.calibration.results import is_results_file, read_steps
from brink.calibration.tables import Tables, common_grid, newest
from brink.cli import app
from brink.commands.calibrate_kernels import facts_of
from brink.errors import ConfigError, TraceError
from brink.scenario import Scenario
from conftest import ROOT

PROFILE = ROOT / "configs/profiles/h100_sxm.json"
GPU = ROOT / "configs/gpus/h100_sxm.json"
HEADER = {"kind": "header", "schema_version": 1, "gpu": "GPU A", "sm_count": 132, "l2_bytes": 52428800}
M_GRID = (1, 4, 16, 64, 256, 1024, 4096)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def words(result: Result) -> str:
    """What a command printed, without line breaks."""
    return re.sub(r"\s+", " ", result.output)


# --- results of the microkernels -------------------------------------------------------------


def launch_lines(node_s: float = 0.8e-6) -> list[dict[str, Any]]:
    lines = [HEADER]
    for nodes in (1, 8, 32, 128, 512, 2048):
        lines.append({"kind": "point", "group": "launch", "key": f"n{nodes}", "params": {"op": "graph_launch_and_wait", "nodes": nodes},
                      "median_s": 6e-6 + nodes * node_s, "metrics": {}})
    return lines


def write_lines(path: Path, lines: list[dict[str, Any]], tail: str = "") -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail, encoding="utf-8")
    return path


def test_fit_takes_results_or_a_folder_by_its_argument(tmp_path: Path) -> None:
    assert is_results_file(write_lines(tmp_path / "results.jsonl", launch_lines()))
    assert not is_results_file(tmp_path)
    output, report = tmp_path / "p.json", tmp_path / "report.txt"
    done = run("calibrate", "fit", tmp_path / "results.jsonl", "-o", output, "--base", PROFILE, "--report", report)
    assert done.exit_code == 0, done.output
    assert "graph_replay" in done.output and "from the base profile: elementwise, collectives" in words(done)
    fitted, base = json.loads(output.read_text()), json.loads(PROFILE.read_text())
    assert fitted["launch"]["graph_node_s"] == pytest.approx(0.8e-6, rel=0.01)
    assert fitted["launch"]["graph_launch_s"] == pytest.approx(6e-6, rel=0.01)
    for section in ("gemm", "decode_attention", "host", "in_situ"):
        assert fitted[section] == base[section]
    assert fitted["source"]["results"]["points"] == 6
    assert fitted["source"]["machine"]["gpu"] == "GPU A"
    assert "graph_launch_s" in report.read_text()
    # A later run fits onto the same profile without --base.
    write_lines(tmp_path / "results.jsonl", launch_lines(node_s=1.6e-6))
    assert run("calibrate", "fit", tmp_path / "results.jsonl", "-o", output, "--report", tmp_path / "r.json").exit_code == 0
    assert json.loads(output.read_text())["launch"]["graph_node_s"] == pytest.approx(1.6e-6, rel=0.01)
    assert json.loads((tmp_path / "r.json").read_text())["measured_sections"] == ["launch"]


@pytest.mark.parametrize(
    ("lines", "tail", "message"),
    [
        (launch_lines()[1:], "", "results.jsonl:1: a point before the header"),
        ([HEADER, {"kind": "point", "group": "lunch", "key": "a", "params": {}}], "", "did you mean 'launch'?"),
        ([HEADER], '{"kind": "point", "gro\n{"kind": "point"}\n', "results.jsonl:2: not a JSON object"),
        ([*launch_lines(), HEADER | {"gpu": "GPU B"}], "", "measured on 'GPU B'"),
        ([HEADER], '{"kind":"point","group":"hbm","key":"a","params":{},"median_s":NaN,"metrics":{}}\n', "results.jsonl:2:"),
        ([HEADER | {"sm_count": 108}, *launch_lines()[1:]], "", "108 SMs"),
    ],
)
def test_unusable_results_are_named(tmp_path: Path, lines: list[dict[str, Any]], tail: str, message: str) -> None:
    path = write_lines(tmp_path / "results.jsonl", lines, tail)
    done = run("calibrate", "fit", path, "-o", tmp_path / "p.json", "--base", PROFILE)
    assert done.exit_code != 0
    assert message in words(done)
    assert not (tmp_path / "p.json").exists()


def test_options_of_results_do_not_go_with_a_folder(tmp_path: Path) -> None:
    done = run("calibrate", "fit", tmp_path, "-o", tmp_path / "p.json", "--base", PROFILE)
    assert done.exit_code == 2 and "belong to the results" in words(done)


def test_diff_shows_what_changed_by_group(tmp_path: Path) -> None:
    assert "no change" in run("calibrate", "diff", PROFILE, PROFILE).output
    other = json.loads(PROFILE.read_text())
    other["elementwise"]["floor_us"] = 4.0
    other["host"]["vllm"]["0.15"]["request_s"] *= 2
    path = tmp_path / "other.json"
    path.write_text(json.dumps(other))
    done = run("calibrate", "diff", PROFILE, path, "--json", tmp_path / "diff.json")
    assert done.exit_code == 0, done.output
    changes = json.loads((tmp_path / "diff.json").read_text())
    assert {change["group"] for change in changes} == {"elementwise", "host"}
    assert next(c for c in changes if c["group"] == "host") | {"note": ""} == {
        "group": "host", "what": "vllm.0.15.request_s", "before": pytest.approx(changes[-1]["before"]),
        "after": pytest.approx(2 * changes[-1]["before"]), "change": pytest.approx(1.0), "worst": pytest.approx(1.0), "note": ""}
    assert "elementwise" in done.output
    missing = run("calibrate", "diff", PROFILE, tmp_path / "none.json")
    assert missing.exit_code == 2 and "give a kernel profile" in words(missing)


# --- tables of other tools -------------------------------------------------------------------


def gemm_ms(m: float, n: float, k: float) -> float:
    return 1e3 * (3e-6 + max(2 * m * n * k / 700e12, 2 * (n * k + m * n + m * k) / 2.9e12))


def attention_frame(prefill: bool) -> pd.DataFrame:
    rows = []
    for batch, tokens, (q, kv) in itertools.product((1, 8, 64, 256), (256, 1024, 4096), ((32, 8), (32, 32), (8, 1), (16, 4), (64, 8))):
        if prefill:
            latency = 1e3 * (11e-6 + 4 * 128 * q * batch * tokens * tokens / 2 / 500e12)
        else:
            latency = 1e3 * (11e-6 + 4 * batch * tokens * kv * 128 / 2.8e12)
        rows.append({"batch_size": batch, "isl": tokens if prefill else 1, "num_heads": q, "num_key_value_heads": kv, "head_dim": 128,
                     "attn_dtype": "float16", "kv_cache_dtype": "float16", "step": 0 if prefill else tokens - 1, "window_size": 0,
                     "kernel_source": "flash", "latency": latency})
    odd = rows[0] | {"kernel_source": "other"}
    return pd.DataFrame([*rows, odd, rows[1] | {"window_size": 128}])


def gemm_frame() -> pd.DataFrame:
    sizes = (1024, 2048, 4096, 8192)
    rows = [{"gemm_dtype": "float16", "m": m, "n": n, "k": k, "latency": gemm_ms(m, n, k)} for m in M_GRID for n in sizes for k in sizes]
    return pd.DataFrame([*rows, rows[0] | {"gemm_dtype": "fp8_block"}, rows[0] | {"latency": 99.0}])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder in the layout of AIConfigurator: by kind, one table reused, collectives as text."""
    systems = tmp_path / "aiconfigurator_core" / "systems"
    data = systems / "data" / "h100_sxm"
    for kind, table, frame in (("gemm", "gemm", gemm_frame()), ("attention", "context_attention", attention_frame(True)),
                               ("attention", "generation_attention", attention_frame(False))):
        folder = data / kind / "vllm" / "0.9.0"
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(folder / f"{table}_perf.parquet")
    newer = data / "gemm" / "vllm" / "0.10.1"
    newer.mkdir()
    (newer / "reuse.yaml").write_text("schema_version: 1\nreuse:\n- table: gemm_perf\n  from_version: 0.9.0\n  reason: same kernels\n")
    custom = data / "comm" / "vllm" / "0.9.0"
    custom.mkdir(parents=True)
    pd.DataFrame([{"allreduce_dtype": "bfloat16", "num_gpus": g, "message_size": 2**p, "latency": 1e-3 * (4 + 2 ** (p + 1) / 2e5), "backend": f"vllm_{b}"}
                  for g in (2, 8) for p in range(8, 21) for b in ("graph", "eager")]).to_csv(custom / "custom_allreduce_perf.txt", index=False)
    nccl = data / "comm" / "nccl" / "2.27.3"
    nccl.mkdir(parents=True)
    pd.DataFrame([{"op_name": op, "nccl_dtype": "half", "num_gpus": 8, "message_size": 2**p, "latency": 1e-3 * (12 + 2 ** (p + 1) / 2e5)}
                  for op in ("all_reduce", "alltoall") for p in range(8, 25)]).to_parquet(nccl / "nccl_perf.parquet")
    (systems / "h100_sxm.yaml").write_text("data_dir: data/h100_sxm\n")
    return tmp_path


def test_aiconfigurator_tables_are_found_wherever_the_package_is(package: Path) -> None:
    for folder in (package, package / "aiconfigurator_core" / "systems"):
        tables = aiconfigurator.read(folder, "h100_sxm")
        assert tables.origin == "AIConfigurator h100_sxm, vllm 0.9.0"  # 0.10.1 has no attention
        assert len(tables.frames["gemm"]) == 16 * len(M_GRID)  # the repeated row counts once, with its first time
        assert tables.frames["gemm"]["latency"].max() < 99
        assert set(tables.frames["attention_decode"]["kernel_source"]) == {"flash"}
        assert set(tables.frames["attention_decode"]["kv_cache_dtype"]) == {"bfloat16"}
        assert tables.frames["custom_all_reduce"]["message_bytes"].min() == 512  # elements of two bytes
        assert set(tables.frames["custom_all_reduce"]["backend"]) == {"vllm_graph", "vllm_eager"}
        assert tables.frames["nccl"]["latency_us"].min() > 12
    assert {found.version for found in aiconfigurator.find(package / "aiconfigurator_core/systems/data/h100_sxm", "gemm_perf")} == {"0.9.0", "0.10.1"}


def test_an_imported_profile_has_the_tables_times(package: Path, tmp_path: Path) -> None:
    output = tmp_path / "imported.json"
    done = run("calibrate", "import", "--aiconfigurator", package, "-o", output, "--gpu", GPU, "--tables", tmp_path / "tables", "--base", PROFILE)
    assert done.exit_code == 0, done.output
    profile = json.loads(output.read_text())
    assert profile["host"] == json.loads(PROFILE.read_text())["host"]
    source = profile["source"]["data"]
    assert source["imported_from"] == "AIConfigurator h100_sxm, vllm 0.9.0"
    assert source["tables"]["gemm"]["rows"] == 16 * len(M_GRID) and len(source["tables"]["gemm"]["sha256"]) == 64
    assert any("1 rows of other kernels" in note for note in source["notes"])
    assert "fp8" not in profile["gemm"]
    errors = {(e["group"], e["held_out"]): e["mape"] for e in profile["residuals"]}
    assert errors["gemm_bf16", True] < 0.05
    assert {(c["backend"], c["op"]) for c in profile["collectives"]} == {
        ("custom_graph", "all_reduce"), ("custom_eager", "all_reduce"), ("nccl", "all_reduce"), ("nccl", "all_to_all")}
    assert pd.read_csv(tmp_path / "tables" / "kernels" / "gemm.csv").shape[0] == 16 * len(M_GRID)
    assert not json.loads(engine.module().diff_profiles(output.read_text(), output.read_text()))


def test_unknown_names_are_answered_with_the_nearest(package: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (["--system", "h100_sxn"], "did you mean 'h100_sxm'?"),
        (["--engine", "vlm"], "did you mean 'vllm'?"),
        (["--version", "0.9.1"], "did you mean '0.9.0'?"),
        (["--gpu", str(tmp_path / "none.json")], "configs/gpus"),
    ):
        done = run("calibrate", "import", "--aiconfigurator", package, "-o", tmp_path / "p.json", *arguments)
        assert done.exit_code == 2, arguments
        assert message in words(done), arguments
    other = package / "aiconfigurator_core/systems/data/h20_sxm"
    (package / "aiconfigurator_core/systems/data/h100_sxm").rename(other)
    done = run("calibrate", "import", "--aiconfigurator", package, "--system", "h20_sxm", "-o", tmp_path / "p.json")
    assert done.exit_code == 2 and "no description of GPU 'h20_sxm'; " in words(done) or "did you mean 'h100_sxm'?" in words(done)
    assert run("calibrate", "import", "-o", tmp_path / "p.json").exit_code == 2
    with pytest.raises(ConfigError, match="no systems/data folder"):
        aiconfigurator.read(tmp_path / "aiconfigurator_core" / "systems" / "data", "h100_sxm")


def test_unusable_tables_are_named(package: Path) -> None:
    table = package / "aiconfigurator_core/systems/data/h100_sxm/gemm/vllm/0.9.0/gemm_perf.parquet"
    table.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(TraceError, match="Git LFS pointer"):
        aiconfigurator.read(package, "h100_sxm")
    gemm_frame().rename(columns={"latency": "latencies"}).to_parquet(table)
    with pytest.raises(TraceError, match="columns latency are missing; did you mean 'latencies'"):
        aiconfigurator.read(package, "h100_sxm")
    table.write_bytes(b"no parquet")
    with pytest.raises(TraceError, match="cannot be read as a table"):
        aiconfigurator.read(package, "h100_sxm")


@pytest.fixture
def vidur_folder(tmp_path: Path) -> Path:
    """Two models' projections and paged attention, and one all-reduce table."""
    root = tmp_path / "data" / "profiling"
    for name, heads, kv, hidden, inner in (("a", 32, 8, 4096, 14336), ("b", 64, 8, 8192, 28672), ("c", 40, 40, 5120, 13824)):
        folder = root / "compute" / "h100" / "org" / name
        folder.mkdir(parents=True)
        rows, attention = [], []
        for tp in (1, 2, 4):
            common = {"n_head": heads, "n_kv_head": kv, "n_embd": hidden, "n_expanded_embd": inner, "use_gated_mlp": True, "num_tensor_parallel_workers": tp}
            for m in (1, 8, 64, 512, 4096, *([3] if name == "a" else [])):
                shapes = {"attn_pre_proj": ((heads + 2 * kv) * 128 // tp, hidden), "attn_post_proj": (hidden, heads * 128 // tp),
                          "mlp_up_proj": (2 * inner // tp, hidden), "mlp_down_proj": (hidden, inner // tp)}
                rows.append(common | {"num_tokens": m} | {f"time_stats.{p}.median": gemm_ms(m, *nk) for p, nk in shapes.items()})
            for batch, context in itertools.product((1, 8, 64, 256), (128, 1024, 4096)):
                attention.append({"n_embd": hidden, "n_q_head": heads, "n_kv_head": kv, "num_tensor_parallel_workers": tp, "batch_size": batch,
                                  "prefill_chunk_size": 0, "kv_cache_size": context, "is_prefill": False,
                                  "time_stats.attn_decode.median": 0.01 + 4e3 * batch * context * kv / tp * 128 / 2.8e12, "time_stats.attn_prefill.median": float("nan")})
            for tokens in (128, 512, 2048, 4096):
                attention.append(attention[-1] | {"batch_size": 1, "prefill_chunk_size": tokens, "kv_cache_size": 0, "is_prefill": True,
                                                  "time_stats.attn_prefill.median": 0.012 + 2e3 * tokens**2 * heads / tp * 128 / 5e14})
        pd.DataFrame(rows).to_csv(folder / "mlp.csv", index=False)
        pd.DataFrame(attention).to_csv(folder / "attention.csv", index=False)
    network = root / "network" / "h100_dgx"
    network.mkdir(parents=True)
    pd.DataFrame([{"num_workers": g, "devices_per_node": d, "size": 2**p, "collective": "all_reduce", "time_stats.all_reduce.median": 0.02 + 2**p / 2e8}
                  for g, d in ((2, 2), (8, 8), (2, 1)) for p in range(11, 25)]).to_csv(network / "all_reduce.csv")
    return tmp_path


def test_vidur_tables_become_a_profile(vidur_folder: Path, tmp_path: Path) -> None:
    tables = vidur.read(vidur_folder, "h100")
    gemm = tables.frames["gemm"]
    assert set(gemm["m"]) == {1, 8, 64, 512, 4096}  # 3 belongs to one model only
    assert ((gemm["n"] == 28672) & (gemm["k"] == 4096)).any() and ((gemm["n"] == 6144) & (gemm["k"] == 4096)).any()
    decode = tables.frames["attention_decode"]
    assert set(zip(decode["num_heads"], decode["num_key_value_heads"], strict=True)) >= {(32, 8), (16, 4), (64, 8)}
    assert (decode["head_dim"] == 128).all() and (decode["isl"] == 1).all()
    assert set(tables.frames["nccl"]["num_gpus"]) == {2, 8}
    assert tables.frames["nccl"]["latency_us"].min() == pytest.approx(20.01024)
    done = run("calibrate", "import", "--vidur", vidur_folder, "--system", "h100", "--gpu", GPU, "-o", tmp_path / "v.json")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "v.json").read_text())["source"]["data"]["imported_from"] == "Vidur h100"
    with pytest.raises(ConfigError, match="did you mean 'h100'"):
        vidur.read(vidur_folder, "h10")
    with pytest.raises(ConfigError, match="did you mean 'h100_dgx'"):
        vidur.read(vidur_folder, "h100", "h100_dgz")


def test_versions_and_grids() -> None:
    assert newest(["0.9.0", "0.10.1", "0.10.1rc2"]) == "0.10.1"
    assert newest(["1.3.0rc9", "1.3.0rc10"]) == "1.3.0rc10"
    frame = pd.DataFrame([{"gemm_dtype": "bfloat16", "m": m, "n": n, "k": 1, "latency": 1.0} for m in range(1, 400) for n in range(10)])
    grid = sorted(set(common_grid(frame)["m"]))
    assert len(grid) <= 80 and grid[0] == 1 and grid[-1] == 399
    with pytest.raises(ConfigError, match="no gemm rows in nothing"):
        Tables("nothing").write(Path("unused"), [])


def test_facts_come_from_the_gpus_description(tmp_path: Path) -> None:
    facts = dict((what, value) for what, value, _ in facts_of(GPU))
    assert facts["HBM copy"] == pytest.approx(3.18)
    assert facts["L2 read bandwidth"] == pytest.approx(64 * 132 * 1.83)
    with pytest.raises(ConfigError, match="configs/gpus"):
        facts_of(tmp_path / "none.json")


# --- the loop closed ------------------------------------------------------------------------


def replayed(slow: float = 1.0) -> list[dict[str, Any]]:
    """Results as a GPU that obeys the shipped profile exactly would give them; ``slow`` stretches its steps."""
    rng = np.random.default_rng(5)
    requests = pd.DataFrame({"arrival_s": np.cumsum(rng.exponential(0.2, 60)), "input_tokens": rng.integers(64, 900, 60), "output_tokens": rng.integers(8, 120, 60)})
    params = {"what": "replay", "model": "llama-3.1-8b", "rate_per_s": 5.0, "seed": 1}
    timed = {"kind": "point", "group": "decode_step", "key": "d", "params": {"what": "decode", "model": "llama-3.1-8b", "batch": 8, "context": 256},
             "median_s": 6e-3, "metrics": {"wall_s": 6.2e-3}}
    metrics: dict[str, Any] = {"tokens_max": 2048, "seats_max": 256, "kv_blocks": 8192}
    empty = {"start_us": [0], "wall_us": [1], "gpu_us": [1], "decodes": [1], "prefill_tokens": [0]}
    columns = {"arrival_us": (1e6 * requests["arrival_s"]).round(1).tolist(), "input_tokens": requests["input_tokens"].tolist(),
               "output_tokens": requests["output_tokens"].tolist(), "ttft_us": [-1.0] * 60}
    figures = {f"p{p}_{m}": 1.0 for p in (50, 99) for m in ("decode_step_s", "ttft_s", "itl_s")}
    point = {"kind": "point", "group": "decode_step", "key": "r", "params": params, "metrics": metrics | figures | {"steps": empty, "per_request": columns}}
    lines = [HEADER, timed, point]
    return [*lines[:2], point | {"metrics": point["metrics"] | {key: slow * value for key, value in truth_of(lines).items()}}]


def truth_of(lines: list[dict[str, Any]]) -> dict[str, float]:
    """What the simulator itself says of the replay."""
    with tempfile.TemporaryDirectory() as folder:
        results = read_steps(write_lines(Path(folder) / "r.jsonl", lines))
        profile = Path(folder) / "profile.json"
        profile.write_text(decode_step.loop_profile(PROFILE, results))
        return decode_step.simulate(results.replays[0], profile, ROOT / "configs", Path(folder) / "trace.csv")


def test_a_machine_that_obeys_its_profile_is_predicted_exactly(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "results.jsonl", replayed())
    rows = decode_step.compare(read_steps(path), PROFILE, ROOT / "configs")
    assert {(row.id.rsplit(" ", 1)[1], row.metric) for row in rows} == {(p, m) for p in ("p50", "p99") for m in ("decode_step_ms", "ttft_ms", "itl_ms")}
    for row in rows:
        assert row.predicted == pytest.approx(row.measured, rel=1e-9)
    done = run("validate", "--decode-step", path, "--profile", PROFILE, "--json", tmp_path / "rows.json")
    assert done.exit_code == 0, done.output
    assert "missed" not in done.output and done.output.count("met") >= 6
    assert {row["group"] for row in json.loads((tmp_path / "rows.json").read_text())} == {"decode_step"}


def test_a_slower_machine_misses_the_bars(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "results.jsonl", replayed(slow=1.1))
    rows = decode_step.compare(read_steps(path), PROFILE, ROOT / "configs")
    for row in rows:
        assert row.error == pytest.approx(1 / 1.1 - 1, rel=1e-6)
    assert "missed" in run("validate", "--decode-step", path, "--profile", PROFILE).output


def test_the_loops_constants_stand_in_for_an_engines(tmp_path: Path) -> None:
    results = read_steps(write_lines(tmp_path / "r.jsonl", replayed()))
    assert results.host_s == pytest.approx(0.2e-3)
    document = json.loads(decode_step.loop_profile(PROFILE, results))
    assert document["host"] == {"vllm": {"0.15": {"request_s": 0.0, "schedule_s": 0.0, "step_gap_s": pytest.approx(0.2e-3), "stream_per_token_s": 0.0,
                                                  "sampler_per_logit_s": pytest.approx(4 / document["gpu"]["hbm_copy_bytes_per_s"])}}}
    assert document["gemm"] == json.loads(PROFILE.read_text())["gemm"]
    scenario = decode_step.scenario_of(results.replays[0], PROFILE, ROOT / "configs", tmp_path / "t.csv")
    assert Scenario(scenario).to_dict()["engine"]["num_gpu_blocks_override"] == 8192


def test_a_replay_cut_short_is_compared_up_to_its_end(tmp_path: Path) -> None:
    lines = replayed()
    point = lines[2]
    steps = {"start_us": [0, 3e6], "wall_us": [6e3, 6e3], "gpu_us": [5.8e3, 5.8e3], "decodes": [1, 1], "prefill_tokens": [0, 0]}
    first = [1e3 if i < 10 else -1.0 for i in range(60)]  # ten requests got a token before the limit
    requests = point["metrics"]["per_request"] | {"ttft_us": first}
    whole = read_steps(write_lines(tmp_path / "a.jsonl", lines)).replays[0]
    short = read_steps(write_lines(tmp_path / "b.jsonl", [*lines[:2], point | {"metrics": point["metrics"] | {"steps": steps, "per_request": requests}}])).replays[0]
    profile = tmp_path / "p.json"
    profile.write_text(decode_step.loop_profile(PROFILE, read_steps(tmp_path / "a.jsonl")))
    figures = [decode_step.simulate(recorded, profile, ROOT / "configs", tmp_path / "t.csv") for recorded in (whole, short)]
    assert short.requests["ttft_s"].notna().sum() == 10
    assert figures[0]["p99_ttft_s"] != figures[1]["p99_ttft_s"]


def test_unusable_steps_are_named(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with pytest.raises(ConfigError, match="brink-kernels --groups decode_step"):
        read_steps(write_lines(path, launch_lines()))
    with pytest.raises(TraceError, match=r"r.jsonl:1: no header"):
        read_steps(write_lines(path, launch_lines()[1:]))
    lines = replayed()
    unknown = [*lines[:2], lines[2] | {"params": lines[2]["params"] | {"model": "llama-3.1-9b"}}]
    with pytest.raises(ConfigError, match="did you mean 'llama-3.1-8b'"):
        decode_step.compare(read_steps(write_lines(path, unknown)), PROFILE, ROOT / "configs")
    cut = [*lines[:2], lines[2] | {"metrics": {"steps": {}}}]
    with pytest.raises(TraceError, match=r"r.jsonl:3: a decode_step point without usable"):
        read_steps(write_lines(path, cut))
    with pytest.raises(TraceError, match=r"r.jsonl:2: measured on 'GPU B'"):
        read_steps(write_lines(path, [HEADER, HEADER | {"gpu": "GPU B"}, *lines[1:]]))
    with pytest.raises(TraceError, match=r"r.jsonl:2: not a JSON object"):
        read_steps(write_lines(path, lines[:1], '{"kind": NaN}\n'))
    assert len(read_steps(write_lines(path, lines, '{"kind": "poi')).replays) == 1  # the end of a killed run
    with pytest.raises(ConfigError, match="--profile"):
        decode_step.loop_profile(tmp_path / "none.json", read_steps(write_lines(path, lines)))
