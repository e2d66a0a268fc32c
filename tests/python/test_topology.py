"""Pictures of fabrics, and `brink inspect` of cluster files."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from brink import engine
from brink.cli import app
from brink.report.topology import link_load, load_colour, topology_svg
from brink.report.topology_layout import Layout, lay_out

CLUSTERS = Path(__file__).parents[2] / "configs" / "clusters"
NAMES = sorted(path.stem for path in CLUSTERS.glob("*.json"))
SVG = "{http://www.w3.org/2000/svg}"
runner = CliRunner()


def facts_of(name: str, *settings: str) -> dict[str, Any]:
    return engine.inspect(str(CLUSTERS / f"{name}.json"), list(settings), topology=True)


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()).strip() for element in ET.fromstring(svg).iter(f"{SVG}text")]


def tips(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}title")]


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_cluster_has_a_picture(engine_path: str, name: str) -> None:
    facts = facts_of(name)
    svg = topology_svg(facts["topology"], name=facts["name"], facts=facts["fabric"])
    shown = texts(svg)
    assert shown[0] == name
    gpus = facts["fabric"]["nodes"] * facts["fabric"]["gpus_per_node"]
    assert f"{gpus} GPUs" in shown[1]
    assert f"bisection {facts['fabric']['bisection_gb_per_s']:,.6g} GB/s" in shown[1]
    for row in facts["cables"]:
        if "hbm" not in row["cable"]:
            assert any(f"{row['gb_per_s']:g}" in text and text.endswith("GB/s") for text in shown), row


def overlaps(layout: Layout) -> list[tuple[str, str]]:
    boxes = list(layout.boxes.values())
    found = []
    for i, a in enumerate(boxes):
        for b in boxes[i + 1:]:
            if abs(a.x - b.x) < (a.width + b.width) / 2 - 0.01 and abs(a.y - b.y) < (a.height + b.height) / 2 - 0.01:
                found.append((a.name, b.name))
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("nodes", [None, 1, 5, 8, 9, 40])
def test_nothing_overlaps_and_nothing_is_outside(engine_path: str, name: str, nodes: int | None) -> None:
    if nodes is not None and name in ("drawn_2node", "hgx_h100_1node"):
        pytest.skip("its nodes are drawn one by one, or have no network")
    layout = lay_out(facts_of(name, *([f"/nodes={nodes}", "/fabric/network/spines=null"] if nodes and "fat" in name else [f"/nodes={nodes}"] if nodes else []))["topology"], 84)
    assert overlaps(layout) == []
    for box in layout.boxes.values():
        assert 0 < box.x - box.width / 2 and box.x + box.width / 2 < layout.width, box
        assert 84 <= box.y - box.height / 2 and box.y + box.height / 2 < layout.height, box
    for box in layout.boxes.values():
        if box.node >= 0:  # inside its own frame
            assert any(f.label == f"node {box.node}" and f.x < box.x - box.width / 2 and box.x + box.width / 2 < f.x + f.width for f in layout.frames), box


def test_many_nodes_are_summarised(engine_path: str) -> None:
    svg = topology_svg(facts_of("dgx_h100_32node")["topology"])
    shown = texts(svg)
    assert [text for text in shown if text.startswith("node ")] == ["node 0", "node 1", "node 2", "node 31"]
    assert "28 more nodes" in shown
    assert len(svg) < 120_000
    eight = texts(topology_svg(facts_of("nd_h100_v5_4node", "/nodes=8")["topology"]))
    assert [text for text in eight if text.startswith("node ")] == [f"node {i}" for i in range(8)]


def test_load_shows_as_colour_width_and_text(engine_path: str) -> None:
    topology = facts_of("nd_h100_v5_2node")["topology"]
    load = {"n0.nic0->leaf0": 0.95, "leaf0->n0.nic0": 0.25, "n0.gpu3=n0.hbm3": 0.5}
    svg = topology_svg(topology, utilisation=load)
    assert any("leaf0 – n0.nic0" in tip and "25% there, 95% back" in tip for tip in tips(svg))
    assert "n0.hbm3; load 50%" in tips(svg)
    lines = [line for line in ET.fromstring(svg).iter(f"{SVG}line") if "#D55E00" in line.get("style", "")]
    assert len(lines) == 2  # the cable, and the legend's
    assert "link load" in texts(svg)


def test_load_of_a_cable() -> None:
    full, half = {"from": "a", "to": "b"}, {"from": "a", "to": "b", "duplex": "half"}
    assert link_load(full, {"a->b": 0.5}) == (0.5, 0.0)
    assert link_load(half, {"a=b": 0.5, "a->b": 0.9}) == (0.5, 0.5)
    assert link_load(full, {"b=a": 1.0}) is None


def test_darker_is_busier() -> None:
    def lightness(load: float) -> float:
        colour = load_colour(load)
        return sum(weight * int(colour[i : i + 2], 16) for weight, i in ((0.30, 1), (0.59, 3), (0.11, 5)))

    steps = [lightness(i / 100) for i in range(0, 90, 5)]
    assert steps == sorted(steps, reverse=True)
    assert load_colour(0.9) == load_colour(1.7) == "#D55E00"


def test_replicas_are_shaded_alike(engine_path: str) -> None:
    topology = facts_of("hgx_h100_1node")["topology"]
    svg = topology_svg(topology, replicas=[[f"n0.gpu{i}" for i in range(4)], [f"n0.gpu{i}" for i in range(4, 8)]])
    assert svg.count("fill:#D6E9F5") == svg.count("fill:#FBE3CC") == 4 + 1
    assert "replica 1" in texts(svg)


def test_names_are_escaped() -> None:
    topology = {"devices": [{"name": "<a>&", "kind": "gpu", "node": 0, "index": 0}, {"name": "b", "kind": "gpu", "node": 0, "index": 1}],
                "links": [{"from": "<a>&", "to": "b", "gb_per_s": 10, "latency_us": 1}]}
    svg = topology_svg(topology, name="<script>")
    assert texts(svg)[0] == "<script>"
    assert any(tip.startswith("<a>& – b: 10 GB/s") for tip in tips(svg))


def test_inspect_of_a_cluster_file(engine_path: str, tmp_path: Path) -> None:
    picture = tmp_path / "fabric.svg"
    done = runner.invoke(app, ["inspect", str(CLUSTERS / "fat_tree_16node_2to1.json"), "--svg", str(picture)])
    assert done.exit_code == 0, done.output
    assert "1,600" in done.output
    assert "narrowest cut (GB/s)" in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert ET.parse(picture).getroot().tag == f"{SVG}svg"
    as_json = runner.invoke(app, ["inspect", str(CLUSTERS / "nd_h100_v5_2node.json"), "--json"])
    assert json.loads(as_json.output)["fabric"]["bisection_gb_per_s"] == 400
    assert "topology" not in json.loads(as_json.output)


def test_inspect_of_a_scenario_draws_its_replicas(engine_path: str, scenario_file: Path, tmp_path: Path) -> None:
    picture = tmp_path / "fabric.svg"
    done = runner.invoke(app, ["inspect", str(scenario_file), "--svg", str(picture)])
    assert done.exit_code == 0, done.output
    assert "replica 0" in texts(picture.read_text())


def test_a_picture_that_cannot_be_written(engine_path: str, tmp_path: Path) -> None:
    done = runner.invoke(app, ["inspect", str(CLUSTERS / "hgx_h100_1node.json"), "--svg", str(tmp_path / "no" / "x.svg")])
    assert done.exit_code == 2


def test_a_bad_cluster_file_names_the_field(engine_path: str) -> None:
    done = runner.invoke(app, ["inspect", str(CLUSTERS / "hgx_h100_1node.json"), "--set", "/fabric/pcie/latency_us=-1"])
    assert done.exit_code == 2
