"""WhyPane: what happened at the bar that is pointed at, in plain sentences, with links to the nodes."""

from __future__ import annotations

from urllib.parse import unquote

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWidgets import QFrame, QTextBrowser, QVBoxLayout, QWidget

from quantcrafter.app.panes.why.page import BAR, NODE, empty_page, page
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.session.explainer import Explainer
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.theme import current, themes


class WhyPane(QWidget):
    """Follows a session. `node_asked` carries the name of a node in the run, such as `week/gate`, to be shown."""

    node_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explainer: Explainer | None = None
        self.browser = QTextBrowser()
        self.browser.setFrameShape(QFrame.Shape.NoFrame)
        self.browser.setOpenLinks(False)
        self.browser.setAccessibleName(tr("Why it traded, or why not"))
        self.browser.document().setDocumentMargin(10)
        self.browser.anchorClicked.connect(self._follow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.browser)
        themes.changed.connect(self.refresh)
        self.refresh()

    def set_session(self, session: RunSession) -> None:
        """Explain another strategy's run from now on."""
        if self._explainer is not None:
            self._explainer.explained.disconnect(self.refresh)
        self._explainer = Explainer.of(session)
        self._explainer.explained.connect(self.refresh)
        self.refresh()

    @property
    def text(self) -> str:
        """What the pane says, without its looks."""
        return self.browser.toPlainText()

    def refresh(self) -> None:
        """Say it again."""
        explainer = self._explainer
        why = explainer.why if explainer is not None else None
        facts = explainer.facts if explainer is not None else None
        if why is None or facts is None:
            self.browser.setHtml(empty_page(current(), has_run=facts is not None))
        else:
            self.browser.setHtml(page(facts, why, current()))

    def _follow(self, link: QUrl) -> None:
        target = unquote(link.toString())
        if target.startswith(NODE):
            self.node_asked.emit(target.removeprefix(NODE))
        elif target.startswith(BAR) and self._explainer is not None:
            self._explainer.session.go_to(int(target.removeprefix(BAR)))
