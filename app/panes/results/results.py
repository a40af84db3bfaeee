"""ResultsPane: the run of the current strategy, in figures and tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QStackedLayout, QTabWidget, QWidget

from quantcrafter.app.panes.results.columns import (
    blocked_sheet,
    cashflows_sheet,
    interventions_sheet,
    notices_sheet,
    orders_sheet,
    parts_sheet,
    trades_sheet,
)
from quantcrafter.app.panes.results.distribution import DistributionPage
from quantcrafter.app.panes.results.months import MonthsPage
from quantcrafter.app.panes.results.overview import Overview
from quantcrafter.app.panes.results.table_page import TablePage
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.position_worth import entry_values


class ResultsPane(QWidget):
    """Shows what a session's run came to; a page is filled when it is first looked at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Results"))
        self.session: RunSession | None = None
        self.overview = Overview()
        self.trades = TablePage(tr("Trades"), tr("No trade was closed in this run."))
        self.parts = TablePage(tr("Parts"), tr("No part of a position was closed in this run."))
        self.orders = TablePage(tr("Orders"), tr("No order was made in this run."))
        self.blocked = TablePage(tr("Blocked signals"), tr("There are no blocked signals."))
        self.interventions = TablePage(tr("Interventions"), tr("No rule intervened, and no stop was moved."))
        self.notices = TablePage(tr("Notices"), tr("No node noted anything."))
        self.cashflows = TablePage(tr("Cash flows"), tr("No fees for borrowing, no dividends."))
        self.months = MonthsPage()
        self.distribution = DistributionPage()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)  # a tab that is cut is reached by the arrows
        self._fill: dict[QWidget, Callable[[RunView], object]] = {
            self.overview: self.overview.show_run,
            self.trades: lambda run: self.trades.show_sheet(trades_sheet(run)),
            self.parts: lambda run: self.parts.show_sheet(parts_sheet(run)),
            self.orders: lambda run: self.orders.show_sheet(orders_sheet(run)),
            self.blocked: lambda run: self.blocked.show_sheet(blocked_sheet(run)),
            self.interventions: lambda run: self.interventions.show_sheet(interventions_sheet(run)),
            self.notices: lambda run: self.notices.show_sheet(notices_sheet(run)),
            self.cashflows: lambda run: self.cashflows.show_sheet(cashflows_sheet(run)),
            self.months: lambda run: self.months.show_months(run.months),
            self.distribution: self._show_distribution,
        }
        self._stale: set[QWidget] = set()
        self._titled = False
        titles = (
            tr("Overview"),
            tr("Trades"),
            tr("Parts"),
            tr("Orders"),
            tr("Blocked signals"),
            tr("Interventions"),
            tr("Notices"),
            tr("Cash flows"),
            tr("Months"),
            tr("Distribution"),
        )
        for page, title in zip(self._fill, titles, strict=True):
            self.tabs.addTab(page, title)
        self.nothing = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.nothing.setForegroundRole(self.nothing.palette().ColorRole.PlaceholderText)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self._fill_page)
        for page in (
            self.trades,
            self.parts,
            self.orders,
            self.blocked,
            self.interventions,
            self.notices,
            self.cashflows,
        ):
            page.chosen.connect(self._chosen)

    def set_session(self, session: RunSession | None) -> None:
        """Show another strategy's run."""
        if self.session is not None:
            self.session.run_changed.disconnect(self._show_run)
            self.session.moved.disconnect(self._follow)
        self.session = session
        if session is not None:
            session.run_changed.connect(self._show_run)
            session.moved.connect(self._follow)
        self._show_run()

    @property
    def run(self) -> RunView | None:
        """The run that is shown."""
        return self.session.run if self.session is not None else None

    def _show_run(self) -> None:
        run = self.run
        lost = self.session.lost if self.session is not None else ""
        self.nothing.setText(lost or tr("Run the strategy to see its results here."))
        self._stack.setCurrentWidget(self.nothing if run is None else self.tabs)
        self._stale = set(self._fill)
        self._titled = False
        self._title_tabs()
        self._fill_page()

    def _title_tabs(self) -> None:
        """Say in the tabs how much they hold; a bar that is changed while it is hidden keeps its old layout."""
        if self.session is None or self._titled or not self.isVisible():
            return
        with self.session.reading() as run:
            if run is None:
                return
            ledger = run.ledger
            self._titled = True
            for page, count in ((self.trades, ledger.trades), (self.blocked, ledger.blocked)):
                title = tr("Trades") if page is self.trades else tr("Blocked signals")
                self.tabs.setTabText(self.tabs.indexOf(page), f"{title} ({len(count):,})")
            # Tables that few strategies fill are there only when they hold something.
            self.tabs.setTabVisible(self.tabs.indexOf(self.parts), len(ledger.parts) > len(ledger.trades))
            self.tabs.setTabVisible(self.tabs.indexOf(self.interventions), len(ledger.interventions) > 0)
            self.tabs.setTabVisible(self.tabs.indexOf(self.notices), len(run.notices) > 0)
            self.tabs.setTabVisible(self.tabs.indexOf(self.cashflows), len(ledger.cashflows) > 0)

    def _fill_page(self) -> None:
        page = self.tabs.currentWidget()
        if self.session is not None and page in self._stale and self.isVisible():
            with self.session.reading() as run:
                if run is not None:
                    self._stale.discard(page)
                    self._fill[page](run)
                    self._follow()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Fill the page that comes into sight; one that is not visible costs nothing while parameters are dragged."""
        super().showEvent(event)
        self._title_tabs()
        self._fill_page()

    def _show_distribution(self, run: RunView) -> None:
        trades, cost = run.ledger.trades, entry_values(run.ledger, run.instruments)
        with np.errstate(all="ignore"):
            returns = np.where(cost > 0, 100.0 * trades["pnl"] / cost, np.nan)
        self.distribution.show_returns(returns, 100.0 * run.daily_returns)

    def _follow(self) -> None:
        if self.session is not None and self.trades not in self._stale:
            self.trades.follow(self.session.trade)

    def _chosen(self, instrument: int, bar: int, trade: int | None) -> None:
        if self.session is not None:
            self.session.go_to(bar, instrument=instrument, trade=trade)
