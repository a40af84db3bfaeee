"""backtrader strategies for workers; nothing here knows of QuantCrafter."""

import backtrader as bt


class Random(bt.Strategy):
    """Does otherwise each time that it gets the same bars."""

    runs = 0

    def __init__(self) -> None:
        Random.runs += 1

    def next(self) -> None:
        if len(self) == 3:
            self.buy(size=Random.runs)


class Counting(bt.Strategy):
    """Keeps what it has seen, and tries to buy on each bar."""

    def __init__(self) -> None:
        self.seen = 0
        self.rejected = 0
        self.last_close = 0.0

    def notify_order(self, order) -> None:
        self.rejected += order.status == order.Rejected

    def next(self) -> None:
        self.seen += 1
        self.last_close = self.data.close[0]
        self.buy(size=1)
