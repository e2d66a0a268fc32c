"""What a scenario has that may be to blame, and the same scenario without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from brink.pointer import get
from brink.scenario import Scenario


@dataclass(frozen=True)
class Cause:
    """An entry of /conditions, or a policy that acts."""

    pointer: str  # where it stands in the scenario
    label: str
    without: Any = None  # the value in its place when it is removed; None: the array entry goes
    condition: int = -1  # index in /conditions; -1: none

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"pointer": self.pointer, "label": self.label}


def causes_of(scenario: dict[str, Any]) -> list[Cause]:
    """Conditions in their order, then control, shaping and security where they are active."""
    conditions = scenario.get("conditions") or []
    found = [Cause(f"/conditions/{i}", _condition_label(item), condition=i) for i, item in enumerate(conditions)]
    for key in ("control", "shaping"):
        policy = get(scenario, f"/{key}/policy")
        if policy not in (None, "none"):
            found.append(Cause(f"/{key}", f"{key} {words(policy)}", {"policy": "none"}))
    isolation, confidential = get(scenario, "/security/isolation", "shared"), get(scenario, "/security/confidential", False)
    if isolation != "shared" or confidential:
        what = " and ".join([*([f"{isolation} isolation"] if isolation != "shared" else []),
                             *(["confidential mode"] if confidential else [])])
        found.append(Cause("/security", what, {"isolation": "shared", "confidential": False}))
    return found


def without(scenario: Scenario, removed: Iterable[Cause]) -> Scenario:
    """The scenario without some of its causes; everything else, seeds included, stays."""
    data = scenario.to_dict()
    gone = list(removed)
    for cause in gone:
        if cause.condition < 0:
            data[cause.pointer.removeprefix("/")] = cause.without
    indices = {cause.condition for cause in gone}
    data["conditions"] = [item for index, item in enumerate(data.get("conditions") or []) if index not in indices]
    return Scenario(data, scenario.base_dir)


def words(name: Any) -> str:
    """An identifier as people write it: "slow_rank" is "slow rank"."""
    return str(name).replace("_", " ").replace("slo ", "SLO ")


def condition_labels(scenario: dict[str, Any]) -> dict[int, str]:
    """How the conditions are called, by index."""
    return {cause.condition: cause.label for cause in causes_of(scenario) if cause.condition >= 0}


def _condition_label(item: dict[str, Any]) -> str:
    """"slow rank "nic" on rank 5 of replica 0, 120–180 s"."""
    parts = [words(item.get("kind") or "condition")]
    if item.get("name"):
        parts.append(f"“{item['name']}”")
    rank, replica = item.get("rank"), item.get("replica")
    where = [f"{noun} {value}" for noun, value in (("rank", rank), ("replica", replica)) if value is not None and value != "all"]
    if where:
        parts.append("on " + " of ".join(where))
    begin, end = item.get("from_s"), item.get("until_s")
    when = ""
    if end is not None:
        when = f", {begin or 0:g}–{end:g} s"
    elif begin:
        when = f", from {begin:g} s"
    period, duty = item.get("period_s"), item.get("duty")
    if period and duty is not None and duty < 1:
        when += f", {period * duty:g} of every {period:g} s"
    return " ".join(parts) + when
