"""Metrics of a finished run, computed from its ledger.

1. The ledger's equity is sampled to one value a trading day; returns are the changes between these.
2. Ratios are annualised with N samples a year (`quantcrafter.engine.stats.curve.periods_per_year`).
3. Drawdowns and exposure look at every step, trade metrics at the closed trades.
4. What is undefined, or not finite, is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.stats import curve
from quantcrafter.engine.stats.catalogue import METRICS, Metric, Value
from quantcrafter.engine.stats.values import entry_values, fill_values

__all__ = ["METRICS", "Metric", "Value", "compute_metrics"]

_SHORTEST_CAGR_NS = 30 * curve.DAY_NS
_NO_SPREAD = 1e-14


def compute_metrics(ledger: Ledger, instruments: Sequence[InstrumentJob], *, cash: float) -> dict[str, Value]:
    """Return every metric of `METRICS` by its key, None where it is undefined; never NaN or infinite.

    `instruments` are those of the run, in the order of the ledger's indices; `cash` is the starting cash.
    """
    with np.errstate(all="ignore"):
        values = {
            **_span(ledger, instruments, cash),
            **_returns(ledger, instruments, cash),
            **_activity(ledger, instruments),
            **_trades(ledger, instruments),
        }
        values["cagr_pct"] = _cagr_percent(values)
        values["calmar"] = _ratio(values["cagr_pct"], values.get("max_drawdown_pct"))
        values["turnover"] = _turnover(ledger, instruments, values)
    return {metric.key: _finite(values.get(metric.key)) for metric in METRICS}


def _finite(value: Any) -> Value:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int | np.integer) else float(value)


def _ratio(above: Value, below: Value) -> Value:
    return above / below if above is not None and below else None


def _span(ledger: Ledger, instruments: Sequence[InstrumentJob], cash: float) -> dict[str, Value]:
    final = float(ledger.equity[-1]) if len(ledger.equity) else cash
    return {
        "start_ns": curve.run_start_ns(ledger, instruments),
        "end_ns": int(ledger.ts_ns[-1]) if len(ledger.ts_ns) else None,
        "initial_equity": cash,
        "final_equity": final,
        "net_profit": final - cash,
        "total_return_pct": 100.0 * (final / cash - 1.0) if cash > 0 else None,
        "buy_and_hold_pct": curve.buy_and_hold_percent(instruments),
    }


def _span_ns(values: dict[str, Value]) -> float:
    start, end = values["start_ns"], values["end_ns"]
    return 0.0 if start is None or end is None else float(end - start)


def _cagr_percent(values: dict[str, Value]) -> Value:
    total, span = values["total_return_pct"], _span_ns(values)
    if total is None or span < _SHORTEST_CAGR_NS:
        return None
    growth = 1.0 + total / 100.0
    if growth < 0:
        return None
    return float(100.0 * (np.power(growth, curve.YEAR_NS / span) - 1.0))


def _returns(ledger: Ledger, instruments: Sequence[InstrumentJob], cash: float) -> dict[str, Value]:
    start_ns = curve.run_start_ns(ledger, instruments)
    if start_ns is None:
        return {}
    _, equity = curve.daily_equity(ledger, instruments)
    deepest, longest_days = curve.drawdowns(ledger, cash, start_ns)
    return {
        **_ratios(curve.daily_returns(equity, cash), curve.periods_per_year(instruments)),
        "max_drawdown_pct": deepest.percent,
        "max_drawdown_days": deepest.days,
        "max_drawdown_bars": deepest.bars,
        "longest_drawdown_days": longest_days,
    }


def _ratios(returns: FloatColumn, periods: float) -> dict[str, Value]:
    if len(returns) < 2:  # noqa: PLR2004 - a spread takes two values
        return {}
    scale = math.sqrt(periods)
    mean, spread = float(returns.mean()), float(returns.std(ddof=1))
    downside = math.sqrt(float(np.mean(np.square(np.minimum(returns, 0.0)))))
    return {
        "annual_volatility_pct": 100.0 * spread * scale,
        "sharpe": mean / spread * scale if spread > _NO_SPREAD else None,
        "sortino": mean / downside * scale if downside > _NO_SPREAD else None,
    }


def _activity(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> dict[str, Value]:
    return {
        "exposure_pct": curve.exposure_percent(ledger, instruments),
        "commission": float(ledger.fills["commission"].sum()),
        "slippage": float(ledger.fills["slippage"].sum()),
        "open_positions": len(ledger.open_positions),
    }


def _turnover(ledger: Ledger, instruments: Sequence[InstrumentJob], values: dict[str, Value]) -> Value:
    years = _span_ns(values) / curve.YEAR_NS
    mean_equity = float(ledger.equity.mean()) if len(ledger.equity) else 0.0
    if mean_equity <= 0 or years <= 0:
        return None
    return float(fill_values(ledger, instruments).sum()) / mean_equity / years


def _trades(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> dict[str, Value]:
    trades = ledger.trades
    if not len(trades):
        return {"trades": 0, "longest_win_streak": 0, "longest_loss_streak": 0}
    pnl = trades["pnl"]
    wins, losses = pnl[pnl > 0], pnl[pnl < 0]
    entry_price = np.abs(trades["entry_price"])
    outcome = np.sign(pnl[_exit_order(trades, instruments)])
    return {
        "trades": len(trades),
        "win_rate_pct": 100.0 * len(wins) / len(trades),
        "profit_factor": float(np.divide(wins.sum(), -losses.sum())) if len(losses) else None,
        "expectancy": float(pnl.mean()),
        "average_trade_pct": 100.0 * float(np.mean(pnl / entry_values(ledger, instruments))),
        "average_win": float(wins.mean()) if len(wins) else None,
        "average_loss": float(losses.mean()) if len(losses) else None,
        "largest_win": float(wins.max()) if len(wins) else None,
        "largest_loss": float(losses.min()) if len(losses) else None,
        "average_bars": float(np.mean(trades["exit_bar"] - trades["entry_bar"])),
        "average_mae_pct": 100.0 * float(np.mean(trades["mae"] / entry_price)),
        "average_mfe_pct": 100.0 * float(np.mean(trades["mfe"] / entry_price)),
        "longest_win_streak": _longest_run(outcome > 0),
        "longest_loss_streak": _longest_run(outcome < 0),
    }


def _exit_order(trades: npt.NDArray[Any], instruments: Sequence[InstrumentJob]) -> npt.NDArray[np.intp]:
    """Return the order in which the trades ended, across instruments."""
    ended = np.zeros(len(trades), dtype=np.int64)
    for index, job in enumerate(instruments):
        own = trades["instrument"] == index
        ended[own] = job.bars.close_ns[trades["exit_bar"][own]]
    return np.argsort(ended, kind="stable")


def _longest_run(hits: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], hits, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
