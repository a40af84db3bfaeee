"""The parts of a report that are words and tables. Every text from outside goes through `escape`."""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from quantcrafter.engine.api.ledger import BlockReason, OrderStatus, StatusReason
from quantcrafter.engine.data.labels import day_text
from quantcrafter.engine.stats import curve, tables
from quantcrafter.engine.stats.metric_catalog import METRICS, NO_VALUE, shown_groups
from quantcrafter.engine.stats.report_data import ReportData
from quantcrafter.engine.stats.run_times import RunTimes

MAX_TRADE_ROWS = 5_000
MAX_NOTICE_ROWS = 500
_HEADLINES = (
    "total_return_pct",
    "cagr_pct",
    "buy_and_hold_pct",
    "max_drawdown_pct",
    "sharpe",
    "sortino",
    "trades",
    "win_rate_pct",
    "profit_factor",
    "expectancy",
    "exposure_pct",
    "final_equity",
)
_SIGNED = frozenset({"total_return_pct", "cagr_pct", "buy_and_hold_pct", "expectancy", "net_profit"})
_BLOCKED = {
    BlockReason.FILTER: "Entry blocked by a filter",
    BlockReason.WARMUP: "Entry during the warm-up",
    BlockReason.OPPOSITE_IGNORED: "Entry against an open position, ignored",
    BlockReason.CONTRADICTION: "Long and short at once",
    BlockReason.SIZE_ZERO: "Size below one lot",
    BlockReason.NO_STOP_DISTANCE: "No distance for the stop yet",
    BlockReason.NO_EQUITY: "No equity left",
    BlockReason.NO_PRICE: "No price for the order yet",
    BlockReason.HALT: "Trading was halted",
    BlockReason.MARGIN_CALL: "Margin was called",
    BlockReason.SESSION_END: "The session was about to end",
    BlockReason.COOL_DOWN: "Cooling down after a loss",
    BlockReason.BELOW_MINIMUM: "Size below the instrument's minimum",
    BlockReason.NO_VOLATILITY: "No volatility to size by yet",
    BlockReason.OTHER_EXECUTION: "Another execution node had a position or an entry order",
    BlockReason.NO_RATIO: "No hedge ratio above zero",
    BlockReason.OTHER_LEG: "The other leg of the pair had no bar or was still open",
}
_STATUS = {
    StatusReason.NO_CASH: "Order rejected: not enough cash",
    StatusReason.REDUCED: "Order cut to what the account could pay",
    StatusReason.PRICE_LIMIT: "Order rejected: the price was locked at its limit",
}
_HELD_BACK = {
    "exit_held_back": "Exit waited for the next session: settlement is t+1",
    "limit_locked": "Order found the price locked at its limit",
}
_FULL_HEAT_PCT, _FULL_YEAR_HEAT_PCT = 10.0, 40.0

Rows = Iterable[Sequence[str]]


def table(heads: Sequence[str], rows: Rows, numeric: Sequence[int] = (), *, css: str = "") -> str:
    """Return an HTML table; cells are escaped, columns listed in `numeric` are set to the right."""
    classes = ["n" if number in numeric else "w" for number in range(len(heads))]
    head = "".join(
        f'<th class="{css_class}">{escape(text)}</th>' for css_class, text in zip(classes, heads, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f'<td class="{c}">{escape(cell)}</td>' for c, cell in zip(classes, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table class="{css}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def header(data: ReportData) -> str:
    """Return title, description and what was run."""
    badge = '<div class="badge">SYNTHETIC DATA</div>' if data.synthetic else ""
    feeds = ", ".join(f"{job.symbol} {job.bars.timeframe}" for job in data.instruments)
    start, end = data.metrics.get("start_ns"), data.metrics.get("end_ns")
    zone = data.times.zone
    span = f"{day_text(int(start), zone)} to {day_text(int(end) - 1, zone)}" if start and end else "no bars"
    facts = f"{feeds} | {span} | {data.settings.mode} on {data.settings.engine} | {len(data.ledger.ts_ns):,} bars"
    text = f"<p>{escape(data.description)}</p>" if data.description else ""
    return f'<header>{badge}<h1>{escape(data.strategy)}</h1>{text}<p class="facts">{escape(facts)}</p></header>'


def cards(data: ReportData) -> str:
    """Return the headline numbers, and above them why there was no trade, if there was none."""
    parts = []
    for metric in METRICS:
        if metric.key in _HEADLINES:
            value = data.metrics.get(metric.key)
            text = metric.text(value, data.times.zone)
            color = "" if metric.key not in _SIGNED or not value else "down" if text.startswith("-") else "up"
            body = f'<b class="{color}">{escape(text)}</b><span>{escape(metric.label)}</span>'
            parts.append(
                (_HEADLINES.index(metric.key), f'<div class="card" title="{escape(metric.formula)}">{body}</div>')
            )
    why = f'<p class="empty">{escape(data.no_trades)}</p>' if data.no_trades else ""
    return f'{why}<section class="cards">{"".join(part for _, part in sorted(parts))}</section>'


def all_metrics(data: ReportData) -> str:
    """Return every metric, by group."""
    groups: dict[str, list[str]] = {}
    for metric in itertools.chain.from_iterable(shown_groups(data.metrics).values()):
        name = f"{metric.label}, {metric.unit}" if metric.unit in ("days", "bars") else metric.title(data.times.zone)
        text = metric.text(data.metrics.get(metric.key), data.times.zone)
        cells = f'<td>{escape(name)}</td><td class="n">{escape(text)}</td>'
        groups.setdefault(metric.group, []).append(f'<tr title="{escape(metric.formula)}">{cells}</tr>')
    body = "".join(f"<div><h3>{name}</h3><table>{''.join(rows)}</table></div>" for name, rows in groups.items())
    return f'<section><h2>Metrics</h2><div class="groups">{body}</div></section>'


def months(data: ReportData) -> str:
    """Return the table of monthly returns."""
    with np.errstate(all="ignore"):
        years = curve.monthly_returns(data.ledger, data.instruments, data.settings.cash)
    if not years:
        return ""
    rows = []
    for year, values in sorted(years.items(), reverse=True):
        cells = "".join(_month(values.get(month), "") for month in range(1, 13))
        rows.append(f"<tr><td>{year}</td>{cells}{_month(values.get(0), 'year', _FULL_YEAR_HEAT_PCT)}</tr>")
    heads = "".join(f"<th>{name}</th>" for name in ("", *(calendar.month_abbr[1:]), "Year"))
    body = f'<table class="months"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return f'<section><h2>Monthly returns, %</h2><div class="scroll">{body}</div></section>'


def _month(value: float | None, css: str, full_pct: float = _FULL_HEAT_PCT) -> str:
    if value is None or not np.isfinite(value):
        return f'<td class="{css}"></td>'
    heat = round(min(abs(value) / full_pct, 1.0) * 55)
    tone = "gain" if value > 0 else "loss"
    return f'<td class="{css} {tone}" style="--heat:{heat}%">{round(value, 1) + 0.0:,.1f}</td>'


def trade_list(data: ReportData) -> str:
    """Return the trades, the latest first, up to a limit, and the positions still open."""
    count = len(data.trades)
    parts = ["<section><h2>Trades</h2>"]
    if not count:
        parts.append('<p class="empty">No trade was closed in this run.</p>')
    else:
        if count > MAX_TRADE_ROWS:
            text = f"The latest {MAX_TRADE_ROWS:,} of {count:,} trades; `--trades FILE.csv` writes all of them."
            parts.append(f'<p class="note">{escape(text)}</p>')
        parts += [_TRADE_TOOLS, _trade_table(data)]
    held = tables.open_positions_table(data.ledger, data.instruments)
    if len(held):
        heads = ("Instrument", "Side", "Quantity", "Entry price", "Unrealised P&L")
        names = [(row["instrument"], row["side"]) for row in held]
        values = [(quantity(r["quantity"]), price(r["entry_price"]), _amount(r["unrealised_pnl"])) for r in held]
        rows = [(*name, *value) for name, value in zip(names, values, strict=True)]
        parts.append(f"<h2>Open at the end</h2>{table(heads, rows, (2, 3, 4))}")
    return "".join([*parts, "</section>"])


_TRADE_TOOLS = (
    '<div class="tools"><input id="trade-filter" type="search" placeholder="Filter: symbol, long, stop loss, 2012"'
    ' aria-label="Filter trades"><select id="trade-outcome" aria-label="Outcome"><option value="">All</option>'
    '<option value="win">Winners</option><option value="loss">Losers</option></select>'
    '<span class="note" id="trade-count"></span></div>'
)


def _trade_heads(times: RunTimes, *, paired: bool) -> tuple[tuple[str, str], ...]:
    return (
        ("#", "n"),
        ("Instrument", "t"),
        ("Side", "t"),
        ("Quantity", "n"),
        (times.head("Entry"), "t"),
        ("Price", "n"),
        (times.head("Exit"), "t"),
        ("Price", "n"),
        ("Bars", "n"),
        ("P&L", "n"),
        ("P&L, %", "n"),
        ("Commission", "n"),
        ("Slippage", "n"),
        ("Exit reason", "t"),
        ("Parts", "n"),
        *([("Pair", "n")] if paired else []),
    )


def _trade_table(data: ReportData) -> str:
    first = max(0, len(data.trades) - MAX_TRADE_ROWS)
    rows = [_trade_row(first + n, row, data.times) for n, row in enumerate(data.trades[first:], start=1)]
    head = "".join(
        f'<th class="{css}"><button type="button">{escape(text)}</button></th>'
        for text, css in _trade_heads(data.times, paired="pair" in data.trades.columns)
    )
    body = f'<table id="trades"><thead><tr>{head}</tr></thead><tbody>{"".join(reversed(rows))}</tbody></table>'
    return f'<div class="scroll tall">{body}</div>'


def _trade_row(number: int, row: dict[str, Any], times: RunTimes) -> str:
    pnl = row["pnl"]
    value = row["entry_value"]
    percent = 100.0 * pnl / value if pnl is not None and value else None
    tone = "" if not pnl else "up" if pnl > 0 else "down"
    bars = row["exit_bar"] - row["entry_bar"]
    entry, leave = (times.text(row[f"{e}_ts_ns"], row["instrument"], row[f"{e}_bar"]) for e in ("entry", "exit"))
    cells = (
        _cell(number, f"{number:,}"),
        f'<td class="t">{escape(row["instrument"])}</td><td class="t">{row["side"]}</td>',
        _cell(row["quantity"], quantity(row["quantity"])),
        f'<td class="t">{escape(entry)}</td>',
        _cell(row["entry_price"], price(row["entry_price"])),
        f'<td class="t">{escape(leave)}</td>',
        _cell(row["exit_price"], price(row["exit_price"])),
        _cell(bars, f"{bars:,}"),
        _cell(pnl, _amount(pnl), tone),
        _cell(percent, NO_VALUE if percent is None else f"{percent:,.2f}", tone),
        _cell(row["commission"], _amount(row["commission"])),
        _cell(row["slippage"], _amount(row["slippage"])),
        f'<td class="t">{row["exit_reason"].replace("_", " ")}</td>',
        _cell(row["parts"], f"{row['parts']:,}"),
        *([_cell(row["pair"], f"{row['pair']:,}" if row["pair"] else NO_VALUE)] if "pair" in row else []),
    )
    outcome = "win" if pnl and pnl > 0 else "loss" if pnl and pnl < 0 else ""
    return f'<tr data-outcome="{outcome}">{"".join(cells)}</tr>'


def _cell(value: float | None, text: str, css: str = "") -> str:
    return f'<td class="n {css}" data-v="{0 if value is None else f"{value:.10g}"}">{text}</td>'


def _amount(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:,.2f}"


def price(value: float | None) -> str:
    """Return a price with at least two decimals, and at most four, or eight below 1."""
    if value is None:
        return NO_VALUE
    whole, _, decimals = f"{value:,.{4 if abs(value) >= 1 else 8}f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def quantity(value: float | None) -> str:
    """Return a quantity without needless decimals."""
    return NO_VALUE if value is None else f"{value:,.8f}".rstrip("0").rstrip(".")


def decisions(data: ReportData) -> str:
    """Return why signals and orders failed, counted by reason and instrument."""
    counts: dict[tuple[str, str], list[tuple[int, int]]] = {}
    blocked = tables.blocked_table(data.ledger, data.instruments)
    places = zip(blocked["instrument"], data.ledger.blocked["reason"], blocked["ts_ns"], blocked["bar"], strict=True)
    for symbol, code, ts_ns, bar in places:
        counts.setdefault((_BLOCKED[BlockReason(code)], str(symbol)), []).append((int(ts_ns), int(bar)))
    orders = data.ledger.orders
    told = (orders["status"] == OrderStatus.REJECTED) | (orders["status_reason"] == StatusReason.REDUCED)
    for order in orders[told]:
        reason = StatusReason(order["status_reason"])
        job = data.instruments[int(order["instrument"])]
        text = _STATUS.get(reason, f"Order rejected: {reason.name.lower().replace('_', ' ')}")
        bar = int(order["created_bar"])
        counts.setdefault((text, job.symbol), []).append((int(job.bars.close_ns[bar]), bar))
    notes = tables.interventions_table(data.ledger, data.instruments)
    for kind, symbol, ts_ns, bar in zip(notes["kind"], notes["instrument"], notes["ts_ns"], notes["bar"], strict=True):
        if kind in _HELD_BACK:
            counts.setdefault((_HELD_BACK[str(kind)], str(symbol)), []).append((int(ts_ns), int(bar)))
    heads = ("What happened", "Instrument", "Times", data.times.head("First"), data.times.head("Last"))
    rows = [
        (text, symbol, f"{len(found):,}", *(data.times.text(ts, symbol, bar) for ts, bar in (min(found), max(found))))
        for (text, symbol), found in sorted(counts.items(), key=lambda item: -len(item[1]))
    ]
    empty = '<p class="empty">Every entry signal became an order, and no order was rejected or cut.</p>'
    body = table(heads, rows, (2,)) if rows else empty
    return f"<section><h2>Signals and orders that came to nothing</h2>{body}</section>"


def notices(data: ReportData) -> str:
    """Return what nodes noted, the latest first, up to a limit; nothing where there is nothing."""
    if data.notices is None or not len(data.notices):
        return ""
    heads = (data.times.head("Time"), "Instrument", "Node", "What", "Text")
    rows = [
        (
            data.times.text(row["ts_ns"], row["instrument"], row["bar"]),
            row["instrument"],
            row["node"],
            row["kind"],
            row["text"],
        )
        for row in reversed(data.notices[-MAX_NOTICE_ROWS:])
    ]
    count = len(data.notices)
    more = f'<p class="note">The latest {MAX_NOTICE_ROWS:,} of {count:,}.</p>' if count > MAX_NOTICE_ROWS else ""
    return f"<section><h2>Notices</h2>{more}{table(heads, rows)}</section>"


def findings(data: ReportData) -> str:
    """Return what was noticed about the data."""
    if not data.findings:
        return ""
    items = "".join(f"<li>{escape(str(text))}</li>" for text in data.findings)
    return f"<section><h2>About the data</h2><ul>{items}</ul></section>"


def settings(data: ReportData) -> str:
    """Return the run's settings and its feeds."""
    rows = [(name, text) for name, text in _flat(data.settings.model_dump(mode="json"))]
    rows += [("overrides", ", ".join(data.overrides))] if data.overrides else []
    rows += [("warm-up", f"{data.warmup:,} bars"), ("data hash", data.data_hash or NO_VALUE)]
    rows += [("protective rules", ", ".join(data.rule_nodes))] if data.rule_nodes else []
    ends_of = (data.times.head("From"), data.times.head("To"))
    heads = ("Instrument", "Timeframe", "Bars", *ends_of, "Source", "Tick", "Lot", "Kind")
    feeds = []
    for job in data.instruments:
        bars = job.bars
        ends = ("", "")
        if len(bars):
            opened, closed = int(bars.open_ns[0]), int(bars.close_ns[-1])
            ends = (data.times.text(opened, job.symbol, 0), data.times.text(closed, job.symbol, len(bars) - 1))
        source = f"{bars.source} (synthetic)" if bars.synthetic else bars.source
        kind = job.kind if job.kind == "spot" else f"contract x {job.multiplier:g}"
        sizes = (f"{job.tick_size:g}", f"{job.lot_size:g}", kind)
        feeds.append((job.symbol, str(bars.timeframe), f"{len(bars):,}", *ends, source, *sizes))
    body = table(("Setting", "Value"), rows)
    return f"<section><h2>Instruments</h2>{table(heads, feeds, (2, 6, 7))}<h2>Settings</h2>{body}</section>"


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", "not set" if value is None else str(value)))
    return found


def strategy_file(data: ReportData) -> str:
    """Return the text of the strategy file, folded."""
    if not data.strategy_text:
        return ""
    title = f"Strategy file {data.file}".strip()
    return f"<details><summary>{escape(title)}</summary><pre>{escape(data.strategy_text)}</pre></details>"
