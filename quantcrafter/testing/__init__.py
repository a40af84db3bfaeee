"""What the author of a plugin needs to test a component: checks that hold for every component, and data for them.

A check takes a component, bars, and the columns at its ports, and raises an AssertionError that names the component,
the output and the bar. `check_component` makes all of them that apply, over random data. `bars` and `cases` are
strategies of hypothesis, which they import when they are called; nothing else here needs a package that QuantCrafter
doesn't.
"""

from quantcrafter.testing.checks import (
    assert_both_forms,
    assert_causal,
    assert_memory,
    assert_round_trip,
    assert_warmup,
    check_component,
)
from quantcrafter.testing.columns import columns_of, cut, step_columns
from quantcrafter.testing.market import make_bars, random_bars, random_inputs, random_series, wired
from quantcrafter.testing.plugins import assert_no_lookahead, registry_with, run_file
from quantcrafter.testing.strategies import Case, bars, cases

__all__ = [
    "Case",
    "assert_both_forms",
    "assert_causal",
    "assert_memory",
    "assert_no_lookahead",
    "assert_round_trip",
    "assert_warmup",
    "bars",
    "cases",
    "check_component",
    "columns_of",
    "cut",
    "make_bars",
    "random_bars",
    "random_inputs",
    "random_series",
    "registry_with",
    "run_file",
    "step_columns",
    "wired",
]
