"""About: version, licence, the parts that QuantCrafter is made with, and where its files lie."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from dataclasses import dataclass

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFormLayout,
    QTreeWidgetItem,
    QWidget,
)

from quantcrafter.app.dialogs.frame import DialogFrame, plain, section, table
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api.home import home

PARTS = (
    ("PySide6-Essentials", "Qt for Python", "LGPL-3.0"),
    ("networkx", "NetworkX", "BSD-3-Clause"),
    ("pydantic", "pydantic", "MIT"),
    ("ruamel.yaml", "ruamel.yaml", "MIT"),
    ("numpy", "NumPy", "BSD-3-Clause"),
    ("numba", "Numba", "BSD-2-Clause"),
    ("TA-Lib", "TA-Lib", "BSD-2-Clause"),
    ("polars", "Polars", "MIT"),
    ("plotly", "Plotly", "MIT"),
    ("pluggy", "pluggy", "MIT"),
    ("typer", "Typer", "MIT"),
    ("rich", "Rich", "MIT"),
    ("platformdirs", "platformdirs", "MIT"),
    ("icalendar", "icalendar", "BSD-2-Clause"),
)
"""Distribution, name and licence of what QuantCrafter is made with."""


@dataclass(frozen=True, slots=True)
class Part:
    """A library that QuantCrafter uses."""

    name: str
    version: str
    licence: str


def parts() -> tuple[Part, ...]:
    """Return the libraries in use that are installed, with their versions."""
    found = ((name, installed_version(distribution), licence) for distribution, name, licence in PARTS)
    return tuple(Part(name, version, licence) for name, version, licence in found if version)


def installed_version(distribution: str) -> str:
    """Return the version of an installed distribution, '' if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def facts() -> dict[str, str]:
    """Return what a bug report needs: versions and paths, by name."""
    return {
        tr("Version"): installed_version("quantcrafter") or tr("unknown"),
        tr("Python"): platform.python_version(),
        tr("System"): platform.platform(terse=True),
        tr("Program"): sys.prefix,
        tr("Data folder"): str(home()),
    }


class AboutDialog(DialogFrame):
    """Shows `facts` and `parts`; the facts can be copied for a bug report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title=tr("About QuantCrafter"),
            intro=tr(
                "Design a trading strategy as a graph, save it as YAML, run it. Free software under the MIT licence."
            ),
        )
        self.facts = facts()
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        for name, value in self.facts.items():
            form.addRow(name, plain(value))
        self.body.addLayout(form)
        self.body.addWidget(section(tr("Built with")))
        self.table = table([tr("Part"), tr("Version"), tr("Licence")], tr("Built with"))
        for part in parts():
            self.table.addTopLevelItem(QTreeWidgetItem([part.name, part.version, part.licence]))
        self.body.addWidget(self.table, 1)
        roles = QDialogButtonBox.ButtonRole
        self.copy_button = self.add_button(tr("Copy details"), roles.ActionRole, self._copy)
        self.close_button = self.add_button(tr("Close"), roles.RejectRole, self.reject, default=True)
        self.close_button.setFocus()
        self.resize(600, 540)

    def _copy(self) -> None:
        lines = [f"{name}: {value}" for name, value in self.facts.items()]
        lines += [f"{part.name} {part.version}" for part in parts()]
        QGuiApplication.clipboard().setText("\n".join(lines))


def show_about(parent: QWidget | None) -> None:
    """Show what QuantCrafter is and what it is made with."""
    dialog = AboutDialog(parent)
    dialog.exec()
    dialog.deleteLater()
