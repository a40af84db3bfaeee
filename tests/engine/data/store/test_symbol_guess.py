"""The symbol that a file's name gives away: right, or None, which means that the user is asked."""

from __future__ import annotations

import pytest

from quantcrafter.engine.data.store.symbol_guess import exchange_in, symbol_in


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BATS_AAPL, 1D.csv", "AAPL"),
        ("BATS_MSFT, 1D.csv", "MSFT"),
        ("NASDAQ_AAPL, 60_a1b2c.csv", "AAPL"),
        ("CME_MINI_ES1!, 1D.csv", "ES1!"),
        ("BINANCE_BTCUSDT.P, 240.csv", "BTCUSDT.P"),
        ("OANDA_EURUSD, 15 (2).csv", "EURUSD"),
        ("NSE_M_M, 1D.csv", "M_M"),
        ("DAT_ASCII_EURUSD_M1_202401.csv", "EURUSD"),
        ("DAT_MT_EURUSD_M1_2023.csv", "EURUSD"),
        ("HISTDATA_COM_ASCII_EURUSD_M1_202401.zip", "EURUSD"),
        ("intraday_30min_IBM.csv", "IBM"),
        ("daily_IBM.csv", "IBM"),
        ("daily_adjusted_IBM.csv", "IBM"),
        ("BTCUSDT-1h-2024-01.csv", "BTCUSDT"),
        ("BTCUSDT-1h-2024-01.zip", "BTCUSDT"),
        ("BTCUSDT-1d-2024-01-15.zip", "BTCUSDT"),
        ("BTCUSDT-1d.csv", "BTCUSDT"),
        ("EURUSD60.csv", "EURUSD"),
        ("EURUSD1440.csv", "EURUSD"),
        ("US30.csv", "US30"),
        ("US30_H1.csv", "US30"),
        ("EURUSD_H1_202401150000_202401152300.csv", "EURUSD"),
        ("EURUSD_H1.csv", "EURUSD"),
        ("XBTUSD_60.csv", "XBTUSD"),
        ("Binance_BTCUSDT_1h.csv", "BTCUSDT"),
        ("Bitstamp_BTCUSD_2024_minute.csv", "BTCUSD"),
        ("gemini_BTCUSD_2020_1min.csv", "BTCUSD"),
        ("Coinbase_BTCUSD_d.csv", "BTCUSD"),
        ("aapl_us_d.csv", "AAPL.US"),
        ("aapl.us.txt", "AAPL.US"),
        ("^spx_d.csv", "^SPX"),
        ("AAPL.csv", "AAPL"),
        ("^GSPC.csv", "^GSPC"),
        ("EURUSD=X.csv", "EURUSD=X"),
        ("BRK-B.csv", "BRK-B"),
        ("0700.HK.csv", "0700.HK"),
        ("000001.SZ.csv", "000001.SZ"),
        ("000001.csv", "000001"),
        ("EURUSD_Candlestick_1_M_BID_01.01.2024-31.01.2024.csv", "EURUSD"),
        ("eurusd-m1-bid-2024-01-01-2024-01-31.csv", "EURUSD"),
        ("S&P 500 Historical Data.csv", None),
        ("AAPL Historical Data.csv", "AAPL"),
        ("EUR_USD Historical Data.csv", "EURUSD"),
        ("aapl_daily_historical-data-02-29-2024.csv", "AAPL"),
        ("aapl_intraday-30min_historical-data-download-02-29-2024.csv", "AAPL"),
        ("ES 03-24.Last.txt", "ES 03-24"),
        ("spy_1d.csv", "SPY"),
        ("SPY.csv.gz", "SPY"),
        ("BTC-USDT_5m_2024.parquet", "BTC-USDT"),
        ("ohlcv_EURUSD_M15.csv", "EURUSD"),
        ("/data/2024-01 daily Brk.B.txt", "Brk.B"),
        ("daily.csv", None),
        ("my_backtest_file.csv", None),
        ("spy_more.csv", None),
        ("ICE.csv", "ICE"),
        ("data.csv", None),
        ("500.csv", None),
        ("AAPL_MSFT.csv", None),
        ("AAPL (1).csv", "AAPL"),
        ("GOOG 2024.csv", "GOOG"),
        ("x.csv", "X"),
        ("prices_2024.csv", None),
        ("2024-01-16.csv.gz", None),
        ("SP_500.csv", None),
        ("book.xlsx", None),
        ("AAPL-daily.csv", "AAPL"),
        ("SPY-D1.csv", "SPY"),
        ("BTC-USD-1h-2024-01.csv", "BTC-USD"),
        ("Quote-Equity-TATAMOTORS-EQ-01-01-2024-to-31-01-2024.csv", "TATAMOTORS"),
        ("Quote-Equity-BAJAJ-AUTO-EQ-01-01-2024-to-31-01-2024.csv", "BAJAJ-AUTO"),
        ("BTCUSDT-fundingRate-2024-01.csv", None),
        ("ES_H24.csv", None),
        ("ES-H24.csv", "ES-H24"),
    ],
)
def test_a_name_gives_its_symbol_or_none(name: str, symbol: str | None) -> None:
    assert symbol_in(name) == symbol


def test_two_instruments_of_one_program_never_get_one_name() -> None:
    patterns = (
        "BATS_{}, 1D.csv",
        "DAT_ASCII_{}_M1_202401.csv",
        "intraday_30min_{}.csv",
        "{}-1h-2024-01.zip",
        "{}_H1.csv",
    )
    for pattern in patterns:
        assert {symbol_in(pattern.format(name)) for name in ("AAPL", "MSFT")} == {"AAPL", "MSFT"}


@pytest.mark.parametrize(
    ("names", "symbols"),
    [
        (("BTCUSDT_1h.csv", "BTCUSDT_PERP_1h.csv"), ("BTCUSDT", "BTCUSDT_PERP")),
        (("Binance_BTCUSDT_1h.csv", "Binance_BTCUSDT_perpetual_1h.csv"), ("BTCUSDT", "BTCUSDT_PERP")),
        (("BTCUSDT_spot_1h.csv", "BTCUSDT_futures_1h.csv"), ("BTCUSDT", "BTCUSDT_PERP")),
        (("BTCUSDT-1h.csv", "BTCUSDT-PERP-1h.csv"), ("BTCUSDT", "BTCUSDT-PERP")),
        (("BTCUSD_PERP-1d-2024-01.csv", "BTCUSD_240329-1d-2024-01.csv"), ("BTCUSD_PERP", "BTCUSD_240329")),
        (("EURUSD_BID.csv", "EURUSD_ASK.csv"), ("EURUSD_BID", "EURUSD_ASK")),
        (("ES 03-24.Bid.txt", "ES 03-24.Ask.txt"), ("ES 03-24_BID", "ES 03-24_ASK")),
        (
            (
                "EURUSD_Candlestick_1_M_BID_01.01.2024-31.01.2024.csv",
                "EURUSD_Candlestick_1_M_ASK_01.01.2024-31.01.2024.csv",
            ),
            ("EURUSD", "EURUSD_ASK"),
        ),
        (
            ("eurusd-m1-bid-2024-01-01-2024-01-31.csv", "eurusd-m1-ask-2024-01-01-2024-01-31.csv"),
            ("EURUSD", "EURUSD_ASK"),
        ),
        (
            ("spot/monthly/klines/BTCUSDT-1h-2024-01.zip", "futures/um/monthly/klines/BTCUSDT-1h-2024-01.zip"),
            ("BTCUSDT", "BTCUSDT_PERP"),
        ),
        (("futures/um/markPriceKlines/BTCUSDT-1h.csv", "futures/um/indexPriceKlines/BTCUSDT-1h.csv"), (None, None)),
        *(
            ((f"spot/{name}", f"{folder}/{name}"), ("BTCUSDT", "BTCUSDT_PERP"))
            for name in ("BTCUSDT-1h.csv", "BTCUSDT_1h_2024.csv")
            for folder in ("USDT-Futures", "usdt_m_futures", "contract", "fapi", "bitget/USDT-Margined Contracts")
        ),
        (("contracts/ESH24.csv", "COIN-Futures/BTCUSD-1h.csv"), ("ESH24", "BTCUSD")),
        (("EURUSD_BID_ASK.csv", "ES_futures_1d.csv"), (None, "ES")),
    ],
)
def test_perpetuals_bids_and_asks_have_a_symbol_of_their_own(
    names: tuple[str, ...], symbols: tuple[str | None, ...]
) -> None:
    assert tuple(map(symbol_in, names)) == symbols


def test_the_exchange_is_the_first_word_of_a_name() -> None:
    assert exchange_in("BINANCE_BTCUSDT, 60.csv") == "binance"
    assert exchange_in("CME_MINI_ES1!, 1D.csv") == "cme_mini"
    assert exchange_in("BTCUSDT-1h.csv") == exchange_in("ICE.csv") == ""


def test_the_exchange_is_also_the_last_word_or_a_folder() -> None:
    assert exchange_in("BTCUSDT_kraken.csv") == exchange_in("kraken/2024/BTCUSDT.csv") == "kraken"
    assert exchange_in("all.zip/BINANCE_BTCUSDT.csv") == exchange_in("coins/binance.zip/BTCUSDT.csv") == "binance"
    assert exchange_in("crypto/index/BTCUSDT.csv") == exchange_in("EURUSD_fx.csv") == exchange_in("AAPL.csv") == ""
