from __future__ import annotations

import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import PortType
from quantcrafter.nodes.indicators.talib_family import FAMILY, TalibFamily
from quantcrafter.nodes.indicators.talib_import import functions, talib
from quantcrafter.testing import random_bars, random_series, wired
from tests.support.builtin_nodes import TALIB_NAMES, talib_component
from tests.support.columns import NAN, inputs_for, series

BARS = random_bars(300, 7, flat=0.0)


def equal(left: Any, right: Any) -> bool:
    return bool(np.array_equal(np.asarray(left, np.float64), right, equal_nan=True))


def test_every_function_of_talib_is_there() -> None:
    assert {name.removeprefix("ta.") for name in TALIB_NAMES} == set(talib().get_functions())
    assert len(TALIB_NAMES) == len(set(TALIB_NAMES)) >= 150


def test_a_name_that_talib_does_not_have_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        FAMILY.build("ta.NOPE")


def test_threads_that_ask_at_once_get_the_same_class() -> None:
    family = TalibFamily()
    with ThreadPoolExecutor(8) as pool:
        classes = set(pool.map(family.build, ["ta.MACD"] * 32))
    assert len(classes) == 1


@pytest.mark.parametrize(
    ("name", "ports", "parameters", "outputs"),
    [
        ("ta.SMA", ["input"], ("timeperiod",), ["value"]),
        ("ta.ATR", ["bars"], ("timeperiod",), ["value"]),
        ("ta.OBV", ["bars", "input"], (), ["value"]),
        ("ta.BETA", ["input0", "input1"], ("timeperiod",), ["value"]),
        ("ta.MAVP", ["input", "periods"], ("minperiod", "maxperiod", "matype"), ["value"]),
        ("ta.MACD", ["input"], ("fastperiod", "slowperiod", "signalperiod"), ["macd", "macdsignal", "macdhist"]),
        ("ta.CDLENGULFING", ["bars"], (), ["value"]),
    ],
)
def test_ports_parameters_and_outputs_carry_talibs_names(
    name: str, ports: list[str], parameters: tuple[str, ...], outputs: list[str]
) -> None:
    cls = FAMILY.build(name)
    assert [port.name for port in cls.inputs()] == ports
    assert cls.parameters() == parameters
    assert [output.name for output in cls.outputs] == outputs


@pytest.mark.parametrize("name", TALIB_NAMES)
def test_every_indicator_explains_itself(name: str) -> None:
    cls = FAMILY.build(name)
    assert name.removeprefix("ta.") in cls.help()
    assert cls.category
    assert f"TA_{name.removeprefix('ta.')}" in cls.formula_source
    assert all(port.description and port.type in (PortType.BARS, PortType.SERIES) for port in cls.inputs())
    assert all(cls.model_fields[parameter].description for parameter in cls.parameters())
    assert all(output.description for output in cls.outputs)


@pytest.mark.parametrize(
    ("name", "values", "direct"),
    [
        ("SMA", {"timeperiod": 7}, lambda f, b: f.SMA(b.close, 7)),
        ("RSI", {"timeperiod": 9}, lambda f, b: f.RSI(b.close, 9)),
        ("ATR", {"timeperiod": 5}, lambda f, b: f.ATR(b.high, b.low, b.close, 5)),
        ("OBV", {}, lambda f, b: f.OBV(b.close, b.volume)),
        ("MFI", {"timeperiod": 6}, lambda f, b: f.MFI(b.high, b.low, b.close, b.volume, 6)),
        ("BOP", {}, lambda f, b: f.BOP(b.open, b.high, b.low, b.close)),
        ("CDLENGULFING", {}, lambda f, b: f.CDLENGULFING(b.open, b.high, b.low, b.close)),
        (
            "CDLMORNINGSTAR",
            {"penetration": 0.1},
            lambda f, b: f.CDLMORNINGSTAR(b.open, b.high, b.low, b.close, penetration=0.1),
        ),
        (
            "BBANDS",
            {"timeperiod": 8, "nbdevup": 1.5, "nbdevdn": 2.5, "matype": "WMA"},
            lambda f, b: f.BBANDS(b.close, 8, 1.5, 2.5, 2),
        ),
        (
            "MACDEXT",
            {"fastperiod": 4, "fastmatype": "EMA", "slowperiod": 9, "slowmatype": 2, "signalperiod": 3},
            lambda f, b: f.MACDEXT(b.close, 4, 1, 9, 2, 3, 0),
        ),
        (
            "STOCH",
            {"fastk_period": 6, "slowk_period": 2, "slowk_matype": "ema", "slowd_period": 4},
            lambda f, b: f.STOCH(b.high, b.low, b.close, 6, 2, 1, 4, 0),
        ),
        (
            "SAREXT",
            {"startvalue": 0.0, "accelerationmaxlong": 0.1},
            lambda f, b: f.SAREXT(b.high, b.low, accelerationmaxlong=0.1),
        ),
        ("ULTOSC", {"timeperiod1": 3, "timeperiod2": 6}, lambda f, b: f.ULTOSC(b.high, b.low, b.close, 3, 6, 28)),
    ],
)
def test_the_result_is_what_talib_itself_gives(name: str, values: dict[str, Any], direct: Any) -> None:
    component = wired(FAMILY.build(f"ta.{name}"), **values)
    given = component.compute(**inputs_for(component, BARS, 1) | _close_as_input(component))
    expected = direct(functions(), BARS)
    if isinstance(expected, tuple):
        assert all(equal(left, right) for left, right in zip(expected, given, strict=True))
    else:
        assert equal(expected, given)


def test_an_average_over_variable_periods_reads_them_from_a_line() -> None:
    component = wired(FAMILY.build("ta.MAVP"), minperiod=2, maxperiod=9)
    periods = np.tile([1.0, 3.0, 50.0], 100)
    expected = functions().MAVP(BARS.close, np.clip(periods, 2, 9), 2, 9, 0)
    assert equal(expected, component.compute(input=BARS.close, periods=periods))


def test_where_the_period_of_an_average_is_missing_there_is_no_average() -> None:
    periods = np.tile([3.0, np.nan, 5.0], 100)
    for kind in ("SMA", "DISABLED"):
        component = wired(FAMILY.build("ta.MAVP"), minperiod=2, maxperiod=9, matype=kind)
        assert np.isnan(component.compute(input=BARS.close, periods=periods)[1::3]).all()


def test_a_correlation_over_a_single_bar_is_missing_where_the_bar_is() -> None:
    component = wired(FAMILY.build("ta.CORREL"), timeperiod=1)
    gap = np.where(np.arange(len(BARS.close)) % 5 == 0, np.nan, BARS.close)
    for n in (1, 12):
        assert (np.isnan(component.compute(input0=gap[:n], input1=BARS.open[:n])) == np.isnan(gap[:n])).all()


def test_the_line_of_a_volume_indicator_can_be_another_than_the_close() -> None:
    component = wired(FAMILY.build("ta.VWMA"), timeperiod=4)
    assert equal(functions().VWMA(BARS.open, BARS.volume, 4), component.compute(bars=BARS, input=BARS.open))
    assert equal(functions().VWMA(BARS.close, BARS.volume, 4), component.compute(bars=BARS))


def test_a_chained_indicator_begins_after_the_first_value_and_its_warmup() -> None:
    inner = wired(FAMILY.build("ta.SMA"), timeperiod=5).compute(input=BARS.close)
    outer = wired(FAMILY.build("ta.EMA"), timeperiod=4).compute(input=inner)
    assert np.isnan(outer[:7]).all()
    assert not np.isnan(outer[7:]).any()


def test_a_gap_makes_an_indicator_start_anew_instead_of_poisoning_it() -> None:
    component = wired(FAMILY.build("ta.SMA"), timeperiod=2)
    line = series(1, 2, 3, NAN, 5, 7, NAN, 9, np.inf, 10, 12)
    assert equal(component.compute(input=line), series(NAN, 1.5, 2.5, NAN, NAN, 6, NAN, NAN, NAN, NAN, 11))


def test_a_function_of_single_values_skips_a_gap_without_a_new_start() -> None:
    component = wired(FAMILY.build("ta.SQRT"))
    assert equal(component.compute(input=series(4, NAN, 9)), series(2, NAN, 3))


def test_whole_numbers_come_as_float_and_have_no_value_in_the_warmup() -> None:
    result = wired(FAMILY.build("ta.MAXINDEX"), timeperiod=3).compute(input=series(1, 5, 2, 3, 9))
    assert equal(result, series(NAN, NAN, 1, 1, 4))
    assert result.dtype == np.float64


def test_a_candlestick_is_zero_before_it_can_be_known() -> None:
    component = wired(FAMILY.build("ta.CDLENGULFING"))
    result = component.compute(bars=BARS)
    assert result.dtype == np.float64
    assert {-1.0, 0.0, 1.0} == set(np.sign(result))
    assert (result[: component.warmup()] == 0).all()


@pytest.mark.parametrize("length", [0, 1, 3])
def test_data_shorter_than_the_warmup_has_no_value(length: int) -> None:
    result = wired(FAMILY.build("ta.SMA"), timeperiod=5).compute(input=np.ones(length))
    assert len(result) == length
    assert np.isnan(result).all()


def test_a_line_without_any_value_gives_none() -> None:
    for name in ("ta.SMA", "ta.MAXINDEX", "ta.RSI"):
        assert np.isnan(wired(FAMILY.build(name)).compute(input=np.full(50, NAN))).all()


@pytest.mark.parametrize("name", TALIB_NAMES)
def test_talib_takes_both_ends_of_every_range_and_the_schema_nothing_beyond(name: str) -> None:
    cls = FAMILY.build(name)
    parameters = cls.info.parameters  # type: ignore[attr-defined]
    for ends in itertools.product(*((item.low, item.high) for item in parameters)):
        values = {item.name: int(end) if item.is_integer else end for item, end in zip(parameters, ends, strict=True)}
        if values.get("minperiod", 0) > values.get("maxperiod", 0):
            continue
        component = wired(cls, **values)
        component.compute(**inputs_for(component, random_bars(60, 1), 1))
        assert component.warmup() >= 0
    for item in parameters:
        step = 1.0 if item.is_integer else max(abs(item.high) * 1e-6, 1e-6)
        for beyond in (item.low - step * max(1.0, abs(item.low)), item.high + step * max(1.0, abs(item.high))):
            with pytest.raises(ValidationError):
                wired(cls, **{item.name: int(beyond) if item.is_integer else beyond})


def test_the_ranges_are_those_that_talib_documents() -> None:
    def range_of(name: str, parameter: str) -> tuple[float, float]:
        found = {item.name: item for item in FAMILY.build(name).info.parameters}  # type: ignore[attr-defined]
        return found[parameter].low, found[parameter].high

    assert range_of("ta.SMA", "timeperiod")[1] == 100_000
    assert range_of("ta.RSI", "timeperiod") == (2, 100_000)
    assert range_of("ta.MAMA", "fastlimit") == (0.01, 0.99)
    assert range_of("ta.T3", "vfactor") == (0.0, 1.0)
    assert range_of("ta.BBANDS", "nbdevup") == (-3e37, 3e37)
    assert range_of("ta.MAVP", "minperiod")[1] == 100_000


def test_parameters_that_talib_refuses_together_are_named() -> None:
    with pytest.raises(ValidationError, match="minperiod 50, maxperiod 30"):
        wired(FAMILY.build("ta.MAVP"), minperiod=50, maxperiod=30)


@pytest.mark.parametrize("value", ["EMA", "ema", 1])
def test_a_moving_average_is_chosen_by_name_or_number(value: object) -> None:
    assert wired(FAMILY.build("ta.MA"), matype=value).matype == "EMA"  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", ["NOPE", 99, -1, True, 1.5])
def test_an_unknown_moving_average_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="SMA"):
        wired(FAMILY.build("ta.MA"), matype=value)


@pytest.mark.parametrize("name", ["ta.OBV", "ta.AD", "ta.SAR", "ta.CUMSUM", "ta.NVI", "ta.MAMA", "ta.VWAP"])
def test_what_depends_on_the_whole_path_says_so(name: str) -> None:
    assert wired(FAMILY.build(name)).lookback() is None


def test_a_window_is_remembered_exactly_and_a_smoothing_until_it_has_faded() -> None:
    assert wired(FAMILY.build("ta.SMA"), timeperiod=50).lookback() == 49
    faded = wired(FAMILY.build("ta.EMA"), timeperiod=19).lookback()
    assert faded is not None
    assert 0.9 ** (faded - 18) <= 2**-53 < 0.9 ** (faded - 40)


def test_threads_can_compute_at_once() -> None:
    component = talib_component("ta.STOCHRSI")
    lines = [random_series(2000, seed) for seed in range(16)]
    alone = [component.compute(input=line) for line in lines]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda line: component.compute(input=line), lines))
    assert all(
        equal(a, b) for left, right in zip(alone, together, strict=True) for a, b in zip(left, right, strict=True)
    )


def test_talib_is_imported_late_and_without_pandas_and_polars() -> None:
    script = (
        "import sys; import quantcrafter.nodes.plugin as p; p.register_indicators()\n"
        "heavy = {'talib', 'numba', 'polars', 'pandas', 'icalendar'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "from quantcrafter.nodes.indicators import FAMILY; FAMILY.build('ta.SMA')\n"
        "assert 'talib' in sys.modules and not {'polars', 'pandas'} & set(sys.modules)\n"
        "import polars; assert polars.Series([1]).sum() == 1\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _close_as_input(component: Any) -> dict[str, Any]:
    ports = {port.name: port for port in type(component).inputs()}
    return {"input": BARS.close} if "input" in ports else {}
