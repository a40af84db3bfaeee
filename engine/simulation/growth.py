"""The data of an open session: bars are checked and appended step by step, and the curve grows with them."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.simulation.arrays import holdings_of
from quantcrafter.engine.simulation.closed_bar import ClosedBar, Needs
from quantcrafter.engine.simulation.execution_terms import rebalance_of
from quantcrafter.engine.simulation.growing import KEPT_ROWS, GrowingMarket
from quantcrafter.engine.simulation.kernel import equity_of
from quantcrafter.engine.simulation.matching import finish
from quantcrafter.engine.simulation.newest import Calendar
from quantcrafter.engine.simulation.records import NO_BAR, MarketArrays
from quantcrafter.engine.simulation.session_state import (
    HOLDING_STATE,
    InstrumentState,
    SessionState,
    changed_fields,
    decided_bars,
    lot_of,
    oldest_needed,
    order_fields,
    put_fields,
    put_order,
)
from quantcrafter.engine.simulation.state import SimulationState
from quantcrafter.engine.simulation.steps import Steps
from quantcrafter.engine.simulation.units import are_units_sound, begin_units
from quantcrafter.engine.simulation.venue_columns import expiry_ns
from quantcrafter.engine.trading_calendar.trading_days import bounds, trading_days_in_order

MOST_ROWS = 20_000_000
"""Maximum number of bars for which an entry may have waited: their decision columns are all kept in memory."""


class Growth:
    """The data of a session: how far it goes, and whether it has ended.

    `steps` counts the known steps; `equity` and similar values are recorded for steps that were run and not dropped.
    """

    def __init__(self, job: EngineJob) -> None:
        self.job = job
        self._index = {each.symbol: i for i, each in enumerate(job.instruments)}
        self._needs = [Needs(job, i) for i in range(len(job.instruments))]
        self._rows = GrowingMarket(job)
        self.calendar = Calendar(job)
        self._fresh_holdings = holdings_of(job)
        self.steps = 0
        self.last_ns: int | None = None
        self.last_times: list[tuple[int, int] | None] = [None] * len(job.instruments)
        self.ended = [False] * len(job.instruments)
        self._expires_ns = [expiry_ns(each) for each in job.instruments]
        self.closes_expired = True
        self._ts_ns, self.equity, self._cash = array("q"), array("d"), array("d")

    @property
    def market(self) -> MarketArrays:
        """What the bar loop reads."""
        return self._rows.market

    @property
    def program(self) -> Steps:
        """The steps that read the position."""
        return self._rows.steps

    @property
    def has_ended(self) -> bool:
        """Whether no instrument will have a further bar."""
        return all(self.ended)

    # ------------------------------------------------------------------ growing

    def append(self, state: SimulationState, bars: Mapping[str, ClosedBar]) -> None:
        """Take what closes at one moment as the next step.

        Raises:
            RunError: something is wrong with it. Nothing is changed.
        """
        close_ns = self._check(bars)
        self._expire(state, bars, close_ns)
        step = self.steps
        portfolio, timeline = state.portfolio, state.timeline
        first_ready = False
        in_order = sorted(bars, key=self._index.__getitem__) if len(bars) > 1 else bars
        for event, symbol in enumerate(in_order):
            i, bar = self._index[symbol], bars[symbol]
            number = self._add(state, i, bar)
            timeline.instrument[event], timeline.bar[event] = i, number
            first_ready = first_ready or bar.ready
        timeline.first_event[1] = len(bars)
        portfolio["first_step"] = step
        state.ts_ns[0] = close_ns
        if rebalance_of(self.job) is not None:
            last_ns = close_ns if self.last_ns is None else self.last_ns
            timeline.due[0] = self.calendar.is_due(step, close_ns, last_ns, first_ready=first_ready)
        if len(self._rows.day):
            self._rows.day[0] = self.calendar.day_of_step(close_ns)
        self.last_ns = close_ns
        self.steps = step + 1

    def _check(self, bars: Mapping[str, ClosedBar]) -> int:
        if not isinstance(bars, Mapping):
            kind = type(bars).__name__
            raise RunError(
                Message(
                    "The bars of a step must be a mapping from symbols to bars, was {kind}. Name the symbol.", kind=kind
                )
            )
        if not bars:
            raise RunError(Message("A step has at least one bar, had none. Append the next bar when it has closed."))
        for symbol, bar in bars.items():
            if symbol not in self._index:
                known = list(self._index)
                hint = did_you_mean(str(symbol), known)
                raise RunError(
                    Message(
                        "There is no instrument '{symbol}' here; there are {known}. {hint}",
                        symbol=symbol,
                        known=", ".join(known),
                        hint=hint,
                    )
                )
            i = self._index[symbol]
            self.check_open((symbol,))
            self._needs[i].check(bar, self.last_times[i])
            if self.is_after_expiry(symbol, bar.open_ns):
                raise RunError(Message("A bar of {symbol} opens after its expiry. Leave it out.", symbol=symbol))
        close_ns = int(bar.close_ns)
        if len(bars) > 1 and any(each.close_ns != close_ns for each in bars.values()):
            closes = sorted({each.close_ns for each in bars.values()})
            raise RunError(Message("Bars of one step must close at the same moment, were {closes} ns.", closes=closes))
        if self.last_ns is not None and close_ns <= self.last_ns:
            raise RunError(
                Message(
                    "A step must close after the last one, at {last_ns} ns; was {close_ns} ns.",
                    last_ns=self.last_ns,
                    close_ns=close_ns,
                )
            )
        return close_ns

    def _add(self, state: SimulationState, i: int, bar: ClosedBar) -> int:
        if self._rows.is_full(i):
            self.make_room(state)
        holding = state.holdings[i]
        number = self._rows.append(i, bar, self.calendar.of_bar(i, bar))
        holding["bars"] = number + 1
        if not bar.ready:
            holding["first_bar"] = number + 1
        self.last_times[i] = (int(bar.open_ns), int(bar.close_ns))
        if bar.expires_ns is not None:  # that of the last contract of a series is known with its first bar
            self._expires_ns[i] = bar.expires_ns
        expires_ns = self._expires_ns[i]
        if bar.expires or (expires_ns is not None and bar.close_ns >= expires_ns):
            holding["last_bar"], holding["alarm_bar"], self.ended[i] = number, 0, True
            holding["expires"] = self.closes_expired
        return number

    def is_after_expiry(self, symbol: str, open_ns: int) -> bool:
        """Return whether a bar that opens then is not traded, as its contract has expired."""
        expires_ns = self._expires_ns[self._index[symbol]]
        return expires_ns is not None and open_ns >= expires_ns

    def expire(self, state: SimulationState, now_ns: int) -> None:
        """End the data of contracts that have expired by a moment, at their last close.

        What they had then is known only now if no bar closed with the expiry: at the end of a day that is longer than
        the trading, or where bars are missing.
        """
        self._expire(state, (), now_ns)

    def _expire(self, state: SimulationState, symbols: Collection[str], now_ns: int) -> None:
        """End contracts that have expired, other than those of symbols."""
        for symbol, i in self._index.items():
            expires_ns = self._expires_ns[i]
            if self.ended[i] or expires_ns is None or now_ns < expires_ns or symbol in symbols:
                continue
            holding = state.holdings[i]
            if holding["last_bar"] != NO_BAR:
                continue
            self.ended[i] = True
            holding["last_bar"] = holding["bars"] - 1
            if holding["bars"]:
                holding["expires"] = self.closes_expired
                state.harvest()
                finish(state.portfolios, state.holdings, i)

    def make_room(self, state: SimulationState) -> None:
        """Make room for more bars; what neither an open order nor the next bar looks back on is dropped."""
        self._rows.make_room([oldest_needed(holding, KEPT_ROWS) for holding in state.holdings])
        self.attach(state)

    def attach(self, state: SimulationState) -> None:
        """Let a state read the columns where they are now."""
        state.market, state.steps = self._rows.market, self._rows.steps
        state.holdings["start"] = [stretch.start for stretch in self._rows.stretches]

    def note(self, state: SimulationState) -> None:
        """Note equity and cash at the close of the newest step."""
        self._ts_ns.append(int(state.ts_ns[0]))
        self.equity.append(float(state.curve[0, 0]))
        self._cash.append(float(state.portfolio["cash"]))
        state.portfolio["cash_changes"] = 0

    def note_again(self, state: SimulationState) -> None:
        """Note equity and cash of the newest step once more, after fills at its very close."""
        self._ts_ns.pop()
        self.equity.pop()
        self._cash.pop()
        self.note(state)

    # ------------------------------------------------------------------ ending

    def check_open(self, symbols: Iterable[str]) -> None:
        """Reject instruments whose data has ended.

        Raises:
            RunError: one of them has.
        """
        for symbol in symbols:
            if self.ended[self._index[symbol]]:
                raise RunError(Message("The data of {symbol} has ended. Open another session to go on.", symbol=symbol))

    def end_data(self, state: SimulationState, symbols: tuple[str, ...], *, finish: bool) -> None:
        """End the data of some instruments with their newest bar, or of all; `finish` what is left of them at once.

        Raises:
            RunError: a symbol doesn't exist.
        """
        unknown = [symbol for symbol in symbols if symbol not in self._index]
        if unknown:
            raise RunError(
                Message(
                    "There is no instrument '{unknown}' here; there are {index}.",
                    unknown=unknown[0],
                    index=", ".join(self._index),
                )
            )
        for i in [self._index[symbol] for symbol in symbols] or range(len(self.ended)):
            holding = state.holdings[i]
            if not self.ended[i] and holding["last_bar"] == NO_BAR:
                self.ended[i] = True
                holding["last_bar"] = holding["bars"] - 1
                if self._is_last_day(i):
                    holding["expires"] = self.closes_expired
                if finish:
                    self._finish(state, i)

    def _is_last_day(self, i: int) -> bool:
        """Return whether the newest bar of an instrument is of the day on which it expires."""
        expires_ns, times = self._expires_ns[i], self.last_times[i]
        if expires_ns is None or times is None:
            return False
        session = self.job.instruments[i].bars.session
        day = trading_days_in_order(np.array([times[0]]), session)
        return bool(bounds(day, session)[1][0] >= expires_ns)

    def _finish(self, state: SimulationState, i: int) -> None:
        state.harvest()
        finish(state.portfolios, state.holdings, i)
        if self.equity:
            self.equity[-1] = float(equity_of(state.portfolio, state.holdings))
            self._cash[-1] = float(state.portfolio["cash"])

    # ------------------------------------------------------------------ keeping it

    def instrument_state(self, state: SimulationState, i: int, rules: tuple[str, ...]) -> InstrumentState:
        """Return what is kept of an instrument."""
        holding, times = state.holdings[i], self.last_times[i]
        program = state.steps.state[i].tolist() if len(state.steps.program) else ()
        return InstrumentState(
            bars=int(holding["bars"]),
            lot=lot_of(self.job.instruments[i]),
            open_ns=None if times is None else times[0],
            close_ns=None if times is None else times[1],
            ended=self.ended[i],
            first_bar=int(holding["first_bar"]),
            calendar=self.calendar.state(i),
            holding=changed_fields(holding, HOLDING_STATE, self._fresh_holdings[i]),
            orders=tuple(order_fields(holding, k, rules) for k in range(int(holding["working"]))),
            rows=tuple(self._rows.row_fields(i, bar, rules) for bar in decided_bars(holding)),
            steps=tuple(program),
        )

    def resume(self, state: SimulationState, kept: SessionState, rules: tuple[str, ...]) -> None:
        """Go on from what was kept: books, calendars, and the rows that open orders still need."""
        self.steps, self.last_ns, self.calendar.due_first = kept.step, kept.last_ns, kept.due_first
        for i, each in enumerate(kept.instruments.values()):
            holding = state.holdings[i]
            _check_bars(self.job.instruments[i].symbol, each)
            put_fields(holding, HOLDING_STATE, each.holding, f"the book of {self.job.instruments[i].symbol}")
            if "settled" not in each.holding:
                holding["settled"] = holding["price"]
            begin_units(holding)
            _check_executions(self.job, each)
            if not are_units_sound(holding):
                symbol = self.job.instruments[i].symbol
                raise RunError(
                    Message(
                        "The state of a session can't be read: units of {symbol} don't make up its position.",
                        symbol=symbol,
                    )
                )
            holding["bars"], holding["first_bar"] = each.bars, each.first_bar
            for order in each.orders:
                put_order(holding, order, rules)
            state.portfolio["at_work"] += holding["working"]
            self.ended[i] = each.ended
            if each.ended:
                holding["last_bar"] = each.bars - 1
            if each.open_ns is not None and each.close_ns is not None:
                self.last_times[i] = (each.open_ns, each.close_ns)
            self.calendar.resume(i, each.calendar)
            if len(each.steps):
                state.steps.state[i] = each.steps
        known = [each.bars for each in kept.instruments.values()]
        self._rows.resume(known, [oldest_needed(holding, KEPT_ROWS) for holding in state.holdings])
        for i, each in enumerate(kept.instruments.values()):
            self._rows.put_rows(i, each.rows, rules, each.close_ns)
            if each.bars:
                self._rows.put_last(i, self.calendar.seen[i].roll_close, self.calendar.seen[i].moved)
        self.attach(state)

    # ------------------------------------------------------------------ the curve

    def curves(self) -> tuple[TimeColumn, FloatColumn, FloatColumn]:
        """Return times, equity and cash of the steps that are not forgotten."""
        return np.array(self._ts_ns, np.int64), np.array(self.equity), np.array(self._cash)

    def forget(self) -> None:
        """Forget the curve so far."""
        self._ts_ns, self.equity, self._cash = array("q"), array("d"), array("d")


def _check_executions(job: EngineJob, kept: InstrumentState) -> None:
    """Reject numbers of executions that don't exist.

    Raises:
        RunError: the check fails.
    """
    count = len(job.executions)
    for number in (kept.holding.get("execution", 0), *(order.get("execution", 0) for order in kept.orders)):
        if type(number) is not int or not 0 <= number < count:
            raise RunError(
                Message(
                    "The state of a session can't be read: it names execution {number} of {count}.",
                    number=repr(number),
                    count=count,
                )
            )


def _check_bars(symbol: str, kept: InstrumentState) -> None:
    """Reject numbers of bars that contradict each other, or for which there is not enough memory.

    Raises:
        RunError: the check fails.
    """
    decided = [int(order["decided"]) for order in kept.orders]
    if any(not 0 <= bar <= kept.bars for bar in decided):
        raise RunError(
            Message(
                "The state of a session can't be read: {symbol} has {bars} bars, orders of {decided}.",
                symbol=symbol,
                bars=kept.bars,
                decided=decided,
            )
        )
    if decided and kept.bars - min(decided) > MOST_ROWS:
        raise RunError(
            Message(
                "An order of {symbol} has waited for more than {most_rows} bars. Cancel it before going on.",
                symbol=symbol,
                most_rows=MOST_ROWS,
            )
        )
