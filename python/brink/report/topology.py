"""A cluster's fabric as a picture: who is joined to whom, at how many GB/s, and how busy the cables were.

Rails are told apart by Okabe and Ito's colours and by the numbers on NICs and leaves; load by darkness and by width.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from brink.report.topology_layout import MARGIN, Box, Frame, Layout, lay_out

_RAILS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A8F98")
_PALE = ("#CC79A7", "#E69F00", "#56B4E9")  # of them: those that dark letters stand out on
_TINTS = ("#D6E9F5", "#FBE3CC", "#D3EFE4", "#F5E1EC", "#FBF3C4", "#E3E6EA", "#E8DDF2", "#EADFCB")  # replicas
_LOAD = ((0.0, (205, 216, 228)), (0.5, (86, 130, 179)), (0.9, (8, 48, 107)))  # light to dark: order survives in grey
_FULL = "#D55E00"  # at 90 % and more
_NAMES = {"spine": "spine", "leaf": "leaf", "nic": "NIC", "pcie_switch": "PCIe switch", "gpu": "GPU", "hbm": "HBM", "nvswitch": "NVSwitch", "host": "host"}
_STYLE = (
    ".topo{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    ".topo text{fill:#1b1f24;font-size:11px}.topo .title{font-size:17px;font-weight:600}.topo .sub,.topo .note{fill:#5a6472;font-size:12px}"
    ".topo .row{font-weight:600;text-anchor:end}.topo .rate{fill:#5a6472;text-anchor:end}.topo .in{text-anchor:middle}"
    ".topo .node{fill:#fafbfc;stroke:#c9d0d8}.topo .more{fill:none;stroke:#9aa3ad;stroke-dasharray:5 4}"
    ".topo .box{fill:#fff;stroke:#5a6472}.topo .nv{fill:#e9f3e0;stroke:#5f7d3a}.topo .hbm{fill:#dfe3e8;stroke:#5a6472}"
    ".topo line,.topo path{fill:none;stroke:#8892a0}.topo .nvlink{stroke:#5f7d3a;stroke-width:2.4}.topo .bundle{stroke:#c2c9d1;stroke-width:2;stroke-dasharray:3 3}"
)

_Link = dict[str, Any]


def topology_svg(
    topology: dict[str, Any],
    *,
    name: str = "",
    facts: Mapping[str, Any] | None = None,
    utilisation: Mapping[str, float] | None = None,
    replicas: Sequence[Sequence[str]] | None = None,
) -> str:
    """The fabric as a stand-alone SVG that can also be put into a page.

    topology: {"devices", "links"} of `brink-sim inspect --topology --json`.
    facts: its "fabric" section, for the line under the title.
    utilisation: share of capacity used, 0..1, by link name: "a->b", or "a=b" of a half-duplex cable; the busier way shows.
    replicas: names of the GPUs of each replica, to be shaded alike.
    """
    return _Picture(topology, utilisation, replicas).draw(name, facts or {})


def link_load(link: _Link, utilisation: Mapping[str, float]) -> tuple[float, float] | None:
    """Load of a cable there and back (the same twice for half duplex), None where nothing is known."""
    ways = [f"{link['from']}={link['to']}"] * 2 if link.get("duplex") == "half" else [f"{link['from']}->{link['to']}", f"{link['to']}->{link['from']}"]
    loads = [utilisation.get(way) for way in ways]
    if loads[0] is None and loads[1] is None:
        return None
    return loads[0] or 0.0, loads[1] or 0.0


def load_colour(load: float) -> str:
    """Colour of a share of capacity."""
    if load >= _LOAD[-1][0]:
        return _FULL
    for (low, dark), (high, darker) in zip(_LOAD, _LOAD[1:], strict=False):
        if load <= high:
            part = max(load - low, 0.0) / (high - low)
            return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(dark, darker, strict=True))
    return _FULL


class _Picture:
    def __init__(self, topology: dict[str, Any], utilisation: Mapping[str, float] | None, replicas: Sequence[Sequence[str]] | None) -> None:
        self.topology = topology
        self.utilisation = utilisation
        self.tint = {gpu: i for i, ranks in enumerate(replicas or []) for gpu in ranks}
        self.kind = {device["name"]: device["kind"] for device in topology["devices"]}
        self.layout: Layout = lay_out(topology, 84)
        self.leaf_of = {link[a]: link[b] for link in topology["links"] for a, b in (("from", "to"), ("to", "from"))
                        if self.kind[link[a]] == "nic" and self.kind[link[b]] == "leaf"}
        self.leaf_number = {box.name: i for i, box in enumerate(box for box in self.layout.boxes.values() if box.kind == "leaf")}

    def draw(self, name: str, facts: Mapping[str, Any]) -> str:
        legend = self.legend()
        height = self.layout.height + (30 if legend else 6)
        width = self.layout.width
        parts = [f'<svg class="topo" xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:100%;height:auto" role="img" aria-label="{escape(self.subtitle(facts))}">',
                 f"<style>{_STYLE}</style>", f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
                 f'<text class="title" x="20" y="30">{escape(name)}</text><text class="sub" x="20" y="50">{escape(self.subtitle(facts))}</text>']
        parts += [self.frame(frame) for frame in self.layout.frames]
        parts += [self.bundle(frame) for frame in self.layout.frames if frame.left_out]
        parts += [self.cable(link) for link in self.topology["links"]]
        parts += [self.box(box) for box in self.layout.boxes.values()]
        parts += self.margin()
        parts += [f'<text class="note" x="{x:.0f}" y="{y:.0f}" text-anchor="end">{escape(text)}</text>' for x, y, text in self.layout.notes]
        if legend:
            parts.append(f'<g transform="translate({MARGIN},{self.layout.height + 4:.0f})">{legend}</g>')
        return "".join(parts) + "</svg>\n"

    def subtitle(self, facts: Mapping[str, Any]) -> str:
        nodes = {device["node"] for device in self.topology["devices"] if device.get("node", -1) >= 0}
        gpus = sum(kind == "gpu" for kind in self.kind.values())
        text = f"{len(nodes)} node{'s' if len(nodes) != 1 else ''}, {gpus} GPUs"
        if facts.get("bisection_gb_per_s"):
            text += f", bisection {facts['bisection_gb_per_s']:,.6g} GB/s"
        return text + ". Rates are GB/s each way."

    def frame(self, frame: Frame) -> str:
        style = "more" if frame.left_out else "node"
        y = frame.y + (frame.height / 2 if frame.left_out else frame.height - 9)
        return (f'<rect class="{style}" x="{frame.x:.1f}" y="{frame.y:.1f}" width="{frame.width:.1f}" height="{frame.height:.1f}" rx="6"/>'
                f'<text class="in note" x="{frame.x + frame.width / 2:.1f}" y="{y:.1f}">{escape(frame.label)}</text>')

    def bundle(self, frame: Frame) -> str:
        """One line for all cables of the nodes that are left out."""
        leaves = [box for box in self.layout.boxes.values() if box.kind == "leaf"]
        if not leaves:
            return ""
        x = frame.x + frame.width / 2
        return "".join(f'<line class="bundle" x1="{x:.1f}" y1="{frame.y:.1f}" x2="{leaf.x:.1f}" y2="{leaf.y + leaf.height / 2:.1f}"/>' for leaf in leaves)

    def cable(self, link: _Link) -> str:
        a, b = self.layout.boxes.get(link["from"]), self.layout.boxes.get(link["to"])
        if a is None or b is None or "hbm" in (a.kind, b.kind):
            return ""
        if a.y > b.y:
            a, b = b, a
        style, shape = ("", "") if "host" in (a.kind, b.kind) else self.look(link, a, b)
        tip = f"<title>{escape(self.tip(link))}</title>"
        if a.y == b.y or "host" in (a.kind, b.kind):  # along a row: behind the boxes
            return f'<line x1="{a.x:.1f}" y1="{a.y:.1f}" x2="{b.x:.1f}" y2="{b.y:.1f}"{style}>{tip}</line>'
        wide = a if a.width >= b.width else b
        x1 = a.reach(b.x) if wide is a else a.x
        x2 = b.reach(a.x) if wide is b else b.x
        return f'<line{shape} x1="{x1:.1f}" y1="{a.y + a.height / 2:.1f}" x2="{x2:.1f}" y2="{b.y - b.height / 2:.1f}"{style}>{tip}</line>'

    def look(self, link: _Link, a: Box, b: Box) -> tuple[str, str]:
        """Inline style and class of a cable: by load where that is asked for, else by what it is."""
        if self.utilisation is not None:
            load = link_load(link, self.utilisation)
            most = max(load) if load else 0.0
            return f' style="stroke:{load_colour(most)};stroke-width:{1.2 + 4.0 * min(most, 1.0):.1f}"', ""
        if {a.kind, b.kind} == {"gpu", "nvswitch"}:
            return "", ' class="nvlink"'
        leaf = a.name if a.kind == "leaf" else b.name
        if leaf in self.leaf_number:
            return f' style="stroke:{self.rail(leaf)};stroke-width:1.4"', ""
        return "", ""

    def rail(self, leaf: str) -> str:
        return _RAILS[self.leaf_number[leaf] % len(_RAILS)] if len(self.leaf_number) > 1 else _RAILS[0]

    def tip(self, link: _Link) -> str:
        text = f"{link['from']} – {link['to']}: {link['gb_per_s']:g} GB/s"
        if link.get("duplex") == "half":
            text += ", both ways together"
        elif "back_gb_per_s" in link:
            text += f" there, {link['back_gb_per_s']:g} back"
        text += f", {link['latency_us']:g} µs"
        load = link_load(link, self.utilisation) if self.utilisation is not None else None
        return text + (f"; load {load[0]:.0%} there, {load[1]:.0%} back" if load else "")

    def box(self, box: Box) -> str:
        style = {"nvswitch": "nv", "hbm": "hbm"}.get(box.kind, "box")
        fill = self.fill(box)
        own = f' style="{fill}"' if fill else ""
        text = ""
        if box.label:
            ink = ""
            if box.kind == "leaf" and self.utilisation is None:
                ink = f' style="fill:{"#1b1f24" if self.rail(box.name) in _PALE else "#fff"};font-weight:600"'
            text = f'<text class="in" x="{box.x:.1f}" y="{box.y + 4:.1f}"{ink}>{escape(box.label)}</text>'
        load = self.own_load(box)
        tip = box.name + (f"; load {max(load):.0%}" if load else "")
        return (f'<g><title>{escape(tip)}</title><rect class="{style}" x="{box.x - box.width / 2:.1f}" y="{box.y - box.height / 2:.1f}" '
                f'width="{box.width:.1f}" height="{box.height:.1f}" rx="3"{own}/>{text}</g>')

    def fill(self, box: Box) -> str:
        if box.kind == "gpu" and box.name in self.tint:
            return f"fill:{_TINTS[self.tint[box.name] % len(_TINTS)]}"
        if self.utilisation is not None:
            load = self.own_load(box)
            return f"fill:{load_colour(max(load))}" if load else ""
        if box.kind == "leaf":
            return f"fill:{self.rail(box.name)};stroke:{self.rail(box.name)}"
        if box.kind == "nic" and self.leaf_of.get(box.name) in self.leaf_number:
            return f"stroke:{self.rail(self.leaf_of[box.name])};stroke-width:2"
        return ""

    def own_load(self, box: Box) -> tuple[float, float] | None:
        """Load of the cable that a box stands for: a memory's, and a PCIe switch's to the host, which lies behind others."""
        other = {"hbm": "gpu", "pcie_switch": "host"}.get(box.kind)
        for link in self.topology["links"] if other and self.utilisation is not None else ():
            for a, b in (("from", "to"), ("to", "from")):
                if link[a] == box.name and self.kind[link[b]] == other:
                    return link_load(link, self.utilisation or {})
        return None

    def margin(self) -> list[str]:
        """Names of the rows, and the rates of the cables between two of them."""
        parts, rows = [], self.layout.rows
        rates = self.rates()
        for kind, y in rows:
            note = ""
            if kind == "hbm":
                note = f' <tspan font-weight="400" fill="#5a6472">{rates.get(frozenset(("gpu", "hbm")), "")}</tspan>'
            parts.append(f'<text class="row" x="{MARGIN - 14}" y="{y + 4:.1f}">{_NAMES[kind]}{note}</text>')
        for (upper, y1), (lower, y2) in zip(rows, rows[1:], strict=False):
            joined = "gpu" if upper == "hbm" else upper  # what a row's cables begin at
            rate = rates.get(frozenset((joined, lower)))
            if rate and lower != "hbm":
                parts.append(f'<text class="rate" x="{MARGIN - 14}" y="{(y1 + y2) / 2 + 4:.1f}">{rate}</text>')
        if frozenset(("pcie_switch", "host")) in rates:
            for box in self.layout.boxes.values():
                if box.kind == "host":
                    parts.append(f'<text class="in note" style="font-size:10px" x="{box.x:.1f}" y="{box.y + 22:.1f}">{rates[frozenset(("pcie_switch", "host"))]}</text>')
        return parts

    def rates(self) -> dict[frozenset[str], str]:
        """Capacity of the cables between two kinds of devices: one number, or the range."""
        found: dict[frozenset[str], set[float]] = defaultdict(set)
        for link in self.topology["links"]:
            pair = frozenset((self.kind[link["from"]], self.kind[link["to"]]))
            found[pair] |= {link["gb_per_s"], link.get("back_gb_per_s", link["gb_per_s"])}
        return {pair: (f"{min(rates):g}" if len(rates) == 1 else f"{min(rates):g}–{max(rates):g}") + " GB/s" for pair, rates in found.items()}

    def legend(self) -> str:
        if self.utilisation is not None:
            steps = "".join(
                f'<line x1="{70 + 34 * i}" x2="{96 + 34 * i}" y1="10" y2="10" style="stroke:{load_colour(load)};stroke-width:{1.2 + 4 * load:.1f}"/>'
                f'<text class="in note" style="font-size:10px" x="{83 + 34 * i}" y="25">{load:.0%}</text>' for i, load in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)))
            note = '<text class="note" x="262" y="14">the busier way of a cable; HBM by its strip, PCIe switch to host by its box</text>'
            return f'<text class="note" x="0" y="14">link load</text>{steps}{note}'
        replicas = len(set(self.tint.values()))
        if not replicas:
            return ""
        shown = min(replicas, len(_TINTS))
        swatches = "".join(f'<rect class="box" x="{92 * i}" y="2" width="16" height="12" rx="2" style="fill:{_TINTS[i]}"/>'
                           f'<text class="note" x="{92 * i + 22}" y="12">replica {i}</text>' for i in range(shown))
        more = f'<text class="note" x="{92 * shown}" y="12">and so on, {replicas} in all</text>' if replicas > shown else ""
        return swatches + more
