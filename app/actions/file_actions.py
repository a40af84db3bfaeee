"""The File menu."""

from __future__ import annotations

from quantcrafter.app.actions.conditions import has_file, has_tab
from quantcrafter.app.actions.spec import ActionCall, ActionSpec
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr


def file_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that open, save, export and close strategies."""
    return (
        ActionSpec(
            "file.new",
            tr("New strategy"),
            "file",
            ActionCall(to.files, lambda files: files.new()),
            "Ctrl+N",
            icon="new",
        ),
        ActionSpec(
            "file.gallery",
            tr("New from an example..."),
            "file",
            ActionCall(to.dialogs, lambda dialogs: dialogs.gallery()),
            "Ctrl+Shift+N",
            icon="star",
        ),
        ActionSpec(
            "file.open",
            tr("Open..."),
            "file",
            ActionCall(to.files, lambda files: files.ask_open()),
            "Ctrl+O",
            icon="open",
        ),
        ActionSpec(
            "file.save",
            tr("Save"),
            "file",
            ActionCall(to.files, lambda files: files.save_current()),
            "Ctrl+S",
            icon="save",
            enabled=has_tab,  # whatever was changed: what is typed is taken over first
            separated=True,
        ),
        ActionSpec(
            "file.save_as",
            tr("Save as..."),
            "file",
            ActionCall(to.files, lambda files: files.save_current(ask=True)),
            "Ctrl+Shift+S",
            enabled=has_tab,
        ),
        ActionSpec(
            "file.save_all",
            tr("Save all"),
            "file",
            ActionCall(to.files, lambda files: files.save_all()),
            "Ctrl+Alt+S",
            enabled=has_tab,
        ),
        ActionSpec(
            "file.reload",
            tr("Reload from disk"),
            "file",
            ActionCall(to.files, lambda files: files.reload_current()),
            enabled=has_file,
        ),
        *_export_actions(to),
        ActionSpec(
            "file.close",
            tr("Close"),
            "file",
            ActionCall(to.files, lambda files: files.close_current()),
            "Ctrl+W",
            icon="close",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec("file.quit", tr("Quit"), "file", ActionCall(to.window, lambda window: window.quit()), "Ctrl+Q"),
    )


def _export_actions(to: Targets) -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "file.export_yaml",
            tr("YAML with layout..."),
            "file/export",
            ActionCall(to.files, lambda files: files.export_yaml(layout=True)),
            enabled=has_tab,
        ),
        ActionSpec(
            "file.export_bare_yaml",
            tr("YAML without layout..."),
            "file/export",
            ActionCall(to.files, lambda files: files.export_yaml(layout=False)),
            enabled=has_tab,
        ),
        ActionSpec(
            "file.export_png",
            tr("Image (PNG)..."),
            "file/export",
            ActionCall(to.files, lambda files: files.export_picture("png")),
            "Ctrl+Shift+E",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "file.export_svg",
            tr("Vector image (SVG)..."),
            "file/export",
            ActionCall(to.files, lambda files: files.export_picture("svg")),
            enabled=has_tab,
        ),
    )
