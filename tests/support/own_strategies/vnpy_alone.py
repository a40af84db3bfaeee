"""Run a strategy on vnpy's own backtester, without QuantCrafter: bars in as JSON, trades out as JSON."""

import importlib
import json
import sys
from datetime import datetime, timedelta

from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import BarData
from vnpy_ctastrategy.backtesting import BacktestingEngine

task = json.load(sys.stdin)
engine = BacktestingEngine()
engine.output = lambda _: None
engine.load_bar = lambda *_: []  # as a database without bars before the start
start = datetime(1970, 1, 1)  # noqa: DTZ001 - vnpy takes naive times
engine.set_parameters(
    vt_symbol="X.LOCAL",
    interval=Interval.DAILY,
    start=start,
    end=start + timedelta(days=5000),
    rate=task["rate"],
    slippage=0,
    size=1,
    pricetick=0.01,
    capital=task["capital"],
)
engine.add_strategy(getattr(importlib.import_module(task["module"]), task["class"]), task["setting"])
engine.history_data = [
    BarData("DB", "X", Exchange.LOCAL, start + timedelta(days=day), Interval.DAILY, 1000.0, 0, 0, *row)
    for day, row in enumerate(task["bars"])
]
engine.run_backtesting()
pnl = engine.calculate_result()["net_pnl"].sum()
trades = [
    [(trade.datetime - start).days, trade.direction.name, trade.offset.name, trade.price, trade.volume]
    for trade in engine.get_all_trades()
]
json.dump({"trades": trades, "pnl": pnl}, sys.stdout)
