"""Small hand-made ledgers over random walks: market orders at the open, booked the way a run books them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, ROUND_THE_CLOCK, Bars, Session
from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import (
    BLOCKED_DTYPE,
    FILL_DTYPE,
    ORDER_DTYPE,
    BlockReason,
    Ledger,
    OpenPosition,
    OrderKind,
    OrderStatus,
    Reason,
    StatusReason,
)
from quantcrafter.engine.api.round_trips import PART_DTYPE
from quantcrafter.engine.api.timeframe import Timeframe

DAY_NS = 86_400_000_000_000
CASH = 100_000.0


@dataclass(frozen=True)
class Deal:
    """One round trip: bought or sold at the open of `entry`, left at the open of `exit` (None: still open)."""

    instrument: int
    side: int
    lots: int
    entry: int
    exit: int | None


def daily_times(count: int, start: str = "2015-01-02") -> tuple[np.ndarray, np.ndarray]:
    """Return open and close times of `count` weekdays (14:30 to 21:00 UTC)."""
    days = np.busday_offset(np.datetime64(start), np.arange(count), roll="forward").astype("datetime64[ns]")
    midnight = days.astype(np.int64)
    return midnight + 52_200 * 1_000_000_000, midnight + 75_600 * 1_000_000_000


def walk_bars(
    count: int, *, seed: int = 1, symbol: str = "ABC", timeframe: str = "1d", synthetic: bool = False
) -> Bars:
    """Return a seeded random walk: New York days for `1d`, else round-the-clock bars."""
    rng = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0004, 0.015, count))), 2)
    opened = np.round(np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0, 0.002, count)), 2)
    frame = Timeframe.parse(timeframe)
    session: Session = ROUND_THE_CLOCK
    if timeframe == "1d":
        open_ns, close_ns = daily_times(count)
        session = NEW_YORK_STOCKS
    else:
        open_ns = 1_577_836_800_000_000_000 + np.arange(count, dtype=np.int64) * frame.nominal_ns
        close_ns = open_ns + frame.nominal_ns
    spread = np.abs(rng.normal(0, 0.004, (2, count)))
    return Bars(
        symbol=symbol,
        timeframe=frame,
        open_ns=open_ns,
        close_ns=close_ns,
        open=opened,
        high=np.round(np.maximum(opened, close) * (1 + spread[0]), 2),
        low=np.round(np.minimum(opened, close) * (1 - spread[1]), 2),
        close=close,
        volume=np.full(count, 1e6),
        session=session,
        source="random walk",
        synthetic=synthetic,
    )


def job_of(bars: Bars, *, lot_size: float = 1.0) -> InstrumentJob:
    """Return the bars as an instrument of a run."""
    count = len(bars)
    return InstrumentJob(
        bars.symbol, bars, 0.01, lot_size, np.zeros(count, dtype=np.uint8), np.ones(count, dtype=np.bool_), 0
    )


def curve_ledger(ts_ns: np.ndarray, equity: np.ndarray) -> Ledger:
    """Return a ledger without orders that has this equity."""
    return Ledger(
        np.zeros(0, ORDER_DTYPE),
        np.zeros(0, FILL_DTYPE),
        np.zeros(0, PART_DTYPE),
        np.zeros(0, BLOCKED_DTYPE),
        np.asarray(ts_ns, dtype=np.int64),
        np.asarray(equity, dtype=np.float64),
        np.asarray(equity, dtype=np.float64),
    )


def filled(lots: int) -> tuple[object, ...]:
    """Return the last fields of a market order without an end, of which that many lots were filled; the first is that
    of its execution.
    """
    return (0, np.nan, lots, -1, -1, -1)


class Book:
    """Books deals one by one; `ledger()` closes the books."""

    def __init__(self, jobs: Sequence[InstrumentJob], *, cash: float = CASH, commission_pct: float = 0.1) -> None:
        self.jobs = jobs
        self.rate = commission_pct / 100.0
        self.ts_ns = np.unique(np.concatenate([job.bars.close_ns for job in jobs]))
        self.cash = np.full(len(self.ts_ns), cash)
        self.value = np.zeros(len(self.ts_ns))
        self.orders: list[tuple[object, ...]] = []
        self.fills: list[tuple[object, ...]] = []
        self.trades: list[tuple[object, ...]] = []
        self.open: list[OpenPosition] = []

    def _fill(self, deal: Deal, bar: int, side: int, reason: Reason) -> tuple[float, float, int]:
        job = self.jobs[deal.instrument]
        price = float(job.bars.open[bar])
        quantity = deal.lots * job.lot_size
        commission = price * quantity * self.rate
        order = len(self.orders) + 1
        market = OrderKind.MARKET
        life = (market, side, OrderStatus.FILLED, reason, StatusReason.NONE)
        self.orders.append(
            (order, -1, deal.instrument, -1, max(bar - 1, 0), bar, deal.lots, np.nan, price, *life, *filled(deal.lots)),
        )
        self.fills.append(
            (order, bar, deal.lots, price, commission, 0.0, deal.instrument, side, market, reason, 0, 1.0)
        )
        step = int(np.searchsorted(self.ts_ns, job.bars.close_ns[bar]))
        self.cash[step:] -= side * price * quantity + commission
        return price, commission, order

    def deal(self, deal: Deal, reason: Reason = Reason.SIGNAL) -> None:
        """Book one deal."""
        job, bars = self.jobs[deal.instrument], self.jobs[deal.instrument].bars
        quantity = deal.lots * job.lot_size
        entry_price, entry_cost, entry_order = self._fill(deal, deal.entry, deal.side, Reason.ENTRY)
        first = int(np.searchsorted(self.ts_ns, bars.close_ns[deal.entry]))
        last = len(self.ts_ns)
        if deal.exit is not None:
            exit_price, exit_cost, exit_order = self._fill(deal, deal.exit, -deal.side, reason)
            last = int(np.searchsorted(self.ts_ns, bars.close_ns[deal.exit]))
            cost = entry_cost + exit_cost
            pnl = deal.side * (exit_price - entry_price) * quantity - cost
            moves = deal.side * (np.stack((bars.low, bars.high))[:, deal.entry : deal.exit] - entry_price)
            ends = (deal.entry, deal.exit, entry_order, exit_order, deal.lots, entry_price, exit_price)
            excursions = (max(0.0, -moves.min(initial=0)), max(0.0, moves.max(initial=0)))
            self.trades.append((*ends, pnl, cost, 0.0, *excursions, deal.instrument, deal.side, reason, 0.0, 0))
        else:
            unrealised = deal.side * (float(bars.close[-1]) - entry_price) * quantity
            self.open.append(OpenPosition(deal.instrument, deal.side * deal.lots, deal.entry, entry_price, unrealised))
        bar = np.searchsorted(bars.close_ns, self.ts_ns[first:last], side="right") - 1
        self.value[first:last] += deal.side * quantity * bars.close[bar]

    def ledger(self, *, blocked: Sequence[tuple[int, int, int, BlockReason]] = (), rejected: int = 0) -> Ledger:
        """Return the ledger, with `rejected` further orders that the account could not pay for."""
        for number in range(rejected):
            life = (OrderKind.MARKET, 1, OrderStatus.REJECTED, Reason.ENTRY, StatusReason.NO_CASH)
            self.orders.append(
                (len(self.orders) + 1, -1, 0, -1, number, number + 1, 10, np.nan, np.nan, *life, *filled(0))
            )
        return Ledger(
            np.array(self.orders, dtype=ORDER_DTYPE),
            np.array(self.fills, dtype=FILL_DTYPE),
            np.array(self.trades, dtype=PART_DTYPE),
            np.array([(*each, 0) for each in blocked], dtype=BLOCKED_DTYPE),
            self.ts_ns,
            self.cash + self.value,
            self.cash,
            tuple(self.open),
        )


def regular_deals(job_index: int, count: int, *, every: int = 40, hold: int = 15, lots: int = 100) -> list[Deal]:
    """Return deals that alternate long and short."""
    starts = range(5, count - hold - 1, every)
    return [Deal(job_index, 1 if n % 2 == 0 else -1, lots, bar, bar + hold) for n, bar in enumerate(starts)]


def walk_run(
    count: int = 750, *, instruments: int = 1, seed: int = 1, every: int = 40
) -> tuple[Ledger, tuple[InstrumentJob, ...]]:
    """Return a ledger of regular deals over random walks, one open position at the end, some blocked and rejected."""
    jobs = tuple(job_of(walk_bars(count, seed=seed + n, symbol=f"SYM{n}")) for n in range(instruments))
    book = Book(jobs)
    for index in range(instruments):
        for deal in regular_deals(index, count, every=every):
            book.deal(deal, Reason.STOP_LOSS if deal.entry % 3 == 0 else Reason.SIGNAL)
    book.deal(Deal(0, 1, 50, count - 10, None))
    blocked = [(bar, 0, 1, BlockReason.FILTER if bar % 2 else BlockReason.OPPOSITE_IGNORED) for bar in range(3, 40, 3)]
    return book.ledger(blocked=blocked, rejected=3), jobs


def million_run(count: int = 1_000_000, trades: int = 40_000) -> tuple[Ledger, tuple[InstrumentJob, ...]]:
    """Return a large run quickly: minute bars, short long-only trades of ten lots, no costs."""
    bars = walk_bars(count, timeframe="1m", symbol="BIG", synthetic=True)
    bars.close[:] = np.round(100 + 5 * np.sin(np.arange(count) / 5_000), 2)
    bars.open[:] = bars.close
    entry = np.linspace(10, count - 20, trades).astype(np.int64)
    leave = entry + 5
    record = np.zeros(trades, PART_DTYPE)
    record["entry_bar"], record["exit_bar"], record["lots"], record["side"] = entry, leave, 10, 1
    record["entry_price"], record["exit_price"] = bars.open[entry], bars.open[leave]
    record["pnl"] = (record["exit_price"] - record["entry_price"]) * 10
    record["entry_order"], record["exit_order"] = np.arange(trades) * 2 + 1, np.arange(trades) * 2 + 2
    record["exit_reason"] = Reason.SIGNAL
    fills = np.zeros(2 * trades, FILL_DTYPE)
    for offset, bar, side in ((0, entry, 1), (1, leave, -1)):
        fills["bar"][offset::2], fills["price"][offset::2], fills["side"][offset::2] = bar, bars.open[bar], side
        fills["order_id"][offset::2], fills["lots"][offset::2] = np.arange(trades) * 2 + 1 + offset, 10
        fills["reason"][offset::2] = Reason.SIGNAL if offset else Reason.ENTRY
    gains = np.zeros(count)
    np.add.at(gains, leave, record["pnl"])
    empty = curve_ledger(bars.close_ns, CASH + np.cumsum(gains))
    return Ledger(empty.orders, fills, record, empty.blocked, empty.ts_ns, empty.equity, empty.cash), (job_of(bars),)
