"""The command palette: type a few letters of any action, Enter runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from quantcrafter.app.actions.registry import ActionRegistry
from quantcrafter.app.actions.spec import ActionSpec
from quantcrafter.app.overlay import SearchOverlay
from quantcrafter.app.services.fuzzy import match_score
from quantcrafter.app.services.i18n import tr

WIDTH, HEIGHT, ROW_HEIGHT = 620, 400, 26
_POINTS_OF_MENU = 50.0
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8, Qt.Key.Key_PageDown: 8}


class CommandPalette(SearchOverlay):
    """Lies over the window until an action is run or the focus goes elsewhere.

    Args:
        registry: all actions.
        usable: whether an action can be used now; those that cannot are left out.
        run: called with the chosen action's id, after the palette is gone.
        parent: the parent widget.
    """

    def __init__(
        self,
        registry: ActionRegistry,
        usable: Callable[[ActionSpec], bool],
        run: Callable[[str], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("commandPalette")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self._registry = registry
        self._usable = usable
        self._run = run
        self._over = parent
        self._before: QWidget | None = None
        self.search.setPlaceholderText(tr("Type what you want to do"))
        self.search.setAccessibleName(tr("Find an action"))
        self.search.textChanged.connect(self._refresh)
        self.list = _action_list()
        self.list.itemClicked.connect(lambda _item: self._take())
        self.empty = QLabel(tr("No action has that name. Try fewer letters."))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1)
        self.hide()

    def open(self) -> None:
        """Show every action that can be used now, the search box focused."""
        self._before = self.window().focusWidget()
        room = self._over.rect()
        width = min(WIDTH, room.width() - 16)
        self.setGeometry((room.width() - width) // 2, 48, width, min(HEIGHT, room.height() - 64))
        self.search.clear()
        self._refresh()
        self.show_over()

    def titles(self) -> list[str]:
        """Return what is listed now, the best first."""
        return [self.list.topLevelItem(row).text(0) for row in range(self.list.topLevelItemCount())]

    def press_key(self, key: int) -> bool:
        if key in _STEPS:
            row = self.list.indexOfTopLevelItem(self.list.currentItem()) + _STEPS[Qt.Key(key)]
            last = self.list.topLevelItemCount() - 1
            self.list.setCurrentItem(self.list.topLevelItem(max(0, min(row, last))))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._take()
        elif key == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            return False
        return True

    def _take(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        self.dismiss()
        self._run(str(item.data(0, Qt.ItemDataRole.UserRole)))

    def dismiss(self) -> None:
        """Close and restore the focus, unless it has moved elsewhere."""
        before, had_focus = self._before, self.has_focus
        self.hide()
        if had_focus and before is not None and before.isVisible():
            before.setFocus()

    def _refresh(self) -> None:
        self.list.clear()
        for spec in self._found(self.search.text()):
            keys = QKeySequence.fromString(self._registry.shortcut(spec.id))
            place = self._registry.path(spec)
            item = QTreeWidgetItem(
                [spec.title.removesuffix("..."), place, keys.toString(QKeySequence.SequenceFormat.NativeText)]
            )
            item.setSizeHint(0, QSize(0, ROW_HEIGHT))
            item.setData(0, Qt.ItemDataRole.UserRole, spec.id)
            item.setForeground(1, self.palette().placeholderText())
            item.setForeground(2, self.palette().placeholderText())
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.list.addTopLevelItem(item)
        found = self.list.topLevelItemCount() > 0
        self.list.setVisible(found)
        self.empty.setVisible(not found)
        if found:
            self.list.setCurrentItem(self.list.topLevelItem(0))

    def _found(self, query: str) -> Sequence[ActionSpec]:
        scored = []
        for spec in self._registry.specs.values():
            place = self._registry.path(spec)
            score = match_score(query, [spec.title], [(place, _POINTS_OF_MENU)])
            if spec.listed and score is not None and self._usable(spec):
                scored.append((score, spec))
        return [spec for _, spec in sorted(scored, key=lambda pair: -pair[0])]


def _action_list() -> QTreeWidget:
    found = QTreeWidget()
    found.setAccessibleName(tr("Actions"))
    found.setColumnCount(3)
    found.setHeaderHidden(True)
    found.setRootIsDecorated(False)
    found.setUniformRowHeights(True)
    found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    found.setFrameShape(QFrame.Shape.NoFrame)
    found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    found.header().setStretchLastSection(False)
    found.header().setSectionResizeMode(0, found.header().ResizeMode.Stretch)
    found.header().setSectionResizeMode(1, found.header().ResizeMode.ResizeToContents)
    found.header().setSectionResizeMode(2, found.header().ResizeMode.ResizeToContents)
    return found
