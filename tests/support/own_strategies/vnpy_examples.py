"""vnpy strategies as users write them; nothing here knows of QuantCrafter."""

from vnpy_ctastrategy import ArrayManager, CtaTemplate


class DoubleMa(CtaTemplate):
    author = "a user"
    fast = 5
    slow = 15
    parameters = ["fast", "slow"]
    variables = ["fast_now"]
    fast_now = 0.0

    def on_init(self) -> None:
        self.am = ArrayManager(size=40)
        self.load_bar(10)

    def on_bar(self, bar) -> None:
        self.cancel_all()
        self.am.update_bar(bar)
        if not self.am.inited:
            return
        fast = self.am.sma(self.fast, array=True)
        slow = self.am.sma(self.slow, array=True)
        self.fast_now = fast[-1]
        if fast[-1] > slow[-1] and fast[-2] <= slow[-2]:
            if self.pos < 0:
                self.cover(bar.close_price * 1.02, abs(self.pos))
            self.buy(bar.close_price * 1.02, 3)
        elif fast[-1] < slow[-1] and fast[-2] >= slow[-2]:
            if self.pos > 0:
                self.sell(bar.close_price * 0.98, abs(self.pos))
            self.short(bar.close_price * 0.98, 3)
        self.put_event()


class Breakout(CtaTemplate):
    """Stop entries outside the last bars, a stop and a limit around the position; fractional volumes."""

    look = 8
    parameters = ["look"]

    def on_init(self) -> None:
        self.highs, self.lows, self.entry = [], [], 0.0

    def on_trade(self, trade) -> None:
        self.entry = trade.price

    def on_bar(self, bar) -> None:
        self.cancel_all()
        self.highs = [*self.highs, bar.high_price][-self.look :]
        self.lows = [*self.lows, bar.low_price][-self.look :]
        if len(self.highs) < self.look:
            return
        if self.pos == 0:
            self.buy(max(self.highs), 0.25, stop=True)
            self.short(min(self.lows), 0.25, stop=True)
        elif self.pos > 0:
            self.sell(self.entry * 0.985, abs(self.pos), stop=True)
            self.sell(self.entry * 1.02, abs(self.pos))
        else:
            self.cover(self.entry * 1.015, abs(self.pos), stop=True)
            self.cover(self.entry * 0.98, abs(self.pos))


class Broken(CtaTemplate):
    parameters = ["when"]
    when = 5

    def on_init(self) -> None:
        self.seen = 0

    def on_bar(self, _bar) -> None:
        print("a user's print")
        self.seen += 1
        if self.seen == self.when:
            raise ValueError("five")


class Dies(CtaTemplate):
    def on_init(self) -> None:
        import os

        os._exit(3)
