"""Files as trading programs and services of data lay them out, each with what must come of it; see `file_variants`."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from tests.support.file_formats import text
from tests.support.file_variants import (
    COMMAS,
    NEW_YORK,
    SEMI,
    TABS,
    FileVariant,
    daily,
    epoch,
    hourly,
    hours,
    lines,
    session,
)

_MONTH_FIRST = "%m/%d/%Y"
_STAMP = "%Y-%m-%d %H:%M:%S"


def programs() -> Iterator[FileVariant]:
    """Yield what trading programs export."""
    yield hourly(
        "MetaTrader 5, Python", "x.csv", "time,open,high,low,close,tick_volume,spread,real_volume", COMMAS + ",7,0",
        epoch(1),
    )  # fmt: skip
    yield daily(
        "MetaTrader 5, days",
        "GOLD_Daily.csv",
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        TABS + "\t0\t7",
        "%Y.%m.%d",
        symbol="GOLD",
    )
    yield hourly(
        "Sierra Chart",
        "ESH24-BarData.txt",
        "Date, Time, Open, High, Low, Last, Volume, NumberOfTrades, BidVolume, AskVolume",
        "{t}, {o}, {h}, {l}, {c}, {v}, 5, 2, 3",
        lambda when: f"{when.year}/{when.month}/{when.day}, {when:%H:%M:%S}.000000",
    )
    yield hourly(
        "MetaStock",
        "EURUSD.txt",
        "<TICKER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
        "EURUSD," + COMMAS,
        "%Y%m%d,%H%M%S",
        symbol="EURUSD",
    )
    yield hourly(
        "Finam",
        "SBER_240115_240201.txt",
        "<TICKER>;<PER>;<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>",
        "SBER;60;" + SEMI,
        "%Y%m%d;%H%M%S",
        symbol="SBER",
    )
    yield hourly(
        "AmiBroker",
        "x.csv",
        "Ticker,Date/Time,Open,High,Low,Close,Volume",
        "AAPL," + COMMAS,
        "%m/%d/%Y %I:%M:%S %p",
        symbol="AAPL",
    )
    yield hourly("MultiCharts", "x.txt", '"Date","Time","O","H","L","C","V","OI"', COMMAS + ",0", "%m/%d/%Y,%H:%M:%S")
    yield hourly("cTrader", "x.csv", "Date,Time,Open,High,Low,Close,Volume", COMMAS, "%d/%m/%Y,%H:%M:%S.000")
    yield hourly("Tickstory", "EURUSD.csv", "Timestamp,Open,High,Low,Close,Volume", COMMAS, "%Y%m%d %H:%M:%S:000")
    yield daily(
        "TradeStation, days",
        "x.txt",
        '"Date","Time","Open","High","Low","Close","Vol","OI"',
        COMMAS + ",0",
        "%m/%d/%Y,16:00",
        first=NEW_YORK,
    )
    yield hourly(
        "OANDA", "x.csv", "time,complete,volume,mid.o,mid.h,mid.l,mid.c", "{t},True,{v},{o},{h},{l},{c}",
        "%Y-%m-%dT%H:%M:%S.000000000Z", symbol="X",
    )  # fmt: skip
    yield daily(
        "Tongdaxin",
        "SZ#000001.txt",
        "000001 平安银行 日线 前复权\n      日期\t    开盘\t    最高\t    最低\t    收盘\t    成交量\t    成交额",
        TABS + "\t999.00",
        "%Y/%m/%d",
        footer="数据来源:通达信",
        encoding="gb18030",
    )
    yield daily(
        "Tonghuashun",
        "x.txt",
        "时间\t开盘\t最高\t最低\t收盘\t涨幅\t振幅\t总手\t金额",
        "{t}\t{o}\t{h}\t{l}\t{c}\t1%\t2%\t{v}\t9",
        lambda day: f"{day:%Y-%m-%d},{'一二三四五六日'[day.weekday()]}",
        encoding="gb18030",
    )


def services() -> Iterator[FileVariant]:
    """Yield what services of data and their packages write."""
    yield daily(
        "Alpha Vantage, adjusted",
        "daily_adjusted_IBM.csv",
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
        "{t},{o},{h},{l},{c},9.9,{v},0.0000,1.0",
        newest_first=True,
        symbol="IBM",
    )
    yield daily(
        "Tiingo",
        "x.csv",
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
        "{t},{c},{h},{l},{o},{v},5,5,5,5,5,0,1",
        "%Y-%m-%d 00:00:00+00:00",
    )
    yield daily(
        "EOD Historical Data",
        "x.csv",
        "Date,Open,High,Low,Close,Adjusted_close,Volume",
        "{t},{o},{h},{l},{c},5,{v}",
        footer="30",
    )
    yield hourly(
        "EOD Historical Data, hours",
        "x.csv",
        "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume",
        COMMAS,
        lambda when: f"{epoch(1)(when)},0,{when:%Y-%m-%d %H:%M:%S}",
    )
    yield hourly("Twelve Data", "x.csv", "datetime;open;high;low;close;volume", SEMI, _STAMP, newest_first=True)
    yield daily("Finnhub", "x.csv", "c,h,l,o,s,t,v", "{c},{h},{l},{o},ok,{t},{v}", epoch(1))
    yield hourly("Polygon", "x.csv", "v,vw,o,c,h,l,t,n", "{v},{w},{o},{c},{h},{l},{t},5", epoch(1000))
    mine = lines(hours(epoch(1_000_000_000)), "X,{v},{o},{c},{h},{l},{t},5")
    others = [line.replace("X,", "A,", 1) for line in lines(hours(epoch(1_000_000_000)), "X,9,9,9,9,9,{t},5")]
    flat = text(
        "ticker,volume,open,close,high,low,window_start,transactions",
        [line for pair in zip(others, mine, strict=True) for line in pair],
    )
    yield FileVariant("Polygon, all tickers", "2024-01-15.csv.gz", gzip.compress(flat, mtime=0))
    yield hourly(
        "Databento without symbols",
        "x.csv",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume",
        "{t},34,1,5,{o}0000000,{h}0000000,{l}0000000,{c}0000000,{v}",
        "%Y-%m-%dT%H:%M:%S.000000000Z",
    )
    yield daily(
        "Alpaca",
        "x.csv",
        "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
        "AAPL,{t},{o},{h},{l},{c},{v},5,6",
        "%Y-%m-%d 05:00:00+00:00",
        first="2024-01-15T05:00",
        symbol="AAPL",
    )
    yield session("FirstRate Data", "AAPL_30min.txt", "", COMMAS, _STAMP, symbol="AAPL")
    yield session("Kibot", "AAPL.txt", "", COMMAS, "%m/%d/%Y,%H:%M", symbol="AAPL")
    yield daily("Bloomberg", "x.csv", "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME", how=_MONTH_FIRST, symbol="X")
    yield daily(
        "Refinitiv",
        "x.csv",
        "Exchange Date,Close,Net,%Chg,Open,Low,High,Volume",
        "{t},{c},1,2,{o},{l},{h},{v}",
        "%d-%b-%Y",
        newest_first=True,
    )
    yield hourly(
        "Tick History",
        "x.csv",
        "#RIC,Domain,Date-Time,GMT Offset,Type,Open,High,Low,Last,Volume,No. Trades",
        "AAPL.O,Market Price,{t},-5,Intraday 1Hour,{o},{h},{l},{c},{v},7",
        "%Y-%m-%dT%H:%M:%S.000000000Z",
        symbol="AAPL.O",
    )
    yield daily(
        "yfinance, long",
        "x.csv",
        "Date,Ticker,Adj Close,Close,High,Low,Open,Volume",
        "{t},AAPL,5,{c},{h},{l},{o},{v}",
        symbol="AAPL",
    )
    yield daily("JoinQuant", "000001.XSHE.csv", ",open,close,high,low,volume,money", "{t},{o},{c},{h},{l},{v},9")
    yield daily(
        "akshare",
        "000001.csv",
        "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅",
        "{t},000001,{o},{c},{h},{l},{v},9,1,1",
        symbol="000001",
    )
    rows = lines(hours("%Y-%m-%d,%Y%m%d%H%M%S000", minutes=5), "{t},sh.600000,{o},{h},{l},{c},{v},9,3")
    header = "date,time,code,open,high,low,close,volume,amount,adjustflag"
    yield FileVariant("baostock", "sh.600000.csv", text(header, rows), symbol="sh.600000")
    yield daily(
        "Wind",
        "x.csv",
        "代码,简称,日期,开盘价(元),最高价(元),最低价(元),收盘价(元),成交量(股)",
        "000001.SZ,平安,{t},{o},{h},{l},{c},{v}",
        encoding="gb18030",
        symbol="000001.SZ",
    )
    yield daily(
        "RiceQuant",
        "x.csv",
        "order_book_id,datetime,open,high,low,close,volume,total_turnover",
        "000001.XSHE,{t},{o},{h},{l},{c},{v},2",
        symbol="000001.XSHE",
    )
    yield hourly(
        "vn.py",
        "x.csv",
        "datetime,symbol,exchange,volume,turnover,open_interest,open_price,high_price,low_price,close_price",
        "{t},rb2405,SHFE,{v},1,2,{o},{h},{l},{c}",
        "%Y-%m-%d %H:%M:%S+00:00",
        symbol="rb2405",
    )
