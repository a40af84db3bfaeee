"""Download a symbol's bars into the store, or what is new of them.

1. What is stored says where to begin: nothing, at `since`; else some bars before the newest one, which are compared.
2. Page by page, the bars that have closed are put aside and stored every now and then, and at the end, however it ends:
   what was downloaded before a fault or Ctrl-C is kept, and the next download goes on from there.
3. Where stored bars have other prices than the same bars now, prices were adjusted since, as after a split: the series
   is downloaded anew and replaced as a whole. Bars that the server has no more are adjusted by the same factor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from quantcrafter.engine.api import (
    AS_TRADED,
    BarQuery,
    Bars,
    DataError,
    DataRequest,
    DownloadProvider,
    Listing,
    Market,
    QuantCrafterError,
    RunCancelledError,
    Timeframe,
)
from quantcrafter.engine.api.currencies import currency_code
from quantcrafter.engine.api.foreign import is_plain, reason_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.download.adjusting import readjusted, were_adjusted
from quantcrafter.engine.data.download.network import Patience, Requests, Stop, UnreachableError
from quantcrafter.engine.data.download.pages import accept, in_one
from quantcrafter.engine.data.store import BarStore, Origin, Series
from quantcrafter.engine.data.store.bar_columns import with_columns_of
from quantcrafter.engine.trading_calendar.zones import DAY_NS

COMPARED = 10
"""How many of the newest stored bars are downloaded again: the newest may have been corrected, all may be adjusted."""
_LATE_NS = 7 * DAY_NS
_KEEP_S = 20.0
_KEEP_BARS = 20_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What to download.

    `symbol` is the symbol's name at the provider, `name` that in the store. `since_ns` (UTC) is the earliest opening
    time; None goes on with what is stored. `adjustment` is one of the provider's.
    """

    symbol: str
    timeframe: Timeframe
    since_ns: int | None = None
    adjustment: str = AS_TRADED
    name: str = ""

    @property
    def stored_as(self) -> str:
        """The symbol in the store."""
        return self.name or self.symbol


class Downloaded(NamedTuple):
    """What came of a download: the series as it is now, how many bars it gained, whether it was adjusted anew."""

    series: Series
    added: int
    adjusted: bool = False
    notes: tuple[str, ...] = ()


class Progress(NamedTuple):
    """How far a download is: bars so far, the newest of them (UTC ns), and the share of the time that is done."""

    name: str
    bars: int
    reached_ns: int
    share: float


@dataclass(frozen=True)
class Conduct:
    """How downloads are carried out, and who is told.

    `stop` is asked often, and may raise as well; `tell` gets sentences, `step` how far the download is.
    """

    on_bad_bars: str = "refuse"
    stop: Stop = lambda: False
    tell: Callable[[str], object] = lambda _text: None
    step: Callable[[Progress], object] = lambda _progress: None
    patience: Patience = field(default_factory=Patience)


def download(
    store: BarStore, provider: DownloadProvider, wish: Wish, markets: Sequence[Market], conduct: Conduct | None = None
) -> Downloaded:
    """Download the bars of one symbol that have closed.

    Raises:
        UnreachableError: the server doesn't answer; what was downloaded is stored.
        RunCancelledError: it was stopped; the same.
        DataError: the provider has no such symbol or timeframe, the store has the series from elsewhere, or the bars
            are bad and not to be repaired.
    """
    conduct = conduct or Conduct()
    check_wish(provider, wish)
    stored = store.find(wish.stored_as, wish.timeframe)
    origin = origin_of(provider, wish, stored)
    requests = Requests(
        provider.source, pace_s=provider.pace_s, patience=conduct.patience, stop=conduct.stop, tell=conduct.tell
    )
    try:
        listing: Listing = _called(requests, provider, lambda: provider.listing(wish.symbol, wish.timeframe, markets))
        origin = replace(origin, currency=listing.currency)
        negative = any(market.negative_prices for market in markets if market.name == listing.market)
        request = DataRequest(wish.stored_as, wish.timeframe, session=listing.session, negative_prices=negative)
        return _Download(store, provider, wish, origin, request, requests, conduct, listing.market).run(stored)
    finally:
        requests.close()


def update(
    store: BarStore,
    series: Series,
    provider: DownloadProvider,
    markets: Sequence[Market],
    conduct: Conduct | None = None,
) -> Downloaded:
    """Download what is new of a series that was downloaded before.

    Raises:
        DataError: as `download`, or the series was not downloaded.
    """
    origin = series.origin
    if origin is None:
        raise not_downloaded(series)
    wish = Wish(origin.symbol, series.timeframe, None, origin.adjustment, series.symbol)
    return download(store, provider, wish, markets, conduct)


def not_downloaded(series: Series) -> DataError:
    """Return the error that nothing is known to update a series from."""
    return DataError(
        Message(
            "{symbol} {timeframe} was imported, not downloaded, so that it can't be updated. Import newer bars, or "
            "download it under another name with '--as'.",
            symbol=series.symbol,
            timeframe=series.timeframe,
        ),
        field="symbol",
    )


def check_wish(provider: DownloadProvider, wish: Wish) -> None:
    """Refuse what the provider doesn't have.

    Raises:
        DataError: it lacks the timeframe or the adjustment.
    """
    frames = provider.timeframes()
    if wish.timeframe not in frames:
        raise DataError(
            Message(
                "{source} has no bars of {timeframe}. Choose one of {frames}; longer bars are made from shorter ones "
                "in a strategy.",
                source=provider.source,
                timeframe=wish.timeframe,
                frames=", ".join(map(str, frames)),
            ),
            field="timeframe",
        )
    if wish.adjustment not in provider.adjustments:
        raise DataError(
            Message(
                "{source} has no prices adjusted for '{adjustment}'. Choose one of {known}.",
                source=provider.source,
                adjustment=wish.adjustment,
                known=", ".join(provider.adjustments),
            ),
            field="adjustment",
        )


def origin_of(provider: DownloadProvider, wish: Wish, stored: Series | None) -> Origin:
    """Return where a series comes from.

    Raises:
        DataError: the stored series comes from elsewhere, or nothing says where to begin.
    """
    options = provider.model_dump(mode="json", exclude_defaults=True)
    made = Origin(provider.name, wish.symbol, wish.adjustment, wish.since_ns or 0, options)
    if stored is None:
        if wish.since_ns is None:
            raise DataError(
                Message(
                    "{symbol} {timeframe} isn't stored yet: say since when to download it, such as '--since 2020'.",
                    symbol=wish.stored_as,
                    timeframe=wish.timeframe,
                ),
                field="since",
            )
        return made
    before = stored.origin
    if before is not None and before.same_source(made):
        return replace(made, since_ns=before.since_ns)
    had = Message("imported files") if before is None else _shown(before)
    raise DataError(
        Message(
            "{symbol} {timeframe} is already stored, from {had}, and {new} may have other prices. Store the download "
            "under another name with '--as', or delete the stored series first.",
            symbol=stored.symbol,
            timeframe=stored.timeframe,
            had=had,
            new=_shown(made),
        ),
        field="symbol",
    )


def source_text(origin: Origin) -> str:
    """Return the source of a series as `--from` names it."""
    places = [str(value) for name, value in origin.options.items() if name != "url"]
    return ":".join([origin.provider, *places[:1]])


ADJUSTED_TEXTS = {
    "none": Message("as traded"),
    "splits": Message("adjusted for splits"),
    "all": Message("adjusted for splits and dividends"),
}


def _shown(origin: Origin) -> Message:
    return Message(
        "{source} ({symbol}, {adjusted})",
        source=source_text(origin),
        symbol=origin.symbol,
        adjusted=ADJUSTED_TEXTS.get(origin.adjustment, origin.adjustment),
    )


def _called(requests: Requests, provider: DownloadProvider, function: Callable[[], Any]) -> Any:
    """Call a provider's function; whatever goes wrong in it becomes one clear error."""
    try:
        return requests.call(function)
    except QuantCrafterError as error:
        if isinstance(error, (UnreachableError, RunCancelledError)) or is_plain(error):
            raise
        raise _failed(provider, error) from error
    except Exception as error:
        raise _failed(provider, error) from error


def _failed(provider: DownloadProvider, error: Exception) -> DataError:
    return DataError(Message("{source} failed: {reason}.", source=provider.source, reason=reason_of(error)))


class _Download:
    """One download under way."""

    def __init__(
        self,
        store: BarStore,
        provider: DownloadProvider,
        wish: Wish,
        origin: Origin,
        request: DataRequest,
        requests: Requests,
        conduct: Conduct,
        market: str,
    ) -> None:
        self._store, self._provider, self._wish = store, provider, wish
        self._origin, self._request = origin, request
        self._requests, self._conduct, self._market = requests, conduct, market
        self._notes: dict[str, None] = {}
        self._began_ns = time.time_ns()

    def run(self, stored: Series | None) -> Downloaded:
        """Fill the series from where it ends, and before its beginning if bars from earlier on are wanted."""
        since = self._wish.since_ns
        before, adjusted = 0, False
        if stored is None:
            self._fill(int(since or 0))
            self._note_beginning(int(since or 0))
        else:
            before = stored.count
            first = min(self._origin.since_ns, self._origin.since_ns if since is None else since)
            adjusted = self._fill(self._compared_from(stored), compared=stored)
            if adjusted:
                self._download_anew(stored, first)
            elif first < self._origin.since_ns:
                self._fill(first, stored.first_ns)
            self._note_since(first)
        series = self._store.find(self._wish.stored_as, self._wish.timeframe)
        if series is None:
            raise DataError(
                Message(
                    "{source} has no closed bars of {symbol} {timeframe} since {since}. Say an earlier time.",
                    source=self._provider.source,
                    symbol=self._wish.symbol,
                    timeframe=self._wish.timeframe,
                    since=_day(int(since or 0)),
                ),
                field="since",
            )
        return Downloaded(series, series.count - before, adjusted, tuple(self._notes))

    # ------------------------------------------------------------------ pages

    def _fill(self, start_ns: int, end_ns: int | None = None, *, compared: Series | None = None) -> bool:
        """Store the bars that open within [start_ns, end_ns), page by page.

        Return True, having stored nothing, if the first ones have other prices than those of the series `compared`.
        """
        waiting: list[Bars] = []
        since_s = time.monotonic()
        try:
            for bars in self._pages(start_ns, end_ns):
                if compared is not None and self._differs(compared, bars):
                    return True
                compared = None
                waiting.append(bars)
                self._requests.stored = True  # below, or when the next page fails
                if sum(map(len, waiting)) >= _KEEP_BARS or time.monotonic() - since_s > _KEEP_S:
                    self._put(in_one(waiting))
                    waiting.clear()
                    since_s = time.monotonic()
        finally:
            if waiting:
                self._put(in_one(waiting))
        return False

    def _differs(self, stored: Series, bars: Bars) -> bool:
        """Return whether prices were adjusted since they were stored; those as traded never are."""
        old = self._stored(stored, int(bars.open_ns[0]))
        if self._origin.adjustment == AS_TRADED:
            if not len(old):
                self._notes[
                    Message(
                        "{symbol} {timeframe}: {source} has no bars between {time} and {time_2} any more.",
                        symbol=stored.symbol,
                        timeframe=stored.timeframe,
                        source=self._provider.source,
                        time=_day(stored.end_ns),
                        time_2=_day(int(bars.open_ns[0])),
                    )
                ] = None
            return False
        if not len(old):
            raise DataError(
                Message(
                    "{symbol} {timeframe} is stored until {time}, and {source} has only later bars, so that nothing "
                    "shows whether prices were adjusted since. Delete the stored series, or download it under another "
                    "name with '--as'.",
                    symbol=stored.symbol,
                    timeframe=stored.timeframe,
                    time=_day(stored.last_ns),
                    source=self._provider.source,
                )
            )
        return were_adjusted(old, bars)

    def _pages(self, start_ns: int, end_ns: int | None) -> Iterator[Bars]:
        wish, provider = self._wish, self._provider
        request = replace(self._request, start_ns=start_ns)
        query = BarQuery(wish.symbol, wish.timeframe, start_ns, self._origin.adjustment)
        count, until = 0, end_ns or self._began_ns
        while True:
            page = _called(self._requests, provider, partial(provider.page, query))
            self._notes |= dict.fromkeys(page.notes)
            found = accept(
                page, request, provider.source, settle_s=provider.settle_s, on_bad_bars=self._conduct.on_bad_bars
            )
            bars = found.bars
            self._notes |= dict.fromkeys(str(each) for each in found.findings)
            if bars is not None and end_ns is not None:
                bars = bars.slice(0, int(np.searchsorted(bars.open_ns, end_ns)))
            if bars is not None and len(bars):
                count += len(bars)
                yield bars
            reached = page.next_ns
            if reached is None or reached >= until:
                break
            if reached <= query.start_ns:
                raise DataError(
                    Message(
                        "{source} failed: {reason}.", source=provider.source, reason=Message("its pages don't advance")
                    )
                )
            share = (reached - start_ns) / max(1, until - start_ns)
            self._conduct.step(Progress(wish.stored_as, count, reached, min(share, 1.0)))
            query = replace(query, start_ns=reached, found=query.found or bars is not None)
        self._conduct.step(Progress(wish.stored_as, count, until, 1.0))

    # ------------------------------------------------------------------ the store

    def _put(self, bars: Bars) -> None:
        put = self._store.put(bars, market=self._market, origin=self._origin, currency=self._currency)
        self._notes |= dict.fromkeys(put.notes)

    @property
    def _currency(self) -> str:
        return currency_code(self._origin.currency)

    def _compared_from(self, stored: Series) -> int:
        """Return from when on stored bars are downloaded again."""
        bars = self._stored(stored, None)
        return int(bars.open_ns[-min(COMPARED, len(bars))])

    def _stored(self, stored: Series, start_ns: int | None) -> Bars:
        return self._store.read(stored.symbol, stored.timeframe, start_ns)

    def _note_beginning(self, since_ns: int) -> None:
        """Tell where bars begin later than asked for."""
        series = self._store.find(self._wish.stored_as, self._wish.timeframe)
        if series is not None and series.first_ns - since_ns > max(_LATE_NS, 2 * series.timeframe.nominal_ns):
            text = Message(
                "{symbol} {timeframe}: {source} has bars since {time} only.",
                symbol=series.symbol,
                timeframe=series.timeframe,
                source=self._provider.source,
                time=_day(series.first_ns),
            )
            self._notes[text] = None

    def _note_since(self, since_ns: int) -> None:
        """Remember from when on bars were asked for."""
        self._origin = replace(self._origin, since_ns=since_ns)
        self._store.set_origin(self._wish.stored_as, self._wish.timeframe, self._origin)

    def _download_anew(self, stored: Series, since_ns: int) -> None:
        """Replace the series, whose prices were adjusted since; it stays as it is until the new one is complete."""
        pages = list(self._pages(since_ns, None))
        old = self._stored(stored, None)
        bars = with_columns_of(readjusted(old, in_one(pages)), old)
        self._store.put(bars, fresh=True, market=self._market, origin=self._origin, currency=self._currency)
        text = Message(
            "{symbol} {timeframe}: prices were adjusted since the last download, as after a split or a dividend. "
            "The whole series was replaced.",
            symbol=stored.symbol,
            timeframe=stored.timeframe,
        )
        self._notes[text] = None


def _day(ts_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[D]"))
