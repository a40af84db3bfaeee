"""Metrics of a finished run, computed from its ledger.

1. The ledger's equity, with withdrawals put back, is sampled to one value a trading day; returns are its changes.
2. Ratios are annualised with N samples a year (`quantcrafter.engine.stats.curve.periods_per_year`).
3. Drawdowns and exposure look at every step, trade metrics at the closed trades.
4. What is undefined, or not finite, is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.stats import curve
from quantcrafter.engine.stats.benchmark import Benchmark
from quantcrafter.engine.stats.metric_catalog import METRICS, Metric, Value
from quantcrafter.engine.stats.pair_trades import leading_trades
from quantcrafter.engine.stats.position_worth import entry_values, fill_values

__all__ = ["METRICS", "Benchmark", "Metric", "Value", "compute_metrics"]

_SHORTEST_CAGR_NS = 30 * curve.DAY_NS
_NO_SPREAD = 1e-14


def compute_metrics(
    ledger: Ledger,
    instruments: Sequence[InstrumentJob],
    *,
    cash: float,
    risk_free: float = 0.0,
    benchmark: Benchmark | None = None,
) -> dict[str, Value]:
    """Return every metric of `METRICS` by its key, None where it is undefined; never NaN or infinite.

    Args:
        ledger: the books of the run.
        instruments: those of the run, in the order of the ledger's indices.
        cash: the starting cash.
        risk_free: what an investment without risk earns, in percent a year.
        benchmark: what the run is compared with.
    """
    with np.errstate(all="ignore"):
        values = {
            **_span(ledger, instruments, cash),
            **_returns(ledger, instruments, cash, risk_free, benchmark),
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
    grown = float(curve.grown_equity(ledger)[-1]) if len(ledger.equity) else cash
    taken = float(curve.withdrawn(ledger)[1].sum())
    return {
        "start_ns": curve.run_start_ns(ledger, instruments),
        "end_ns": int(ledger.ts_ns[-1]) if len(ledger.ts_ns) else None,
        "initial_equity": cash,
        "final_equity": final,
        "net_profit": final - cash + taken,
        "withdrawn": taken,
        "total_return_pct": 100.0 * (grown / cash - 1.0) if cash > 0 else None,
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


def _returns(
    ledger: Ledger,
    instruments: Sequence[InstrumentJob],
    cash: float,
    risk_free: float,
    benchmark: Benchmark | None,
) -> dict[str, Value]:
    start_ns = curve.run_start_ns(ledger, instruments)
    if start_ns is None:
        return {}
    _, last = curve.trading_days(ledger.ts_ns, curve.common_session(instruments))
    returns = curve.daily_returns(curve.grown_equity(ledger)[last], cash)
    periods = curve.periods_per_year(instruments)
    floor = (1.0 + risk_free / 100.0) ** (1.0 / periods) - 1.0
    deepest, longest_days = curve.drawdowns(ledger, cash, start_ns)
    return {
        **_ratios(returns, periods, floor),
        **({} if benchmark is None else _against(benchmark, last, returns, periods, floor)),
        "max_drawdown_pct": deepest.percent,
        "max_drawdown_days": deepest.days,
        "max_drawdown_bars": deepest.bars,
        "longest_drawdown_days": longest_days,
    }


def _ratios(returns: FloatColumn, periods: float, floor: float) -> dict[str, Value]:
    """Return the ratios of daily returns; `floor` is what an investment without risk earns in a sample."""
    if len(returns) < 2:  # noqa: PLR2004 - a spread takes two values
        return {}
    scale = math.sqrt(periods)
    excess, spread = float(returns.mean()) - floor, _spread(returns)
    downside = math.sqrt(float(np.mean(np.square(np.minimum(returns - floor, 0.0)))))
    return {
        "annual_volatility_pct": 100.0 * spread * scale,
        "sharpe": excess / spread * scale if spread > _NO_SPREAD else None,
        "sortino": excess / downside * scale if downside > _NO_SPREAD else None,
    }


def _against(
    benchmark: Benchmark, last: TimeColumn, returns: FloatColumn, periods: float, floor: float
) -> dict[str, Value]:
    """Return how daily returns compare with those of the benchmark, over the days that both have."""
    known = benchmark.growth[np.isfinite(benchmark.growth)]
    values: dict[str, Value] = {"benchmark_return_pct": 100.0 * (float(known[-1]) - 1.0) if len(known) else None}
    theirs = benchmark.returns(last)[: len(returns)]
    both = np.isfinite(theirs) & np.isfinite(returns)
    own, theirs = returns[both], theirs[both]
    if len(own) < 2:  # noqa: PLR2004 - a spread takes two values
        return values
    scale = math.sqrt(periods)
    spread, market, active = _spread(own), _spread(theirs), _spread(own - theirs)
    covariance = float(np.mean((own - own.mean()) * (theirs - theirs.mean()))) * len(own) / (len(own) - 1)
    beta = covariance / market**2 if market > _NO_SPREAD else None
    ahead = float((own - theirs).mean())
    return {
        **values,
        "beta": beta,
        "alpha_pct": None
        if beta is None
        else 100.0 * periods * (float(own.mean()) - floor - beta * (float(theirs.mean()) - floor)),
        "correlation": covariance / (spread * market) if min(spread, market) > _NO_SPREAD else None,
        "tracking_error_pct": 100.0 * active * scale,
        "information_ratio": ahead / active * scale if active > _NO_SPREAD else None,
    }


def _spread(values: FloatColumn) -> float:
    return float(values.std(ddof=1))


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
    closed = _closed(ledger, instruments)
    pnl = closed.pnl
    wins, losses = pnl[pnl > 0], pnl[pnl < 0]
    outcome = np.sign(pnl[np.argsort(closed.ended_ns, kind="stable")])
    return {
        "trades": len(pnl),
        "win_rate_pct": 100.0 * len(wins) / len(pnl),
        "profit_factor": float(np.divide(wins.sum(), -losses.sum())) if len(losses) else None,
        "expectancy": float(pnl.mean()),
        "average_trade_pct": 100.0 * float(np.mean(pnl / closed.value)),
        "average_win": float(wins.mean()) if len(wins) else None,
        "average_loss": float(losses.mean()) if len(losses) else None,
        "largest_win": float(wins.max()) if len(wins) else None,
        "largest_loss": float(losses.min()) if len(losses) else None,
        "average_bars": float(np.mean(closed.bars)),
        "average_mae_pct": 100.0 * float(np.mean(closed.mae)),
        "average_mfe_pct": 100.0 * float(np.mean(closed.mfe)),
        "longest_win_streak": _longest_run(outcome > 0),
        "longest_loss_streak": _longest_run(outcome < 0),
    }


class _Closed(NamedTuple):
    """Closed trades, of which the legs of a pair are one, shape (n,) each.

    Profits, entry values and the moves against and for them as parts of these, bars held, and when they ended. The
    moves of a pair are the sums of its legs', which it may not have had at the same time.
    """

    pnl: FloatColumn
    value: FloatColumn
    mae: FloatColumn
    mfe: FloatColumn
    bars: TimeColumn
    ended_ns: TimeColumn


def _closed(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> _Closed:
    trades, value = ledger.trades, entry_values(ledger, instruments)
    price, ended_ns = np.abs(trades["entry_price"]), _ended_ns(trades, instruments)
    mae, mfe, bars = trades["mae"] / price, trades["mfe"] / price, trades["exit_bar"] - trades["entry_bar"]
    rows = leading_trades(ledger)
    if (rows == np.arange(len(rows))).all():
        return _Closed(trades["pnl"], value, mae, mfe, bars, ended_ns)
    firsts, place = np.unique(rows, return_inverse=True)
    sums = [np.bincount(place, each).astype(np.float64) for each in (trades["pnl"], value, mae * value, mfe * value)]
    longest, last_ns = np.zeros(len(firsts), np.int64), np.zeros(len(firsts), np.int64)
    np.maximum.at(longest, place, bars)
    np.maximum.at(last_ns, place, ended_ns)
    return _Closed(sums[0], sums[1], sums[2] / sums[1], sums[3] / sums[1], longest, last_ns)


def _ended_ns(trades: npt.NDArray[Any], instruments: Sequence[InstrumentJob]) -> TimeColumn:
    """Return the closes of the bars in which trades ended."""
    ended = np.zeros(len(trades), dtype=np.int64)
    for index, job in enumerate(instruments):
        own = trades["instrument"] == index
        ended[own] = job.bars.close_ns[trades["exit_bar"][own]]
    return ended


def _longest_run(hits: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], hits, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
