from __future__ import annotations

from quantcrafter.engine.api import SizeKind, SizeRule
from quantcrafter.nodes.money.adaptive import AntiMartingale, FixedRatio, Kelly, Martingale, VolatilityTarget


def test_sizes_that_adapt_describe_themselves_as_size_rules() -> None:
    assert VolatilityTarget(volatility="swing", percent=8).rule() == SizeRule(
        SizeKind.VOLATILITY_TARGET, 8, column="volatility", most=100
    )
    assert Martingale(percent=2).rule() == SizeRule(SizeKind.MARTINGALE, 2, factor=2, most=40)
    assert AntiMartingale(percent=2, factor=3).rule() == SizeRule(SizeKind.ANTI_MARTINGALE, 2, factor=3, most=40)
    assert AntiMartingale(reset_after=3).rule().trades == Martingale(reset_after=3).rule().trades == 3
    assert FixedRatio(units=10, delta=100, maximum=50).rule() == SizeRule(SizeKind.FIXED_RATIO, 10, delta=100, most=50)


def test_kelly_waits_for_its_number_of_trades_and_never_begins_above_its_cap() -> None:
    rule = Kelly(window=10, trades=30, start_percent=50, maximum_percent=20, minimum_percent=30).rule()
    assert (rule.window, rule.trades, rule.start, rule.least, rule.most) == (10, 30, 20, 20, 20)
