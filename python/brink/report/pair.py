"""A run beside the same run without its conditions, as a card."""

from __future__ import annotations

from html import escape
from typing import Any

from brink import pair as pairs


def pair_card(found: dict[str, Any] | None) -> str:
    """HTML of pair.json's content; "" when the run has no pair."""
    if found is None:
        return ""
    pair = pairs.Pair.from_dict(found)
    head = "".join(f"<th>{name}</th>" for name in ("", "with it", "without", "it adds"))
    body = _rows(pair.meanwhile, pair.rows) + _rows("the whole run", pair.whole)
    title = escape("; ".join(pair.labels))
    return (f'<section class="card pair"><h2>With and without</h2><p class="note">{title}. Two runs with the same seed.</p>'
            f'<table class="effects"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></section>')


def _rows(heading: str, rows: list[pairs.PairRow]) -> str:
    lines = [f'<tr class="cause"><td colspan="4">{escape(heading)}</td></tr>']
    for row in rows:
        cells = (row.label, pairs.value(row, row.with_it), pairs.value(row, row.without), pairs.change(row))
        lines.append(f'<tr data-pair="{row.key}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>')
    return "".join(lines)
