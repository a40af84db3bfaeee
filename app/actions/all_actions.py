"""All menus and actions of the program, put together. No Qt."""

from __future__ import annotations

from quantcrafter.app.actions.arrange_actions import arrange_actions
from quantcrafter.app.actions.chart_actions import chart_actions
from quantcrafter.app.actions.data_actions import data_actions
from quantcrafter.app.actions.edit_actions import edit_actions
from quantcrafter.app.actions.explain_actions import explain_actions
from quantcrafter.app.actions.file_actions import file_actions
from quantcrafter.app.actions.help_actions import help_actions
from quantcrafter.app.actions.node_actions import node_actions
from quantcrafter.app.actions.registry import ActionRegistry, ShortcutStore
from quantcrafter.app.actions.run_actions import report_actions, run_actions
from quantcrafter.app.actions.spec import MenuSpec
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.actions.view_actions import view_actions
from quantcrafter.app.services.i18n import tr

PLUGINS = "plugins"
"""The menu of what plugins add, where they name no other."""

TOOLBAR = (
    ("file.new", "file.gallery", "file.open", "file.save"),
    ("edit.undo", "edit.redo"),
    ("run.run", "run.stop", "run.auto"),
    ("data.source", "explain.sweep", "explain.lookahead", "run.report"),
    ("node.quick_add", "arrange.auto", "view.fit_all"),
)
"""What has a button: files, steps, then what a trader does over and over, then the graph."""


def all_actions(store: ShortcutStore, to: Targets) -> ActionRegistry:
    """Return the registry of every action, its texts in the language in use; `to` is what the actions act on."""
    menus = (
        MenuSpec("file", tr("&File")),
        MenuSpec("file/recent", tr("Open recent")),
        MenuSpec("file/export", tr("Export")),
        MenuSpec("edit", tr("&Edit")),
        MenuSpec("edit/walk", tr("Move through the graph")),
        MenuSpec("view", tr("&View")),
        MenuSpec("view/panes", tr("Panes")),
        MenuSpec("view/theme", tr("Theme")),
        MenuSpec("view/language", tr("Language")),
        MenuSpec("node", tr("&Node")),
        MenuSpec("arrange", tr("&Arrange")),
        MenuSpec("arrange/nudge", tr("Nudge")),
        MenuSpec("data", tr("&Data")),
        MenuSpec("run", tr("&Run")),
        MenuSpec("chart", tr("&Chart")),
        MenuSpec("chart/style", tr("Price style")),
        MenuSpec("chart/colors", tr("Candle colours")),
        MenuSpec("chart/panels", tr("Panels")),
        MenuSpec(PLUGINS, tr("&Plugins"), is_optional=True),
        MenuSpec("help", tr("&Help")),
    )
    specs = (
        *file_actions(to),
        *edit_actions(to),
        *view_actions(to),
        *node_actions(to),
        *arrange_actions(to),
        *data_actions(to),
        *run_actions(to),
        *explain_actions(to),
        *report_actions(to),
        *chart_actions(to),
        *help_actions(to),
    )
    registry = ActionRegistry(menus, store, TOOLBAR)
    registry.register(specs)
    return registry
