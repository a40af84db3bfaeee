"""In every language each dialog is in that language, and no words are cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.about import AboutDialog
from quantcrafter.app.dialogs.changed import ChangedNotice
from quantcrafter.app.dialogs.gallery import GalleryDialog
from quantcrafter.app.dialogs.node_file import NewNodeFileDialog, NodeFileDialog
from quantcrafter.app.dialogs.plugins import PluginsDialog
from quantcrafter.app.dialogs.preferences import Preferences
from quantcrafter.app.dialogs.settings import SettingsDialog
from quantcrafter.app.dialogs.shortcut_list import Command
from quantcrafter.app.dialogs.shortcuts import ShortcutsDialog
from quantcrafter.app.dialogs.templates import all_templates
from quantcrafter.app.dialogs.unsaved import UnsavedDialog
from quantcrafter.app.services import i18n
from quantcrafter.app.window.recovery.dialog import RecoveryDialog
from quantcrafter.app.window.recovery.unsaved_work import UnsavedWork
from quantcrafter.engine.plugins import load_registry
from tests.support.children import children
from tests.support.translations import translations


def _over_a_canvas(notice: QWidget) -> QWidget:
    """Return a pane as narrow as a canvas gets at 1280x720, with the notice at its top."""
    pane = QWidget()
    column = QVBoxLayout(pane)
    column.addWidget(notice)
    column.addStretch(1)
    pane.resize(760, 300)
    return pane


MAKERS: dict[str, Callable[[], QWidget]] = {
    "about": AboutDialog,
    "changed": lambda: _over_a_canvas(ChangedNotice("rsi.yaml", modified=True)),
    "gallery": lambda: GalleryDialog(all_templates(()), lambda *_: None),
    "new node file": lambda: NewNodeFileDialog(Path),
    "node file": lambda: NodeFileDialog(Path(__file__)),
    "plugins": lambda: PluginsDialog(load_registry(), lambda _name: None),
    "recovery": lambda: RecoveryDialog([UnsavedWork("a", "A", datetime.now(UTC), "a: 1\n")]),
    "settings": lambda: SettingsDialog(Preferences()),
    "shortcuts": lambda: ShortcutsDialog([Command("a", "A", "Ctrl+A", "Ctrl+B"), Command("b", "B", "", "Ctrl+B")]),
    "unsaved": lambda: UnsavedDialog(["RSI pullback", "golden_cross.yaml"]),
}


@pytest.fixture(params=list(i18n.LANGUAGES))
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    i18n.use_language(request.param)
    yield str(request.param)
    i18n.use_language("en")


@pytest.mark.parametrize("name", MAKERS)
def test_no_words_are_cut_off(qtbot: QtBot, language: str, name: str) -> None:
    widget = MAKERS[name]()
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    for button in children(widget, QAbstractButton):
        if button.isVisible() and button.text():
            assert button.width() >= button.minimumSizeHint().width(), f"{language}: {button.text()}"
    for label in children(widget, QLabel):
        if label.isVisible() and label.text().strip():
            needed = label.heightForWidth(label.width()) if label.wordWrap() else label.minimumSizeHint().height()
            assert label.height() >= needed, f"{language}: {label.text()}"
    assert widget.width() <= 1280
    assert widget.height() <= 720


@pytest.mark.parametrize("name", MAKERS)
def test_a_dialog_speaks_the_language_in_use(qtbot: QtBot, language: str, name: str) -> None:
    widget = MAKERS[name]()
    qtbot.addWidget(widget)
    words = [button.text() for button in children(widget, QAbstractButton) if button.text()]
    if isinstance(widget, QDialog):
        words.append(widget.windowTitle())
    assert words
    if language != "en":
        same = {done for text, done in translations(language).items() if text == done}
        english = set(translations(language)) - same
        assert not english & set(words)
