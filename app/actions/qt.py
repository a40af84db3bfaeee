"""The thin Qt part: one QAction for each action of the registry, in menus and toolbar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar

from quantcrafter.app.actions.registry import ActionRegistry
from quantcrafter.app.actions.spec import ActionSpec
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.recent_files import RecentFile
from quantcrafter.app.theme.icons import icon

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front

TOOLBAR_ICON = 20


class ActionSet:
    """The QActions of a window, by id. `refresh` updates their state for the current strategy.

    Actions that are registered later come in, and go when they are taken out of the registry.

    Args:
        window: gets the menu bar and the toolbar.
        registry: all actions.
        front: what decides which can be used.
        run: called with an action's spec when it is triggered.
    """

    def __init__(
        self, window: QMainWindow, registry: ActionRegistry, front: Front, run: Callable[[ActionSpec], None]
    ) -> None:
        self.registry = registry
        self.menus: dict[str, QMenu] = {}
        self.actions: dict[str, QAction] = {}
        self._separators: dict[str, QAction] = {}
        self._window = window
        self._front = front
        self._run = run
        self._make_menus()
        self._follow()
        self.toolbar = self._make_toolbar()
        registry.subscribe(self._follow)

    def trigger(self, action_id: str) -> None:
        """Run an action if it can be used now."""
        self.actions[action_id].trigger()

    def apply_shortcuts(self) -> None:
        """Set the shortcuts of every action from the registry."""
        for action_id, action in self.actions.items():
            keys = [QKeySequence.fromString(keys) for keys in self.registry.keys(action_id)]
            wide = [QKeySequence.fromString(keys) for keys in self.registry.window_keys(action_id)]
            # Keys that work only on the canvas are shown; the canvas that has the focus handles them.
            action.setShortcuts(wide or keys)
            scope = Qt.ShortcutContext.WindowShortcut if wide or not keys else Qt.ShortcutContext.WidgetShortcut
            action.setShortcutContext(scope)
            shown = f" ({keys[0].toString(QKeySequence.SequenceFormat.NativeText)})" if keys else ""
            action.setToolTip(f"{self.registry.specs[action_id].title.removesuffix('...')}{shown}")

    def refresh(self) -> None:
        """Update enabled state, check mark and text of every action from the window's state."""
        for spec in self.registry.specs.values():
            action = self.actions[spec.id]
            if spec.enabled is not None:
                action.setEnabled(spec.enabled(self._front))
            if spec.checked is not None:
                action.setChecked(spec.checked(self._front))
            if spec.label is not None:
                action.setText(_escaped(spec.label(self._front)))

    def show_recent(self, files: Sequence[RecentFile], run: Callable[[Path], None]) -> None:
        """List recent files in their menu; `run` gets the one that is picked."""
        menu = self.menus["file/recent"]
        menu.clear()
        for file in files:
            action = menu.addAction(_escaped(file.path.stem))
            action.setToolTip(str(file.path))
            action.setEnabled(not file.missing)
            action.triggered.connect(lambda _checked=False, path=file.path: run(path))
        menu.setEnabled(bool(files))
        menu.setToolTipsVisible(True)

    def state(self, action_id: str) -> tuple[bool, bool]:
        """Return whether an action can be used now, and whether its mark is set."""
        spec = self.registry.specs[action_id]
        return self.is_usable(spec), spec.checked is not None and spec.checked(self._front)

    def is_usable(self, spec: ActionSpec) -> bool:
        """Return whether an action can be used now."""
        return spec.enabled is None or spec.enabled(self._front)

    def _make(self, spec: ActionSpec) -> QAction:
        action = QAction(_escaped(spec.title), self._window)
        action.setObjectName(spec.id)
        action.setCheckable(spec.checked is not None)
        action.setIconVisibleInMenu(False)
        if spec.icon:
            action.setIcon(icon(spec.icon))
        action.triggered.connect(lambda _checked=False, spec=spec: self._run(spec))
        self._window.addAction(action)
        return action

    def _follow(self) -> None:
        """Add new actions, and remove those that were unregistered."""
        specs = self.registry.specs
        for action_id in [each for each in self.actions if each not in specs]:
            self._drop(action_id)
        for spec in specs.values():
            if spec.id not in self.actions:
                self.actions[spec.id] = self._make(spec)
                if spec.separated:
                    self._separators[spec.id] = self.menus[spec.menu].addSeparator()
                self.menus[spec.menu].addAction(self.actions[spec.id])
        for menu in self.registry.menus:
            if menu.is_optional:
                self.menus[menu.id].menuAction().setVisible(bool(self.registry.in_menu(menu.id)))
        self.apply_shortcuts()

    def _drop(self, action_id: str) -> None:
        for action in (self.actions.pop(action_id), self._separators.pop(action_id, None)):
            if action is not None:
                self._window.removeAction(action)
                for menu in self.menus.values():
                    menu.removeAction(action)
                action.deleteLater()

    def _make_menus(self) -> None:
        bar = self._window.menuBar()
        for menu in self.registry.menus:
            parent = self.menus.get(menu.parent)
            made = parent.addMenu(menu.title) if parent else bar.addMenu(menu.title)
            made.setObjectName(f"menu.{menu.id}")
            made.setToolTipsVisible(False)
            made.aboutToShow.connect(self.refresh)
            self.menus[menu.id] = made

    def _make_toolbar(self) -> QToolBar:
        toolbar = QToolBar(tr("Toolbar"), self._window)
        toolbar.setObjectName("toolbar")
        toolbar.setMovable(False)
        toolbar.setIconSize(QSize(TOOLBAR_ICON, TOOLBAR_ICON))
        toolbar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        toolbar.toggleViewAction().setEnabled(False)
        for number, group in enumerate(self.registry.toolbar):
            if number:
                toolbar.addSeparator()
            toolbar.addActions([self.actions[action_id] for action_id in group])
        self._window.addToolBar(toolbar)
        return toolbar


def _escaped(text: str) -> str:
    return text.replace("&", "&&")
