"""Which regimes a run was in and what the ledger says pushed it there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from brink.explain.causes import condition_labels, words
from brink.explain.ledger import REGIME_CHANGE, Event, Ledger
from brink.pointer import get

NORMAL = "normal"


@dataclass(frozen=True)
class Push:
    """What took replicas into other regimes than normal."""

    label: str  # of the root
    changes: int
    first: Event

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"root": self.label, "changes": self.changes, "first_at_s": self.first.at_s, "first_replica": self.first.replica,
                "first_change": self.first.detail}


def regime_shares(summary: dict[str, Any]) -> dict[str, float]:
    """Share of replica time by regime, the largest first; empty when the run did not follow them."""
    times = get(summary, "/regimes/label_share")
    if not isinstance(times, dict):
        return {}
    shares = {str(name): float(value) for name, value in times.items() if isinstance(value, (int, float)) and value > 0}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def pushes(ledger: Ledger, scenario: dict[str, Any]) -> list[Push]:
    """Roots of the changes into other regimes than normal, the most frequent first."""
    labels = condition_labels(scenario)
    counted: Counter[str] = Counter()
    first: dict[str, Event] = {}
    for event in ledger.of_kind(REGIME_CHANGE):
        if event.detail.endswith(NORMAL):
            continue
        root = ledger.root(event)
        label = labels.get(root.condition) or words(root.kind)
        counted[label] += event.count
        first.setdefault(label, event)
    return [Push(label, count, first[label]) for label, count in counted.most_common()]
