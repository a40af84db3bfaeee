"""The dialog that varies parameters."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.sweep import SweepDialog
from quantcrafter.app.document.document import Document
from quantcrafter.app.services.engine import Engine
from tests.support.kept_runs import EXAMPLES, registry


def test_the_sweep_is_a_window_of_its_own_beside_the_main_one(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    engine = Engine(window)
    document = Document.open(EXAMPLES / "rsi_pullback.yaml", registry())

    dialog = SweepDialog(window, document, engine, first=("rsi", "timeperiod"))
    dialog.show()

    assert dialog.isWindow()
    assert not dialog.isModal()
    assert dialog.across.variable is not None
    assert dialog.across.variable.node == "rsi"
    engine.close()
