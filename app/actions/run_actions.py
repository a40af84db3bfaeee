"""The Run menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions.conditions import has_tab
from app.actions.spec import ActionSpec
from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def run_actions() -> tuple[ActionSpec, ...]:
    """Return what runs strategies."""
    return (
        ActionSpec(
            "run.run",
            tr("Run"),
            "run",
            lambda window: window.runs.run(),
            "F5",
            icon="run",
            enabled=has_tab,
        ),
        ActionSpec(
            "run.stop",
            tr("Stop"),
            "run",
            lambda window: window.runs.stop(),
            "Shift+F5",
            icon="stop",
            enabled=_is_busy,
        ),
        ActionSpec(
            "run.auto",
            tr("Run after every change"),
            "run",
            lambda window: window.runs.toggle_auto(),
            "Ctrl+F5",
            icon="auto-run",
            enabled=has_tab,
            checked=lambda window: window.settings.auto_run,
            separated=True,
        ),
    )


def report_actions() -> tuple[ActionSpec, ...]:
    """Return what compares engines and makes reports; it stands below what checks a strategy."""
    return (
        ActionSpec(
            "run.compare_engines",
            tr("Compare engines"),
            "run",
            lambda window: window.engines.compare(),
            enabled=has_tab,
        ),
        ActionSpec(
            "run.report",
            tr("Report in the browser"),
            "run",
            lambda window: window.reports.show(),
            icon="report",
            enabled=_has_run,
            separated=True,
        ),
        ActionSpec(
            "run.save_report",
            tr("Save the report..."),
            "run",
            lambda window: window.reports.save(),
            enabled=_has_run,
        ),
    )


def _has_run(window: MainWindow) -> bool:
    return window.tab is not None and window.tab.session.run is not None


def _is_busy(window: MainWindow) -> bool:
    return window.tab is not None and window.runs.is_busy(window.tab)
