"""The scenario's JSON Schema and its guide, against the reader: both take the same documents, and the guide has every key."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

import brink
from brink import pointer
from conftest import ROOT, small_scenario

SCHEMA = json.loads((ROOT / "configs/schema/scenario.schema.json").read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs/guide/scenario.md").read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

QUICK = {"/workload/num_requests": 5, "/output": {"requests": False, "timeseries": False}}


def errors(document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]


def test_the_schema_is_one() -> None:
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted([*ROOT.glob("configs/scenarios/*.json"), *ROOT.glob("tests/golden/*[!d].json")]), ids=lambda p: p.stem)
def test_shipped_scenarios_are_valid(path: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    if "workload" in document:
        assert errors(document) == []


def examples() -> list[dict[str, Any]]:
    """The guide's examples of sections."""
    blocks = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    return [example for example in map(json.loads, blocks) if "schema_version" not in example]


@pytest.mark.parametrize("example", examples(), ids=lambda example: "+".join(example))
def test_every_example_of_the_guide_is_taken(example: dict[str, Any]) -> None:
    document = small_scenario(**({"/workload/num_requests": 100} | {f"/{key}": value for key, value in example.items()}))
    assert errors(document.to_dict()) == []
    assert brink.simulate(document).summary["completed"] > 0


def keys_of_schema(node: Any) -> Iterator[str]:
    """Names of all properties, wherever they stand."""
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            yield name
            yield from keys_of_schema(value)
        for key, value in node.items():
            if key != "properties":
                yield from keys_of_schema(value)
    elif isinstance(node, list):
        for item in node:
            yield from keys_of_schema(item)


def test_the_guide_has_every_key_and_every_section_an_example() -> None:
    """Laws of arrivals and lengths have a page of their own."""
    workload = (ROOT / "docs/model/workload.md").read_text(encoding="utf-8")
    text = GUIDE + workload
    missing = sorted(key for key in set(keys_of_schema(SCHEMA)) if not re.search(rf'[`/"]{key}["`}}]', text))
    assert missing == []
    shown = {key for example in examples() for key in example}
    plain = {"schema_version", "name", "seed", "model", "cluster", "profile", "tactics", "routing", "admission", "fidelity"}
    assert shown | plain == set(SCHEMA["properties"])


def default_text(value: Any) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value).removesuffix(".0")


SECTIONS = {
    "Engine": "/$defs/engine_fields", "pang": "/$defs/control_pang", "aimd": "/$defs/control_aimd", "Shaping": "/$defs/shaping_latency_guard",
    "Security": "/properties/security", "Observe": "/properties/observe", "Regimes": "/properties/regimes", "Drift": "/properties/drift",
}


SAID_IN_WORDS = {"calm_ms", "delta_median_nats", "changed_share"}  # nothing: then something else decides


@pytest.mark.parametrize("section", SECTIONS)
def test_the_guides_defaults_are_the_schemas(section: str) -> None:
    properties = pointer.get(SCHEMA, SECTIONS[section] + "/properties")
    body = re.search(rf"^##+ {section}\n(.*?)(?=^##)", GUIDE, re.MULTILINE | re.DOTALL)
    assert body is not None
    checked = 0
    for keys, defaults in re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", body.group(1), re.MULTILINE):
        names = re.findall(r"`(\w+)`", keys)
        given = [text.strip().strip('`"') for text in defaults.split(",")]
        for name, text in zip(names, given * len(names) if len(given) == 1 else given, strict=False):
            if "default" in properties[name] and name not in SAID_IN_WORDS:
                checked += 1
                assert default_text(properties[name]["default"]) == text, name
    assert checked >= 2


# All kinds of conditions and sections at once.
EVERYTHING = {
    **QUICK,
    "/name": "everything",
    "/engine/data_parallel_size": 2,
    "/engine/tensor_parallel_size": 2,
    "/engine/attention_backend": "fa3_static",
    "/workload/tenants": {"count": 2},
    "/workload/prompts": {"kind": "pool", "size": 3},
    "/control": {"policy": "pang"},
    "/shaping": {"policy": "latency_guard", "output_tokens_max": 50},
    "/security": {"isolation": "replica", "confidential": True},
    "/conditions": [
        {"kind": "slow_rank", "rank": 1, "factor": 1.2, "until_s": 5},
        {"kind": "stall", "rank": "all", "extra_ms": 1, "period_s": 2, "duty": 0.5},
        {"kind": "jitter", "name": "host"},
        {"kind": "throttle", "rank": 0, "power_cap_w": 400},
        {"kind": "gpu_spread"},
        {"kind": "replication"},
        {"kind": "checkpoint", "coordination": "budget"},
    ],
    "/hypotheses": {"isr_threshold_512": True, "spills_at_run_time": {"gain": 0.1}, "collectives_keep_order": False},
    "/slo": {"ttft_p99_ms": 100},
}


@pytest.fixture(scope="module")
def resolved() -> dict[str, Any]:
    """What a run with everything writes as its scenario."""
    return brink.simulate(small_scenario(**EVERYTHING)).scenario


def test_a_resolved_scenario_is_valid(resolved: dict[str, Any]) -> None:
    assert errors(resolved) == []
    assert errors(brink.simulate(small_scenario(**QUICK)).scenario) == []
    pools = {"/disaggregation": {"prefill": {"replicas": 1}, "decode": {"replicas": 1}}, "/engine/data_parallel_size": None}
    assert errors(brink.simulate(small_scenario(**(QUICK | pools))).scenario) == []


def objects(node: Any, at: str = "") -> Iterator[str]:
    """Pointers of all objects of a document."""
    if isinstance(node, dict):
        yield at
        for key, value in node.items():
            yield from objects(value, f"{at}/{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from objects(item, f"{at}/{index}")


def refused_by_reader(document: dict[str, Any]) -> brink.ConfigError:
    with pytest.raises(brink.ConfigError) as caught:
        brink.simulate(brink.Scenario(document))
    return caught.value


def test_an_unknown_key_is_refused_by_both_wherever_it_stands(resolved: dict[str, Any]) -> None:
    places = list(objects(resolved))
    assert len(places) > 25
    for at in places:
        document = copy.deepcopy(resolved)
        pointer.put(document, f"{at}/zzzz", 1)
        assert errors(document), at
        error = refused_by_reader(document)
        assert error.pointer == f"{at}/zzzz"
        assert error.got == "an unknown field"


BAD = [
    ("/observe", {"plans": False, "drift": True}, "/observe/drift", "drift follows from plans"),
    ("/observe", {"plan": True}, "/observe/plan", "did you mean 'plans'?"),
    ("/engine/attention_backend", "flashinver", "/engine/attention_backend", "did you mean 'flashinfer'?"),
    ("/engine/workspace_mib", -1, "/engine/workspace_mib", "allowed: a number >= 0 and <= 1048576 (MiB)"),
    ("/engine/batch_invariance", True, "/engine/batch_invariance", "did you mean 'batch_invariant'?"),
    ("/tactics", 7, "/tactics", "a catalogue of GEMM tactics, or the path of one"),
    ("/regimes", {"pressured_mb": 1}, "/regimes/pressured_mb", "did you mean 'pressured_mib'?"),
    ("/regimes", {"evaporation_ratio": 2}, "/regimes/evaporation_ratio", "<= 1 (of the KV pool)"),
    ("/drift", {"rho_per_nat": 0}, "/drift/rho_per_nat", "> 0 and <= 10 (per nat)"),
    ("/drift", {"delta_shape": "normal"}, "/drift/delta_shape", "half_normal, exponential"),
    ("/conditions", [{"kind": "slow_rnk", "rank": 0, "factor": 2}], "/conditions/0/kind", "did you mean 'slow_rank'?"),
    ("/conditions", [{"kind": "slow_rank", "rank": 0}], "/conditions/0/factor", "required"),
    ("/conditions", [{"kind": "throttle", "rank": 0}], "/conditions/0/clock", "either clock"),
    ("/conditions", [{"kind": "throttle", "rank": 0, "clock": 0.5, "power_cap_w": 300}], "/conditions/0/power_cap_w", "either clock"),
    ("/conditions", [{"kind": "stall", "rank": 0, "extra_ms": 1, "duty": 0.5}], "/conditions/0/duty", "only with period_s"),
    ("/conditions", {"kind": "jitter"}, "/conditions", "allowed: an array"),
    ("/conditions", [{"kind": "replica_failure", "replica": 0}], "/conditions/0/from_s", "required"),
    ("/conditions", [{"kind": "node_failure", "node": 0, "from_s": 1, "on_failure": "die"}], "/conditions/0/on_failure", "retry, fail"),
    ("/control", {"policy": "aimt"}, "/control/policy", "did you mean 'aimd'?"),
    ("/control", {"target_ms": 5}, "/control/target_ms", "unknown"),
    ("/control", {"policy": "pang", "target_ms": 0}, "/control/target_ms", "> 0 and <= 1e+06 (ms)"),
    ("/shaping", {"policy": "latency_guard"}, "/shaping/input_tokens_max", "at least one of the two"),
    ("/security", {"copy_us": 3}, "/security/copy_us", "only with confidential: true"),
    ("/security", {"isolation": "tenant"}, "/security/isolation", "shared, strict, replica"),
    ("/workload/tenants", {}, "/workload/tenants/count", "exactly one of the two"),
    ("/workload/tenants", {"count": 2, "weights": [1, 2]}, "/workload/tenants/weights", "exactly one of the two"),
    ("/hypotheses", {"scalar_fp16_at_16": True}, "/hypotheses/scalar_fp16_at_16", "did you mean 'scalar_fp16_at_17'?"),
    ("/hypotheses", {"isr_threshold_512": 512}, "/hypotheses/isr_threshold_512", "true, false, or an object"),
    ("/disaggregation", {"prefill": {"replicas": 1}}, "/disaggregation/decode", "required"),
    ("/disaggregation", {"prefill": {"replicas": 0}, "decode": {"replicas": 1}}, "/disaggregation/prefill/replicas", ">= 1 and <= 1e+05"),
    ("/disaggregation", {"prefill": {"replicas": 1, "max_num_seq": 1}, "decode": {"replicas": 1}}, "/disaggregation/prefill/max_num_seq",
     "did you mean 'max_num_seqs'?"),
    ("/disaggregation", {"prefill": {"replicas": 1}, "decode": {"replicas": 1, "data_parallel_size": 2}},
     "/disaggregation/decode/data_parallel_size", "replicas in its place"),
    ("/disaggregation", {"prefill": {"replicas": 1}, "decode": {"replicas": 1}, "transfer": {"unit": "page"}}, "/disaggregation/transfer/unit", "block, token"),
    ("/output/records", "all", "/output/records", "none, sampled, full"),
    ("/output/ledger", 1, "/output/ledger", "true or false"),
]


@pytest.mark.parametrize(("at", "value", "where", "words"), BAD, ids=[case[2] for case in BAD])
def test_bad_values_are_refused_by_both(at: str, value: Any, where: str, words: str) -> None:
    document = small_scenario(**(QUICK | {at: value})).to_dict()
    error = refused_by_reader(document)
    assert error.pointer == where
    assert words in f"got {error.got}; {error.allowed}"
    assert errors(document)


def test_what_spans_sections_only_the_reader_refuses() -> None:
    changes = {"/security": {"isolation": "replica"}, "/workload/tenants": {"count": 3}, "/engine/data_parallel_size": 2}
    document = small_scenario(**(QUICK | changes)).to_dict()
    assert errors(document) == []
    error = refused_by_reader(document)
    assert error.pointer == "/security/isolation"
    assert "3 tenants on 2 replicas" in error.got
