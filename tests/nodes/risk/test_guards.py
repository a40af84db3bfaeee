from __future__ import annotations

import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import GuardKind, GuardRule, HaltAction, ProtectiveKind, ProtectiveRule
from quantcrafter.nodes.risk.caps import EntryLimit, MaxExposure, MaxOpenTrades, MaxPosition
from quantcrafter.nodes.risk.exits import SessionEnd, TimeStop
from quantcrafter.nodes.risk.halts import CoolDown, DailyLoss, LosingStreak, MaxDrawdown
from quantcrafter.nodes.risk.protective import CashStop, LineStop, LineTarget, TicksTarget
from quantcrafter.nodes.risk.trailing import AtrTrailingStop, BreakEven, LineTrailingStop, TrailingStop


def test_stops_that_move_describe_themselves_as_protective_rules() -> None:
    trailing = ProtectiveKind.TRAILING_STOP
    assert TrailingStop(percent=5).rule() == ProtectiveRule(trailing, percent=5)
    assert AtrTrailingStop(atr="atr", multiple=2).rule() == ProtectiveRule(trailing, multiple=2, column="atr")
    assert LineTrailingStop(line="low").rule() == ProtectiveRule(trailing, column="line", line=True)
    assert BreakEven(percent=3, lock_percent=1).rule() == ProtectiveRule(
        ProtectiveKind.BREAK_EVEN, percent=3, lock_percent=1
    )


def test_stops_and_targets_by_ticks_money_and_lines() -> None:
    assert CashStop(cash=50).rule() == ProtectiveRule(ProtectiveKind.STOP_LOSS, cash=50)
    assert TicksTarget(ticks=8).rule() == ProtectiveRule(ProtectiveKind.TAKE_PROFIT, ticks=8)
    assert LineStop(line="low", side="long").rule().side == 1
    assert LineTarget(line="low", side="short").rule().side == -1
    assert LineTrailingStop(line="low", side="short").rule().side == -1
    assert LineStop(line="low").rule() == ProtectiveRule(ProtectiveKind.STOP_LOSS, column="line", line=True)
    assert LineTarget(line="mean").rule().follow
    assert not LineTarget(line="mean", follow=False).rule().follow


def test_exits_halts_and_caps_describe_themselves_as_guards() -> None:
    assert TimeStop(bars=3).rule() == GuardRule(GuardKind.TIME_STOP, 3)
    assert SessionEnd(minutes=15).rule() == GuardRule(GuardKind.SESSION_END, 15)
    assert MaxDrawdown(percent=20).rule() == GuardRule(GuardKind.MAX_DRAWDOWN, 20, HaltAction.FLATTEN_AND_HALT)
    assert DailyLoss(percent=2).rule().action is HaltAction.FLATTEN_FOR_THE_DAY
    assert LosingStreak(trades=4).rule() == GuardRule(GuardKind.LOSING_STREAK, 4, HaltAction.NO_NEW_TRADES)
    assert CoolDown(bars=4).rule() == GuardRule(GuardKind.COOL_DOWN, 4)
    assert MaxPosition(limit=5, unit="units", symbol="A").rule() == GuardRule(
        GuardKind.MAX_POSITION, 5, in_units=True, symbol="A"
    )
    assert MaxPosition(limit=5, unit="cash").rule().in_cash
    assert EntryLimit(entries=2).rule() == GuardRule(GuardKind.ENTRIES_TODAY, 2)
    limit = EntryLimit(entries=6, counted="open", side="short", per="portfolio", symbols=["A", "B"])
    assert limit.rule() == GuardRule(GuardKind.OPEN_ENTRIES, 6, side=-1, shared=True, symbols=("A", "B"))
    assert MaxExposure(percent=90).rule().kind is GuardKind.GROSS_EXPOSURE
    assert MaxExposure(percent=90, measure="net").rule().kind is GuardKind.NET_EXPOSURE
    cap = MaxExposure(cash=5000, measure="net", within="sector", group="tech").rule()
    assert cap == GuardRule(GuardKind.NET_EXPOSURE, 5000, in_cash=True, within="sector", group="tech")
    assert MaxOpenTrades(trades=2).rule() == GuardRule(GuardKind.OPEN_TRADES, 2)
    assert MaxOpenTrades(trades=2, side="short").rule().side == -1
    rule = MaxOpenTrades(trades=2, within="sector", group="tech").rule()
    assert (rule.within, rule.group, rule.side) == ("sector", "tech", 0)


@pytest.mark.parametrize(
    ("component", "fields"),
    [
        (TrailingStop, {"percent": 100}),
        (BreakEven, {"percent": 0}),
        (TimeStop, {"bars": 0}),
        (MaxDrawdown, {"percent": 20, "action": "stop"}),
        (MaxPosition, {"limit": 0}),
        (MaxExposure, {"percent": 50, "cash": 1000}),
        (MaxExposure, {"percent": 50, "group": "tech"}),
        (MaxOpenTrades, {"trades": 0}),
        (MaxOpenTrades, {"trades": 1, "side": "up"}),
        (MaxOpenTrades, {"trades": 1, "group": "tech"}),
    ],
)
def test_values_out_of_range_are_refused(component: type, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        component(**fields)
