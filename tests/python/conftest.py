"""What the Python tests share: a small scenario, the engine, a headless browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import brink
from brink import engine
from brink.errors import EngineError

ROOT = Path(__file__).resolve().parents[2]


def small_scenario(**changes: object) -> brink.Scenario:
    """Some seconds of chat traffic on one GPU: tens of milliseconds to simulate."""
    data = {
        "schema_version": 1,
        "name": "small",
        "seed": 7,
        "cluster": str(ROOT / "configs/clusters/hgx_h100_1node.json"),
        "model": str(ROOT / "configs/models/llama-3.1-8b.json"),
        "profile": str(ROOT / "configs/profiles/h100_sxm.json"),
        "engine": {"name": "vllm", "version": "0.15", "max_num_seqs": 64, "max_model_len": 4096},
        "workload": {
            "arrivals": {"kind": "poisson", "rate_per_s": 10},
            "input_tokens": {"kind": "uniform", "low": 100, "high": 900},
            "output_tokens": {"kind": "uniform", "low": 20, "high": 200},
            "num_requests": 300,
        },
        "slo": {"ttft_p99_ms": 200, "tpot_p99_ms": 30},
    }
    return brink.Scenario(data).with_({at: value for at, value in changes.items()})


# A workload that takes minutes: for tests that end it.
LONG = {"/workload/num_requests": 50_000_000, "/output": {"requests": False, "timeseries": False}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves tests marked nightly to the long tier."""
    if os.environ.get("BRINK_NIGHTLY"):
        return
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker(pytest.mark.skip(reason="long tier only: set BRINK_NIGHTLY=1"))


@pytest.fixture(scope="session", autouse=True)
def engine_path() -> str:
    """brink-sim; every test here needs it."""
    try:
        return engine.find_engine()
    except EngineError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def scenario() -> brink.Scenario:
    return small_scenario()


@pytest.fixture(scope="session")
def result(scenario: brink.Scenario) -> brink.RunResult:
    return brink.simulate(scenario)


@pytest.fixture
def scenario_file(scenario: brink.Scenario, tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(scenario.to_json(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium: the report is not opened in a browser")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(os.environ.get("BRINK_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no measurements at {folder}")
    return folder
