"""The fabric's part of `brink inspect`: its tables and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from brink.errors import ConfigError

_KINDS = {"gpu": "GPU", "hbm": "HBM", "nvswitch": "NVSwitch", "pcie_switch": "PCIe switch", "nic": "NIC", "host": "host", "leaf": "leaf", "spine": "spine"}


def write_picture(facts: dict[str, Any], path: Path) -> None:
    """Draws the fabric, with the replicas of a scenario; takes the devices out of the facts, which are no table."""
    from brink.report.topology import topology_svg

    layout = facts.get("layout", {})
    name = layout.get("cluster", facts.get("name", ""))
    picture = topology_svg(facts.pop("topology"), name=name, facts=facts["fabric"], replicas=layout.get("placement"))
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise ConfigError("", str(error.strerror), "the name of a file that can be written", f"--svg {path}") from None


def _table(title: str, columns: dict[str, bool]) -> Table:
    """columns: heading and whether it holds numbers."""
    table = Table(box=None, title=title, title_style="bold", title_justify="left", header_style="dim", pad_edge=False, padding=(0, 1))
    for column, numeric in columns.items():
        table.add_column(column, justify="right" if numeric else "left", no_wrap=True)
    return table


def _number(value: float) -> str:
    return f"{value:,.6g}"


def _devices(rows: list[dict[str, Any]]) -> Table:
    table = _table("Devices", {"": False, "count": True, "chips": True})
    for row in rows:
        table.add_row(_KINDS[row["device"]], f"{row['count']:,}", f"{row['chips']:,}" if row["chips"] != row["count"] else "")
    return table


def _cables(rows: list[dict[str, Any]]) -> Table:
    table = _table("Cables", {"between": False, "count": True, "GB/s": True, "back": True, "latency (us)": True})
    for row in rows:
        ends = " – ".join(_KINDS[kind] for kind in row["cable"].split(" - "))
        back = "shared" if row["duplex"] == "half" else _number(row["back_gb_per_s"])
        table.add_row(ends, f"{row['count']:,}", _number(row["gb_per_s"]), back, f"{row['latency_us']:.3g}")
    return table


def _groups(rows: list[dict[str, Any]]) -> Table:
    """What gets through between the ranks of a replica, where it is narrowest."""
    of_scenario = "replica" in rows[0]
    first = {"replica": True} if of_scenario else {"size": True, "placement": False}
    table = _table("Tensor parallel groups", {**first, "nodes": True, "GPUs": False, "narrowest cut (GB/s)": True, "parts off": True})
    for row in rows:
        who = [str(row["replica"])] if of_scenario else [str(row["tensor_parallel_size"]), row["placement"]]
        table.add_row(*who, str(row["nodes"]), Text(row["gpus"]), _number(row["narrowest_cut_gb_per_s"]), str(row["splits_off_gpus"]))
    return table


TABLES = {"devices": _devices, "cables": _cables, "tensor_parallel_groups": _groups}
