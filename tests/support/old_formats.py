"""Formats of strategy files that never were, to migrate from: the first real one is format 1."""

from __future__ import annotations

import pytest

from quantcrafter.engine.spec import StrategyFile, migrations, model
from quantcrafter.engine.spec.migrations import MigrationEdit, RemoveEntry, RenameKey, SetValue

FORMAT_0 = """\
# Two averages.  Do not lose this comment.
quantcrafter: 0     # the first line that counts
title: Golden cross # as it is called
author: nobody      # not kept

instruments:
  - {symbol: AAPL,  data: sample, timeframe: 1d}   # aligned by hand

indicators:
  # both on the close
  fast:   {use: ta.SMA, input: bars.close, length: &days 20}   # days
  slow:   {use: ta.SMA, input: bars.close, length: 50}
  other:
    use: ta.SMA
    input: bars.close
    length: *days   # the same

advisors:
  cross: {use: crossover, fast: fast, slow: slow, direction: long}

money:
  size: {use: percent_of_equity, percent: 95}

execution:
  order: {use: market, signals: [cross], money: size}

run:
  capital: 50000    # in dollars
"""

FORMAT_1 = """\
# Two averages.  Do not lose this comment.
quantcrafter: 1     # the first line that counts
name: Golden cross # as it is called

instruments:
  - {symbol: AAPL,  data: sample, timeframe: 1d}   # aligned by hand

indicators:
  # both on the close
  fast:   {use: ta.SMA, input: bars.close, timeperiod: &days 20}   # days
  slow:   {use: ta.SMA, input: bars.close, timeperiod: 50}
  other:
    use: ta.SMA
    input: bars.close
    timeperiod: *days   # the same

advisors:
  cross: {use: crossover, fast: fast, slow: slow, direction: long}

money:
  size: {use: percent_of_equity, percent: 95}

execution:
  order: {use: market, signals: [cross], money: size}

run:
  cash: 50000    # in dollars
"""

SENTENCES = (
    "'title' is called 'name'.",
    "'author' is gone: it said nothing to a run.",
    "'length' of 'fast' is called 'timeperiod'.",
    "'length' of 'slow' is called 'timeperiod'.",
    "'length' of 'other' is called 'timeperiod'.",
    "'run.capital' is called 'run.cash'.",
)


def from_0(document: StrategyFile) -> list[MigrationEdit]:
    """Return what brings format 0 to format 1."""
    edits: list[MigrationEdit] = []
    if ("title",) in document:
        edits.append(RenameKey(("title",), "name", SENTENCES[0]))
    if ("author",) in document:
        edits.append(RemoveEntry(("author",), SENTENCES[1]))
    edits += [
        RenameKey(("indicators", name, "length"), "timeperiod", f"'length' of '{name}' is called 'timeperiod'.")
        for name in document.value.get("indicators", {})
        if ("indicators", name, "length") in document
    ]
    if ("run", "capital") in document:
        edits.append(RenameKey(("run", "capital"), "cash", SENTENCES[5]))
    return edits


def from_1(document: StrategyFile) -> list[MigrationEdit]:
    """Return what brings format 1 to a format 2."""
    cash = document.get(("run", "cash"))
    return [
        SetValue(("run", "account"), {"cash": cash, "currency": "USD"}, "The account has a section of its own."),
        RemoveEntry(("run", "cash"), "'run.cash' is in the account now."),
    ]


def know_format_0(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program migrate from format 0."""
    monkeypatch.setitem(migrations.MIGRATIONS, 0, from_0)


def know_format_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program's own format be 2, which it can migrate to from 0 and 1."""
    know_format_0(monkeypatch)
    monkeypatch.setitem(migrations.MIGRATIONS, 1, from_1)
    monkeypatch.setattr(model, "FORMAT_VERSION", 2)
