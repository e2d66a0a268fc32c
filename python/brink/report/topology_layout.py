"""Where the devices of a fabric go in its picture.

Rows from top to bottom: spines, leaves, then a box for every node with its NICs, PCIe switches, GPUs with their memories, and NVSwitches.
Many nodes, leaves or spines are cut down to the first few and the last; a box says how many are left out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

NODES_MAX, LEAVES_MAX, SPINES_MAX = 8, 16, 8
_SHOWN_FIRST = 3  # of more nodes than fit: these, a box, and the last one
MARGIN, RIGHT = 132, 22
_HEIGHT = {"spine": 22, "leaf": 22, "nic": 18, "pcie_switch": 14, "gpu": 26, "hbm": 9, "nvswitch": 18, "host": 14}
_GAP = {"spine": 64, "leaf": 108, "nic": 34, "pcie_switch": 34, "gpu": 0, "hbm": 34, "nvswitch": 0}  # below the row
_INSIDE = ("nic", "pcie_switch", "gpu", "hbm", "nvswitch")


@dataclass(frozen=True)
class Box:
    """A device's rectangle; x and y are its centre."""

    name: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    label: str
    index: int = 0
    node: int = -1

    def reach(self, x: float) -> float:
        """Where a cable from above or below `x` meets it."""
        half = max(self.width / 2 - 5, 0)
        return min(max(x, self.x - half), self.x + half)


@dataclass(frozen=True)
class Frame:
    """A node's box, or the one that stands for those left out (then `left_out` says how many)."""

    x: float
    y: float
    width: float
    height: float
    label: str
    left_out: int = 0


@dataclass
class Layout:
    """Everything with its place."""

    width: float
    height: float
    boxes: dict[str, Box] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    rows: list[tuple[str, float]] = field(default_factory=list)  # kind, y
    notes: list[tuple[float, float, str]] = field(default_factory=list)  # x, y, text


def lay_out(topology: dict[str, Any], top: float) -> Layout:
    """Places the devices of `topology` ({"devices", "links"}) below y = `top`."""
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    by_node: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for device in topology["devices"]:
        if device.get("node", -1) < 0:
            by_kind[device["kind"]].append(device)
        else:
            by_node[device["node"]][device["kind"]].append(device)
    nodes = sorted(by_node)
    columns = nodes if len(nodes) <= NODES_MAX else [*nodes[:_SHOWN_FIRST], -1, nodes[-1]]
    slots = max((len(kinds["gpu"]) for kinds in by_node.values()), default=1)
    cell = _cell(len(columns), slots)
    host_width = 46 if any(kinds["host"] for kinds in by_node.values()) else 0
    inner = max(slots * cell, 96)
    frame_width, gap = inner + host_width + 20, 16
    width = MARGIN + len(columns) * (frame_width + gap) - gap + RIGHT
    out = Layout(max(width, 560), 0)
    y = top
    for kind, most in (("spine", SPINES_MAX), ("leaf", LEAVES_MAX)):
        if by_kind[kind]:
            y = _switches(out, by_kind[kind], kind, y, most, _leaves_needed(topology, by_node, columns) if kind == "leaf" else None)
    present = [kind for kind in _INSIDE if any(kinds[kind] for kinds in by_node.values())]
    bottom = _rows(out, present, y + 18)
    for i, node in enumerate(columns):
        left = MARGIN + i * (frame_width + gap)
        if node < 0:
            left_out = len(nodes) - len(columns) + 1
            out.frames.append(Frame(left, y, frame_width, bottom - y, f"{left_out} more nodes", left_out))
            continue
        out.frames.append(Frame(left, y, frame_width, bottom - y, f"node {node}"))
        _node(out, by_node[node], left + 10, inner, host_width)
    out.height = bottom + 8
    return out


def _cell(columns: int, slots: int) -> float:
    """Width of a GPU's column: narrower with more of them, never too narrow for its number."""
    return max(18.0, min(38.0, 1180.0 / max(columns * slots, 1)))


def _leaves_needed(topology: dict[str, Any], by_node: Any, columns: list[int]) -> set[str]:
    """Leaves that a node in the picture has a cable to."""
    shown = {device["name"] for node in columns if node >= 0 for devices in by_node[node].values() for device in devices}
    return {link[b] for link in topology["links"] for a, b in (("from", "to"), ("to", "from")) if link[a] in shown}


def _switches(out: Layout, devices: list[dict[str, Any]], kind: str, y: float, most: int, needed: set[str] | None) -> float:
    """One row of switches; returns where the next row begins."""
    shown = devices
    if len(devices) > most:
        wanted = [device for device in devices if needed is None or device["name"] in needed]
        shown = [*wanted[: most - 1], wanted[-1]] if len(wanted) > most else wanted or devices[:most]
    room = out.width - MARGIN - RIGHT
    pitch = room / len(shown)
    box = min(pitch - 8, 88.0) if len(devices) > 1 else room * 0.5
    height = _HEIGHT[kind]
    for i, device in enumerate(shown):
        label = device["name"] if box > 8 * len(device["name"]) else str(device.get("index", i))
        out.boxes[device["name"]] = Box(device["name"], kind, MARGIN + (i + 0.5) * pitch, y + height / 2, box, height, label, device.get("index", i))
    out.rows.append((kind, y + height / 2))
    if len(shown) < len(devices):
        plural = "leaves" if kind == "leaf" else "spines"
        out.notes.append((out.width - RIGHT, y - 6, f"{len(shown)} of {len(devices)} {plural}"))
    return y + height + _GAP[kind]


def _rows(out: Layout, kinds: list[str], y: float) -> float:
    """Heights of the rows inside the nodes; returns the bottom of their frames."""
    for kind in kinds:
        out.rows.append((kind, y + _HEIGHT[kind] / 2))
        gap = _GAP[kind]
        if kind == "gpu" and "hbm" not in kinds:
            gap = _GAP["hbm"]
        y += _HEIGHT[kind] + gap
    if kinds and kinds[-1] in ("hbm", "gpu"):
        y -= _GAP["hbm"] - 4
    return y + 26


def _node(out: Layout, kinds: dict[str, list[dict[str, Any]]], left: float, inner: float, host_width: float) -> None:
    heights = dict(out.rows)
    for kind in _INSIDE:
        devices = sorted(kinds[kind], key=lambda device: (device.get("index", 0), device["name"]))
        if kind == "hbm":  # each under its own GPU
            continue
        for i, device in enumerate(devices):
            pitch = inner / len(devices)
            wide = pitch - 4 if kind in ("gpu", "nvswitch") else min(pitch - 4, 30)
            index = device.get("index", i)
            out.boxes[device["name"]] = Box(device["name"], kind, left + (i + 0.5) * pitch, heights[kind], wide, _HEIGHT[kind], _label(device, kind),
                                            index, device["node"])
    gpus = {box.index: box for box in out.boxes.values() if box.kind == "gpu" and kinds["gpu"] and box.node == kinds["gpu"][0]["node"]}
    for device in kinds["hbm"]:
        gpu = gpus.get(device.get("index", 0))
        if gpu is not None:
            out.boxes[device["name"]] = Box(device["name"], "hbm", gpu.x, heights["hbm"], gpu.width, _HEIGHT["hbm"], "", gpu.index, gpu.node)
    for device in kinds["host"][:1]:
        y = heights.get("pcie_switch", heights.get("gpu", 0))
        out.boxes[device["name"]] = Box(device["name"], "host", left + inner + host_width / 2 + 2, y, host_width - 8, 20, "host", 0, device["node"])


def _label(device: dict[str, Any], kind: str) -> str:
    if kind == "nvswitch":
        chips = device.get("chips", 1)
        return "NVSwitch" + (f" ×{chips}" if chips > 1 else "")
    return "" if kind == "pcie_switch" else str(device.get("index", ""))
