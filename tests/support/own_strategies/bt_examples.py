"""backtrader strategies as users write them; nothing here knows of QuantCrafter."""

import backtrader as bt


class SmaCross(bt.Strategy):
    params = (("fast", 10), ("slow", 30), ("stake", 7))

    def __init__(self) -> None:
        fast = bt.ind.SMA(period=self.p.fast)
        slow = bt.ind.SMA(period=self.p.slow)
        self.cross = bt.ind.CrossOver(fast, slow)

    def next(self) -> None:
        if self.cross > 0:
            self.close()
            self.buy(size=self.p.stake)
        elif self.cross < 0:
            self.close()
            self.sell(size=self.p.stake)


class Brackets(bt.Strategy):
    """Buys dips by a limit order with a bracket around it, sized by what cash is left."""

    params = (("dip", 0.01), ("stop", 0.02), ("target", 0.03))

    def __init__(self) -> None:
        self.open_orders = []

    def next(self) -> None:
        self.open_orders = [order for order in self.open_orders if order.alive()]
        if not self.position and not self.open_orders:
            price = self.data.close[0] * (1 - self.p.dip)
            size = 0.5 * self.broker.getcash() / price
            self.open_orders = self.buy_bracket(
                size=size,
                price=price,
                limitprice=price * (1 + self.p.target),
                stopprice=price * (1 - self.p.stop),
            )


class Pairs(bt.Strategy):
    """Holds the stronger of two stocks, turning round with one order of double size now and then."""

    params = (("look", 20),)

    def next(self) -> None:
        if len(self.data0) <= self.p.look or len(self) % 10:
            return
        gains = [data.close[0] / data.close[-self.p.look] for data in self.datas]
        for data, gain in zip(self.datas, gains, strict=True):
            want = 5 if gain == max(gains) else -5
            held = self.getposition(data).size
            if want > held:
                self.buy(data, size=want - held)
            elif want < held:
                self.sell(data, size=held - want)


class Steps(bt.Strategy):
    """Buys in two steps and sells in three, long and short."""

    def next(self) -> None:
        step, side = len(self) % 12, 1 if len(self) // 12 % 2 else -1
        trade = self.buy if side > 0 else self.sell
        leave = self.sell if side > 0 else self.buy
        if step in (1, 2):
            trade(size=5)
        elif step in (5, 6, 8):
            leave(size=4 if step == 5 else 3)


class Broken(bt.Strategy):
    def next(self) -> None:
        if len(self) == 5:
            raise ValueError("five")
