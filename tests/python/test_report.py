"""The report page: its numbers, its independence of any network, a browser's verdict."""

from __future__ import annotations

import html.parser
import json
import re
import subprocess
from pathlib import Path

import pytest

import brink
from brink.headline import milliseconds
from brink.report import render, write_report
from brink.report.charts import Chart, Line
from brink.report.charts import render as render_chart
from brink.report.scale import Scale, ceiling, label
from conftest import small_scenario


class Cells(html.parser.HTMLParser):
    """The data-key and data-value pairs of a page, with the text shown."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, float] = {}
        self.shown: dict[str, str] = {}
        self._key = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (key := given.get("data-key")) is not None:
            self.values[key] = float(given["data-value"] or "nan")
            self._key = key

    def handle_data(self, data: str) -> None:
        if self._key:
            self.shown[self._key] = data
            self._key = ""


@pytest.fixture(scope="module")
def page(result: brink.RunResult) -> str:
    return render(result)


def test_numbers_are_the_summarys(page: str, result: brink.RunResult) -> None:
    cells = Cells()
    cells.feed(page)
    percent = {"kv_cache_usage_mean", "kv_cache_usage_max"}
    assert {"mean_ttft_ms", "p99_ttft_ms", "p50_tpot_ms", "p90_itl_ms", "p99_e2el_ms", "completed", "preemptions"} <= set(cells.values)
    for key, value in cells.values.items():
        assert value == pytest.approx(result.summary[key] * (100 if key in percent else 1), rel=1e-12)
    shown = float(cells.shown["p99_tpot_ms"].removesuffix(" ms").replace(",", ""))
    assert shown == pytest.approx(result.summary["p99_tpot_ms"], rel=5e-3)


def test_every_part_is_there(page: str) -> None:
    for part in ("What happened", "How latency is distributed", "Does it keep up?", "Inside the replicas", "Provenance",
                 "Scenario as resolved", "Glossary", "SLO"):
        assert part in page
    for chart in ("cdf-ttft", "cdf-tpot", "cdf-e2el", "flow", "ttft-time", "waiting", "running", "kv", "batch", "step", "output-tokens"):
        assert f'id="chart-{chart}"' in page
    for data in re.findall(r'<script type="application/json">(.*?)</script>', page):
        json.loads(data)


def test_it_needs_no_network(page: str) -> None:
    assert not re.search(r'(?:src|href)="(?!data:,)', page)
    assert "@import" not in page and "fetch(" not in page
    assert not re.search(r"url\((?!#hatch-)", page)  # patterns of the page itself


def test_size_does_not_grow_with_the_run(page: str) -> None:
    longer = render(brink.simulate(small_scenario(**{"/workload/num_requests": 20_000})))
    assert len(longer) < 600_000
    assert len(page) < 600_000


def test_names_are_escaped(result: brink.RunResult) -> None:
    scenario = json.dumps(result.scenario | {"name": "<script>alert(1)</script>"}).encode()
    hostile = render(brink.RunResult(result.files | {"scenario.json": scenario}))
    assert "<script>alert(1)" not in hostile


def test_tables_may_be_missing(result: brink.RunResult) -> None:
    bare = {name: content for name, content in result.files.items() if name in ("summary.json", "scenario.json")}
    assert "Latency" in render(brink.RunResult(bare))


def test_many_replicas_are_drawn_as_median_and_range() -> None:
    many = small_scenario(**{"/engine/data_parallel_size": 8, "/workload/arrivals/rate_per_s": 80})
    page = render(brink.simulate(many))
    assert "median of 8 replicas, with range" in page
    assert 'class="band"' in page


@pytest.mark.parametrize("changes", [{}, {"/workload/num_requests": 1}, {"/workload/num_requests": 3000, "/workload/arrivals/rate_per_s": 60}])
def test_a_browser_opens_it_without_complaint(chromium: str, tmp_path: Path, changes: dict[str, object]) -> None:
    path = write_report(brink.simulate(small_scenario(**changes)), tmp_path / "report.html")
    text = path.read_text()
    # A sentinel proves that the console is heard, and hovering exercises the script.
    probe = ("<script>for (const svg of document.querySelectorAll('svg[role=img]')) { const b = svg.getBoundingClientRect();"
             "for (const x of [0.01, 0.99, 0.3, 0.7]) svg.dispatchEvent(new PointerEvent('pointermove',"
             "{clientX: b.left + x * b.width, clientY: b.top + 40})); }"
             "console.log('readouts ' + document.querySelectorAll('.readout:not([hidden])').length);</script>")
    path.write_text(text.replace("</body>", probe + "</body>"))
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=3000",
         f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,2200", f"--screenshot={tmp_path / 'page.png'}", f"file://{path}"],
        capture_output=True, text=True, timeout=120, check=False,
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console, done.stderr
    shown = [int(found[1]) for line in console if (found := re.search(r"readouts (\d+)", line))]
    assert shown and shown[0] >= (12 if not changes else 1), console
    assert [line for line in console if "readouts" not in line] == []
    assert (tmp_path / "page.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("value_ms", "text"),
    [(None, "–"), (0.4567, "0.46 ms"), (12.34, "12.3 ms"), (999.0, "999 ms"), (1000.0, "1.00 s"), (35_400.0, "35.4 s"), (1.5e6, "1,500 s")],
)
def test_latencies_have_three_figures(value_ms: float | None, text: str) -> None:
    assert milliseconds(value_ms) == text


def test_axes_have_round_ticks() -> None:
    assert Scale(0, 97, 0, 1).ticks() == [0, 20, 40, 60, 80]
    assert Scale(20, 3000, 0, 1, log=True).ticks() == [20, 50, 100, 200, 500, 1000, 2000]
    assert Scale(1, 100, 10, 110, log=True)(10) == pytest.approx(60)
    assert [ceiling(v) for v in (0, 0.07, 97, 101)] == [1.0, pytest.approx(0.08), 100, 120]
    assert [label(v) for v in (0.05, 12, 1500, 25_000, 3e6)] == ["0.05", "12", "1,500", "25k", "3M"]


def test_gaps_split_a_line() -> None:
    nan = float("nan")
    drawn = render_chart(Chart("k", "t", "x", "y", [Line("a", [0, 1, 2, 3, 4], [1, 1, nan, 1, 1])]))
    path = re.search(r'class="line"[^>]*d="([^"]+)"', drawn)
    assert path is not None
    assert path[1].count("M") == 2
