"""The settings dialog: language, theme with live preview, layout, recovery, and where the data lies."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from quantcrafter.app.dialogs.frame import DialogFrame, note, section
from quantcrafter.app.dialogs.preferences import Preferences
from quantcrafter.app.services.i18n import LANGUAGES, tr
from quantcrafter.engine.api.home import home


class SettingsDialog(DialogFrame):
    """Edits `Preferences`.

    Args:
        preferences: the choices as they are.
        preview: called with a theme's name whenever another is picked, and with the first one on Cancel.
    """

    def __init__(
        self,
        preferences: Preferences,
        preview: Callable[[str], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, title=tr("Settings"))
        self._before = preferences
        self._preview = preview
        self._forget = False
        self.language = _choices({"system": tr("Use the system setting"), **LANGUAGES}, preferences.language)
        self.theme = _choices(
            {"system": tr("Use the system setting"), "light": tr("Light"), "dark": tr("Dark")}, preferences.theme
        )
        self.candle_colors = _choices(
            {
                "green_red": tr("Green rises, red falls"),
                "red_green": tr("Red rises, green falls"),
                "blue_orange": tr("Blue rises, orange falls"),
            },
            preferences.candle_colors,
        )
        self.yaml_place = _choices(
            {"below": tr("Below the canvas"), "beside": tr("Beside the canvas"), "hidden": tr("Hidden")},
            preferences.yaml_place,
        )
        self.minimap = QCheckBox(tr("Show in the corner of the canvas"))
        self.minimap.setChecked(preferences.minimap)
        self.forget_button = QPushButton(tr("Clear the usage history"))
        self.runs_gb = QDoubleSpinBox()
        self.runs_gb.setRange(0.01, 1_000_000)
        self.runs_gb.setDecimals(2)
        self.runs_gb.setSuffix(" GB")
        self.runs_gb.setValue(preferences.runs_gb)
        self._runs_before = self.runs_gb.text()
        self.folder = QLineEdit(str(home()))
        self.folder_button = QPushButton(tr("Open folder"))
        self._lay_out()
        self._connect()
        self.resize(620, 620)

    @property
    def preferences(self) -> Preferences:
        """The choices as they are in the form."""
        return Preferences(
            self.language.currentData(),
            self.theme.currentData(),
            self.yaml_place.currentData(),
            self.minimap.isChecked(),
            self._forget,
            self.candle_colors.currentData(),
            self._before.runs_gb if self.runs_gb.text() == self._runs_before else self.runs_gb.value(),
        )

    def reject(self) -> None:
        """Give the theme back that was there before."""
        if self._preview is not None and self.theme.currentData() != self._before.theme:
            self._preview(self._before.theme)
        super().reject()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(9)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.body.addLayout(form)
        self.language_note = note("")
        form.addRow(section(tr("Appearance")))
        form.addRow(tr("Language"), self.language)
        form.addRow("", self.language_note)
        form.addRow(tr("Theme"), self.theme)
        form.addRow(tr("Candle colours"), self.candle_colors)
        form.addRow(section(tr("Canvas")))
        form.addRow(tr("YAML view"), self.yaml_place)
        form.addRow(tr("Minimap"), self.minimap)
        self.habits_note = note(tr("Quick add lists the components that you add most often first."))
        form.addRow(tr("Quick add"), self.habits_note)
        form.addRow("", _beside(None, self.forget_button))
        form.addRow(section(tr("Files")))
        self.recovery_note = note(
            tr(
                "After every change, a recovery copy is saved in case of a crash. It is kept "
                "until you save or discard the changes. Your file changes only when you save."
            )
        )
        form.addRow(tr("Recovery"), self.recovery_note)
        form.addRow(tr("Disk space for runs"), self.runs_gb)
        self.runs_note = note(
            tr(
                "The limit for all stored runs. When it is exceeded, the trades and charts of "
                "the oldest runs are deleted after the next run. Their figures and pinned runs "
                "are kept."
            )
        )
        form.addRow("", self.runs_note)
        self.folder.setReadOnly(True)
        self.folder.setCursorPosition(0)
        self.folder.setAccessibleName(tr("Data folder"))
        form.addRow(tr("Data folder"), _beside(self.folder, self.folder_button))
        self.body.addStretch(1)
        roles = QDialogButtonBox.ButtonRole
        self.ok_button = self.add_button(tr("OK"), roles.AcceptRole, self.accept, default=True)
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)

    def _connect(self) -> None:
        self.language.currentIndexChanged.connect(self._say_language)
        self.theme.currentIndexChanged.connect(self._show_theme)
        self.forget_button.clicked.connect(self._forget_habits)
        self.folder_button.clicked.connect(_open_home)
        self._say_language()

    def _say_language(self) -> None:
        changed = self.language.currentData() != self._before.language
        self.language_note.setText(
            tr("The new language is used after you restart QuantCrafter.")
            if changed
            else tr("Names in strategy files don't change with the language.")
        )

    def _show_theme(self) -> None:
        if self._preview is not None:
            self._preview(self.theme.currentData())

    def _forget_habits(self) -> None:
        self._forget = True
        self.forget_button.setEnabled(False)
        self.habits_note.setText(tr("Cleared when you select OK."))


def edit_preferences(
    parent: QWidget | None, preferences: Preferences, preview: Callable[[str], object] | None = None
) -> Preferences | None:
    """Let the user change preferences; return them, or None on Cancel. `preview` applies a theme at once."""
    dialog = SettingsDialog(preferences, preview, parent)
    accepted = dialog.exec() == SettingsDialog.DialogCode.Accepted
    result = dialog.preferences if accepted else None
    dialog.deleteLater()
    return result


def _choices(texts: dict[str, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for key, text in texts.items():
        box.addItem(text, key)
    box.setCurrentIndex(max(box.findData(chosen), 0))
    return box


def _beside(field: QWidget | None, button: QPushButton) -> QHBoxLayout:
    """Return a row of a field and its button, or of the button alone at the left."""
    row = QHBoxLayout()
    if field is not None:
        row.addWidget(field, 1)
    row.addWidget(button)
    if field is None:
        row.addStretch(1)
    return row


def _open_home() -> None:
    home().mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(home())))
