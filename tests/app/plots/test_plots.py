"""The plots are made when they are seen, read off by mouse and keyboard, and drawn in the current theme."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.price_line import PriceLine
from quantcrafter.app.dialogs.comparison.curves import Curve, CurvesView
from quantcrafter.app.panes.results.distribution import HistogramPlot, histogram
from quantcrafter.app.plots import Plot, ReadingPlot
from quantcrafter.app.theme import DARK, LIGHT, apply
from quantcrafter.engine.runtime.compute_process.jobs.preview import Line
from tests.support import mouse
from tests.support.command_line import clean_environment

DAY_NS = 86_400_000_000_000
TS = np.datetime64("2020-01-01", "ns").astype("int64") + np.arange(100) * DAY_NS
CONTROL = Qt.KeyboardModifier.ControlModifier


def seen(qtbot: QtBot, plot: Plot) -> Plot:
    qtbot.addWidget(plot)
    plot.resize(600, 360)
    plot.show()
    qtbot.waitExposed(plot)
    settle()
    return plot


def settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def viewport(plot: Plot) -> QWidget:
    assert plot.surface is not None
    found: QWidget = plot.surface.viewport()
    return found


def on_screen(plot: Plot, x: float) -> QPoint:
    """Return where a place of the horizontal axis is, half way up."""
    assert plot.surface is not None
    box = plot.surface.box
    place = plot.surface.mapFromScene(box.mapViewToScene(QPointF(x, 0.0)))
    return QPoint(int(place.x()), viewport(plot).height() // 2)


def price_line() -> PriceLine:
    close = np.linspace(100.0, 199.0, 100)
    line = PriceLine()
    line.show_line(Line(TS, close - 1, close + 1, close))
    return line


def curves() -> CurvesView:
    rising, falling = np.linspace(1000.0, 2000.0, 100), np.linspace(1000.0, 500.0, 50)
    return CurvesView((Curve("first", TS, rising), Curve("second", TS[50:], falling)))


def test_a_plot_imports_and_makes_nothing_before_it_is_seen(qtbot: QtBot, tmp_path: Path) -> None:
    line = price_line()
    qtbot.addWidget(line)
    assert line.surface is None
    code = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from quantcrafter.app.panes.results.distribution import DistributionPage\n"
        "from quantcrafter.app.dialogs.heatmap import Heatmap\n"
        "page, map = DistributionPage(), Heatmap()\n"
        "page.show(), map.show()\n"
        "print('pyqtgraph' in sys.modules)"
    )
    environment = clean_environment(tmp_path, QT_QPA_PLATFORM="offscreen")
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr


def test_without_content_a_sentence_stands_there(qtbot: QtBot) -> None:
    plot = seen(qtbot, PriceLine())
    assert plot.nothing.isVisible()
    assert plot.surface is None
    assert isinstance(plot, PriceLine)
    plot.show_line(price_line().line)
    assert not plot.nothing.isVisible()
    plot.show_line(None)
    assert plot.nothing.isVisible()


def test_the_pointer_reads_the_nearest_value(qtbot: QtBot) -> None:
    line = seen(qtbot, price_line())
    assert isinstance(line, PriceLine)
    mouse.hover(viewport(line), on_screen(line, TS[30] / 1e9 + 30_000))
    assert line.at == 30
    assert line.accessibleDescription() == "2020-01-31   130.00"
    mouse.hover(viewport(line), QPoint(2, 2))
    assert line.at is None
    assert line.accessibleDescription() == ""


def test_the_keys_read_step_by_step_zoom_pan_and_show_all(qtbot: QtBot) -> None:
    line = seen(qtbot, price_line())
    assert isinstance(line, ReadingPlot)
    assert line.surface is not None
    QTest.keyClick(line, Qt.Key.Key_Right)
    QTest.keyClick(line, Qt.Key.Key_Right)
    assert line.at == 1
    QTest.keyClick(line, Qt.Key.Key_Left)
    QTest.keyClick(line, Qt.Key.Key_Left)
    assert line.at == 0, "it ends at the first"
    (left, right), (low, high) = line.surface.box.viewRange()
    QTest.keyClick(line, Qt.Key.Key_Plus)
    settle()
    (zoomed_left, zoomed_right), (zoomed_low, zoomed_high) = line.surface.box.viewRange()
    assert zoomed_right - zoomed_left == pytest.approx(0.8 * (right - left))
    assert zoomed_high - zoomed_low < high - low, "the prices follow what is seen"
    QTest.keyClick(line, Qt.Key.Key_Right, CONTROL)
    assert line.surface.box.viewRange()[0][0] > zoomed_left
    QTest.keyClick(line, Qt.Key.Key_Home)
    settle()
    assert line.surface.box.viewRange()[0] == pytest.approx([left, right])


def test_a_double_click_shows_everything_again_and_a_click_takes_the_focus(qtbot: QtBot) -> None:
    line = seen(qtbot, price_line())
    assert line.surface is not None
    before = line.surface.box.viewRange()[0]
    line.surface.zoom(0.5, both=False)
    middle = viewport(line).rect().center()
    mouse.click(viewport(line), middle)
    assert QApplication.focusWidget() is line
    QTest.mouseDClick(viewport(line), Qt.MouseButton.LeftButton, pos=middle)
    settle()
    assert line.surface.box.viewRange()[0] == pytest.approx(before)


def test_what_is_outside_the_period_is_dimmed(qtbot: QtBot) -> None:
    line = seen(qtbot, price_line())
    assert isinstance(line, PriceLine)

    def background(day: int) -> int:
        at = on_screen(line, TS[day] / 1e9)
        return (
            viewport(line).grab().toImage().pixelColor(at.x(), 40 if day > 60 else viewport(line).height() - 60).rgb()
        )

    plain = background(30)
    line.show_period(int(TS[20]), int(TS[80]))
    settle()
    assert background(30) == plain
    assert background(5) != plain
    line.show_period(None, None)
    settle()
    assert background(5) == plain


def test_both_curves_are_read_at_one_time(qtbot: QtBot) -> None:
    view = seen(qtbot, curves())
    assert isinstance(view, CurvesView)
    view.read(10)
    assert view.accessibleDescription() == "2020-01-11 00:00 UTC\nfirst: 1,101.01\nsecond: -"
    view.read(99)
    assert view.accessibleDescription() == "2020-04-09 00:00 UTC\nfirst: 2,000.00\nsecond: 500.00"


def test_a_year_begins_at_its_number_though_new_york_saves_daylight_in_the_middle(qtbot: QtBot) -> None:
    days = np.arange(np.datetime64("2000-03-01"), np.datetime64("2013-03-02")).astype("datetime64[ns]").astype("int64")
    view = seen(qtbot, CurvesView((Curve("run", days, np.linspace(1.0, 2.0, len(days))),), "America/New_York"))
    assert view.surface is not None
    axis = view.surface.getPlotItem().getAxis("bottom")
    spacing, years = max(axis.tickValues(days[0] / 1e9, days[-1] / 1e9, 700), key=itemgetter(0))
    begun = [datetime.fromtimestamp(value, UTC) for value in years]
    assert [(each.year, each.month, each.day) for each in begun] == [(year, 1, 1) for year in range(2001, 2014)]
    assert axis.tickStrings(years, 1.0, spacing) == [str(year) for year in range(2001, 2014)]


def test_a_bar_of_the_histogram_says_how_many_returns_it_has(qtbot: QtBot) -> None:
    plot = HistogramPlot()
    plot.show_histogram(histogram(np.array([-1.0, 0.5, 0.5, 2.0])))
    seen(qtbot, plot)
    assert plot.histogram is not None
    told = [plot.reading(number) for number in range(len(plot.histogram.counts))]
    assert sum(int(text.rpartition(" ")[2]) for text in told) == 4
    mouse.hover(viewport(plot), on_screen(plot, 0.55))
    assert plot.accessibleDescription().endswith("%: 2")


@pytest.mark.parametrize("make", [price_line, curves])
def test_another_theme_is_put_on(qtbot: QtBot, qapp: QApplication, make: Callable[[], Plot]) -> None:
    plot = seen(qtbot, make())
    try:
        for name, theme in (("dark", DARK), ("light", LIGHT)):
            apply(qapp, name)
            settle()
            corner = viewport(plot).grab().toImage().pixelColor(viewport(plot).width() - 3, 1)
            assert corner.name() == theme.field
    finally:
        apply(qapp, "light")
