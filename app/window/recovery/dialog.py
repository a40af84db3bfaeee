"""The offer after a crash: each draft with its time, its file and what it changes; restore, discard or decide later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QDateTime, QLocale, QSize, Qt
from PySide6.QtGui import QColor, QFontDatabase, QPalette, QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QSplitter,
    QStyle,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.dialogs.frame import DialogFrame, paint_words, plain, table
from quantcrafter.app.services.i18n import language, tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.colors import mix
from quantcrafter.app.window.recovery.crash_notice import CrashNotice
from quantcrafter.app.window.recovery.unsaved_work import (
    NOTHING_LEFT,
    DiffLine,
    Leftovers,
    RecoveryAnswer,
    UnsavedWork,
    counts,
    differences,
)


class RecoveryDialog(DialogFrame):
    """Lists drafts; each is set to restore, and can be set to discard or later. Closing decides nothing."""

    def __init__(
        self, drafts: Sequence[UnsavedWork], parent: QWidget | None = None, left: Leftovers = NOTHING_LEFT
    ) -> None:
        super().__init__(
            parent,
            title=tr("Recover unsaved work"),
            intro=tr(
                "QuantCrafter closed before these strategies were saved. Restoring them doesn't change your files."
            ),
        )
        self._drafts = tuple(drafts)
        self._done = False
        if left:
            self.notice = CrashNotice(left)
            self.body.addWidget(self.notice)
        self._extra = self.notice.sizeHint().height() if left else 0
        columns = [tr("Strategy"), tr("Last edit"), tr("Changes"), tr("What to do")]
        self.table = table(columns, tr("Unsaved strategies"))
        self.table.setStyleSheet("QTreeView::item { padding: 0 5px; border: 0px solid transparent; }")
        self.table.header().setSectionResizeMode(3, QHeaderView.ResizeMode.Fixed)
        self.choices = [self._add_row(draft) for draft in self._drafts]
        self.preview = QPlainTextEdit()
        self.preview.setReadOnly(True)
        self.preview.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.preview.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.preview.setAccessibleName(tr("Changes since the last save"))
        self.where = plain("")
        self.where.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        paint_words(self.warning, current().error)
        self._lay_out()
        self.table.currentItemChanged.connect(self._show_current)
        self.table.setCurrentItem(self.table.topLevelItem(0))

    @property
    def answers(self) -> Mapping[str, RecoveryAnswer]:
        """What to do with each draft, by key; LATER for all while nothing was decided."""
        chosen = (RecoveryAnswer(box.currentData()) if self._done else RecoveryAnswer.LATER for box in self.choices)
        return dict(zip((draft.key for draft in self._drafts), chosen, strict=True))

    def _lay_out(self) -> None:
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.where)
        column.addWidget(self.warning)
        column.addWidget(self.preview, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(below)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        self.body.addWidget(split, 1)
        roles = QDialogButtonBox.ButtonRole
        self.ok_button = self.add_button(tr("Continue"), roles.AcceptRole, self._finish, default=True)
        self.later_button = self.add_button(tr("Decide later"), roles.RejectRole, self.reject)
        self.resize(820, 560 + self._extra)
        self.table.setFocus()

    def _add_row(self, draft: UnsavedWork) -> QComboBox:
        added, removed = counts(draft)
        item = QTreeWidgetItem([draft.name, _moment(draft), f"+{added}  −{removed}"])  # noqa: RUF001 - a minus sign
        self.table.addTopLevelItem(item)
        box = QComboBox()
        box.setAccessibleName(tr("What to do with {name}", name=draft.name))
        box.addItem(tr("Restore"), RecoveryAnswer.RESTORE.value)
        box.addItem(tr("Save to another file..."), RecoveryAnswer.SAVE_AS.value)
        box.addItem(tr("Discard"), RecoveryAnswer.DISCARD.value)
        box.addItem(tr("Later"), RecoveryAnswer.LATER.value)
        if draft.was_tried:
            box.setCurrentIndex(box.findData(RecoveryAnswer.LATER.value))
        if _warning(draft):
            item.setIcon(0, self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning))
            item.setToolTip(0, _warning(draft))
        item.setSizeHint(3, box.sizeHint() + QSize(0, 6))
        self.table.setItemWidget(item, 3, box)
        self.table.setColumnWidth(3, max(self.table.columnWidth(3), box.sizeHint().width() + 16))
        return box

    def _show_current(self) -> None:
        item = self.table.currentItem()
        if item is None:
            return
        draft = self._drafts[self.table.indexOfTopLevelItem(item)]
        where = str(draft.path) if draft.path else tr("Never saved to a file")
        self.where.setText(where)
        self.where.setToolTip(where)
        self.warning.setText(_warning(draft))
        self.warning.setVisible(bool(self.warning.text()))
        self.preview.clear()
        cursor = self.preview.textCursor()
        lines = differences(draft)
        for line in lines[1:] if lines and lines[0].kind == "@" else lines:
            self._write(cursor, line)
        self.preview.moveCursor(QTextCursor.MoveOperation.Start)

    def _write(self, cursor: QTextCursor, line: DiffLine) -> None:
        colors = current()
        tint = {"+": colors.done, "-": colors.error}.get(line.kind)
        block = QTextBlockFormat()
        if tint is not None:
            block.setBackground(QColor(mix(tint, colors.field, 0.25)))
        if cursor.atStart():
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)
        cursor.insertText("⋯" if line.kind == "@" else f"{line.kind} {line.text}")

    def _finish(self) -> None:
        self._done = True
        self.accept()


def offer_recovery(
    parent: QWidget | None, drafts: Sequence[UnsavedWork], left: Leftovers = NOTHING_LEFT
) -> Mapping[str, RecoveryAnswer]:
    """Offer drafts after a crash; return what to do with each by its key. Closing the offer means LATER for all."""
    dialog = RecoveryDialog(drafts, parent, left)
    dialog.exec()
    answers = dialog.answers
    dialog.deleteLater()
    return answers


def _warning(draft: UnsavedWork) -> str:
    """Return what is to be known before a draft is restored, "" if nothing."""
    warnings = []
    if draft.was_tried:
        warnings.append(
            tr(
                "QuantCrafter closed while it restored this strategy. Restore it again, or save "
                "it to another file without opening it."
            )
        )
    if draft.is_damaged:
        warnings.append(tr("The recovery file is damaged. The text may be incomplete."))
    if draft.stale:
        warnings.append(
            tr(
                "The file has changed since then. Restoring opens your version. When you save "
                "it, both versions are shown and you choose one."
            )
        )
    return " ".join(warnings)


def _moment(draft: UnsavedWork) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(draft.edited_at.timestamp()))
    return QLocale(language()).toString(moment, QLocale.FormatType.ShortFormat)
