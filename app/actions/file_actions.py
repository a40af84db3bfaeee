"""The File menu."""

from __future__ import annotations

from app.actions.conditions import has_tab
from app.actions.spec import ActionSpec
from app.services.i18n import tr


def file_actions() -> tuple[ActionSpec, ...]:
    """Return what opens, saves, exports and closes."""
    return (
        ActionSpec("file.new", tr("New strategy"), "file", lambda window: window.desk.new(), "Ctrl+N", icon="new"),
        ActionSpec(
            "file.gallery",
            tr("New from an example..."),
            "file",
            lambda window: window.open_dialog("gallery"),
            "Ctrl+Shift+N",
            icon="star",
        ),
        ActionSpec(
            "file.open",
            tr("Open..."),
            "file",
            lambda window: window.desk.ask_open(),
            "Ctrl+O",
            icon="open",
        ),
        ActionSpec(
            "file.save",
            tr("Save"),
            "file",
            lambda window: window.desk.save_current(),
            "Ctrl+S",
            icon="save",
            enabled=has_tab,  # whatever was changed: what is typed is taken over first
            separated=True,
        ),
        ActionSpec(
            "file.save_as",
            tr("Save as..."),
            "file",
            lambda window: window.desk.save_current(ask=True),
            "Ctrl+Shift+S",
            enabled=has_tab,
        ),
        ActionSpec(
            "file.save_all",
            tr("Save all"),
            "file",
            lambda window: window.desk.save_all(),
            "Ctrl+Alt+S",
            enabled=has_tab,
        ),
        ActionSpec(
            "file.reload",
            tr("Load again from disk"),
            "file",
            lambda window: window.desk.reload_current(),
            enabled=lambda window: window.tab is not None and window.tab.path is not None,
        ),
        *_export_actions(),
        ActionSpec(
            "file.close",
            tr("Close"),
            "file",
            lambda window: window.desk.close_current(),
            "Ctrl+W",
            icon="close",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec("file.quit", tr("Quit"), "file", lambda window: window.quit(), "Ctrl+Q"),
    )


def _export_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "file.export_yaml",
            tr("YAML with layout..."),
            "file/export",
            lambda window: window.desk.export_yaml(layout=True),
            enabled=has_tab,
        ),
        ActionSpec(
            "file.export_bare_yaml",
            tr("YAML without layout..."),
            "file/export",
            lambda window: window.desk.export_yaml(layout=False),
            enabled=has_tab,
        ),
        ActionSpec(
            "file.export_png",
            tr("Picture (PNG)..."),
            "file/export",
            lambda window: window.desk.export_picture("png"),
            "Ctrl+Shift+E",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "file.export_svg",
            tr("Drawing (SVG)..."),
            "file/export",
            lambda window: window.desk.export_picture("svg"),
            enabled=has_tab,
        ),
    )
