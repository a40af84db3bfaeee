"""PaneFrame: the content of a run pane's dock: the pane, created when needed, and a banner when it is out of date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.window.layout.notice import StaleBanner

LEAST = QSize(118, 36)
USABLE = QSize(118, 120)
"""Under this a pane that is looked at would be nothing but its buttons."""
BANNER_EDGE, BANNER_LIFT, BANNER_ROOM = 10, 36, 24
"""How far the banner stays from the pane's sides and from its lower edge, where the chart has its dates, and by how
much it is wider than its text; in pixels."""


class RunPane(Protocol):
    """A pane that shows a run; it is a QWidget."""

    def set_session(self, session: RunSession) -> None:
        """Show another strategy's run from now on, and follow it."""


class PaneFrame(QWidget):
    """Holds one pane of the run side.

    The pane is imported and made when it is first seen, so that starting stays fast. As long as nothing was run, a
    pane that `needs_run` gives way to a word on how to begin.

    Args:
        make: makes the pane.
        needs_run: the pane is of use only with a run.
        can_be_stale: the pane shows what a change of the strategy makes out of date.
    """

    run_asked = Signal()

    def __init__(self, make: Callable[[], QWidget], *, needs_run: bool = True, can_be_stale: bool = True) -> None:
        super().__init__()
        self._make = make
        self._needs_run = needs_run
        self._can_be_stale = can_be_stale
        self._session: RunSession | None = None
        self._seen = False
        self._pane: QWidget | None = None
        self._banner: StaleBanner | None = None
        self._stack = QStackedWidget()
        self._empty = self._make_empty()
        self._stack.addWidget(self._empty)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        self._column.addWidget(self._stack, 1)

    def close(self) -> bool:
        """Let the pane release what it holds."""
        if self._pane is not None:
            self._pane.close()
        return super().close()

    @property
    def pane(self) -> QWidget:
        """The pane, made now if it was not yet."""
        if self._pane is None:
            self._pane = self._make()
            self._stack.addWidget(self._pane)
            if self._session is not None:
                cast("RunPane", self._pane).set_session(self._session)
            self._choose()
        return self._pane

    @property
    def has_pane(self) -> bool:
        """Whether the pane was made already."""
        return self._pane is not None

    def set_session(self, session: RunSession) -> None:
        """Show another strategy's run."""
        if self._session is not None:
            self._session.run_changed.disconnect(self._choose)
        self._session = session
        session.run_changed.connect(self._choose)
        if self._pane is not None:
            cast("RunPane", self._pane).set_session(session)
        self._choose()

    def set_stale(self, *, stale: bool) -> None:
        """Say that what is shown is out of date, or no longer."""
        if not self._can_be_stale or stale == (self._banner is not None):
            return
        if self._banner is not None:
            self._banner.hide()
            self._banner.deleteLater()
            self._banner = None
        else:
            self._banner = StaleBanner(self)
            self._banner.run_asked.connect(self.run_asked)
            self._place_banner()
            self._banner.show()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._place_banner()

    def _place_banner(self) -> None:
        """Lay the banner over the lower edge: the pane does not jump when results go out of date, and come back."""
        if self._banner is not None:
            size = self._banner.sizeHint()
            width = min(size.width() + BANNER_ROOM, self.width() - 2 * BANNER_EDGE)
            left = (self.width() - width) // 2
            self._banner.setGeometry(left, max(0, self.height() - size.height() - BANNER_LIFT), width, size.height())
            self._banner.raise_()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Let the canvas have the room: a pane that is not looked at may be squeezed to a line."""
        return USABLE if self._pane is not None and self._stack.currentWidget() is self._pane else LEAST

    def set_seen(self, seen: bool) -> None:  # noqa: FBT001 - what Qt's `visibilityChanged` carries
        """Handle a change of the dock's visibility; Qt leaves what is behind a tab visible.

        A pane that is not visible is hidden, so that it does no unnecessary work.
        """
        self._seen = seen
        self._choose()

    def _choose(self) -> None:
        """Show the pane, or how to begin."""
        wanted = not self._needs_run or (self._session is not None and self._session.run is not None)
        if wanted and self._pane is None and self._seen:
            _ = self.pane
            return
        shown = self._pane if wanted and self._seen and self._pane is not None else self._empty
        if self._stack.currentWidget() is not shown:
            self._stack.setCurrentWidget(shown)
            self.updateGeometry()

    def _make_empty(self) -> QWidget:
        page = QWidget()
        text = QLabel(tr("No runs yet."))
        text.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        begin = QPushButton(tr("Run the strategy"))
        begin.clicked.connect(self.run_asked)
        column = QVBoxLayout(page)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(text, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(begin, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return page
