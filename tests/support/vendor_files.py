"""Files as web sites and exchanges lay them out, each with what must come of it; see `file_variants`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.file_formats import german, text
from tests.support.file_variants import (
    COMMAS,
    ISO,
    NEW_YORK,
    QUOTED,
    START,
    FileVariant,
    comma,
    daily,
    days,
    epoch,
    hourly,
    hours,
    lines,
    thousands,
)
from tests.support.program_files import programs, services

_MONTH_FIRST = "%m/%d/%Y"
_STAMP = "%Y-%m-%d %H:%M:%S"


def sites() -> Iterator[FileVariant]:
    """Yield what web sites let people download."""
    yield daily(
        "Nasdaq",
        "HistoricalData_1706000000000.csv",
        "Date,Close/Last,Volume,Open,High,Low",
        "{t},${c},{v},${o},${h},${l}",
        _MONTH_FIRST,
        newest_first=True,
        symbol=None,
    )
    yield daily(
        "Wall Street Journal",
        "HistoricalPrices.csv",
        "Date, Open, High, Low, Close, Volume",
        "{t}, {o}, {h}, {l}, {c}, {v}",
        "%m/%d/%y",
        newest_first=True,
        symbol=None,
    )
    yield daily(
        "MarketWatch",
        "Download Data - STOCK_US_XNAS_AAPL.csv",
        "Date,Open,High,Low,Close,Volume",
        QUOTED,
        _MONTH_FIRST,
        symbol="AAPL",
    )
    yield daily(
        "Google Sheets",
        "AAPL.csv",
        "Date,Open,High,Low,Close,Volume",
        how="%m/%d/%Y 16:00:00",
        first=NEW_YORK,
        symbol="AAPL",
    )
    yield daily(
        "Barchart",
        "esh24_daily_historical-data-02-01-2024.csv",
        'Symbol,Time,Open,High,Low,Last,Change,%Chg,Volume,"Open Int"',
        "ESH24,{t},{o},{h},{l},{c},1,+1%,{v},9",
        _MONTH_FIRST,
        newest_first=True,
        symbol="ESH24",
        footer='"Downloaded from Barchart.com as of 02-01-2024 05:11pm CST"',
    )
    yield daily(
        "Barchart, latest",
        "esh24_price-history-02-01-2024.csv",
        "Time,Open,High,Low,Latest,Change,%Change,Volume",
        '{t},{o},{h},{l},{c},+1,"+1%",{v}',
        newest_first=True,
        footer='"Downloaded from Barchart.com as of 02-01-2024 05:11pm CST"',
    )
    yield daily(
        "CoinMarketCap",
        "Bitcoin_1_1_2024-1_31_2024_historical_data_coinmarketcap.csv",
        "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;circulatingSupply;timestamp",
        '"{t}T00:00:00.000Z";"{t}T23:59:59.999Z";"{t}T05:00:00.000Z";"{t}T09:00:00.000Z";"2781";'
        '{o};{h};{l};{c};{v};5;19;"{t}T23:59:59.999Z"',
        newest_first=True,
    )
    yield daily("Stooq index", "^spx_d.csv", "Date,Open,High,Low,Close", "{t},{o},{h},{l},{c}", volume=0, symbol="^SPX")
    yield hourly(
        "Stooq hours",
        "cdr_60.csv",
        "Data,Czas,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
        COMMAS,
        "%Y-%m-%d,%H:%M:%S",
        symbol="CDR",
    )
    yield from _investing()
    yield daily(
        "Ariva",
        "wkn_710000_historic.csv",
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen",
        "{t};{o};{h};{l};{c};{v};999",
        price=german,
        newest_first=True,
    )
    yield daily(
        "Frankfurt",
        "x.csv",
        "Datum;Eröffnung;Tageshoch;Tagestief;Schluss;Umsatz;Stücke",
        "{t};{o};{h};{l};{c};999;{v}",
        "%d.%m.%Y",
        price=german,
        newest_first=True,
    )
    yield daily(
        "comdirect",
        "dax.csv",
        '"DAX";"WKN: 846900";;;;\n;;;;;\n"Datum";"Eröffnung";"Hoch";"Tief";"Schluss";"Volumen"',
        QUOTED.replace(",", ";"),
        "%d.%m.%Y",
        price=german,
        scale=160.0,
        newest_first=True,
        encoding="cp1252",
        symbol="DAX",
    )
    yield daily(
        "Boursorama",
        "x.txt",
        "date\touv\thaut\tbas\tclot\tvol\tdevise\t",
        "{t}\t{o}\t{h}\t{l}\t{c}\t{v}\tEUR\t",
        "%d/%m/%Y 00:00",
    )


_INVESTING = {
    "German": ('"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"', "%d.%m.%Y", german),
    "French": ('"Date","Dernier","Ouv."," Plus Haut","Plus Bas","Vol.","Variation %"', "%d/%m/%Y", german),
    "Spanish": ('"Fecha","Último","Apertura","Máximo","Mínimo","Vol.","% var."', "%d.%m.%Y", german),
    "Italian": ('"Data","Ultimo","Apertura","Massimo","Minimo","Vol.","Var. %"', "%d.%m.%Y", german),
    "Portuguese": ('"Data","Último","Abertura","Máxima","Mínima","Vol.","Var%"', "%d.%m.%Y", german),
    "Dutch": ('"Datum","Laatste","Open","Hoog","Laag","Vol.","Verschil %"', "%d-%m-%Y", german),
    "Swedish": ('"Datum","Senaste","Öppning","Högst","Lägst","Vol.","+/- %"', ISO, german),
    "Finnish": ('"Päivämäärä","Viimeisin","Avaus","Ylin","Alin","Vol.","Muutos %"', "%d.%m.%Y", german),
    "Polish": ('"Data","Ostatnio","Otwarcie","Max.","Min.","Wol.","Zmiana%"', "%d.%m.%Y", german),
    "Turkish": ('"Tarih","Şimdi","Açılış","Yüksek","Düşük","Hac.","Fark %"', "%d.%m.%Y", german),  # noqa: RUF001
    "Russian": ('"Дата","Цена","Откр.","Макс.","Мин.","Объём","Изм. %"', "%d.%m.%Y", german),
    "Chinese": ('"日期","收盘","开盘","高","低","交易量","涨跌幅"', ISO, thousands(",")),
    "Chinese of Hong Kong": ('"日期","收市","開市","高","低","成交量","更改%"', "%Y年%m月%d日", thousands(",")),
    "Japanese": ('"日付け","終値","始値","高値","安値","出来高","変化率 %"', "%Y年%m月%d日", thousands(",")),
    "Korean": ('"날짜","종가","시가","고가","저가","거래량","변동 %"', "%Y- %m- %d", thousands(",")),
    "English": ('"Date","Price","Open","High","Low","Vol.","Change %"', _MONTH_FIRST, thousands(",")),
    "British": ('"Date","Price","Open","High","Low","Vol.","Change %"', "%d/%m/%Y", thousands(",")),
}


def _investing() -> Iterator[FileVariant]:
    for language, (header, how, price) in _INVESTING.items():
        decimal = "," if price is german else "."
        rows = lines(
            days(how),
            '"{t}","{c}","{o}","{h}","{l}","{v}","0,5%"',
            scale=160.0,
            price=price,
            volume=lambda n, d=decimal: f"{n / 1000:.3f}K".replace(".", d),  # type: ignore[misc]
        )
        data = text(header, rows[::-1], encoding="utf-8-sig")
        yield FileVariant(f"Investing.com, {language}", "SAP Historical Data.csv", data, scale=160.0, symbol="SAP")
    bare = lines(days("%d.%m.%Y"), '"{t}","{c}","{o}","{h}","{l}","","0,5%"', price=german)
    yield FileVariant("Investing.com, no volume", "x.csv", text(_INVESTING["German"][0], bare[::-1]), volume=0)


def coins() -> Iterator[FileVariant]:
    """Yield what exchanges of coins and their programs write."""
    ms, seconds = epoch(1000), epoch(1)
    yield hourly(
        "Binance futures",
        "BTCUSDT-1h-2024-01.csv",
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,"
        "ignore",
        COMMAS + ",1,2,3,4,5,0",
        ms,
        symbol="BTCUSDT",
    )
    yield hourly(
        "python-binance",
        "btc.csv",
        "Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume,Number of trades",
        COMMAS + ",x,2,3",
        _STAMP,
    )
    yield hourly(
        "Bybit",
        "x.csv",
        "timestamp,symbol,interval,open,high,low,close,volume,turnover",
        "{t},BTCUSDT,60,{o},{h},{l},{c},{v},9",
        ms,
        symbol="BTCUSDT",
    )
    yield hourly(
        "Bybit, start_at", "x.csv", "start_at,period,open,high,low,close,volume", "{t},60,{o},{h},{l},{c},{v}", seconds
    )
    yield hourly("OKX", "x.csv", "ts,o,h,l,c,vol,volCcy,volCcyQuote,confirm", COMMAS + ",8,9,1", ms, newest_first=True)
    yield hourly("Coinbase", "x.csv", "time,low,high,open,close,volume", "{t},{l},{h},{o},{c},{v}", seconds)
    yield hourly("Kraken", "XBTUSD_60.csv", "", COMMAS + ",42", seconds, symbol="XBTUSD")
    yield hourly(
        "CryptoDataDownload, Bitstamp",
        "Bitstamp_BTCUSD_1h.csv",
        "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USD",
        "{t},BTC/USD,{o},{h},{l},{c},{v},9",
        lambda when: f"{seconds(when)},{when:%Y-%m-%d %H:%M:%S}",
        newest_first=True,
        symbol="BTC/USD",
    )
    yield hourly(
        "CryptoDataDownload, older",
        "Coinbase_BTCUSD_1h.csv",
        "https://www.CryptoDataDownload.com\nDate,Symbol,Open,High,Low,Close,Volume BTC,Volume USD",
        "{t},BTCUSD,{o},{h},{l},{c},{v},9",
        "%Y-%m-%d %I-%p",
        newest_first=True,
        symbol="BTCUSD",
    )


def exchanges() -> Iterator[FileVariant]:
    """Yield what stock exchanges publish."""
    yield daily(
        "NSE",
        "x.csv",
        '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","VOLUME ","VALUE "',
        '"{t}","EQ","{o}","{h}","{l}","1","2","{c}","3","{v}","6"',
        "%d-%b-%Y",
        price=thousands(","),
        scale=40.0,
        encoding="utf-8-sig",
        newest_first=True,
    )
    yield daily(
        "NSE, bhavcopy",
        "x.csv",
        "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,",
        "TCS,EQ,{o},{h},{l},{c},5,6,{v},8,{t},9,INE,",
        lambda day: day.strftime("%d-%b-%Y").upper(),
        symbol="TCS",
    )
    yield daily(
        "BSE",
        "532540.csv",
        "Date,Open Price,High Price,Low Price,Close Price,WAP,No.of Shares,No. of Trades,Total Turnover (Rs.)",
        "{t},{o},{h},{l},{c},5,{v},7,8,",
        "%d-%B-%Y",
        newest_first=True,
        symbol="532540",
    )
    yield daily(
        "MOEX",
        "x.csv",
        "history\n\nBOARDID;TRADEDATE;SHORTNAME;SECID;NUMTRADES;VALUE;OPEN;LOW;HIGH;LEGALCLOSEPRICE;CLOSE;VOLUME",
        "TQBR;{t};Сбербанк;SBER;5;6;{o};{l};{h};7;{c};{v}",
        encoding="cp1251",
        symbol="SBER",
    )
    yield hourly(
        "MOEX, candles", "x.csv", "candles\n\nopen;close;high;low;value;volume;begin;end",
        "{o};{c};{h};{l};5;{v};{t};{t}", _STAMP,
    )  # fmt: skip
    yield daily(
        "Euronext",
        "x.csv",
        '"Historical Data"\n"From 2024-01-15 to 2024-02-28"\n"NL0000235190"\n'
        'Date;Open;High;Low;Last;Close;"Number of Shares";"Number of Trades";Turnover',
        "{t};{o};{h};{l};1;{c};{v};5;6",
        "%d/%m/%Y",
        newest_first=True,
    )
    yield daily(
        "Nasdaq Nordic",
        "x.csv",
        "sep=;\nDate;Bid;Ask;Opening price;High price;Low price;Closing price;Average price;Total volume;Turnover;",
        "{t};1;2;{o};{h};{l};{c};9;{v};5;",
        price=comma,
        newest_first=True,
    )
    yield daily(
        "Taiwan",
        "x.csv",
        "113年01月 2330 台積電 各日成交資訊\n日期,成交股數,成交金額,開盤價,最高價,最低價,收盤價,漲跌價差,成交筆數,",
        '"{t}","{v}","9","{o}","{h}","{l}","{c}","1","9",',
        lambda day: f"{day.year - 1911}/{day.month:02}/{day.day:02}",
        encoding="big5",
    )
    yield daily(
        "Korea",
        "x.csv",
        "일자,종가,대비,등락률,시가,고가,저가,거래량,거래대금",
        "{t},{c},1,0.1,{o},{h},{l},{v},99",
        "%Y/%m/%d",
        encoding="cp949",
        newest_first=True,
    )


def vendor_files() -> list[FileVariant]:
    """Return all of them."""
    return [*sites(), *coins(), *programs(), *services(), *exchanges()]


def refused() -> tuple[tuple[str, bytes, str], ...]:
    """Return files that are no bars, or say too little: name, content, and what must be said of them."""
    ticks = [f"20240115 0000{second:02}123,1.1,1.2,0" for second in range(30)]
    bids = "DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose"
    clock = lines([str(34_200_000 + 60_000 * minute) for minute in range(30)])
    return (
        ("DAT_ASCII_EURUSD_T_202401.csv", text("", ticks), "no column for 'close'"),
        ("x.csv", text(bids, lines(hours(_STAMP), "{t},{o},{h},{l},{c},1,1,1,1")), "Name it under 'columns'"),
        ("20240115_aapl_minute_trade.csv", text("", clock), "too small for seconds since 1970"),
        ("x.csv", text("Date,Price", [f"{START:%Y-%m-%d},100"]), "no column for 'open', 'high' or 'low'"),
    )
