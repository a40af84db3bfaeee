"""What each metric means: key, label, unit, formula and its source. Docs, tables, reports and comparisons read this."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from quantcrafter.engine.data.labels import DEFAULT_ZONE, moment_text, with_zone

Unit = Literal["time", "currency", "%", "ratio", "a year", "days", "bars", "count"]
Better = Literal["high", "low", "none"]
Group = Literal["Return", "Risk", "Benchmark", "Activity", "Trades"]
Value = float | int | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a run. `better` says which direction is an improvement; `source` cites the formula."""

    key: str
    label: str
    unit: Unit
    formula: str
    source: str
    better: Better = "none"
    group: Group = "Return"

    def title(self, zone: str = DEFAULT_ZONE) -> str:
        """Return the label, for a time with the zone that `text` shows it in."""
        return with_zone(self.label, zone) if self.unit == "time" else self.label

    def text(self, value: Value, zone: str = DEFAULT_ZONE) -> str:
        """Return the value as people read it, with its unit; a dash where it is undefined. A time is that of `zone`."""
        if value is None or not math.isfinite(value):
            return NO_VALUE
        if self.unit == "time":
            return moment_text(int(value), zone)
        whole = self.unit in ("bars", "count") and float(value).is_integer()
        if whole or (self.unit == "days" and value >= _WHOLE_DAYS):
            return f"{round(value):,}"
        digits = 1 if self.unit in ("days", "bars") else 2
        number = f"{round(value, digits) + 0.0:,.{digits}f}"
        number = f"{value:.4g}" if len(number) > _LONGEST else number
        return {"%": f"{number} %", "a year": f"{number} a year"}.get(self.unit, number)


NO_VALUE = "\N{EN DASH}"
_LONGEST = 18
_WHOLE_DAYS = 10
_OWN = "by definition"
_DRAWDOWN = "M. Magdon-Ismail, A. Atiya: Maximum drawdown. Risk 17(10), 2004"
_PARDO = "R. Pardo: The Evaluation and Optimization of Trading Strategies, 2nd ed. Wiley, 2008"
_GRINOLD = "R. C. Grinold, R. N. Kahn: Active Portfolio Management, 2nd ed. McGraw-Hill, 2000, ch. 5"
_THARP = "V. K. Tharp: Trade Your Way to Financial Freedom. McGraw-Hill, 1998"
_SWEENEY = "J. Sweeney: Maximum Adverse Excursion. Wiley, 1996"

_RETURN = (
    Metric("start_ns", "Start", "time", "open of the first bar", _OWN),
    Metric("end_ns", "End", "time", "close of the last bar", _OWN),
    Metric("initial_equity", "Initial equity", "currency", "starting cash", _OWN),
    Metric("final_equity", "Final equity", "currency", "cash + open positions at their last close", _OWN, "high"),
    Metric("net_profit", "Net profit", "currency", "final equity - starting cash + withdrawn", _OWN, "high"),
    Metric("withdrawn", "Withdrawn", "currency", "sum of all withdrawals of profit", _OWN),
    Metric(
        "total_return_pct",
        "Total return",
        "%",
        "100 (g / starting cash - 1); g: final equity with withdrawals put back, without withdrawals the final equity",
        _OWN,
        "high",
    ),
    Metric(
        "cagr_pct",
        "CAGR",
        "%",
        "100 ((1 + total return / 100)^(1 / years) - 1); years = (end - start) / 365.25 days; undefined below 30 days"
        " and for a negative final equity",
        "Z. Bodie, A. Kane, A. Marcus: Investments, 10th ed. McGraw-Hill, 2014, ch. 5 (geometric average return)",
        "high",
    ),
    Metric(
        "buy_and_hold_pct",
        "Buy and hold",
        "%",
        "100 mean over instruments of what one unit of money held in it earns from the first open to the last close: at"
        " the rates of exchange, with splits and dividends, without costs; a contract of that value",
        _OWN,
    ),
)
_RISK = (
    Metric(
        "annual_volatility_pct",
        "Annual volatility",
        "%",
        "100 s sqrt(N); s: sample standard deviation (n - 1) of the daily returns",
        "J. C. Hull: Options, Futures, and Other Derivatives, 8th ed. Pearson, 2012, ch. 14",
        "low",
        "Risk",
    ),
    Metric(
        "sharpe",
        "Sharpe ratio",
        "ratio",
        "(mean(r) - f) / s x sqrt(N); undefined when s = 0",
        "W. F. Sharpe: The Sharpe Ratio. Journal of Portfolio Management 21(1), 1994",
        "high",
        "Risk",
    ),
    Metric(
        "sortino",
        "Sortino ratio",
        "ratio",
        "(mean(r) - f) / sqrt(mean(min(r - f, 0)^2)) x sqrt(N); undefined without a day below f",
        "F. A. Sortino, L. N. Price: Performance Measurement in a Downside Risk Framework. Journal of Investing 3(3),"
        " 1994",
        "high",
        "Risk",
    ),
    Metric(
        "calmar",
        "Calmar ratio",
        "ratio",
        "CAGR / maximum drawdown, over the whole run; undefined without a drawdown",
        "T. W. Young: Calmar Ratio: A Smoother Tool. Futures 20(1), 1991",
        "high",
        "Risk",
    ),
    Metric(
        "max_drawdown_pct",
        "Max. drawdown",
        "%",
        "100 max over steps of (1 - equity / highest equity so far), with withdrawals put back; a positive number",
        _DRAWDOWN,
        "low",
        "Risk",
    ),
    Metric(
        "max_drawdown_days",
        "Max. drawdown length",
        "days",
        "calendar days from the peak of the deepest drawdown to the step that regains it, or to the end",
        _DRAWDOWN,
        "low",
        "Risk",
    ),
    Metric(
        "max_drawdown_bars",
        "Max. drawdown length",
        "bars",
        "the same, in steps",
        _DRAWDOWN,
        "low",
        "Risk",
    ),
    Metric(
        "longest_drawdown_days",
        "Longest drawdown",
        "days",
        "the longest time below an earlier peak, deepest or not, in calendar days",
        _DRAWDOWN,
        "low",
        "Risk",
    ),
)
_BENCHMARK = (
    Metric(
        "benchmark_return_pct",
        "Benchmark return",
        "%",
        "100 (value at the end of one unit of money held in the benchmark from the first open - 1)",
        _OWN,
        group="Benchmark",
    ),
    Metric(
        "alpha_pct",
        "Alpha",
        "%",
        "100 N ((mean(r) - f) - beta (mean(b) - f)); undefined without a beta",
        "M. C. Jensen: The Performance of Mutual Funds in the Period 1945-1964. Journal of Finance 23(2), 1968",
        "high",
        "Benchmark",
    ),
    Metric(
        "beta",
        "Beta",
        "ratio",
        "cov(r, b) / var(b); undefined when b doesn't vary",
        "W. F. Sharpe: Capital Asset Prices. Journal of Finance 19(3), 1964",
        group="Benchmark",
    ),
    Metric(
        "correlation",
        "Correlation",
        "ratio",
        "cov(r, b) / (sd(r) sd(b)); undefined when one of them doesn't vary",
        "Z. Bodie, A. Kane, A. Marcus: Investments, 10th ed. McGraw-Hill, 2014, ch. 7",
        group="Benchmark",
    ),
    Metric(
        "tracking_error_pct",
        "Tracking error",
        "%",
        "100 sd(r - b) sqrt(N)",
        _GRINOLD,
        group="Benchmark",
    ),
    Metric(
        "information_ratio",
        "Information ratio",
        "ratio",
        "mean(r - b) / sd(r - b) x sqrt(N); undefined when the difference doesn't vary",
        _GRINOLD,
        "high",
        "Benchmark",
    ),
)
_ACTIVITY = (
    Metric(
        "exposure_pct",
        "Exposure",
        "%",
        "100 (steps at whose close a position was open / all steps); a trade opened and closed within one bar adds"
        " none",
        _OWN,
        group="Activity",
    ),
    Metric(
        "turnover",
        "Turnover",
        "a year",
        "sum over fills of their value / mean equity / years; buys and sells both count",
        _OWN,
        group="Activity",
    ),
    Metric("commission", "Commission", "currency", "sum over fills", _OWN, "low", "Activity"),
    Metric("slippage", "Slippage", "currency", "sum over fills", _OWN, "low", "Activity"),
    Metric("open_positions", "Open positions", "count", "positions still open at the end", _OWN, group="Activity"),
)
_TRADES = (
    Metric(
        "trades", "Trades", "count", "closed trades, from flat to flat in one instrument or pair", _OWN, group="Trades"
    ),
    Metric("win_rate_pct", "Win rate", "%", "100 (trades with pnl > 0 / all trades)", _PARDO, "high", "Trades"),
    Metric(
        "profit_factor",
        "Profit factor",
        "ratio",
        "sum of winning pnl / |sum of losing pnl|; undefined without a losing trade",
        _PARDO,
        "high",
        "Trades",
    ),
    Metric(
        "expectancy",
        "Expectancy",
        "currency",
        "win rate x average win + loss rate x average loss = mean pnl of a trade",
        _THARP,
        "high",
        "Trades",
    ),
    Metric(
        "average_trade_pct",
        "Average trade",
        "%",
        "100 mean of pnl / value of the entries",
        _PARDO,
        "high",
        "Trades",
    ),
    Metric("average_win", "Average win", "currency", "mean pnl of trades with pnl > 0", _PARDO, "high", "Trades"),
    Metric("average_loss", "Average loss", "currency", "mean pnl of trades with pnl < 0", _PARDO, "high", "Trades"),
    Metric("largest_win", "Largest win", "currency", "largest pnl above 0", _PARDO, "high", "Trades"),
    Metric("largest_loss", "Largest loss", "currency", "smallest pnl below 0", _PARDO, "high", "Trades"),
    Metric("average_bars", "Average bars held", "bars", "mean of exit bar - entry bar", _OWN, group="Trades"),
    Metric(
        "average_mae_pct",
        "Average MAE",
        "%",
        "100 mean of maximum adverse excursion / entry price",
        _SWEENEY,
        "low",
        "Trades",
    ),
    Metric(
        "average_mfe_pct",
        "Average MFE",
        "%",
        "100 mean of maximum favourable excursion / entry price",
        _SWEENEY,
        "high",
        "Trades",
    ),
    Metric(
        "longest_win_streak",
        "Longest winning streak",
        "count",
        "most trades with pnl > 0 in a row, by exit",
        _PARDO,
        "high",
        "Trades",
    ),
    Metric(
        "longest_loss_streak",
        "Longest losing streak",
        "count",
        "most trades with pnl < 0 in a row, by exit",
        _PARDO,
        "low",
        "Trades",
    ),
)

METRICS: tuple[Metric, ...] = (*_RETURN, *_RISK, *_BENCHMARK, *_ACTIVITY, *_TRADES)


def shown_groups(values: Mapping[str, Value]) -> dict[Group, tuple[Metric, ...]]:
    """Return the metrics to show by group, in order; without those of a benchmark where there is none."""
    groups: dict[Group, tuple[Metric, ...]] = {}
    for metric in METRICS:
        groups[metric.group] = (*groups.get(metric.group, ()), metric)
    if all(values.get(metric.key) is None for metric in groups["Benchmark"]):
        del groups["Benchmark"]
    return groups


def metrics_markdown() -> str:
    """Return the metrics as Markdown tables, one a group: the part of docs/metrics.md that is generated."""
    lines: list[str] = []
    better = {"high": "higher", "low": "lower", "none": ""}
    for group in dict.fromkeys(metric.group for metric in METRICS):
        lines += [
            "",
            f"### {group}",
            "",
            "| Key | Metric | Unit | Formula | Better | Source |",
            "|---|---|---|---|---|---|",
        ]
        for each in (metric for metric in METRICS if metric.group == group):
            formula = each.formula.replace("|", "\\|")
            cells = (f"`{each.key}`", each.label, each.unit, formula, better[each.better], each.source)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines[1:]) + "\n"
