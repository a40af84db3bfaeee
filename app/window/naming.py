"""Ask for a node's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QInputDialog

from app.document.edits import RenameNode
from app.services.i18n import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.window.tab import StrategyTab


def rename_node(parent: QWidget, tab: StrategyTab, node: str) -> None:
    """Ask for another name of a node, and give it that name.

    Raises:
        EditError: a node cannot be called that.
    """
    name, given = QInputDialog.getText(
        parent, tr("Rename"), tr("Name of the node, as other nodes refer to it:"), text=node
    )
    name = name.strip()
    if given and name and name != node:
        scope = tab.canvas.scope
        tab.document.do(RenameNode(node, name), label=tr("rename {name}", name=node), scope=scope)
        tab.canvas.select((name,))
