"""The same trace on the GPU and in the simulator: decode steps, TTFT and time between tokens."""

from __future__ import annotations

import difflib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import brink
from brink import engine
from brink.calibration.results import Recorded, StepResults
from brink.errors import ConfigError
from brink.scenario import Scenario
from brink.validation.rows import Row

# How closely a simulated percentile must come (fractions).
BARS = {"p50": 0.03, "p99": 0.08}
_VERSION = "0.15"  # whose scheduling rules the replay's own loop follows (vLLM V1)
_ROW_READS_PER_LOGIT = 1  # the loop takes the largest logit: every one is read once


def compare(results: StepResults, profile: Path, configs: Path) -> list[Row]:
    """Measured and simulated p50 and p99 of every replayed trace, in milliseconds.

    Raises ConfigError for a model without a file in ``configs/models`` or a profile that cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="brink-replay-") as folder:
        document = Path(folder) / "profile.json"
        document.write_text(loop_profile(profile, results), encoding="utf-8")
        rows: list[Row] = []
        for index, recorded in enumerate(results.replays):
            simulated = simulate(recorded, document, configs, Path(folder) / f"trace{index}.csv")
            rows += [
                Row("decode_step", f"{recorded.name}, {name.split('_')[0]}", name.split("_", 1)[1].removesuffix("_s") + "_ms",
                    1e3 * recorded.figures[name], 1e3 * simulated[name], True)
                for name in recorded.figures
            ]
    return rows


def loop_profile(profile: Path, results: StepResults) -> str:
    """The profile with the constants of the replay's own loop in place of a serving engine's.

    It has no front end; what a step costs beyond the GPU was timed on steps of their own, not on the
    replays; and its kernels are those of the profile, so no factor stands between.
    """
    try:
        text = profile.read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text)
        gpu = document["gpu"]
        # Logits are FP32 and pass HBM once.
        sampler_s = _ROW_READS_PER_LOGIT * 4.0 / float(gpu["hbm_copy_bytes_per_s"])
        in_situ = {"attention_factor": 1.0, "attention_overlap_s": 0.0, "sustained_flops": float(gpu["sustained_bf16_flops"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("", str(error) or "no profile", "give a kernel profile with --profile", str(profile)) from None
    gap_s = results.host_s if results.host_s is not None else _gap_of(results)
    host = {"request_s": 0.0, "schedule_s": 0.0, "step_gap_s": gap_s, "stream_per_token_s": 0.0, "sampler_per_logit_s": sampler_s}
    sections = {"in_situ": in_situ, "host": {"vllm": {_VERSION: host}}}
    result: str = engine.module().with_sections(text, json.dumps(sections))
    return result


def _gap_of(results: StepResults) -> float:
    """Without timed steps: the median of wall time beyond GPU time over the replayed decode steps."""
    gaps = [step.wall_s - step.gpu_s for replay in results.replays for step in replay.steps.itertuples() if step.prefill_tokens == 0]
    return max(float(np.median(gaps)), 0.0) if gaps else 0.0


def simulate(recorded: Recorded, profile: Path, configs: Path, trace: Path) -> dict[str, float]:
    """The figures of a replayed trace, simulated. ``trace``: where its requests are written."""
    recorded.requests[["arrival_s", "input_tokens", "output_tokens"]].to_csv(trace, index=False)
    result = brink.simulate(Scenario(scenario_of(recorded, profile, configs, trace)), seed=1)
    # A replay that met its time limit is compared up to there: the same requests, the same stretch of time.
    answered = recorded.requests["ttft_s"].notna().to_numpy()
    cut = bool(answered.any() and not answered.all())
    end_s = float((recorded.steps["start_s"] + recorded.steps["wall_s"]).max()) if cut else float("inf")
    steps = [json.loads(line) for line in result.files["steps.jsonl"].splitlines()]
    durations = [step["end_s"] - step["start_s"] for step in steps if step["prefill_tokens"] == 0 and step["end_s"] <= end_s]
    ttft = result.requests.sort_values("request_id")["ttft_s"].to_numpy()
    ttft = ttft[answered & ~np.isnan(ttft)] if cut else ttft[~np.isnan(ttft)]
    figures = {}
    for p in (50, 99):
        figures[f"p{p}_decode_step_s"] = float(np.percentile(durations, p)) if durations else float("nan")
        figures[f"p{p}_ttft_s"] = float(np.percentile(ttft, p)) if len(ttft) else float("nan")
        figures[f"p{p}_itl_s"] = 1e-3 * float(result.summary[f"p{p}_itl_ms"])
    return figures


def scenario_of(recorded: Recorded, profile: Path, configs: Path, trace: Path) -> dict[str, Any]:
    """A scenario that stands for the replay's own loop."""
    model = configs / "models" / f"{recorded.model}.json"
    if not model.is_file():
        names = sorted(path.stem for path in (configs / "models").glob("*.json"))
        near = difflib.get_close_matches(recorded.model, names, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ConfigError("", f"model '{recorded.model}'", f"{hint}a file of configs/models: {', '.join(names)}")
    return {
        "schema_version": 1,
        "name": "decode-step-replay",
        "seed": 1,
        "cluster": str((configs / "clusters" / "hgx_h100_1node.json").resolve()),
        "model": str(model.resolve()),
        "profile": str(profile),
        "engine": {
            "name": "vllm", "version": _VERSION, "dtype": "bfloat16", "block_size": 16, "max_model_len": 4608,
            "max_num_seqs": recorded.limits["seats_max"], "max_num_batched_tokens": recorded.limits["tokens_max"],
            "num_gpu_blocks_override": recorded.limits["kv_blocks"],
            "enable_prefix_caching": False, "enable_chunked_prefill": True, "async_scheduling": False,
        },
        "workload": {"trace": {"format": "plain", "path": str(trace)}},
        "output": {"requests": True, "steps": True, "timeline": False, "timeseries": False},
    }
