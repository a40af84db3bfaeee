from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import InstrumentJob, Ledger, RunError, RunSettings
from quantcrafter.engine.api.bars import Session
from quantcrafter.engine.stats import report_figures
from quantcrafter.engine.stats.benchmark import benchmark_of
from quantcrafter.engine.stats.metrics import METRICS, compute_metrics
from quantcrafter.engine.stats.report import ReportData, ReportSeries, report_page, write_report
from tests.support.ledgers import CASH, curve_ledger, job_of, million_run, walk_bars, walk_run

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class Reader(HTMLParser):
    """Collects what a browser would see: texts outside scripts, tags, the figures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw = ""
        self.figures: dict[str, Any] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.raw = tag if tag in ("script", "style") else ""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the signature is the parser's
        self.raw = ""

    def handle_data(self, data: str) -> None:
        if self.raw == "script" and self.tags[-1][1].get("id") == "figures":
            self.figures = json.loads(data)
        elif not self.raw:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def report_of(ledger: Ledger, jobs: tuple[InstrumentJob, ...], **more: Any) -> ReportData:
    values: dict[str, Any] = {"strategy": "Golden cross", "settings": RunSettings(cash=CASH)} | more
    return ReportData(ledger=ledger, instruments=jobs, metrics=compute_metrics(ledger, jobs, cash=CASH), **values)


def walk_report(**more: Any) -> ReportData:
    ledger, jobs = walk_run()
    series = [
        ReportSeries("fast", "fast", 0, jobs[0].bars.close * 1.01),
        ReportSeries("macd.macd", "macd", 0, np.sin(np.arange(750.0)), overlay=False),
        ReportSeries("macd.signal", "macd", 0, np.cos(np.arange(750.0)), overlay=False),
    ]
    return report_of(ledger, jobs, **({"series": series} | more))


def test_the_page_needs_no_network() -> None:
    reader = Reader(report_page(walk_report()))
    assert [attrs for tag, attrs in reader.tags if tag in ("link", "img", "iframe") or "src" in attrs] == []
    policy = next(attrs["content"] for tag, attrs in reader.tags if attrs.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_every_section_of_a_run_is_there() -> None:
    report = walk_report(
        description="Long above the average.",
        strategy_text="name: walk",
        findings=["SYM0: 2 days are missing."],
        rule_nodes=["stop"],
        timing={"load_s": 0.25},
    )
    reader = Reader(report_page(report))
    for text in (
        "Golden cross",
        "Long above the average.",
        "name: walk",
        "SYM0: 2 days are missing.",
        "Entry blocked by a filter",
        "Entry against an open position, ignored",
        "Order rejected: not enough cash",
        "Open at the end",
        "Monthly returns, %",
        "load 0.250 s",
    ):
        assert text in reader.text
    assert set(reader.figures) == {"equity", "price0"}
    for metric in METRICS:
        assert metric.group == "Benchmark" or metric.text(report.metrics[metric.key], report.times.zone) in reader.text


def test_prices_trades_and_indicators_are_drawn_where_they_belong() -> None:
    report = walk_report()
    figure = Reader(report_page(report)).figures["price0"]
    traces = {trace["name"]: trace for trace in figure["traces"]}
    trades = report.ledger.trades
    assert traces["Price"]["type"] == "candlestick"
    assert traces["Price"]["close"] == pytest.approx(report.instruments[0].bars.close.tolist())
    longs = trades[trades["side"] > 0]
    assert traces["Long entry"]["at"] == [*longs["entry_bar"].tolist(), report.ledger.open_positions[0].entry_bar]
    assert traces["Exit"]["at"] == trades["exit_bar"].tolist()
    assert traces["Exit"]["y"] == pytest.approx(trades["exit_price"].tolist())
    assert len(traces["Winning trades"]["at"]) == 3 * int((trades["pnl"] > 0).sum())
    assert "yaxis" not in traces["fast"]
    assert traces["macd.macd"]["yaxis"] == traces["macd.signal"]["yaxis"] == "y2"


def test_a_benchmark_is_drawn_beside_the_equity_and_its_figures_are_listed() -> None:
    ledger, jobs = walk_run()
    benchmark = benchmark_of(f"SPY{HOSTILE}", job_of(walk_bars(740, seed=9)), ledger, jobs)
    metrics = compute_metrics(ledger, jobs, cash=CASH, benchmark=benchmark)
    page = report_page(replace(report_of(ledger, jobs), metrics=metrics, benchmark=benchmark))
    reader = Reader(page)
    trace = next(each for each in reader.figures["equity"]["traces"] if each["name"].startswith("Benchmark SPY"))
    assert trace["y"][:-10] == pytest.approx((benchmark.growth * CASH)[:-10], rel=1e-6)
    assert trace["y"][-4:] == [None] * 4  # it ended more than a week before
    assert "Tracking error" in reader.text
    assert HOSTILE not in page
    assert "Tracking error" not in Reader(report_page(report_of(ledger, jobs))).text


def test_a_wide_range_of_prices_begins_on_a_logarithmic_scale() -> None:
    count = 100
    bars = walk_bars(count)
    for shown, expected in ((np.linspace(100, 120, count), False), (np.geomspace(1, 100, count), True)):
        wide = replace(bars, open=shown, high=shown, low=shown, close=shown)
        ledger = curve_ledger(bars.close_ns, 1000 * shown)
        figures = Reader(report_page(report_of(ledger, (job_of(wide),)))).figures
        assert figures["price0"]["log"] is figures["equity"]["log"] is expected
    ruined = report_of(curve_ledger(bars.close_ns, shown - 50), (job_of(bars),))
    assert "log" not in Reader(report_page(ruined)).figures["equity"]


def test_weekends_and_nights_leave_no_gap() -> None:
    figure = Reader(report_page(walk_report())).figures["price0"]
    assert figure["layout"]["xaxis"]["type"] == "category"
    assert figure["x"][:3] == ["2015-01-02", "2015-01-05", "2015-01-06"]


def test_labels_stay_different_when_clocks_go_back() -> None:
    bars = walk_bars(60, timeframe="1h")
    start = int(np.datetime64("2024-11-03T00:00", "ns").astype(np.int64)) - int(bars.open_ns[0])
    moved = replace(bars, open_ns=bars.open_ns + start, session=Session("America/New_York"))
    labels = report_figures.bar_labels(moved, np.arange(60))
    assert len(set(labels)) == 60
    assert labels[-1] == "2024-11-05 06:00"
    assert labels[5:7] == ["2024-11-03 01:00", "2024-11-03 01:00 -0500"]


def test_hostile_names_are_shown_and_not_run() -> None:
    ledger, _ = walk_run()
    jobs = (job_of(walk_bars(750, seed=1, symbol=HOSTILE)),)
    plain = Reader(report_page(walk_report()))
    reader = Reader(
        report_page(
            report_of(
                ledger,
                jobs,
                strategy=HOSTILE,
                description=HOSTILE,
                file=HOSTILE,
                strategy_text=HOSTILE,
                findings=[HOSTILE],
                rule_nodes=[HOSTILE],
                overrides=[HOSTILE],
                data_hash=HOSTILE,
                timing={HOSTILE: 1.0},
                series=[ReportSeries(HOSTILE, HOSTILE, 0, jobs[0].bars.close, overlay=side) for side in (True, False)],
            )
        )
    )
    assert reader.count("script") == plain.count("script")
    assert reader.count("img") == 0
    assert not any("onerror" in attrs for _, attrs in reader.tags)
    assert reader.text.count(HOSTILE) >= 8
    names = [trace["name"] for trace in reader.figures["price0"]["traces"]]
    assert not any("<" in name for name in names)


def test_synthetic_data_is_labelled() -> None:
    assert "SYNTHETIC DATA" in Reader(report_page(walk_report(synthetic=True))).text
    assert "SYNTHETIC DATA" not in Reader(report_page(walk_report())).text


def test_a_run_without_trades_says_so() -> None:
    bars = walk_bars(40)
    text = Reader(report_page(report_of(curve_ledger(bars.close_ns, np.full(40, CASH)), (job_of(bars),)))).text
    assert "No trade was closed in this run." in text
    assert "Every entry signal became an order" in text


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_shortest_runs_have_a_report(count: int) -> None:
    bars = walk_bars(5).slice(0, count)
    report = report_of(curve_ledger(bars.close_ns, np.full(count, CASH)), (job_of(bars),))
    assert len(Reader(report_page(report)).figures) == (2 if count else 0)


def test_values_that_are_not_finite_become_gaps() -> None:
    bars = walk_bars(30)
    values = np.array([np.nan, np.inf, 1.0, *[2.0] * 27])
    equity = np.array([np.inf, -5.0, 0.0, *[CASH] * 27])
    report = report_of(
        curve_ledger(bars.close_ns, equity), (job_of(bars),), series=[ReportSeries("s", "s", 0, values, overlay=False)]
    )
    figures = Reader(report_page(report)).figures
    assert next(trace for trace in figures["price0"]["traces"] if trace["name"] == "s")["y"][:3] == [None, None, 1.0]
    assert figures["equity"]["traces"][0]["y"][0] is None


def test_a_million_bars_make_a_small_file_that_says_what_is_left_out(tmp_path: Path) -> None:
    ledger, jobs = million_run()
    report = report_of(ledger, jobs, synthetic=True, series=[ReportSeries("s", "s", 0, jobs[0].bars.close)] * 6)
    path = write_report(tmp_path / "report.html", report)
    assert path.stat().st_size < 15_000_000
    reader = Reader(path.read_text(encoding="utf-8"))
    assert "The latest 5,000 of 40,000 trades" in reader.text
    figure = reader.figures["price0"]
    assert len(figure["x"]) <= 20_000
    assert len(figure["traces"][0]["y"]) == len(figure["x"])
    assert max(place for trace in figure["traces"] for place in trace.get("at", [0]) if place) < len(figure["x"])
    deepest = -min(value for value in reader.figures["equity"]["traces"][2]["y"])
    assert deepest == pytest.approx(report.metrics["max_drawdown_pct"], rel=1e-5)


def test_many_instruments_stay_small_and_are_counted() -> None:
    ledger, jobs = walk_run(200, instruments=report_figures.MAX_INSTRUMENTS + 2)
    reader = Reader(report_page(report_of(ledger, jobs)))
    assert len(reader.figures) == 1 + report_figures.MAX_INSTRUMENTS
    assert "2 further instruments have no chart" in reader.text


def test_colours_are_names_of_the_style_sheet() -> None:
    page = report_page(walk_report())
    figures = Reader(page).figures
    used = set(re.findall(r'"@([a-z0-9-]+)"', json.dumps(figures)))
    style = page[page.index("<style>") : page.index("</style>")]
    light, dark = style.split("prefers-color-scheme: dark", 1)
    assert used
    assert [name for name in used if f"--{name}:" not in light or f"--{name}:" not in dark.split("* {")[0]] == []


def test_an_unwritable_report_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="The report can't be written to"):
        write_report(tmp_path / "file" / "report.html", walk_report())
