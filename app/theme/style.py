"""Palette and style sheet of a theme."""

from __future__ import annotations

from importlib import resources
from string import Template

from PySide6.QtGui import QColor, QPalette

from quantcrafter.app.theme.colors import Theme


def palette(theme: Theme) -> QPalette:
    """Return the Qt palette of a theme, its disabled colours included."""
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.field,
        QPalette.ColorRole.AlternateBase: theme.panel,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.text_dim,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.error,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.LinkVisited: theme.accent,
        QPalette.ColorRole.Accent: theme.accent,
        QPalette.ColorRole.Light: theme.raised,
        QPalette.ColorRole.Midlight: theme.hover,
        QPalette.ColorRole.Mid: theme.border,
        QPalette.ColorRole.Dark: theme.border,
        QPalette.ColorRole.Shadow: theme.node_shadow,
    }
    result = QPalette()
    for role, color in roles.items():
        result.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.text_disabled))
    result.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(theme.border))
    result.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.HighlightedText, QColor(theme.text_disabled))
    return result


_SHEET = Template("""
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 5px 7px; }
QMainWindow::separator { background: $divider; width: 4px; height: 4px; }
QMainWindow::separator:hover { background: $accent; }
QSplitter::handle { background: $divider; }
QSplitter::handle:hover { background: $accent; }

QMenuBar { background: $window; border-bottom: 1px solid $divider; padding: 1px 4px; }
QMenuBar::item { padding: 5px 9px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $raised; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 5px 26px 5px 10px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $text_disabled; background: transparent; }
QMenu::icon { padding-left: 8px; }
QMenu::separator { height: 1px; background: $divider; margin: 4px 8px; }

QToolBar { background: $window; border: none; border-bottom: 1px solid $divider; padding: 3px 6px; spacing: 2px; }
QToolBar::separator { background: $divider; width: 1px; margin: 5px 5px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: 4px; background: transparent; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:checked { background: $accent_soft; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }

QPushButton {
    background: $raised; border: 1px solid $border; border-radius: 5px; padding: 5px 14px; min-height: 18px;
}
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $accent_soft; }
QPushButton:focus { border-color: $accent; }
QPushButton:default { background: $accent; border-color: $accent; color: $on_accent; }
QPushButton:disabled { color: $text_disabled; background: $window; border-color: $divider; }

QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox, QTextBrowser, QKeySequenceEdit {
    background: $field; border: 1px solid $border; border-radius: 5px; padding: 3px 6px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus,
QTextBrowser:focus { border-color: $accent; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { color: $text_disabled; background: $window; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: none; padding: 0; background: transparent; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border; selection-background-color: $accent_soft;
    selection-color: $text; }

QComboBox { padding-right: 20px; min-height: 18px; }
QComboBox::drop-down, QDateEdit::drop-down { border: none; width: 20px; }
QComboBox::down-arrow, QDateEdit::down-arrow { image: url($controls/down-$name.svg); width: 10px; height: 10px; }
QAbstractSpinBox { padding-right: 18px; min-height: 18px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; background: transparent; width: 18px; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-arrow { image: url($controls/up-$name.svg); width: 8px; height: 8px; }
QAbstractSpinBox::down-arrow { image: url($controls/down-$name.svg); width: 8px; height: 8px; }
QCalendarWidget QWidget#qt_calendar_navigationbar { background: $window; border-bottom: 1px solid $divider; }
QCalendarWidget QToolButton { color: $text; padding: 4px 8px; }
QCalendarWidget QAbstractItemView { background: $panel; border: none; selection-background-color: $accent;
    selection-color: $on_accent; }
QCalendarWidget QAbstractItemView:disabled { color: $text_disabled; }
QCheckBox, QRadioButton { spacing: 7px; }
QCheckBox::indicator, QRadioButton::indicator, QTreeView::indicator, QListView::indicator, QTableView::indicator {
    width: 14px; height: 14px; border: 1px solid $text_dim; border-radius: 4px; background: $field;
}
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked, QTreeView::indicator:checked, QListView::indicator:checked,
QTableView::indicator:checked { background: $accent; border-color: $accent; image: url($controls/check-$name.svg); }
QCheckBox::indicator:indeterminate { background: $accent; border-color: $accent;
    image: url($controls/partial-$name.svg); }
QRadioButton::indicator:checked { border: 4px solid $accent; width: 8px; height: 8px; background: $on_accent; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border-color: $accent; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $divider; background: $window; }

QTreeView, QListView, QTableView {
    background: $panel; alternate-background-color: $window; border: 1px solid $divider; outline: none;
    selection-background-color: $accent_soft; selection-color: $text;
}
QTreeView::branch:has-children:closed { image: url($controls/right-$name.svg); padding: 4px; }
QTreeView::branch:has-children:open { image: url($controls/down-$name.svg); padding: 4px; }
QTreeView::item:hover, QListView::item:hover { background: $hover; }
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected {
    background: $accent_soft; color: $text;
}
QHeaderView::section {
    background: $window; color: $text_dim; border: none; border-bottom: 1px solid $divider; padding: 5px 8px;
}

QDockWidget { color: $text_dim; }
QDockWidget::title { background: $window; padding: 6px 8px; border-bottom: 1px solid $divider; }
QTabWidget::pane { border: none; border-top: 1px solid $divider; }
QTabBar::tab {
    background: transparent; color: $text_dim; padding: 6px 12px; border: none; border-bottom: 2px solid transparent;
}
QTabBar::tab:hover { color: $text; background: $hover; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:focus { color: $accent; }
QStatusBar { background: $window; border-top: 1px solid $divider; color: $text_dim; }
QStatusBar::item { border: none; }
QGroupBox { border: 1px solid $divider; border-radius: 6px; margin-top: 10px; padding: 10px 8px 8px 8px; }
QGroupBox::title { subcontrol-origin: margin; left: 10px; padding: 0 4px; color: $text_dim; }

QScrollBar:vertical { background: transparent; width: 11px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 11px; margin: 0; }
QScrollBar::handle { background: $border; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $text_disabled; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QProgressBar { background: $field; border: 1px solid $border; border-radius: 4px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
""")


def style_sheet(theme: Theme) -> str:
    """Return the one style sheet of the application in a theme's colours."""
    names = (name for name in theme.__dataclass_fields__ if isinstance(getattr(theme, name), str))
    controls = str(resources.files("quantcrafter.resources").joinpath("icons", "controls")).replace("\\", "/")
    return _SHEET.substitute({name: getattr(theme, name) for name in names}, controls=controls)
