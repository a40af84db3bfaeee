"""The values of one instrument as a run would use them, each with its source, whatever else is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from quantcrafter.engine.api import Catalog, DataError, SpecError
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import bind, has_errors
from quantcrafter.engine.graph.terms import ShownValue, shown_values
from quantcrafter.engine.runtime.running.prepare import Loader, request_of, terms_with
from quantcrafter.engine.runtime.running.rates import with_currency
from quantcrafter.engine.spec import check_strategy


@dataclass(frozen=True, slots=True)
class InstrumentValues:
    """What is known of an instrument.

    `values` are shown values with their sources; `notes` are the guesses that its data needed. Where the data can't be
    loaded, `error` says why, and the values are those that are known without it.
    """

    symbol: str = ""
    values: tuple[ShownValue, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


def instrument_values(
    text: str,
    number: int,
    registry: Catalog,
    *,
    file: str = "",
    base_dir: str | Path = ".",
    loader: Loader = load_bars,
) -> InstrumentValues:
    """Return the values of the instrument at a place of the list in a strategy's text, from 0.

    Of a universe, it is the first one.

    Raises:
        SpecError: the text has no such instrument, or it is wrong.
    """
    spec, problems = check_strategy(text, file=file, base_dir=base_dir)
    path = f"instruments.{number}"
    instrument = next((each for each in spec.instruments if each.path == path), None) if spec is not None else None
    if spec is None or instrument is None:
        raise SpecError(problems)
    graph, found = bind(replace(spec, instruments=(instrument,), nodes={}), registry)
    wrong = [problem for problem in found if problem.path.startswith(path)]
    if not graph.instruments or has_errors(wrong):
        raise SpecError(wrong or found)
    bound = graph.instruments[0]  # of a universe the first one
    try:
        result = loader(bound.provider, request_of(graph, bound), on_bad_bars=bound.spec.on_bad_bars)
    except DataError as error:
        return InstrumentValues(bound.spec.symbol, shown_values(bound.terms.values), error=str(error))
    notes = tuple(str(finding) for finding in result.findings if finding.kind == "guess")
    terms, told = with_currency(terms_with(bound.terms, result.bars), result.currency, spec.run)
    notes = (*notes, told) if told else notes
    return InstrumentValues(bound.spec.symbol, shown_values(terms.values), notes)
