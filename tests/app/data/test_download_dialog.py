"""The dialog that downloads bars, with the real processes and a server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.download_dialog import DownloadDialog
from quantcrafter.app.data.pane import DataPane
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.engine.api import Timeframe
from quantcrafter.engine.data.store import BarStore
from tests.support.data_controller import pick, texts, until
from tests.support.desktop import copy_example, open_window
from tests.support.exchange_server import Server, rows_of, running_server
from tests.support.modal import answering

HOUR = Timeframe(1, "h")
HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01


@pytest.fixture
def server() -> Iterator[Server]:
    """Hours of BTC/USDT, the newest of which is half over."""
    rows = rows_of(START_MS, 2501, HOUR_MS)
    with running_server(rows[-1][0] + HOUR_MS // 2, BTCUSDT=rows) as running:
        yield running
        running.gate.set()


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as made:
        yield made


@pytest.fixture
def pane(qtbot: QtBot, desktop: Desktop) -> DataPane:
    made = desktop.store.pane
    qtbot.addWidget(made)
    made.resize(900, 260)
    with qtbot.waitExposed(made):
        made.show()
    return made


def press(button: object) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-overload]


def fill_in(qtbot: QtBot, dialog: DownloadDialog, server: Server, symbols: str) -> None:
    """Choose hours of symbols at Binance since 2024, on the test's server."""
    until(qtbot, dialog.timeframe.isEnabled)
    pick(dialog.provider, "Crypto exchange")
    until(qtbot, lambda: dialog.place.count() > 0)
    edit = dialog.place.lineEdit()
    assert edit is not None
    edit.setFocus()
    edit.clear()
    QTest.keyClicks(edit, "binance")
    QTest.keyClick(edit, Qt.Key.Key_Tab)
    until(qtbot, dialog.timeframe.isEnabled)
    pick(dialog.timeframe, "1h")
    QTest.keyClicks(dialog.symbols, symbols)
    QTest.keyClicks(dialog.server, server.url)
    dialog.since.clear()
    QTest.keyClicks(dialog.since, "2024-01")


def opened(desktop: Desktop, act: Callable[[DownloadDialog], object]) -> None:
    with answering(DownloadDialog, act):
        press(desktop.store.pane.buttons["download"])


def test_bars_are_downloaded_with_progress_and_what_failed_stays_visible(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, server: Server
) -> None:
    def act(dialog: DownloadDialog) -> None:
        assert not dialog.ok_button.isEnabled()
        fill_in(qtbot, dialog, server, "BTC/USDT, XRP/USDT")
        press(dialog.ok_button)
        assert not dialog.ok_button.isEnabled()
        until(qtbot, lambda: dialog.job is None)
        done, failed = texts(dialog.list)
        assert done[:2] == ["BTC/USDT", "2,500 new bars, 2,500 stored"]
        assert failed[1].startswith("binance has no symbol 'XRP/USDT'.")
        assert dialog.ok_button.isEnabled()
        press(dialog.close_button)

    opened(desktop, act)

    until(qtbot, lambda: len(pane.model.series) == 1)
    series = BarStore().series("BTC/USDT", HOUR)
    assert (series.count, series.market) == (2500, "crypto_spot")
    assert pane.buttons["update"].isEnabled()


def test_stopping_keeps_what_was_downloaded_and_starting_again_continues(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, server: Server
) -> None:
    def hang(_handler: object) -> bool:
        server.gate.wait(60)
        return False

    server.faults = [lambda _: False, hang]

    def act(dialog: DownloadDialog) -> None:
        fill_in(qtbot, dialog, server, "BTC/USDT")
        press(dialog.ok_button)
        until(qtbot, lambda: len(server.pages) == 2)
        press(dialog.stop_button)
        until(qtbot, lambda: dialog.job is None)
        assert texts(dialog.list)[0][1] == "Stopped. Downloaded bars are stored."
        assert BarStore().series("BTC/USDT", HOUR).count == 1000
        server.gate.set()
        press(dialog.ok_button)
        until(qtbot, lambda: dialog.job is None)
        assert texts(dialog.list)[0][1] == "1,500 new bars, 2,500 stored"
        press(dialog.close_button)

    opened(desktop, act)
    until(qtbot, lambda: len(pane.model.series) == 1)


def test_a_closed_dialog_leaves_the_download_to_the_pane_while_data_are_looked_at(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, server: Server
) -> None:
    def hang(_handler: object) -> bool:
        server.gate.wait(60)
        return False

    server.faults = [lambda _: False, hang]

    def act(dialog: DownloadDialog) -> None:
        fill_in(qtbot, dialog, server, "BTC/USDT")
        press(dialog.ok_button)
        until(qtbot, lambda: len(server.pages) == 2)
        press(dialog.close_button)

    opened(desktop, act)
    assert pane.progress.isVisible()
    assert "BTC/USDT" in pane.progress.text.text()
    listed: list[object] = []
    pane.jobs.listed.connect(listed.append)
    pane.jobs.refresh()  # another process lists the store meanwhile
    until(qtbot, lambda: bool(listed))

    server.gate.set()

    until(qtbot, lambda: not pane.progress.isVisible() and len(pane.model.series) == 1)
    assert pane.model.series[0].count == 2500


def test_update_brings_what_is_new(qtbot: QtBot, desktop: Desktop, pane: DataPane, server: Server) -> None:
    def act(dialog: DownloadDialog) -> None:
        fill_in(qtbot, dialog, server, "BTC/USDT")
        press(dialog.ok_button)
        until(qtbot, lambda: dialog.job is None)
        press(dialog.close_button)

    opened(desktop, act)
    until(qtbot, lambda: len(pane.model.series) == 1)
    server.rows["BTCUSDT"] = rows_of(START_MS, 2601, HOUR_MS)
    server.now_ms += 100 * HOUR_MS

    press(pane.buttons["update"])

    until(qtbot, lambda: pane.model.series[0].count == 2600)


def test_another_name_is_asked_for_before_anything_is_downloaded_there(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, server: Server
) -> None:
    def act(dialog: DownloadDialog) -> None:
        fill_in(qtbot, dialog, server, "BTC/USDT")
        assert dialog.ok_button.isEnabled()
        edit = dialog.place.lineEdit()
        assert edit is not None
        edit.setFocus()
        QTest.keyClick(edit, Qt.Key.Key_Home)
        QTest.keyClicks(edit, "1h")
        assert not dialog.ok_button.isEnabled()
        until(qtbot, lambda: not dialog.problem.isHidden())  # the focus stays where it is
        assert dialog.problem.text() == "ccxt has no exchange '1hbinance'. Did you mean 'binance'?"
        QTest.keyClick(edit, Qt.Key.Key_Backspace)
        QTest.keyClick(edit, Qt.Key.Key_Backspace)
        until(qtbot, dialog.ok_button.isEnabled)
        press(dialog.close_button)

    assert pane.isVisible()
    opened(desktop, act)


def test_a_time_that_is_none_is_said_and_nothing_is_downloaded(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, server: Server
) -> None:
    def act(dialog: DownloadDialog) -> None:
        fill_in(qtbot, dialog, server, "BTC/USDT")
        QTest.keyClicks(dialog.since, "-45")
        press(dialog.ok_button)
        assert dialog.problem.text().startswith("A download begins with a year, month, day or time such as 2020")
        assert dialog.job is None
        press(dialog.close_button)

    assert pane.isVisible()
    opened(desktop, act)


def test_an_exchange_that_there_is_not_is_said_in_the_dialog(qtbot: QtBot, desktop: Desktop, pane: DataPane) -> None:
    def act(dialog: DownloadDialog) -> None:
        until(qtbot, dialog.timeframe.isEnabled)
        pick(dialog.provider, "Crypto exchange")
        until(qtbot, lambda: dialog.place.count() > 0)
        edit = dialog.place.lineEdit()
        assert edit is not None
        edit.setFocus()
        QTest.keyClicks(edit, "binanse")
        QTest.keyClick(edit, Qt.Key.Key_Tab)
        until(qtbot, lambda: not dialog.problem.isHidden())
        assert dialog.problem.text() == "ccxt has no exchange 'binanse'. Did you mean 'binance'?"
        QTest.keyClicks(dialog.symbols, "BTC/USDT")
        assert not dialog.ok_button.isEnabled()
        press(dialog.close_button)

    assert pane.isVisible()
    opened(desktop, act)
