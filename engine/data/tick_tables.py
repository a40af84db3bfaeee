"""Tables of exchanges that say how ticks, and daily limits, depend on the price."""

from __future__ import annotations

from datetime import date

from quantcrafter.engine.api import TickTable

# HKEX, Second Schedule of the Rules of the Exchange, spread table Part A: stocks and real estate funds. Since the first
# phase of the reduction of minimum spreads, prices from 10 to 50 dollars have finer ticks.
_HONG_KONG = (
    (0, 0.001), (0.25, 0.005), (0.5, 0.01), (10, 0.02), (20, 0.05), (100, 0.1), (200, 0.2), (500, 0.5), (1000, 1),
    (2000, 2), (5000, 5),
)  # fmt: skip
_HONG_KONG_2025 = (
    (0, 0.001), (0.25, 0.005), (0.5, 0.01), (20, 0.02), (50, 0.05), (100, 0.1), (200, 0.2), (500, 0.5), (1000, 1),
    (2000, 2), (5000, 5),
)  # fmt: skip
HONG_KONG = (
    TickTable(name="hkex", description="Stocks of Hong Kong.", bands=_HONG_KONG),
    TickTable(name="hkex", description="Stocks of Hong Kong.", bands=_HONG_KONG_2025, since=date(2025, 8, 4)),
)

# Tokyo Stock Exchange, Rule 14 of the Enforcement Rules for Business Regulations, as of 5 June 2023.
TOKYO = (
    TickTable(
        name="tse_other", description="Stocks of Tokyo that aren't in the TOPIX 500.",
        bands=(
            (0, 1), (3000, 5), (5000, 10), (30_000, 50), (50_000, 100), (300_000, 500), (500_000, 1000),
            (3_000_000, 5000), (5_000_000, 10_000), (30_000_000, 50_000), (50_000_000, 100_000),
        ),
    ),
    TickTable(
        name="tse_topix500", description="Stocks of the TOPIX 500.",
        bands=(
            (0, 0.1), (1000, 0.5), (3000, 1), (10_000, 5), (30_000, 10), (100_000, 50), (300_000, 100),
            (1_000_000, 500), (3_000_000, 1000), (10_000_000, 5000), (30_000_000, 10_000),
        ),
    ),
)  # fmt: skip

# Tokyo Stock Exchange, daily price limits: below which base price, by how many yen.
TOKYO_LIMITS = (
    (100, 30), (200, 50), (500, 80), (700, 100), (1000, 150), (1500, 300), (2000, 400), (3000, 500), (5000, 700),
    (7000, 1000), (10_000, 1500), (15_000, 3000), (20_000, 4000), (30_000, 5000), (50_000, 7000), (70_000, 10_000),
    (100_000, 15_000), (150_000, 30_000), (200_000, 40_000), (300_000, 50_000), (500_000, 70_000), (700_000, 100_000),
    (1_000_000, 150_000), (1_500_000, 300_000), (2_000_000, 400_000), (3_000_000, 500_000), (5_000_000, 700_000),
    (7_000_000, 1_000_000), (10_000_000, 1_500_000), (15_000_000, 3_000_000), (20_000_000, 4_000_000),
    (30_000_000, 5_000_000), (50_000_000, 7_000_000), (1e15, 10_000_000),
)  # fmt: skip

# Commission Delegated Regulation (EU) 2017/588 (RTS 11), Annex: price ranges, and the ticks of the least liquid stocks.
# A stock of the next band of liquidity has the tick of the range before, down to that of the lowest range.
_RANGES = (
    0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000,
)  # fmt: skip
_TICKS = (
    0.0001, 0.0001, 0.0001, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
    20, 50, 100, 200, 500,
)  # fmt: skip
_TURNOVERS = ("under 10", "10 to 80", "80 to 600", "600 to 2000", "2000 to 9000", "9000 or more")


def _european(band: int) -> tuple[tuple[float, float], ...]:
    """Return the bands of prices of a band of liquidity, 1 to 6."""
    ticks = _TICKS[6 - band : 6 - band + len(_RANGES)]
    return tuple(zip(map(float, _RANGES), ticks, strict=True))


EUROPE = tuple(
    TickTable(
        name=f"mifid_{band}",
        description=f"Stocks of Europe with {_TURNOVERS[band - 1]} transactions a day.",
        bands=_european(band),
    )
    for band in range(1, 7)
)
