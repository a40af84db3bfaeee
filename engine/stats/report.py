"""The HTML report of a run: one file that needs no network, in light and dark, on screen, phone and paper."""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from pathlib import Path

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.stats import report_figures as figures
from quantcrafter.engine.stats import report_html as parts
from quantcrafter.engine.stats.report_data import ReportData, ReportSeries
from quantcrafter.engine.stats.whole_files import write_whole

__all__ = ["ReportData", "ReportSeries", "report_page", "write_report"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"


def write_report(path: str | Path, report: ReportData) -> Path:
    """Write the report to one HTML file and return its path.

    Raises:
        RunError: the file cannot be written.
    """
    return write_whole(path, report_page(report).encode("utf-8"), Message("The report"))


def report_page(report: ReportData) -> str:
    """Return the report as an HTML page.

    The page carries plotly.js itself and a content policy that forbids any connection.
    """
    from plotly.offline import get_plotlyjs

    charts, drawings = _charts(report)
    title = f"{report.strategy} (synthetic data)" if report.synthetic else report.strategy
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_asset('report.css')}</style></head><body><main>",
            parts.header(report),
            parts.cards(report),
            "<noscript><p>The charts need JavaScript.</p></noscript>",
            *charts,
            parts.months(report),
            parts.all_metrics(report),
            parts.trade_list(report),
            parts.decisions(report),
            parts.notices(report),
            parts.findings(report),
            parts.settings(report),
            parts.strategy_file(report),
            _footer(report),
            f'</main><script type="application/json" id="figures">{_script_safe(drawings)}</script>',
            f"<script>{get_plotlyjs()}</script><script>{_asset('report.js')}</script></body></html>",
        ]
    )


def _charts(report: ReportData) -> tuple[list[str], dict[str, figures.Figure]]:
    """Return the places of the charts in the page, and the charts by their names."""
    places, drawings = [], {}
    if len(report.ledger.ts_ns):
        drawings["equity"] = figures.equity_figure(report)
        places.append(_place("Equity and drawdown", "equity", "", drawings["equity"]))
    shown = figures.shown_instruments(report)
    for index, job in shown:
        name = f"price{index}"
        drawings[name] = figures.price_figure(report, index)
        places.append(_place(job.symbol, name, _chart_note(report, index), drawings[name]))
    left_out = len(report.instruments) - len(shown)
    if left_out:
        places.append(f'<p class="note">{left_out} further instruments have no chart here, to keep the file small.</p>')
    return places, drawings


def _place(title: str, name: str, note: str, figure: figures.Figure) -> str:
    text = f'<p class="note">{escape(note)}</p>' if note else ""
    if "log" in figure:
        tick = " checked" if figure["log"] else ""
        text += f'<label class="note log"><input type="checkbox" data-log="{name}"{tick}> Logarithmic scale</label>'
    return f'<section><h2>{escape(title)}</h2>{text}<div class="chart" data-figure="{name}"></div></section>'


def _chart_note(report: ReportData, index: int) -> str:
    job = report.instruments[index]
    own = [series for series in report.series if series.instrument == index]
    size = figures.bucket_size(len(job.bars), len(report.instruments), len(own))
    notes = [f"Each point stands for {size} bars."] if size > 1 else []
    trades = int((report.ledger.trades["instrument"] == index).sum())
    if trades > figures.MAX_CHART_TRADES:
        notes.append(f"The latest {figures.MAX_CHART_TRADES:,} of {trades:,} trades are marked.")
    panels = {series.node for series in own if not series.overlay}
    if len(panels) > figures.MAX_PANELS:
        notes.append(f"{len(panels) - figures.MAX_PANELS} further indicator panels are left out.")
    return " ".join(notes)


def _footer(report: ReportData) -> str:
    timing = ", ".join(f"{name.removesuffix('_s')} {seconds:.3f} s" for name, seconds in report.timing.items())
    text = f"Timing: {timing}. " if timing else ""
    note = "Prices and fills are simulated; past results say nothing certain about future ones."
    return f"<footer>{escape(text)}{note} Made by QuantCrafter.</footer>"


def _script_safe(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return resources.files("quantcrafter.engine.stats").joinpath(name).read_text(encoding="utf-8")
