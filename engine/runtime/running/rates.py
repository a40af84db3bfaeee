"""Rates of exchange for an instrument's bars: what one unit of its currency was worth in the account's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import Bars, FloatColumn, RunSettings, Term
from quantcrafter.engine.api.currencies import HUNDREDTHS, Conversion, conversion
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.align import align, as_of
from quantcrafter.engine.graph import feed_of_rate
from quantcrafter.engine.graph.terms import Terms


def rate_columns(bars: Bars, feeds: Mapping[str, Bars], how: Conversion) -> tuple[FloatColumn, FloatColumn, int]:
    """Return the rates as known at the opens and at the closes of the bars, and the first bar that has both.

    The rate is the close of the feed's last bar that has closed by then. Before the feed's first bar there is none: the
    columns hold 0 there, and no decision may be taken.
    """
    if not how.rate:
        constant = np.full(len(bars), how.factor)
        return constant, constant, 0
    name, inverse = feed_of_rate(how.rate)
    feed = feeds[name]
    value = how.factor / feed.close if inverse else how.factor * feed.close
    at_open, at_close = (align(value, as_of(feed.close_ns, times)) for times in (bars.open_ns, bars.close_ns))
    known = np.flatnonzero(~np.isnan(at_close))
    first = int(known[0]) if len(known) else len(bars)
    return np.nan_to_num(at_open), np.nan_to_num(at_close), first


def with_currency(terms: Terms, currency: str, run: RunSettings) -> tuple[Terms, str]:
    """Return terms with the currency that the data name, if it may count in hundredths and nothing else says one.

    And what is to be told: how its prices are converted, or that they can't be.
    """
    whole = HUNDREDTHS.get(currency)
    is_known = whole is not None or currency in HUNDREDTHS.values()
    if not is_known or terms.values["currency"].source != "account":
        return terms, ""
    named = replace(terms, values={**terms.values, "currency": Term(currency, "data")})
    if currency == run.currency or (whole is None and conversion(currency, run.currency, run.rates) is not None):
        return named, ""
    if whole is None:
        return terms, ""
    if conversion(currency, run.currency, run.rates) is None:
        return terms, Message(
            "The data say that prices are in {currency}, hundredths of {whole}, but the account is in {account} and "
            "has no rate: each {currency} counts as one {account}. Set 'currency: {whole}' under 'run', or give a rate "
            "of {whole} in 'rates' there.",
            currency=currency,
            whole=whole,
            account=run.currency,
        )
    told = Message(
        "The data say that prices are in {currency}: amounts are converted to {whole}, a hundredth of them.",
        currency=currency,
        whole=whole,
    )
    return named, told
