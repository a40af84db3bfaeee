"""BarCache: bars that were loaded before, for a process in which one run follows another."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from quantcrafter.engine.api import BAR_COLUMNS, DataProvider, DataRequest
from quantcrafter.engine.api.foreign import calling, is_own, with_origin
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.load import LoadedBars, load_bars

LIMIT_BYTES = 512 * 1024 * 1024


class BarCache:
    """Loads bars as `load_bars` does, but only once for each `data_version` of their provider.

    Without a version, bars are loaded each time.

    Args:
        limit: bytes to hold at most; the bars used least lately go first.
    """

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, LoadedBars] = OrderedDict()

    def __call__(self, provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
        """Return the bars that `request` asks for.

        Raises:
            DataError: as for `load_bars`.
        """
        version = _version(provider, request)
        if version is None:
            return load_bars(provider, request, on_bad_bars=on_bad_bars)
        key = (type(provider), provider.model_dump_json(), request, on_bad_bars, version)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = load_bars(provider, request, on_bad_bars=on_bad_bars)
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > self._limit:
            self._kept.popitem(last=False)
        return found


def _version(provider: DataProvider, request: DataRequest) -> str | None:
    try:
        subject = Message("{symbol}: data provider '{name}'", symbol=request.symbol, name=provider.name)
        with calling(with_origin(subject, provider), Message("looking"), provider):
            return provider.data_version(request)
    except Exception:
        if is_own(provider):
            raise
        return None  # loading the bars reports the error


def _size(loaded: LoadedBars) -> int:
    bars = loaded.bars
    columns = sum(bars.column(name).nbytes for name in (*BAR_COLUMNS, *bars.extra))
    return columns + bars.open_ns.nbytes + bars.close_ns.nbytes
