"""InstrumentCard: one instrument under its name; its form is made when it is unfolded."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from quantcrafter.app.inspector.form_view import FormView
from quantcrafter.app.inspector.sections import Section
from quantcrafter.app.inspector.values_in_use import ValuesInUse
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon


class InstrumentCard(Section):
    """A foldable section with the buttons of an instrument. A folded one costs a few widgets, not a form of them.

    Args:
        title: the instrument's symbol.
        make: puts the form of the instrument into the card and returns it; called when it is first seen.
        parent: the page.
        is_open: whether the form is seen at once.
        removable: whether the instrument may be removed.
    """

    source_asked = Signal()
    remove_asked = Signal()

    def __init__(
        self,
        title: str,
        make: Callable[[InstrumentCard], FormView],
        parent: QWidget,
        *,
        is_open: bool,
        removable: bool = True,
    ) -> None:
        self.view: FormView | None = None
        self.values: ValuesInUse | None = None
        self._make = make
        super().__init__(title, parent, foldable=True, is_open=is_open)
        self.source_button = self._button("bars", tr("Choose the data and preview the bars"), self.source_asked.emit)
        self.source_button.setText(tr("Data..."))
        self.source_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.remove_button = self._button("close", tr("Remove this instrument"), self.remove_asked.emit)
        self.remove_button.setEnabled(removable)
        self.name(title)

    def name(self, title: str) -> None:
        """Show another symbol."""
        self.title = title
        if self.toggle is not None:
            self.toggle.setText(title)
            self.toggle.setAccessibleName(title)
        self.source_button.setAccessibleName(tr("Data of {name}", name=title))
        self.remove_button.setAccessibleName(tr("Remove {name}", name=title))

    def _fold(self, is_open: bool) -> None:  # noqa: FBT001 - connected to a Qt signal
        if is_open and self.view is None:
            self.view = self._make(self)
        super()._fold(is_open)

    def _button(self, name: str, tip: str, call: Callable[[], object]) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(name))
        button.setIconSize(QSize(14, 14))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.clicked.connect(lambda _checked=False: call())
        self.head.addWidget(button)
        return button
