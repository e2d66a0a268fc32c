"""Reading ledger.jsonl: trees, chains, and what is no ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brink.errors import ConfigError
from brink.explain.cascades import cascade_rows, chain_text
from brink.explain.ledger import Ledger, chain
from brink.explain.regimes import pushes, regime_shares


def lines(*events: dict[str, Any]) -> bytes:
    """ledger.jsonl with defaults filled in; ids count from 1."""
    base = {"replica": 0, "rank": -1, "cause": 0, "delay_s": 0.0, "amount": 0.0, "count": 1, "condition": -1, "detail": ""}
    rows = [base | {"id": i, "at_s": float(i), "until_s": float(i)} | event for i, event in enumerate(events, 1)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def two_trees() -> bytes:
    return lines(
        {"kind": "condition", "condition": 0, "rank": 5},
        {"kind": "offered_load", "replica": 1},
        {"kind": "collective_wait", "cause": 1, "delay_s": 2.5, "count": 10, "until_s": 30.0},
        {"kind": "batch_cut", "cause": 3, "count": 2},
        {"kind": "preemption", "cause": 2, "replica": 1},
        {"kind": "regime_change", "cause": 3, "detail": "normal -> queue_degraded"},
        {"kind": "plan_switch", "cause": 4, "count": 4},
        {"kind": "slo_violation", "cause": 3, "count": 6, "until_s": 44.0},
        {"kind": "regime_change", "cause": 3, "detail": "queue_degraded -> normal"},
        {"kind": "condition", "condition": 0, "delay_s": 0.5},
        {"kind": "collective_wait", "cause": 10, "delay_s": 0.75},
    )


def test_events_form_trees() -> None:
    ledger = Ledger.parse(two_trees())
    assert [[event.id for event in cascade.events] for cascade in ledger.cascades] == [[1, 3, 4, 6, 7, 8, 9], [2, 5], [10, 11]]
    first, load, again = ledger.cascades
    assert first.root_delay_s == 2.5  # the root has none of its own: that of its direct consequences
    assert again.root_delay_s == 0.5  # its own; the wait below is the same delay seen further down
    assert load.root_delay_s == 0.0
    assert (first.until_s, first.slo_violations) == (44.0, 6)
    assert ledger.root(ledger.events[6]).id == 1


def test_a_chain_folds_equal_kinds() -> None:
    ledger = Ledger.parse(two_trees())
    folded = chain([ledger.cascades[0], ledger.cascades[2]])
    assert folded.count == 2
    waits = folded.below["collective_wait"]
    assert (waits.count, waits.delay_s) == (11, 3.25)
    assert waits.below["batch_cut"].below["plan_switch"].count == 4
    assert chain_text(folded) == ("collective wait ×11 (3.25 s) → batch cut ×2, regime change ×2, SLO violation ×6 → plan switch ×4")
    assert chain_text(chain([Ledger.parse(lines({"kind": "offered_load"})).cascades[0]])) == "nothing followed"


def test_rows_join_the_roots_of_a_condition_and_take_the_summarys_counts() -> None:
    scenario = {"conditions": [{"kind": "stall", "name": "ecc", "rank": 5, "replica": 0, "from_s": 1, "until_s": 12}]}
    told = {"condition": 0, "roots": 2, "delay_s": 3.0, "request_delay_s": 60.0, "amplification": 20.0, "requests_touched": 31,
            "slo_violations": 7}
    rows = cascade_rows(Ledger.parse(two_trees()), {"cascades": {"conditions": [told], "top": []}}, scenario)
    assert [row.label for row in rows] == ["stall “ecc” on rank 5 of replica 0, 1–12 s", "offered load"]
    stall, load = rows
    assert (stall.roots, stall.delay_s, stall.requests, stall.slo_violations, stall.amplification) == (2, 3.0, 31, 7, 20.0)
    assert (load.requests, load.amplification, load.replicas) == (None, None, [1])
    # Offered load: the summary lists the ten heaviest roots, and one of them did nothing, so the others did no more.
    quiet = {"root": 2, "request_delay_s": 0.0, "requests_touched": 0, "slo_violations": 0}
    busy = {"root": 77, "request_delay_s": 5.0, "requests_touched": 2, "slo_violations": 1}
    for top, expected in (([quiet], 0), ([busy], None)):
        rows = cascade_rows(Ledger.parse(two_trees()), {"cascades": {"conditions": [told], "roots": 40, "top": top}}, scenario)
        assert next(row for row in rows if row.label == "offered load").requests == expected
    # Without the summary's section the ledger's own events count.
    bare = cascade_rows(Ledger.parse(two_trees()), {}, scenario)
    assert [(row.requests, row.slo_violations) for row in bare] == [(None, 6), (None, 0)]


def test_pushes_are_the_changes_into_other_regimes_than_normal() -> None:
    found = pushes(Ledger.parse(two_trees()), {})
    assert [(push.label, push.changes, push.first.at_s) for push in found] == [("condition", 1, 6.0)]
    assert regime_shares({}) == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"not json\n", "line 1"),
        (b'{"id": 1}\n', "no ledger event"),
        (b"[1, 2]\n", "no ledger event"),
        (lines({"kind": "preemption", "cause": 7}), "event 1 with cause 7"),
        (lines({"kind": "preemption"}, {"kind": "preemption", "id": 1}), "ids are unique"),
        (lines({"kind": "preemption", "cause": 1}), "a cause comes before"),
    ],
)
def test_what_is_no_ledger_is_named_by_line(content: bytes, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as raised:
        Ledger.parse(content)
    assert "ledger.jsonl, line" in str(raised.value)


def test_an_empty_ledger_has_no_cascades() -> None:
    assert Ledger.parse(b"").cascades == []
    assert cascade_rows(Ledger.parse(b"\n"), {}, {}) == []
