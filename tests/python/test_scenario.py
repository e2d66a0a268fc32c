"""Scenario: an immutable value, loaded strictly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import brink
from brink import pointer


def test_with_makes_a_copy_and_leaves_the_original(scenario: brink.Scenario) -> None:
    before = scenario.to_json()
    changed = scenario.with_({"/engine/max_num_seqs": 128, "/workload/arrivals/rate_per_s": 3.5})
    assert changed.get("/engine/max_num_seqs") == 128
    assert changed.get("/workload/arrivals/rate_per_s") == 3.5
    assert scenario.to_json() == before
    assert changed != scenario


def test_values_given_and_taken_are_copies() -> None:
    stages = [{"duration_s": 1}]
    scenario = brink.Scenario({}).with_({"/workload/stages": stages})
    stages[0]["duration_s"] = 2
    scenario.get("/workload/stages")[0]["duration_s"] = 3
    scenario.to_dict()["workload"]["stages"].clear()
    assert scenario.get("/workload/stages/0/duration_s") == 1


def test_pointer_escapes_and_arrays() -> None:
    scenario = brink.Scenario({"a": [1]}).with_({"/a/-": 2, "/b~1c/d~0e": 3})
    assert scenario.to_dict() == {"a": [1, 2], "b/c": {"d~e": 3}}
    assert scenario.get("/b~1c/d~0e") == 3
    assert scenario.get("/a/7", "none") == "none"


@pytest.mark.parametrize(
    ("at", "got"),
    [
        ("/a/b", "the integer 1 before 'b'"),
        ("/list/5", "the index '5'"),
        ("/list/01", "the index '01'"),
        ("a", "the pointer 'a'"),
    ],
)
def test_bad_pointers(at: str, got: str) -> None:
    with pytest.raises(brink.ConfigError) as caught:
        brink.Scenario({"a": 1, "list": [1]}).with_({at: 2})
    assert caught.value.pointer == at
    assert got in caught.value.got


def test_load_keeps_name_and_folder(scenario_file: Path) -> None:
    loaded = brink.Scenario.load(scenario_file)
    assert loaded.name == "small"
    assert loaded.base_dir == scenario_file.parent
    assert json.loads(loaded.to_json()) == json.loads(scenario_file.read_text())
    unnamed = scenario_file.with_name("other.json")
    unnamed.write_text("{}")
    assert brink.Scenario.load(unnamed).name == "other"


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": }', "a syntax error in line 1, column 7"),
        ("[1]", "an array"),
    ],
)
def test_load_is_strict(tmp_path: Path, text: str, got: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(brink.ConfigError) as caught:
        brink.Scenario.load(path)
    assert got in caught.value.got
    assert caught.value.file == str(path)


def test_missing_file() -> None:
    with pytest.raises(brink.ConfigError, match=r"nowhere\.json: got no such file"):
        brink.Scenario.load("nowhere.json")


def test_setting_text_is_json() -> None:
    assert pointer.setting("/engine/dtype", "float16") == '/engine/dtype="float16"'
