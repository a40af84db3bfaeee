from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPixmap
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from quantcrafter.app import theme
from quantcrafter.app.dialogs.card import PICTURE, TAG_ROWS, TEMPLATE_ROLE, placed, wrapped
from quantcrafter.app.dialogs.gallery import GalleryDialog
from quantcrafter.app.dialogs.pictures import paint_graph
from quantcrafter.app.dialogs.templates import Tag, all_templates
from quantcrafter.app.dialogs.thumbnails import Thumbnails
from quantcrafter.engine.api.home import home
from quantcrafter.engine.plugins import load_registry


@pytest.fixture
def dialog(qtbot: QtBot) -> GalleryDialog:
    made = GalleryDialog(all_templates(()), paint_graph(load_registry()))
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def _names(dialog: GalleryDialog) -> list[str]:
    return [dialog.model.index(row, 0).data(TEMPLATE_ROLE).name for row in range(dialog.model.rowCount())]


def _card(dialog: GalleryDialog, name: str) -> QModelIndex:
    return dialog.model.index(_names(dialog).index(name), 0)


def test_it_fits_a_small_screen(dialog: GalleryDialog) -> None:
    assert dialog.width() <= 1280
    assert dialog.height() <= 680
    assert dialog.cards.horizontalScrollBar().maximum() == 0


def test_typing_leaves_the_cards_that_match_and_enter_opens_the_first(qtbot: QtBot, dialog: GalleryDialog) -> None:
    qtbot.keyClicks(dialog.search, "rsi recovers")
    assert _names(dialog) == ["RSI pullback"]
    qtbot.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.template is not None
    assert "ta.RSI" in dialog.template.text


def test_a_search_without_a_match_says_so_and_opens_nothing(qtbot: QtBot, dialog: GalleryDialog) -> None:
    qtbot.keyClicks(dialog.search, "zzz")
    assert dialog.nothing.isVisible()
    assert "zzz" in dialog.nothing.text()
    assert not dialog.open_button.isEnabled()


def test_arrow_keys_walk_from_the_search_to_a_card_that_enter_opens(qtbot: QtBot, dialog: GalleryDialog) -> None:
    qtbot.keyClick(dialog.search, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.cards, Qt.Key.Key_Right)
    qtbot.keyClick(dialog.cards, Qt.Key.Key_Return)
    assert dialog.template is not None
    assert dialog.template.name == _names(dialog)[1]


def test_a_double_click_opens_a_card(qtbot: QtBot, dialog: GalleryDialog) -> None:
    centre = dialog.cards.visualRect(_card(dialog, "Golden cross")).center()
    qtbot.mouseClick(dialog.cards.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseDClick(dialog.cards.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert dialog.template is not None
    assert dialog.template.name == "Golden cross"


def test_escape_returns_nothing(qtbot: QtBot, dialog: GalleryDialog) -> None:
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.result() == QDialog.DialogCode.Rejected
    assert dialog.template is None


def test_a_card_tells_a_screen_reader_its_words(dialog: GalleryDialog) -> None:
    words = _card(dialog, "Golden cross").data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Golden cross" in words
    assert "50-day average" in words
    assert "Indicators 2" in words


def test_a_picture_of_the_graph_comes_into_the_card(qtbot: QtBot, dialog: GalleryDialog) -> None:
    rect = dialog.cards.visualRect(_card(dialog, "Golden cross"))
    dialog.cards.scrollTo(_card(dialog, "Golden cross"))
    bodies = QColor(theme.current().family("advisors")).rgb()

    def shows_an_advisor() -> None:
        rect = dialog.cards.visualRect(_card(dialog, "Golden cross"))
        image = dialog.cards.viewport().grab(rect).toImage()
        seen = {image.pixel(x, y) for x in range(image.width()) for y in range(PICTURE.height() - 4)}
        assert bodies in seen

    assert not rect.isEmpty()
    qtbot.waitUntil(shows_an_advisor, timeout=10_000)
    assert list((home() / "cache" / "thumbnails").glob("*.png"))


def test_a_kept_picture_is_not_painted_again(qtbot: QtBot, tmp_path: Path) -> None:
    painted: list[str] = []

    def paint(text: str, size: QSize, ratio: float) -> QImage:
        painted.append(text)
        image = QImage(size * ratio, QImage.Format.Format_RGB32)
        image.fill(QColor("red"))
        return image

    template = all_templates(())[1]
    for _ in range(2):
        thumbnails = Thumbnails(paint, QSize(20, 10), 2.0, tmp_path)
        with qtbot.waitSignal(thumbnails.ready):
            assert thumbnails.picture(template) is None
        picture = thumbnails.picture(template)
        assert isinstance(picture, QPixmap)
        assert picture.deviceIndependentSize().toSize() == QSize(20, 10)
    assert len(painted) == 1


def test_a_folder_that_cannot_be_written_only_costs_painting_again(qtbot: QtBot, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    thumbnails = Thumbnails(paint_graph(load_registry()), PICTURE, 1.0, blocked / "below")
    with qtbot.waitSignal(thumbnails.ready):
        thumbnails.picture(all_templates(())[1])


def test_the_empty_strategy_has_no_picture(qtbot: QtBot) -> None:
    assert qtbot is not None
    assert paint_graph(load_registry())(all_templates(())[0].text, PICTURE, 1.0) is None


def test_a_long_description_ends_in_an_ellipsis(qtbot: QtBot) -> None:
    assert qtbot is not None
    lines = wrapped("many words " * 40, QFont(), 200, rows=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert wrapped("short", QFont(), 200, rows=2) == ["short"]


def test_tags_that_do_not_fit_are_counted(qtbot: QtBot) -> None:
    assert qtbot is not None
    tags = tuple(Tag(f"symbol {number}") for number in range(30))
    places = placed(tags, QFontMetrics(QFont()), 280)
    assert places[-1][0].text == f"+{30 - (len(places) - 1)}"
    assert all(place.right() <= 280 for _, place in places)
    assert {place.top() for _, place in places} == set(range(TAG_ROWS))
