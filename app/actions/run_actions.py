"""The Run menu."""

from __future__ import annotations

from quantcrafter.app.actions.conditions import has_run, has_tab
from quantcrafter.app.actions.spec import ActionCall, ActionSpec
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr


def run_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that run strategies."""
    return (
        ActionSpec(
            "run.run",
            tr("Run"),
            "run",
            ActionCall(to.runs, lambda runs: runs.run()),
            "F5",
            icon="run",
            enabled=has_tab,
        ),
        ActionSpec(
            "run.stop",
            tr("Stop"),
            "run",
            ActionCall(to.runs, lambda runs: runs.stop()),
            "Shift+F5",
            icon="stop",
            enabled=lambda front: front.is_busy,
        ),
        ActionSpec(
            "run.auto",
            tr("Run after every change"),
            "run",
            ActionCall(to.runs, lambda runs: runs.toggle_auto()),
            "Ctrl+F5",
            icon="auto-run",
            enabled=has_tab,
            checked=lambda front: front.settings.auto_run,
            separated=True,
        ),
    )


def report_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that compare engines and create reports; they follow the check in the menu."""
    return (
        ActionSpec(
            "run.compare_engines",
            tr("Compare engines"),
            "run",
            ActionCall(to.engines, lambda engines: engines.compare()),
            enabled=has_tab,
        ),
        ActionSpec(
            "run.report",
            tr("Open report in browser"),
            "run",
            ActionCall(to.reports, lambda reports: reports.show()),
            icon="report",
            enabled=has_run,
            separated=True,
        ),
        ActionSpec(
            "run.save_report",
            tr("Save the report..."),
            "run",
            ActionCall(to.reports, lambda reports: reports.save()),
            enabled=has_run,
        ),
    )
