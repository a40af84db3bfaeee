"""Limits of an account, outside the strategies: orders a minute, exposure, loss of a day.

They are in the file `limits.yaml` of the data folder, and hold for all workers of an account together. An entry beyond
one of them is denied before it is sent; what reduces a position is never held back.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from quantcrafter.engine.api import OrderCommand, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_state import TrackedOrder
from quantcrafter.engine.api.orders import Submit
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.live.account_book import AccountBook, AccountFigures
from quantcrafter.engine.live.core import StrategyCore

LIMITS = "limits.yaml"


class AccountLimits(BaseModel):
    """The limits of an account; None for no limit.

    `exposure` is the largest sum of all positions and waiting entries at their prices, and `daily_loss` the loss of a
    UTC day from which on there are no entries, in the currency of the workers' accounts (`run.currency`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    orders_a_minute: int | None = Field(default=None, ge=1)
    exposure: float | None = Field(default=None, gt=0.0)
    daily_loss: float | None = Field(default=None, gt=0.0)


class _LimitsFile(BaseModel):
    """The file: limits of brokers by their names, and of all others as `default`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: AccountLimits = AccountLimits()
    brokers: dict[str, AccountLimits] = Field(default_factory=dict)


def limits_of(folder: Path, broker: str) -> AccountLimits:
    """Return the limits of a broker's account; none if the data folder has no file of them.

    Raises:
        RunError: the file can't be read, or says nothing. No worker trades then.
    """
    path = folder / LIMITS
    try:
        read: Any = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        if read is None:
            raise RunError(
                Message(
                    "The file of limits '{path}' is empty. Write the limits into it, or 'default: {{}}' for none.",
                    path=shown_path(path),
                )
            )
        found = _LimitsFile.model_validate(read)
    except FileNotFoundError:
        return AccountLimits()
    except (OSError, UnicodeError, YAMLError, ValidationError) as error:
        raise RunError(
            Message(
                "The limits in '{path}' can't be read: {error} Correct or remove the file.",
                path=shown_path(path),
                error=_said(error),
            )
        ) from error
    return found.brokers.get(broker, found.default)


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}."
    return f"{error}."


class AccountGuard:
    """The limits of an account as one of its workers keeps them.

    Args:
        limits: the limits.
        core: an open core.
        book: the account's book.
    """

    def __init__(self, limits: AccountLimits, core: StrategyCore, book: AccountBook) -> None:
        self._limits, self._core, self._book = limits, core, book
        self._currency = core.graph.spec.run.currency

    def refusal(self, command: OrderCommand) -> str:
        """Return why a command may not be sent; '' if it may. An order that is sent is counted."""
        if not isinstance(command, Submit):
            return ""
        why = "" if command.reduce_only else self._beyond(command)
        if not why:
            self._book.note_sent(time.time_ns())
        return why

    def _beyond(self, command: Submit) -> str:
        limits, others = self._limits, self._book.others(self._core.now_ns)
        if limits.orders_a_minute is not None:
            sent = self._book.sent_in_minute(time.time_ns())
            if sent >= limits.orders_a_minute:
                return f"the account's limit of {limits.orders_a_minute} orders a minute is reached"
        foreign = self._book.currencies(self._core.now_ns) - {self._currency}
        if foreign and (limits.exposure is not None or limits.daily_loss is not None):
            names = " and ".join(sorted({*foreign, self._currency}))
            return f"the account's workers count in {names}, so that its limits can't be checked"
        if limits.exposure is not None:
            exposure = others.exposure + self._exposure(command.order.number)
            if exposure > limits.exposure:
                return f"the account's exposure would be {exposure:,.2f}, its limit is {limits.exposure:,.2f}"
        if limits.daily_loss is not None:
            loss = -(others.pnl + self._core.pnl_today)
            if loss >= limits.daily_loss:
                return f"the account has lost {loss:,.2f} today, its limit is {limits.daily_loss:,.2f}"
        return ""

    def _exposure(self, most: int) -> float:
        """Return the worker's exposure in its account's currency, with waiting entries up to order number `most`."""
        session = self._core.session
        prices, multipliers, rates = {}, {}, session.rates
        for instrument, terms in zip(self._core.graph.instruments, session.terms, strict=True):
            bars = session.bars(instrument.spec.symbol)
            prices[instrument.spec.symbol] = float(bars.close[-1]) if len(bars) else 0.0
            multipliers[instrument.spec.symbol] = float(terms.value("multiplier")) * rates[instrument.spec.symbol]
        held = sum(abs(each) * prices[symbol] * multipliers[symbol] for symbol, each in session.positions.items())
        waiting = [each for each in session.orders.values() if _may_open(each) and each.order.number <= most]
        return held + sum(
            (each.lots - each.filled)
            * each.submit.lot_size
            * (each.price or prices[each.submit.symbol])
            * multipliers[each.submit.symbol]
            for each in waiting
        )

    def note(self, executions: Collection[str]) -> None:
        """Write what the worker has now to the account's book, with new executions that are in it."""
        core = self._core
        figures = AccountFigures(self._exposure(-1), core.pnl_today, self._currency)
        self._book.put(core.session.positions, executions, figures, core.now_ns)


def _may_open(order: TrackedOrder) -> bool:
    return not order.state.is_over and not order.submit.reduce_only
