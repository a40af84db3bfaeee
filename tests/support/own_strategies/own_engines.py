"""Engines of a user's own, and workers around them, as users of the first generation write them."""

import threading

from strategy_manager.core import StrategyWorker, WorkerState


class MyEngine:
    """Counts in a thread of its own, as an engine that polls prices does."""

    def __init__(self, symbol, params):
        self.symbol = symbol
        self.position = 0
        self.target = params.get("target", 3)
        self._on = threading.Event()
        self._thread = None

    def start(self):
        self._on.set()
        thread = threading.Thread(target=self._poll, daemon=True)
        thread.start()
        self._thread = thread

    def _poll(self):
        while self._on.is_set() and self.position < self.target:
            self.position += 1

    def stop(self):
        self._on.clear()
        if self._thread is not None:
            self._thread.join()


class MyEngineAdapter(StrategyWorker):
    def __init__(self, symbol, strategy_key, params, **kwargs):
        super().__init__(symbol, strategy_key)
        self.engine = MyEngine(symbol, params)

    def run(self):
        self._state = WorkerState.RUNNING
        self.engine.start()
        while not self._stop_event.is_set():
            self._stop_event.wait(timeout=1)
        self._state = WorkerState.STOPPED

    def stop(self, save_state=True):
        if save_state:
            self.save_state()
        self.engine.stop()
        self._stop_event.set()

    def get_stats(self):
        return {"position": self.engine.position}


class Signals:
    def __init__(self):
        self.pos = 0
        self.entry_price = 0.0
        self.bars = []


class RealTimeEngine:
    """Has a strategy with a position and variables, as those around vnpy's templates."""

    def __init__(self, symbol, strategy_params, user_id=None, warmup_days=90):
        self.symbol = symbol
        self.params = strategy_params
        self.warmup_days = warmup_days
        self.strategy = Signals()
        self.running = False

    def start_with_polling(self):
        self.running = True
        self.strategy.pos += 100
        self.strategy.entry_price = 9.5

    def stop(self):
        self.running = False


class Keeping(Signals):
    kept = {}

    def save_state(self):
        Keeping.kept = {"pos": self.pos}
        return True

    def load_state(self):
        self.pos = Keeping.kept.get("pos", 0)
        return True


class KeepingEngine(RealTimeEngine):
    def __init__(self, **given):
        super().__init__(given["symbol"], given["strategy_params"])
        self.strategy = Keeping()


class BrokenEngine:
    def __init__(self, symbol):
        self.symbol = symbol

    def start(self):
        raise OSError("no gateway")


class NoEngine:
    pass


class Failing(StrategyWorker):
    def run(self):
        raise ValueError("out of range")
