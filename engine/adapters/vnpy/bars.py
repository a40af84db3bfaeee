"""Our bars as vnpy has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import BarData

from quantcrafter.engine.api.bars import Bars

GATEWAY = "BACKTESTING"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERVALS = {"1m": Interval.MINUTE, "1h": Interval.HOUR, "1d": Interval.DAILY, "1w": Interval.WEEKLY}


def vt_symbol(symbol: str) -> str:
    """Return the symbol as vnpy writes it; it splits at a dot, so ours may have none."""
    return f"{symbol.replace('.', '_')}.{Exchange.LOCAL.value}"


def interval_of(bars: Bars) -> Interval:
    """Return vnpy's name of the timeframe, or minutes where it has none; no fill depends on it."""
    return _INTERVALS.get(str(bars.timeframe), Interval.MINUTE)


def bar_list(bars: Bars) -> list[BarData]:
    """Return the bars, each at the time at which it opened in the venue's zone, as vnpy stamps them."""
    zone = ZoneInfo(bars.session.timezone)
    symbol, interval = vt_symbol(bars.symbol).partition(".")[0], interval_of(bars)
    columns = (bars.open_ns, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return [
        BarData(
            gateway_name=GATEWAY,
            symbol=symbol,
            exchange=Exchange.LOCAL,
            datetime=(_EPOCH + timedelta(microseconds=opened // 1_000)).astimezone(zone),
            interval=interval,
            open_price=open_,
            high_price=high,
            low_price=low,
            close_price=close,
            volume=volume,
        )
        for opened, open_, high, low, close, volume in zip(*(column.tolist() for column in columns), strict=True)
    ]
