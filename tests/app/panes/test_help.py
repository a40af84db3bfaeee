"""The help pane."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.panes.help import HelpPane
from quantcrafter.app.panes.help_text import component_html, paragraphs
from quantcrafter.app.theme import LIGHT
from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins import load_registry
from tests.support.open_documents import WITH_BLOCK, open_document


def show(qtbot: QtBot, document: Document) -> HelpPane:
    pane = HelpPane(document)
    qtbot.addWidget(pane)
    pane.resize(320, 700)
    pane.show()
    qtbot.waitExposed(pane)
    return pane


def test_a_node_is_explained_with_ports_parameters_and_example(qtbot: QtBot) -> None:
    pane = show(qtbot, open_document())
    pane.show_node("rsi")
    text = pane.browser.toPlainText()
    assert text.startswith("RSI\nIndicator · Momentum Indicators · ta.RSI")
    assert "integer · 2 to 100000 · default 14" in text
    assert "Series · required" in text
    assert "Warm-up: 14 bars, as in the example" in text
    assert "Lookback:" in text
    assert "Formula: TA-Lib" in text
    assert "indicators:\n  my_rsi: {use: ta.RSI, input: bars.close, timeperiod: 14}" in text


def test_a_component_of_the_palette_is_explained(qtbot: QtBot) -> None:
    pane = show(qtbot, open_document())
    pane.show_component(load_registry().component(Role.RISK, "percent_stop"))
    text = pane.browser.toPlainText()
    assert "percent_stop" in text
    assert "above 0, below 100 · % · required" in text


def test_bars_blocks_and_placeholders_are_explained(qtbot: QtBot) -> None:
    pane = show(qtbot, open_document(WITH_BLOCK))
    pane.show_node("bars")
    assert "close" in pane.browser.toPlainText()
    pane.show_node("trend")
    assert "Up while the price is above its average." in pane.browser.toPlainText()
    assert "price" in pane.browser.toPlainText()
    pane.show_node("strange")
    assert "No installed plugin provides this component." in pane.browser.toPlainText()
    pane.show_node("price", ("blocks", "gate"))
    assert "Input of the block" in pane.browser.toPlainText()


def test_nothing_selected_says_how_to_get_help(qtbot: QtBot) -> None:
    pane = show(qtbot, open_document())
    assert pane.browser.toPlainText().startswith("Select a node")


def test_docstrings_become_paragraphs_code_and_lists() -> None:
    html = paragraphs("One `code` & <more>.\nStill one.\n\n- first\n- second\n  goes on")
    assert html == (
        "<p>One <code>code</code> &amp; &lt;more&gt;. Still one.</p><ul><li>first</li><li>second goes on</li></ul>"
    )


def test_every_component_can_be_explained() -> None:
    registry = load_registry()
    for role in Role:
        for name in registry.component_names(role):
            cls = registry.component(role, name)
            assert cls is not None
            assert "<pre" in component_html(cls, LIGHT)
