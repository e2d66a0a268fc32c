"""The report page: the headline first, then why, then everything else."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from brink import __version__, headline
from brink.explain.cascades import cascade_rows
from brink.explain.ledger import FILE as LEDGER
from brink.explain.ledger import Ledger
from brink.findings import Finding, findings
from brink.headline import LatencyRow, milliseconds
from brink.pointer import get
from brink.report import cascades, charts, drift, hatch, panels, plans, regimes
from brink.report.charts import Chart
from brink.report.explanation import explanation_card, share_figure
from brink.report.glossary import GLOSSARY
from brink.report.pair import pair_card
from brink.result import RunResult

_FOLDER = Path(__file__).parent


def write_report(result: RunResult, path: str | os.PathLike[str]) -> Path:
    """Writes the page (whole or not at all) and returns its path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    page = render(result)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        file.write(page)
    os.chmod(file.name, 0o644)
    os.replace(file.name, target)
    return target


def render(result: RunResult) -> str:
    """The page as text."""
    summary, scenario = result.summary, result.scenario
    requests = result.requests if "requests.csv" in result.files else None
    timeseries = result.timeseries if "timeseries.csv" in result.files else None
    warmup_s = float(get(scenario, "/measure/warmup_s", 0.0) or 0.0)
    rows = headline.latency_rows(summary)
    body = [_header(summary, scenario, rows), pair_card(result.pair)]
    sentences = findings(summary, requests, timeseries, scenario)
    body.append(f'<div class="top"><div>{_latency_card(rows)}{_facts_card(summary)}</div>{_findings_card(sentences)}</div>')
    if requests is not None and len(requests):
        body.append(_section("How latency is distributed", panels.cdf_charts(requests, summary, warmup_s), "three"))
        body.append(_section("Does it keep up?", panels.flow_charts(requests, summary, warmup_s)))
    body += _execution(result, timeseries, warmup_s)
    if timeseries is not None and len(timeseries):
        body.append(_section("Inside the replicas", panels.replica_charts(timeseries, scenario, warmup_s)
                             + panels.total_charts(timeseries, warmup_s)))
    body.append(_appendix(summary, scenario))
    return _document(str(scenario.get("name") or "run"), "".join(body))


def _execution(result: RunResult, timeseries: pd.DataFrame | None, warmup_s: float) -> list[str]:
    """Regimes, cascades, plans and drift: each where the run followed it."""
    parts = []
    if timeseries is not None and len(timeseries):
        parts.append(_section("Regimes", regimes.regime_charts(timeseries, result.summary, warmup_s), "one"))
    parts.append(_cascades(result, warmup_s))
    parts.append(_plans(result, timeseries, warmup_s))
    drawn = drift.drift_figures(result.summary)
    table = drift.tail_table(result.summary)
    if drawn or table:
        parts.append(f"<h2>Drift</h2>{_figures(drawn)}{table}")
    return parts


def _plans(result: RunResult, timeseries: pd.DataFrame | None, warmup_s: float) -> str:
    shown: list[Chart | str] = []
    note = ""
    if "tactics.csv" in result.files and len(result.tactics):
        shown += plans.tactic_figures(result.tactics)
        note = plans.constant_note(result.tactics)
    if timeseries is not None and len(timeseries):
        shown += plans.switch_charts(timeseries, result.summary, warmup_s)
    return _section("Execution plans", shown) + (f'<p class="note">{escape(note)}</p>' if note else "")


def _cascades(result: RunResult, warmup_s: float) -> str:
    explained = result.explanation
    drawn = []
    if LEDGER in result.files:
        rows = cascade_rows(Ledger.parse(result.files[LEDGER]), result.summary, result.scenario)
        end_s = warmup_s + float(result.summary.get("duration") or 0.0)
        drawn.append(cascades.cascade_figure(rows, end_s, warmup_s))
    if explained is not None:
        drawn.append(share_figure(explained))
    card = explanation_card(explained) if explained is not None else ""
    figures = _figures([figure for figure in drawn if figure], "one")
    return f"<h2>Cascades</h2>{figures}{card}" if figures or card else ""


def _document(name: str, body: str) -> str:
    style, script = ((_FOLDER / file).read_text(encoding="utf-8") for file in ("style.css", "script.js"))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(name)} · Brink</title><style>{style}</style></head>\n<body>{_patterns(body)}<main>{body}</main>"
        f"<script>{script}</script></body></html>\n"
    )


def _patterns(body: str) -> str:
    """Definitions of the hatched fills that the page uses."""
    known = [*regimes.FILLS.values(), *cascades.FILLS.values(), *hatch.SERIES, hatch.OTHER, drift.IDLE, drift.PAIRWISE]
    return hatch.definitions([fill for fill in known if fill.css in body])


def _header(summary: dict[str, Any], scenario: dict[str, Any], rows: list[LatencyRow]) -> str:
    verdicts = [row.met for row in rows if row.met is not None]
    verdict = ""
    if verdicts:
        verdict = '<span class="verdict met">SLO met</span>' if all(verdicts) else '<span class="verdict missed">SLO missed</span>'
    replicas, gpus = summary.get("replicas"), summary.get("gpus")
    engine = " ".join(str(get(scenario, at) or "") for at in ("/engine/name", "/engine/version")).strip()
    parts = [
        str(summary.get("model_id") or ""),
        engine,
        _count(replicas, "replica"),
        _count(gpus, "GPU"),
        f"{float(summary.get('duration') or 0.0):,.0f} s measured",
    ]
    name = escape(str(scenario.get("name") or "Run"))
    active = summary.get("hypotheses") or []
    banner = ""
    if active:
        banner = (f'<p class="banner">Active hypotheses: {escape(", ".join(map(str, active)))}. Evidence does not support them; '
                  "every number here rests on them.</p>")
    return f'<header><h1>{name}{verdict}</h1><p class="sub">{escape(" · ".join(p for p in parts if p))}</p>{banner}</header>'


def _count(value: Any, noun: str) -> str:
    return f"{value:,} {noun}{'' if value == 1 else 's'}" if isinstance(value, int) else ""


def _latency_card(rows: list[LatencyRow]) -> str:
    head = "".join(f"<th>{text}</th>" for text in ("", "mean", "p50", "p90", "p99", "p99 limit", "badge"))
    body = "".join(_latency_row(row) for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<section class="card"><h2>Latency</h2>{table}</section>'


def _latency_row(row: LatencyRow) -> str:
    verdict = {True: "met", False: "missed", None: ""}[row.met]
    cells = [f'<td>{row.label}<span class="what">{row.meaning}</span></td>']
    for statistic in headline.STATISTICS:
        value = row.values_ms[statistic]
        css = f' class="{verdict}"' if statistic == "p99" and verdict else ""
        cells.append(f'<td{css} data-key="{statistic}_{row.key}_ms" data-value="{value!r}">{milliseconds(value)}</td>')
    limit = milliseconds(row.limit_p99_ms) if row.limit_p99_ms is not None else ""
    cells.append(f"<td>{limit}</td>")
    cells.append(f'<td><span class="badge {row.badge}">{escape(row.badge)}</span></td>' if row.badge else "<td></td>")
    return f"<tr>{''.join(cells)}</tr>"


def _findings_card(sentences: Iterable[Finding]) -> str:
    items = "".join(f'<li class="{f.tone}">{escape(f.text)}</li>' for f in sentences)
    return f'<section class="card"><h2>What happened</h2><ul class="findings">{items}</ul></section>'


def _facts_card(summary: dict[str, Any]) -> str:
    items = "".join(
        f'<div><dt>{fact.label}</dt><dd data-key="{fact.key}" data-value="{fact.value!r}">'
        f"{fact.value:,.{fact.digits}f}{f' <small>{fact.unit}</small>' if fact.unit else ''}</dd></div>"
        for fact in headline.facts(summary)
    )
    return f'<section class="card"><dl class="facts">{items}</dl></section>'


def _section(title: str, shown: Sequence[Chart | str], layout: str = "") -> str:
    return f"<h2>{escape(title)}</h2>{_figures(shown, layout)}" if shown else ""


def _figures(shown: Sequence[Chart | str], layout: str = "") -> str:
    """Charts, and figures that are drawn already."""
    figures = "".join(one if isinstance(one, str) else charts.render(one) for one in shown)
    return f'<div class="charts {layout}">{figures}</div>' if figures else ""


def _flatten(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, item in value.items() for row in _flatten(item, f"{prefix} · {key}" if prefix else key)]
    return [(prefix, value if isinstance(value, str) else json.dumps(value))]


def _appendix(summary: dict[str, Any], scenario: dict[str, Any]) -> str:
    provenance = _flatten(summary.get("provenance") or {})
    provenance += _flatten(summary.get("quantile_method") or {}, "quantiles")
    rows = "".join(f"<tr><td>{escape(key)}</td><td>{escape(value)}</td></tr>" for key, value in provenance)
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>" for word, meaning in GLOSSARY)
    text = escape(json.dumps(scenario, indent=2, ensure_ascii=False))
    return (
        "<h2>Behind the numbers</h2>"
        f'<details><summary>Provenance</summary><table class="provenance"><tbody>{rows}</tbody></table></details>'
        f"<details><summary>Scenario as resolved</summary><pre>{text}</pre></details>"
        f'<details><summary>Glossary</summary><dl class="glossary">{words}</dl></details>'
        f"<footer>Brink {__version__}. All charts are of this run; move the pointer over a chart to read values.</footer>"
    )
