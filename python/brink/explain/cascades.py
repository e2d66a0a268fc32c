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
    """All cascades of one condition, or of one other kind of root. None where the run does not say."""

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
    """One row a condition that acted and one a kind of other root, by delay of requests, then at the root."""
    groups: dict[tuple[str, Any], list[Cascade]] = {}
    for cascade in ledger.cascades:
        root = cascade.root
        key = ("condition", root.condition) if root.condition >= 0 else (root.kind, root.detail)
        groups.setdefault(key, []).append(cascade)
    labels = condition_labels(scenario)
    told = _Told(summary)
    rows = [_row(cascades, labels, told.of(cascades)) for cascades in groups.values()]
    return sorted(rows, key=lambda row: (-(row.request_delay_s or 0.0), -row.delay_s, -row.slo_violations, row.from_s))


@dataclass(frozen=True)
class _Effect:
    """What a summary says cascades did to requests."""

    request_delay_s: float = 0.0
    requests: int = 0
    slo_violations: int = 0


class _Told:
    """The summary's section: totals of each condition, and the ten cascades that delayed requests most."""

    def __init__(self, summary: dict[str, Any]) -> None:
        section = get(summary, "/cascades") or {}
        top = section.get("top") or []
        self._conditions = {int(item["condition"]): _effect(item) for item in section.get("conditions") or []}
        self._roots = {int(item["root"]): _effect(item) for item in top}
        # Roots that are not among the ten did no more than the last of them.
        idle = any(effect.request_delay_s == 0.0 and effect.requests == 0 for effect in self._roots.values())
        self._complete = idle or int(section.get("roots", len(top) + 1)) <= len(top)
        self._known = bool(section)

    def of(self, cascades: list[Cascade]) -> _Effect | None:
        """Of all cascades of one cause; None when the summary does not say."""
        root = cascades[0].root
        if root.condition >= 0:
            return self._conditions.get(root.condition)
        effects = [self._roots.get(cascade.root.id) for cascade in cascades]
        if not self._known or (None in effects and not self._complete):
            return None
        found = [effect for effect in effects if effect is not None]
        return _Effect(sum(e.request_delay_s for e in found), sum(e.requests for e in found), sum(e.slo_violations for e in found))


def _effect(item: dict[str, Any]) -> _Effect:
    return _Effect(float(item.get("request_delay_s") or 0.0), int(item.get("requests_touched") or 0), int(item.get("slo_violations") or 0))


def _row(cascades: list[Cascade], labels: dict[int, str], told: _Effect | None) -> CascadeRow:
    root = cascades[0].root
    label = labels.get(root.condition) or words(root.kind) + (f" ({root.detail})" if root.detail else "")
    replicas = sorted({event.replica for cascade in cascades for event in cascade.events if event.replica >= 0})
    return CascadeRow(
        label, root.condition, replicas, len(cascades), min(c.root.at_s for c in cascades), max(c.until_s for c in cascades),
        sum(c.root_delay_s for c in cascades), told.request_delay_s if told else None, told.requests if told else None,
        told.slo_violations if told else sum(cascade.slo_violations for cascade in cascades), chain(cascades), cascades,
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
