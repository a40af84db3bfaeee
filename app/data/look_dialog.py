"""The dialog that shows the bars of a stored series."""

from __future__ import annotations

from PySide6.QtWidgets import QDialogButtonBox, QWidget

from quantcrafter.app.data.preview_view import PreviewView
from quantcrafter.app.data.previewer import Previewer
from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.services.engine import Engine
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.data.store import Series
from quantcrafter.engine.runtime.compute_process.jobs.preview import PreviewRequest

_SIZE = (760, 540)


class LookDialog(DialogFrame):
    """Shows the bars of one series, and where some are missing."""

    def __init__(self, series: Series, engine: Engine, parent: QWidget | None = None) -> None:
        name = f"{series.symbol} {series.timeframe}"
        super().__init__(parent, title=tr("Bars of {name}", name=name))
        self.view = PreviewView(self)
        self.body.addWidget(self.view, 1)
        self.previewer = Previewer(engine, self)
        self.previewer.seen.connect(self.view.show_preview)
        self.close_button = self.add_button(
            tr("Close"), QDialogButtonBox.ButtonRole.RejectRole, self.reject, default=True
        )
        self.resize(*_SIZE)
        frame = str(series.timeframe)
        options = {"source_timeframe": frame, "columns": {name: name for name in series.columns}}
        self.previewer.request(PreviewRequest("store", options, series.symbol, frame), at_once=True)

    def done(self, result: int) -> None:
        """Cancel the current preview."""
        self.previewer.stop()
        super().done(result)
