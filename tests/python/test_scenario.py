"""Scenario: an immutable value, loaded strictly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize(
    ("text", "pointer_"),
    [
        ('{"engine": {"max_num_seqs": 1, "max_num_seqs": 2}}', "/engine/max_num_seqs"),
        ('{"a": [{"b/c": NaN}]}', "/a/0/b~1c"),
        ('{"a": [1, -1e999]}', "/a/1"),
    ],
)
def test_load_points_at_the_place(tmp_path: Path, text: str, pointer_: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(brink.ConfigError) as caught:
        brink.Scenario.load(path)
    assert caught.value.pointer == pointer_


@pytest.mark.parametrize("levels", [65, 100_000])
def test_load_refuses_deep_nesting(tmp_path: Path, levels: int) -> None:
    path = tmp_path / "s.json"
    path.write_text('{"a": ' + "[" * levels + "]" * levels + "}")
    with pytest.raises(brink.ConfigError, match="nested deeper than 64 levels"):
        brink.Scenario.load(path)


def test_values_of_other_libraries_become_plain() -> None:
    given = {"/n": np.int64(4), "/x": np.float32(0.5), "/on": np.bool_(True), "/pair": (1, 2), "/model": Path("m.json")}
    scenario = brink.Scenario({}).with_(given)
    assert scenario.to_dict() == {"n": 4, "x": 0.5, "on": True, "pair": [1, 2], "model": "m.json"}
    assert json.loads(scenario.to_json()) == scenario.to_dict()


@pytest.mark.parametrize(
    ("value", "pointer_", "got"),
    [
        (float("nan"), "/a", "NaN"),
        ([1.0, float("-inf")], "/a/1", "-Infinity"),
        (object(), "/a", "a Python object"),
        ({"b": {3: 4}}, "/a/b", "the key 3"),
    ],
)
def test_with_refuses_what_json_cannot_hold(value: object, pointer_: str, got: str) -> None:
    with pytest.raises(brink.ConfigError) as caught:
        brink.Scenario({}).with_({"/a": value})
    assert (caught.value.pointer, caught.value.got) == (pointer_, got)


def test_an_error_about_no_field_keeps_its_words() -> None:
    error = brink.errors.ConfigError("", "", "", message="out: is not a result folder")
    assert str(error.in_file("scenario.json")) == "out: is not a result folder"
