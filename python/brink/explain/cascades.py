"""The cascades of a run as a reviewer reads them: one row a cause, the heaviest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brink.explain.causes import condition_labels, words
from brink.explain.ledger import Cascade, Ledger, Link, chain
from brink.pointer import get

_CHAIN_KINDS = 8  # on one line


@dataclass(frozen=True)
class CascadeRow:
    """All cascades of one condition, or one cascade of another root. None where the run does not say."""

    label: str
    condition: int  # index in /conditions; -1: none
    replicas: list[int]
    roots: int
    from_s: float
    until_s: float
    delay_s: float  # at the roots
    request_delay_s: float | None  # added to the requests whose largest delay it was
    requests: int | None
    slo_violations: int
    chain: Link
    cascades: list[Cascade]

    @property
    def amplification(self) -> float | None:
        """Delay of requests over delay at the root, by the ledger's book-keeping."""
        return self.request_delay_s / self.delay_s if self.request_delay_s is not None and self.delay_s > 0 else None

    @property
    def steps(self) -> str:
        """"collective wait ×5,013 (12.0 s) → batch cut ×3, preemption ×4 → plan switch ×40"."""
        return chain_text(self.chain)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "label": self.label, "condition": self.condition if self.condition >= 0 else None, "replicas": self.replicas,
            "roots": self.roots, "from_s": self.from_s, "until_s": self.until_s, "delay_s": self.delay_s,
            "request_delay_s": self.request_delay_s, "amplification": self.amplification, "requests_touched": self.requests,
            "slo_violations": self.slo_violations, "chain": self.chain.to_dict(),
        }


def cascade_rows(ledger: Ledger, summary: dict[str, Any], scenario: dict[str, Any]) -> list[CascadeRow]:
    """One row a condition that acted and one for each other root, by delay of requests, then at the root."""
    groups: dict[tuple[str, int], list[Cascade]] = {}
    for cascade in ledger.cascades:
        root = cascade.root
        key = ("condition", root.condition) if root.condition >= 0 else ("root", root.id)
        groups.setdefault(key, []).append(cascade)
    labels = condition_labels(scenario)
    told = _told(summary)
    rows = [_row(cascades, labels, told.get(key)) for key, cascades in groups.items()]
    return sorted(rows, key=lambda row: (-(row.request_delay_s or 0.0), -row.delay_s, -row.slo_violations, row.from_s))


def _told(summary: dict[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
    """What the summary says of a condition or of one root (of the ten heaviest)."""
    conditions = {("condition", int(item["condition"])): item for item in get(summary, "/cascades/conditions") or []}
    return conditions | {("root", int(item["root"])): item for item in get(summary, "/cascades/top") or []}


def _row(cascades: list[Cascade], labels: dict[int, str], told: dict[str, Any] | None) -> CascadeRow:
    root = cascades[0].root
    counted = sum(cascade.slo_violations for cascade in cascades)
    label = labels.get(root.condition) or words(root.kind) + (f" ({root.detail})" if root.detail else "")
    replicas = sorted({event.replica for cascade in cascades for event in cascade.events if event.replica >= 0})
    return CascadeRow(
        label, root.condition, replicas, len(cascades), min(c.root.at_s for c in cascades), max(c.until_s for c in cascades),
        sum(c.root_delay_s for c in cascades),
        None if told is None or told.get("request_delay_s") is None else float(told["request_delay_s"]),
        None if told is None else int(told.get("requests_touched") or 0),
        counted if told is None else int(told.get("slo_violations") or 0), chain(cascades), cascades,
    )


def chain_text(top: Link) -> str:
    """What followed from a root on one line: an arrow leads one event deeper."""
    levels = []
    here = [top]
    shown = 0
    while here := [below for link in here for below in link.ordered()]:
        kinds: dict[str, tuple[int, float]] = {}
        for link in here:
            count, delay_s = kinds.get(link.kind, (0, 0.0))
            kinds[link.kind] = (count + link.count, delay_s + link.delay_s)
        if shown + len(kinds) > _CHAIN_KINDS:
            levels.append("more")
            break
        shown += len(kinds)
        levels.append(", ".join(_kind_text(kind, *of) for kind, of in kinds.items()))
    return " → ".join(levels) or "nothing followed"


def _kind_text(kind: str, count: int, delay_s: float) -> str:
    return words(kind) + (f" ×{count:,}" if count > 1 else "") + (f" ({seconds(delay_s)})" if delay_s > 0 else "")


def seconds(value: float) -> str:
    """A duration: 12.3 s, 45 ms, 0.12 ms."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f} s"
    if size >= 1:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms"
