"""Where an instrument stands among all instruments at a moment: rank, first ones, percentile, z-score, mean."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from quantcrafter.engine.api import (
    BoolColumn,
    FloatColumn,
    Logic,
    Message,
    Output,
    PortType,
    Question,
    Reason,
    Said,
    SeesUniverse,
    SeriesInput,
    Universe,
    param,
    port,
    values_that_count,
)

CATEGORY_UNIVERSE = "Universe"

Order = Literal["highest", "lowest"]


class _SeesUniverse(SeesUniverse, Logic):
    """Base of the nodes here: they compare one value of each instrument."""

    category = CATEGORY_UNIVERSE
    outputs: ClassVar[tuple[Output, ...]] = (Output("value", PortType.SERIES, "The result, float64."),)

    input: SeriesInput = port("The value to compare, of each instrument.")


class UniverseRank(_SeesUniverse):
    """Rank a value among those of all instruments at the same moment: 1 for the first.

    Equal values rank in the order of the instruments in the file. Instruments without a bar at that moment, or without
    a finite value, are left out. Known at the bar's close, no warm-up. No value if the instrument itself has none.
    """

    name = "universe_rank"

    order: Order = param("Which value is the first: the highest or the lowest.", default="highest")

    def across(self, universe: Universe, **inputs: FloatColumn) -> FloatColumn:
        return ranks(universe, inputs["input"], self.order)


class TopN(_SeesUniverse):
    """Hold while an instrument is among the first `n` of all instruments by a value.

    Equal values rank in the order of the instruments in the file. Instruments without a bar at that moment, or without
    a finite value, are left out. Known at the bar's close, no warm-up. False if the instrument itself has no value.
    """

    name = "top_n"
    outputs = (Output("value", PortType.CONDITION, "Whether it holds at this bar."),)

    n: int = param("How many instruments.", default=3, ge=1, le=1000)
    order: Order = param("Which value is the first: the highest or the lowest.", default="highest")

    def across(self, universe: Universe, **inputs: FloatColumn) -> BoolColumn:
        return np.asarray(ranks(universe, inputs["input"], self.order) <= self.n, np.bool_)

    def explain(self, question: Question) -> Reason:
        seen = question.universe("input")
        place = next((number for number, symbol in enumerate(seen) if symbol == question.symbol), None)
        wanted = Message("at most {n}", n=self.n)
        if place is None:
            return Said(held=False, now=Message("no value"), wanted=wanted, port="input")
        values = np.array([list(seen.values())])
        rank = int(ranks(Universe(tuple(seen), np.ones_like(values, np.bool_)), values, self.order)[0, place])
        now = Message("rank {rank} of {count}", rank=rank, count=len(seen))
        return Said(rank <= self.n, now, wanted, "input")


class UniversePercentile(_SeesUniverse):
    """Rank a value among those of all instruments: 0 for the lowest, 100 for the highest, 50 in the middle.

    The percentage of the other instruments whose values lie below it; equal ones count half. Instruments without a bar
    at that moment, or without a finite value, are left out. Known at the bar's close, no warm-up. No value if the
    instrument itself has none, or is the only one.
    """

    name = "universe_percentile"
    formula_source = "Percentile rank: (below + equal / 2) / count of the others"

    def across(self, universe: Universe, **inputs: FloatColumn) -> FloatColumn:
        values = inputs["input"]
        there = values_that_count(universe, values)
        order = np.argsort(np.where(there, values, np.inf), axis=1, kind="stable")
        ordered = np.take_along_axis(values, order, axis=1)
        place = np.arange(values.shape[1])
        new = np.ones(values.shape, np.bool_)
        new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
        first = np.maximum.accumulate(np.where(new, place, 0), axis=1)
        ends = np.ones(values.shape, np.bool_)
        ends[:, :-1] = new[:, 1:]
        last = np.minimum.accumulate(np.where(ends, place, len(place))[:, ::-1], axis=1)[:, ::-1]
        others = there.sum(axis=1, keepdims=True) - 1.0
        percent = np.empty(values.shape)
        np.put_along_axis(percent, order, (first + last) / 2.0 / others * 100.0, axis=1)
        return np.where(there & (others > 0), percent, np.nan)


class UniverseZScore(_SeesUniverse):
    """Measure how many standard deviations a value lies above the mean of all instruments at the same moment.

    The deviation is that of the population (divided by the count). Instruments without a bar at that moment, or without
    a finite value, are left out. Known at the bar's close, no warm-up. No value if the instrument itself has none, or
    all values are the same.
    """

    name = "universe_zscore"
    formula_source = "Standard score: (x - mean) / standard deviation"

    def across(self, universe: Universe, **inputs: FloatColumn) -> FloatColumn:
        values = inputs["input"]
        there = values_that_count(universe, values)
        gap = np.where(there, values - means(there, values), 0.0)
        deviation = np.sqrt((gap * gap).sum(axis=1, keepdims=True) / there.sum(axis=1, keepdims=True))
        return np.where(there & (deviation > 0), gap / deviation, np.nan)


class UniverseMean(_SeesUniverse):
    """Give the mean of a value over all instruments at the same moment, and the instrument's distance from it.

    Instruments without a bar at that moment, or without a finite value, are left out. Known at the bar's close, no
    warm-up. No mean if no instrument has a value.
    """

    name = "universe_mean"
    outputs = (
        Output("mean", PortType.SERIES, "The mean of all instruments."),
        Output("difference", PortType.SERIES, "The instrument's own value less the mean."),
        Output("count", PortType.SERIES, "How many instruments have a value."),
    )

    def across(self, universe: Universe, **inputs: FloatColumn) -> tuple[FloatColumn, FloatColumn, FloatColumn]:
        values = inputs["input"]
        there = values_that_count(universe, values)
        mean = np.broadcast_to(means(there, values), values.shape)
        count = np.broadcast_to(there.sum(axis=1, keepdims=True).astype(np.float64), values.shape)
        return mean, np.where(there, values - mean, np.nan), count


def ranks(universe: Universe, values: FloatColumn, order: Order) -> FloatColumn:
    """Return the rank of each value in its row, from 1; equal ones in the order of the columns, NaN for no value."""
    there = values_that_count(universe, values)
    key = np.where(there, -values if order == "highest" else values, np.inf)
    found = np.empty(values.shape)
    place = np.broadcast_to(np.arange(1.0, values.shape[1] + 1.0), values.shape)
    np.put_along_axis(found, np.argsort(key, axis=1, kind="stable"), place, axis=1)
    return np.where(there, found, np.nan)


def means(there: BoolColumn, values: FloatColumn) -> FloatColumn:
    """Return the mean of the values that are there in each row, shape (k, 1); NaN for none."""
    total = np.where(there, values, 0.0).sum(axis=1, keepdims=True)
    return np.asarray(total / there.sum(axis=1, keepdims=True), np.float64)
