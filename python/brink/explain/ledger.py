"""The causal ledger of a run: events, each naming the earlier event that caused it, as trees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from brink.errors import ConfigError

FILE = "ledger.jsonl"
SLO_VIOLATION = "slo_violation"
REGIME_CHANGE = "regime_change"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of ledger.jsonl. ``cause`` is the id of an earlier event, 0 for a root."""

    id: int
    kind: str
    at_s: float
    until_s: float
    replica: int
    rank: int  # -1: of no single rank
    cause: int
    delay_s: float  # added to the replica's steps by it
    amount: float
    count: int  # how many of the kind were joined into this one
    condition: int  # index in /conditions, of roots; -1: none
    detail: str


@dataclass
class Link:
    """The events of one kind that follow from one place in a chain."""

    kind: str
    count: int = 0
    delay_s: float = 0.0
    first_s: float = float("inf")
    last_s: float = 0.0
    spans: list[tuple[float, float]] = field(default_factory=list)
    below: dict[str, Link] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Counts an event in."""
        self.count += event.count
        self.delay_s += event.delay_s
        self.first_s, self.last_s = min(self.first_s, event.at_s), max(self.last_s, event.until_s)
        self.spans.append((event.at_s, event.until_s))

    def ordered(self) -> list[Link]:
        """What follows, in the order it first happened."""
        return sorted(self.below.values(), key=lambda link: (link.first_s, link.kind))

    def to_dict(self) -> dict[str, Any]:
        """The chain as JSON values."""
        return {"kind": self.kind, "count": self.count, "delay_s": self.delay_s, "first_s": self.first_s,
                "last_s": self.last_s, "then": [link.to_dict() for link in self.ordered()]}


@dataclass(frozen=True)
class Cascade:
    """A root and everything that follows from it, in the order of the ledger."""

    events: list[Event]

    @property
    def root(self) -> Event:
        """The event without a cause."""
        return self.events[0]

    @cached_property
    def root_delay_s(self) -> float:
        """Delay at the root: its own, or where it has none that of its direct consequences."""
        if self.root.delay_s > 0.0:
            return self.root.delay_s
        return sum(event.delay_s for event in self.events if event.cause == self.root.id)

    @property
    def until_s(self) -> float:
        """When the last of it ended."""
        return max(event.until_s for event in self.events)

    @property
    def slo_violations(self) -> int:
        """Requests that broke the SLO in it."""
        return sum(event.count for event in self.events if event.kind == SLO_VIOLATION)


class Ledger:
    """All events of a run."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events

    @classmethod
    def parse(cls, content: bytes, name: str = FILE) -> Ledger:
        """Reads ledger.jsonl. Raises ConfigError, naming the line, for what is no ledger."""
        events: list[Event] = []
        known: set[int] = {0}
        for number, line in enumerate(content.splitlines(), 1):
            if not line.strip():
                continue
            event = _event(line, f"{name}, line {number}")
            if event.cause not in known or event.id in known or event.id <= event.cause:
                raise ConfigError("", f"event {event.id} with cause {event.cause}", "ids are unique and a cause comes before "
                                  "what it caused", f"{name}, line {number}")
            known.add(event.id)
            events.append(event)
        return cls(events)

    @cached_property
    def root_of(self) -> dict[int, int]:
        """Id of the root by the id of an event."""
        roots: dict[int, int] = {}
        for event in self.events:
            roots[event.id] = roots[event.cause] if event.cause else event.id
        return roots

    @cached_property
    def cascades(self) -> list[Cascade]:
        """One for each root, in the order of the roots."""
        trees: dict[int, list[Event]] = {}
        for event in self.events:
            trees.setdefault(self.root_of[event.id], []).append(event)
        return [Cascade(events) for events in trees.values()]

    def of_kind(self, kind: str) -> Iterator[Event]:
        """The events of one kind."""
        return (event for event in self.events if event.kind == kind)

    def root(self, event: Event) -> Event:
        """The root that an event follows from."""
        return self._by_id[self.root_of[event.id]]

    @cached_property
    def _by_id(self) -> dict[int, Event]:
        return {event.id: event for event in self.events}


def chain(cascades: list[Cascade]) -> Link:
    """Cascades folded into one tree of kinds: equal kinds after equal kinds are one link."""
    top = Link(cascades[0].root.kind)
    for cascade in cascades:
        links: dict[int, Link] = {}
        for event in cascade.events:
            if event.cause in links:
                above = links[event.cause]
                link = above.below.setdefault(event.kind, Link(event.kind))
            else:
                link = top
            link.add(event)
            links[event.id] = link
    return top


def _event(line: bytes, place: str) -> Event:
    try:
        fields = json.loads(line)
        return Event(
            int(fields["id"]), str(fields["kind"]), float(fields["at_s"]),
            float(fields["at_s"] if fields.get("until_s") is None else fields["until_s"]),
            _int(fields, "replica"), _int(fields, "rank"), int(fields.get("cause") or 0), float(fields.get("delay_s") or 0.0),
            float(fields.get("amount") or 0.0), int(fields.get("count") or 1), _int(fields, "condition"),
            str(fields.get("detail") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError("", f"no ledger event ({error})", "run the scenario again with /output/ledger true", place) from None


def _int(fields: dict[str, Any], key: str) -> int:
    value = fields.get(key)
    return -1 if value is None else int(value)
