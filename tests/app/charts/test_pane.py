"""The chart of a run, as a trader uses it: by mouse, wheel and keys, judged by what is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.charts.menu import chart_menu
from quantcrafter.app.charts.model.chart_colors import chart_look
from quantcrafter.app.charts.model.detail_levels import RangeLevels
from quantcrafter.app.charts.model.texts import quote_of
from quantcrafter.app.charts.pane import ChartPane
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.theme import apply
from quantcrafter.app.theme.colors import DARK, LIGHT
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support import mouse
from tests.support.charts import (
    at_bar,
    count_color,
    one_bar_run,
    open_chart,
    picture_of,
    settle,
    sheet_of,
    show_run,
    state_of,
    turn_wheel,
)
from tests.support.saved_runs import saved_example

LOOK = chart_look(LIGHT, "green_red")
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return saved_example("rsi_pullback", tmp_path_factory.mktemp("runs") / "pullback")


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return saved_example("momentum_portfolio", tmp_path_factory.mktemp("runs") / "portfolio")


@pytest.fixture
def chart(qtbot: QtBot, run: RunFolder) -> Iterator[tuple[ChartPane, RunSession]]:
    with open_chart(qtbot, run) as opened:
        yield opened


def look_near(pane: ChartPane, bar: int, bars: int = 40) -> None:
    pane.view.set_window(type(state_of(pane).window)(bar - bars / 2, bar + bars / 2, state_of(pane).window.count))
    pane.view.repaint()


# ---------------------------------------------------------------------- what is drawn


def test_all_bars_are_shown_at_first(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    window = state_of(pane).window
    assert window.left < 0
    assert window.right > len(state_of(pane).model) - 1
    assert pane.view.isVisible()
    assert not pane.empty.isVisible()


def test_a_candle_has_its_colour_between_its_open_and_its_close(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    bars = state_of(pane).model.job.bars
    body = np.abs(bars.close - bars.open) / bars.close
    rising = int(np.argmax(np.where((bars.close > bars.open) & (np.arange(len(bars)) > 300), body, 0)))
    falling = int(np.argmax(np.where((bars.close < bars.open) & (np.arange(len(bars)) > 300), body, 0)))
    for bar, color in ((rising, LOOK.up), (falling, LOOK.down)):
        look_near(pane, bar, 30)
        sheet = sheet_of(pane)
        scale = sheet.scales["price"]
        image = picture_of(pane.view)
        middle = (scale.pixels(float(bars.open[bar])) + scale.pixels(float(bars.close[bar]))) / 2
        x = int(sheet.x(bar))
        assert image.pixelColor(x, int(middle)).name() == color
        assert count_color(image, color, (x - 5, int(middle), x + 6, int(middle) + 1)) == 11


def test_red_may_rise_and_colour_blind_eyes_are_served(qtbot: QtBot, run: RunFolder, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "desktop.json")
    with open_chart(qtbot, run, settings) as (pane, _):
        area = (0, 0, 900, 200)
        assert count_color(picture_of(pane.view), LOOK.up, area)
        pane.commands.set_colors("blue_orange")
        image = picture_of(pane.view)
        assert not count_color(image, LOOK.up, area)
        assert count_color(image, chart_look(LIGHT, "blue_orange").up, area)
        assert settings.chart_colors == "blue_orange"


def test_the_indicators_lie_where_they_belong(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    assert [place.key for place in sheet_of(pane).places] == [
        "price",
        "strip:dip.signal",
        "plot:rsi",
        "equity",
        "drawdown",
    ]
    state = state_of(pane)
    assert [each.name for each in state.outputs_in("price")] == ["average"]


def test_trades_are_counted_from_afar_and_drawn_one_by_one_from_near(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    drawing = pane.view.drawing
    assert drawing is not None
    trades = state_of(pane).model.trades
    assert sum(group.count for _, group in drawing.marks.groups) == len(trades) > 50
    bar = int(trades.all.entry_bar[20])
    look_near(pane, bar, 120)
    near = trades.single(bar - 60, bar + 60, 1000)
    assert near is not None
    assert drawing.marks.groups == []
    assert len(drawing.marks.xs) == 2 * len(near) >= 2


def test_a_click_on_a_count_looks_closer(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    drawing = pane.view.drawing
    assert drawing is not None
    box, group = drawing.marks.groups[3]
    mouse.click(pane.view, box.center().toPoint())
    window = state_of(pane).window
    assert window.left <= group.first_bar
    assert window.right >= group.last_bar
    assert window.width < group.last_bar - group.first_bar + 10
    assert session.bar is None


# ---------------------------------------------------------------------- moving about


def test_the_wheel_zooms_at_the_cursor(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    at = at_bar(pane, 1000)
    before = state_of(pane).window
    bar = sheet_of(pane).position(at.x())
    turn_wheel(pane.view, at, 3)
    assert state_of(pane).window.width == pytest.approx(before.width / 1.2**3)
    assert sheet_of(pane).position(at.x()) == pytest.approx(bar)
    turn_wheel(pane.view, at, -3)
    assert state_of(pane).window.width == pytest.approx(before.width)


def test_a_drag_moves_the_bars_with_the_mouse(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    look_near(pane, 1000)
    start = at_bar(pane, 1000)
    mouse.drag(pane.view, [start, start + QPoint(200, 10)])
    assert sheet_of(pane).x(1000) == pytest.approx(start.x() + 200, abs=1.5)
    assert session.bar is None, "a drag is no click"


def test_shift_and_a_drag_zoom_to_a_box(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    look_near(pane, 1000, 400)
    sheet = sheet_of(pane)
    start, end = at_bar(pane, 900, share=0.3), at_bar(pane, 1100, share=0.7)
    scale = sheet.scales["price"]
    high, low = scale.value(start.y()), scale.value(end.y())
    mouse.drag(pane.view, [start, end], SHIFT)
    assert state_of(pane).window.left == pytest.approx(900, abs=2)
    assert state_of(pane).window.right == pytest.approx(1100, abs=2)
    assert sheet_of(pane).scales["price"].low == pytest.approx(low)
    assert sheet_of(pane).scales["price"].high == pytest.approx(high)
    assert not pane.toolbar.auto.isChecked()


def test_a_double_click_shows_everything_again(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    before = state_of(pane).window
    mouse.drag(pane.view, [at_bar(pane, 900, share=0.3), at_bar(pane, 1100, share=0.7)], SHIFT)
    mouse.double_click(pane.view, at_bar(pane, 1000))
    assert state_of(pane).window == before
    assert state_of(pane).scales == {}
    assert pane.toolbar.auto.isChecked()


def test_the_scale_follows_what_is_visible_until_it_is_moved(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    look_near(pane, 1000)
    low, high = state_of(pane).model.candles.extremes(980, 1020) or (0, 0)
    scale = sheet_of(pane).scales["price"]
    assert scale.low < low < high < scale.high
    assert high - low > 0.3 * (scale.high - scale.low)
    sheet = sheet_of(pane)
    axis = QPoint(int(sheet.plot_width) + 20, 80)
    mouse.drag(pane.view, [axis, axis + QPoint(0, 40)])
    taller = sheet_of(pane).scales["price"]
    assert taller.high - taller.low > (scale.high - scale.low) * 1.2
    pane.view.pan(300)
    assert sheet_of(pane).scales["price"].low == taller.low
    mouse.double_click(pane.view, axis)
    assert "price" not in state_of(pane).scales


def test_keys_pan_zoom_and_go_to_the_ends(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    count = len(state_of(pane).model)
    look_near(pane, 1000, 100)
    pane.view.setFocus()
    mouse.key(pane.view, Qt.Key.Key_Right, SHIFT)
    assert state_of(pane).window.left == pytest.approx(960)
    mouse.key(pane.view, Qt.Key.Key_Plus)
    assert state_of(pane).window.width == pytest.approx(80)
    mouse.key(pane.view, Qt.Key.Key_Minus)
    assert state_of(pane).window.width == pytest.approx(100)
    mouse.key(pane.view, Qt.Key.Key_Home)
    assert -5 < state_of(pane).window.left < 0
    mouse.key(pane.view, Qt.Key.Key_End)
    assert count < state_of(pane).window.right < count + 5
    mouse.key(pane.view, Qt.Key.Key_0)
    assert state_of(pane).window.width > count


def test_a_divider_is_dragged_to_make_a_panel_taller(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    sheet = sheet_of(pane)
    place = sheet.place("plot:rsi")
    assert place is not None
    at = QPoint(300, int(place.bottom))
    mouse.drag(pane.view, [at, at + QPoint(0, 12)])
    after = sheet_of(pane).place("plot:rsi")
    assert after is not None
    assert after.bottom == pytest.approx(place.bottom + 12, abs=2)


# ---------------------------------------------------------------------- pointing


def test_a_click_points_the_session_at_the_bar(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    look_near(pane, 1000)
    mouse.click(pane.view, at_bar(pane, 1010, share=0.95))
    assert (session.bar, session.trade) == (1010, None)
    image = picture_of(pane.view)
    x = int(sheet_of(pane).x(1010)) - 4
    assert image.pixelColor(x, int(sheet_of(pane).plot_height) + 12).name() == LOOK.selection


def test_a_trade_is_told_under_the_mouse_and_pointed_at_by_a_click(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    trades = state_of(pane).model.trades.all
    look_near(pane, int(trades.entry_bar[30]), 60)
    drawing = pane.view.drawing
    assert drawing is not None
    marks = drawing.marks
    number = int(np.flatnonzero(marks.rows == trades.rows[30])[0])
    at = QPoint(int(marks.xs[number]), int(marks.ys[number]))
    mouse.hover(pane.view, at)
    told = "\n".join(pane.view.pointing.lines)
    trade = session.run.trades[int(trades.rows[30])] if session.run else {}
    assert f"{trade['pnl']:+,.2f}" in told
    assert f"{trade['entry_price']:.2f}" in told
    mouse.click(pane.view, at)
    assert session.trade == int(trades.rows[30])
    assert session.bar == int(trades.entry_bar[30])
    assert any(level.kind == "stop" for level in state_of(pane).model.trades.levels(session.trade))


def test_the_crosshair_follows_the_mouse_through_all_panels(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    look_near(pane, 1000, 41)
    before = picture_of(pane.view)
    mouse.hover(pane.view, at_bar(pane, 1004, "plot:rsi", 0.4))
    assert pane.view.pointing.bar == 1004
    after = picture_of(pane.view)
    x = int(sheet_of(pane).x(1004))
    for place in sheet_of(pane).places:
        column = range(int(place.top) + 18, int(place.bottom) - 1)
        if not place.key.startswith("strip:"):
            assert any(before.pixelColor(x, y) != after.pixelColor(x, y) for y in column), place.key
    QApplication.sendEvent(pane.view, QEvent(QEvent.Type.Leave))
    assert pane.view.pointing.bar is None


def test_the_values_at_a_bar_are_the_runs(chart: tuple[ChartPane, RunSession], run: RunFolder) -> None:
    pane, session = chart
    session.go_to(1500)
    bars = run.instruments[0].bars
    quote = quote_of(state_of(pane).model, 1500)
    assert [value for _, value in quote.prices] == [
        f"{float(getattr(bars, name)[1500]):,.2f}" for name in ("open", "high", "low", "close")
    ]
    described = pane.view.accessibleDescription()
    rsi = float(run.column("rsi", "", 0)[1500])
    assert f"rsi {rsi:.3f}"[:8] in described
    assert quote.time in described
    assert f"{float(run.ledger.equity[1500]):,.2f}" in described


def test_arrows_step_from_bar_to_bar_and_the_view_comes_along(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    look_near(pane, 1000, 60)
    session.go_to(1000)
    pane.view.setFocus()
    mouse.key(pane.view, Qt.Key.Key_Right)
    assert session.bar == 1001
    for _ in range(4):
        mouse.key(pane.view, Qt.Key.Key_Left, CTRL)
    assert session.bar == 961
    assert state_of(pane).window.left < 961
    mouse.key(pane.view, Qt.Key.Key_Escape)
    assert session.bar is None


def test_where_the_session_points_is_brought_into_view(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    look_near(pane, 1000, 60)
    session.go_to(2000)
    assert state_of(pane).window.left < 2000 < state_of(pane).window.right
    assert state_of(pane).selected == 2000


def test_a_trade_chosen_elsewhere_is_shown_from_entry_to_exit(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    trades = state_of(pane).model.trades.all
    session.go_to(int(trades.exit_bar[10]), trade=int(trades.rows[10]))
    window = state_of(pane).window
    assert window.left < trades.entry_bar[10] <= trades.exit_bar[10] < window.right
    assert window.width < 80


def test_the_next_trade_is_one_press_away(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    trades = state_of(pane).model.trades.all
    session.go_to(int(trades.entry_bar[5]))
    pane.commands.next_trade()
    assert session.trade == int(trades.rows[6])
    pane.commands.previous_trade()
    assert session.trade == int(trades.rows[5])


def test_a_date_is_typed_to_go_there(chart: tuple[ChartPane, RunSession], qtbot: QtBot) -> None:
    pane, session = chart
    pane.commands.ask_date()
    mouse.type_text(pane.toolbar.date, "2008-09-15")
    qtbot.keyClick(pane.toolbar.date, Qt.Key.Key_Return)
    assert session.bar is not None
    assert state_of(pane).model.clock.text(session.bar) == "2008-09-15"
    window = state_of(pane).window
    assert abs((window.left + window.right) / 2 - session.bar) < 1
    pane.toolbar.date.clear()
    mouse.type_text(pane.toolbar.date, "soon")
    qtbot.keyClick(pane.toolbar.date, Qt.Key.Key_Return)
    assert "border-color" in pane.toolbar.date.styleSheet()


# ---------------------------------------------------------------------- what is shown


def test_a_node_is_switched_off_in_the_legend_and_on_again(chart: tuple[ChartPane, RunSession], qtbot: QtBot) -> None:
    pane, _ = chart
    hit = next(hit for hit in pane.view.overlay.legend.hits if hit.output.node == "average")
    mouse.click(pane.view, hit.box.center().toPoint())
    assert not pane.choice.is_shown("average")
    assert state_of(pane).outputs_in("price") == []
    pane.choice.toggle("average")
    pane.choice.toggle("uptrend")
    settle(qtbot, pane)
    assert [each.name for each in state_of(pane).outputs_in("price")] == ["average"]
    assert any(place.key.startswith("strip:uptrend.") for place in sheet_of(pane).places)


def test_an_indicator_is_drawn_in_its_colour(chart: tuple[ChartPane, RunSession], qtbot: QtBot) -> None:
    pane, _ = chart
    output = next(each for each in pane.choice.outputs if each.node == "rsi")
    place = sheet_of(pane).place("plot:rsi")
    assert place is not None
    area = (0, int(place.top) + 20, 900, int(place.bottom))
    assert count_color(picture_of(pane.view), LOOK.slot(output.slot), area) > 50
    pane.choice.toggle("rsi")
    settle(qtbot, pane)
    assert sheet_of(pane).place("plot:rsi") is None


def test_panels_are_switched_and_remembered(chart: tuple[ChartPane, RunSession]) -> None:
    pane, _ = chart
    pane.commands.toggle_panel("exposure")
    pane.commands.toggle_panel("equity")
    keys = [place.key for place in sheet_of(pane).places]
    assert keys[-2:] == ["drawdown", "exposure"]
    assert "equity" not in keys
    assert Settings().chart_panels == ["volume", "drawdown", "exposure"]


def test_heikin_ashi_lines_and_logarithms_are_a_click_away(chart: tuple[ChartPane, RunSession], qtbot: QtBot) -> None:
    pane, _ = chart
    candles = picture_of(pane.view)
    pane.commands.set_style("heikin_ashi")
    settle(qtbot, pane)
    assert state_of(pane).candles is state_of(pane).model.heikin_ashi
    smoothed = picture_of(pane.view)
    assert smoothed != candles
    pane.commands.set_style("line")
    assert picture_of(pane.view) not in (smoothed, candles)
    pane.commands.set_log(True)
    assert sheet_of(pane).scales["price"].log
    assert not sheet_of(pane).scales["plot:rsi"].log
    assert not sheet_of(pane).scales["drawdown"].log


def test_another_instrument_is_shown_with_its_own_bars(qtbot: QtBot, portfolio: RunFolder) -> None:
    with open_chart(qtbot, portfolio) as (pane, session):
        symbols = [job.symbol for job in portfolio.instruments]
        assert [pane.toolbar.instruments.itemText(at) for at in range(len(symbols))] == symbols
        session.go_to(100, instrument=1)
        qtbot.waitUntil(lambda: state_of(pane).model.instrument == 1)
        settle(qtbot, pane)
        assert len(state_of(pane).model) == len(portfolio.instruments[1].bars)
        assert state_of(pane).selected == 100
        pane.toolbar.instruments.setCurrentIndex(0)
        pane.toolbar.instruments.activated.emit(0)
        qtbot.waitUntil(lambda: state_of(pane).model.instrument == 0)
        assert session.instrument == 0


def test_the_same_bars_run_anew_stay_where_they_are(
    chart: tuple[ChartPane, RunSession], qtbot: QtBot, tmp_path: Path
) -> None:
    pane, session = chart
    look_near(pane, 1000, 60)
    before = state_of(pane).window
    changed = saved_example("rsi_pullback", tmp_path / "again", "indicators.rsi.timeperiod=4")
    show_run(qtbot, pane, session, changed)
    assert state_of(pane).model.run is changed
    assert state_of(pane).window == before


# ---------------------------------------------------------------------- files, and next to nothing


def test_the_drawing_is_saved_as_png_and_svg(chart: tuple[ChartPane, RunSession], tmp_path: Path) -> None:
    pane, _ = chart
    pane.commands.export_to(tmp_path / "chart.png", "png")
    pane.commands.export_to(tmp_path / "chart.svg", "svg")
    image = QImage(str(tmp_path / "chart.png"))
    assert image.size() == pane.view.size() * 2
    assert count_color(image, LOOK.up, (0, 0, 1800, 300)) > 20
    drawing = ET.parse(tmp_path / "chart.svg").getroot()  # noqa: S314 - our own file
    texts = "".join(drawing.itertext())
    assert "IBM 1d" in texts
    assert "average" in texts
    assert "clipPath" in (tmp_path / "chart.svg").read_text(encoding="utf-8")


def test_without_a_run_the_chart_says_how_to_get_one(qtbot: QtBot) -> None:
    with open_chart(qtbot, None) as (pane, _):
        assert pane.empty.isVisible()
        assert pane.empty.text.text()
        assert not pane.toolbar.isEnabled()
        with qtbot.waitSignal(pane.run_asked):
            qtbot.mouseClick(pane.empty.button, Qt.MouseButton.LeftButton)


def test_a_run_of_one_bar_without_trades_is_drawn(qtbot: QtBot, tmp_path: Path) -> None:
    with open_chart(qtbot, one_bar_run(tmp_path / "one")) as (pane, session):
        pane.view.setFocus()
        for key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Right):
            mouse.key(pane.view, key)
        assert session.bar == 0
        assert count_color(picture_of(pane.view), LOOK.down, (0, 0, 900, 300)) + count_color(
            picture_of(pane.view), LOOK.up, (0, 0, 900, 300)
        )
        pane.commands.next_trade()
        assert session.trade is None


def test_a_run_that_ends_leaves_nothing_on_the_chart(chart: tuple[ChartPane, RunSession]) -> None:
    pane, session = chart
    session.show_run(None)
    assert pane.state is None
    assert pane.empty.isVisible()


def test_a_node_is_switched_by_its_name(chart: tuple[ChartPane, RunSession], qtbot: QtBot) -> None:
    pane, _ = chart
    pane.commands.toggle_node("uptrend")
    settle(qtbot, pane)
    assert "uptrend" in {each.node for each in state_of(pane).drawn}
    assert pane.choice.slot("uptrend") == next(each.slot for each in pane.choice.outputs if each.node == "uptrend")
    with qtbot.waitSignal(pane.message) as told:
        pane.commands.toggle_node("nothing_of_the_kind")
    assert "nothing_of_the_kind" in told.args[0]


def test_columns_without_a_number_and_positions_still_open_are_no_trouble(qtbot: QtBot, tmp_path: Path) -> None:
    run = saved_example(
        "golden_cross",
        tmp_path / "open",
        "indicators.slow.timeperiod=60",
        "run.end=2012-09-01",
        "indicators.fast.timeperiod=20",
    )
    with open_chart(qtbot, run) as (pane, _):
        state = state_of(pane)
        assert "slow.value" in state.model.lines
        state.model.lines["slow.value"] = RangeLevels(np.full(len(state.model), np.nan))
        held = state.model.open_positions
        assert held, "the example holds a position at that date"
        look_near(pane, held[0].entry_bar, 60)
        drawing = pane.view.drawing
        assert drawing is not None
        x, y, _ = drawing.marks.still_open[0]
        mouse.hover(pane.view, QPoint(int(x), int(y)))
        assert f"{held[0].unrealised_pnl:+,.2f}" in "\n".join(pane.view.pointing.lines)
        pane.view.fit()
        assert picture_of(pane.view).width() > 0


def test_only_the_last_of_runs_in_quick_succession_is_drawn(
    chart: tuple[ChartPane, RunSession], qtbot: QtBot, tmp_path: Path
) -> None:
    pane, session = chart
    runs = [saved_example("rsi_pullback", tmp_path / str(n), f"indicators.rsi.timeperiod={n}") for n in (3, 4, 5)]
    for each in runs:
        session.show_run(each)
    qtbot.waitUntil(lambda: pane.is_ready and state_of(pane).model.run is runs[-1])


def test_both_themes_are_followed(chart: tuple[ChartPane, RunSession], qapp: QApplication) -> None:
    pane, _ = chart
    apply(qapp, "dark")
    try:
        image = picture_of(pane.view)
        assert (
            image.pixelColor(3, int(sheet_of(pane).plot_height) - 3).name() == chart_look(DARK, "green_red").background
        )
        assert count_color(image, chart_look(DARK, "green_red").up, (0, 0, 900, 200))
    finally:
        apply(qapp, "light")


def test_the_menu_of_nodes_lists_every_output_and_switches_it(
    chart: tuple[ChartPane, RunSession], qtbot: QtBot
) -> None:
    pane, _ = chart
    menu = pane.toolbar.output_button.menu()
    menu.aboutToShow.emit()
    entries = {action.text(): action for action in menu.actions() if action.isCheckable()}
    assert {name: action.isChecked() for name, action in entries.items()} == {
        "rsi": True,
        "average": True,
        "dip": True,
        "uptrend": False,
    }
    first = menu.actions()[0]
    assert (first.text(), first.isSeparator(), first.isEnabled()) == ("On the price plot", False, False)
    boxes = {name: action.icon().pixmap(14, 14).toImage() for name, action in entries.items()}
    assert all(boxes[name].pixelColor(4, 10).alpha() == 255 for name in ("rsi", "average", "dip"))
    assert boxes["uptrend"].pixelColor(4, 10).alpha() == 0, "an outline, since it is not shown"
    entries["uptrend"].trigger()
    settle(qtbot, pane)
    assert "uptrend" in {each.node for each in state_of(pane).drawn}


def test_a_right_click_offers_what_can_be_done(chart: tuple[ChartPane, RunSession], qapp: QApplication) -> None:
    pane, session = chart
    look_near(pane, 1000, 60)
    entries = {action.objectName(): action for action in chart_menu(pane).actions()}
    assert not entries["zoom_to_trade"].isEnabled()
    entries["copy"].trigger()
    assert qapp.clipboard().image().size() == pane.view.size() * 2
    entries["fit"].trigger()
    assert state_of(pane).window.width > len(state_of(pane).model)
    entries["set_log"].trigger()
    assert sheet_of(pane).scales["price"].log
    entries["set_auto"].trigger()
    assert state_of(pane).scales
    pane.commands.next_trade()
    assert {action.objectName(): action for action in chart_menu(pane).actions()}["zoom_to_trade"].isEnabled()
    assert session.trade is not None
