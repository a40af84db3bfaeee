"""What the program remembers about its user between starts: `desktop.json` in the user's directory. No Qt.

Each value is an attribute of `Settings`; setting it writes the file in one step. Values that this version does not know
are kept, so that a newer version's settings survive an older one.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.os_errors import fault

log = logging.getLogger(__name__)

T = TypeVar("T")


class Setting(Generic[T]):
    """One remembered value: an attribute that falls back to its default when the file holds something else."""

    def __init__(self, default: Callable[[], T], accepts: Callable[[Any], bool]) -> None:
        self._default = default
        self._accepts = accepts
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, settings: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, settings: Settings, owner: type) -> T: ...
    def __get__(self, settings: Settings | None, owner: type) -> T | Setting[T]:
        if settings is None:
            return self
        value = settings.stored(self.name)
        return value if self._accepts(value) else self._default()

    def __set__(self, settings: Settings, value: T) -> None:
        if not self._accepts(value):
            raise ValueError(f"The setting '{self.name}' cannot be {value!r}.")
        settings.store(self.name, value)


def _is_text_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, str) for k, v in value.items())


def _is_count_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(k, str) and type(v) is int for k, v in value.items())


def _is_choice_map(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(key, str)
        and isinstance(chosen, dict)
        and all(isinstance(name, str) and isinstance(shown, bool) for name, shown in chosen.items())
        for key, chosen in value.items()
    )


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text(default: str = "") -> Setting[str]:
    return Setting(lambda: default, lambda value: isinstance(value, str))


def _choice(*choices: str) -> Setting[str]:
    return Setting(lambda: choices[0], lambda value: value in choices)


def _flag(*, default: bool) -> Setting[bool]:
    return Setting(lambda: default, lambda value: isinstance(value, bool))


class Settings:
    """The remembered values; reading one costs nothing, setting one writes the file.

    Args:
        path: the file; `desktop.json` in the user's directory if left out.
    """

    language = _text()
    """A key of `i18n.LANGUAGES`, or "" for the system's language."""
    theme = _choice("system", "light", "dark")
    shortcuts: Setting[dict[str, str]] = Setting(dict, _is_text_map)
    """The user's own key sequences by action id, in portable text such as "Ctrl+Shift+P"; "" takes the keys away."""
    geometry = _text()
    """`QWidget.saveGeometry` of the main window as base64."""
    window_state = _text()
    """`QMainWindow.saveState` as base64."""
    yaml_place = _choice("below", "beside", "hidden")
    yaml_share: Setting[int] = Setting(lambda: 24, lambda value: type(value) is int and 5 <= value <= 95)  # noqa: PLR2004
    """How much of the page the text takes beside or below the canvas, in percent."""
    recent: Setting[list[str]] = Setting(list, _is_text_list)
    """Paths of strategies, the latest first; `RecentFiles` looks after it."""
    pinned: Setting[list[str]] = Setting(list, _is_text_list)
    """Those of them that stay, whatever comes later."""
    tour_done = _flag(default=False)
    quick_add_counts: Setting[dict[str, int]] = Setting(dict, _is_count_map)
    """How often the user added what, by `role:use`."""
    minimap = _flag(default=True)
    chart_style = _choice("candles", "heikin_ashi", "line")
    chart_colors = _choice("green_red", "red_green", "blue_orange")
    """What rises and what falls."""
    chart_log = _flag(default=False)
    chart_rolls = _flag(default=True)
    chart_panels: Setting[list[str]] = Setting(lambda: ["volume", "equity", "drawdown"], _is_text_list)
    """Which of `volume`, `equity`, `drawdown` and `exposure` are shown."""
    chart_shown: Setting[dict[str, dict[str, bool]]] = Setting(dict, _is_choice_map)
    """Which outputs of a strategy's graph its user showed or hid: by file, then by `node.output`."""
    auto_run = _flag(default=False)
    """Whether a strategy runs by itself after every change."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or home() / "desktop.json"
        self.set_aside: Path | None = None
        """Where a file that could not be read is kept."""
        self._values: dict[str, Any] = self._read()

    def stored(self, name: str) -> Any:
        """Return a value as it is in the file, None if it does not."""
        return self._values.get(name)

    def store(self, name: str, value: Any) -> None:
        """Set one value and write the file; what another window wrote meanwhile stays.

        A file that cannot be written is logged: the value then holds until the program ends.
        """
        if self._values.get(name) == value and name in self._values:
            return
        self._values = {**self._values, **self._read(), name: value}
        try:
            self._write(self._values)
        except OSError as error:
            log.warning("The settings are not kept: '%s' cannot be written: %s", self.path, fault(error, "home").cause)

    def count_quick_add(self, role: str, use: str) -> None:
        """Note that the user added a component."""
        key = f"{role}:{use}"
        self.quick_add_counts = {**self.quick_add_counts, key: self.quick_add_counts.get(key, 0) + 1}

    def _read(self) -> dict[str, Any]:
        """Return what the file holds; one that cannot be read is put aside, and counts as empty."""
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            self._put_aside(error)
            return {}
        if isinstance(values, dict):
            return values
        self._put_aside(ValueError("not a JSON object"))
        return {}

    def _put_aside(self, error: Exception) -> None:
        if isinstance(error, RecursionError):
            error = ValueError("it is nested too deep")
        aside = self.path.with_suffix(".unreadable.json")
        log.warning(
            "The settings '%s' cannot be read (%s); kept as '%s'", self.path, fault(error, "read").cause, aside.name
        )
        try:
            self.path.replace(aside)
            self.set_aside = aside
        except OSError as failure:
            log.warning("The settings '%s' cannot be put aside: %s", self.path, fault(failure).cause)

    def _write(self, values: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix="desktop-", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(values, file, indent=2, sort_keys=True)  # ASCII: names of files may hold half characters
                file.write("\n")
            Path(temporary).replace(self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
