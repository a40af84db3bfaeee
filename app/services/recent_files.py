"""The strategies that were open lately: the latest first, some pinned. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from quantcrafter.app.services.settings import Settings

MAX_RECENT = 15


@dataclass(frozen=True, slots=True)
class RecentPaths:
    """What is remembered: absolute paths, the latest first, and which of them are pinned."""

    paths: tuple[str, ...] = ()
    pinned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RecentFile:
    """One line of the menu; `missing` is what `show_missing` was told last."""

    path: Path
    pinned: bool = False
    missing: bool = False


class RecentFiles:
    """The list behind the menu of recent files.

    Args:
        load: returns what is remembered.
        save: remembers it.
    """

    def __init__(self, load: Callable[[], RecentPaths], save: Callable[[RecentPaths], None]) -> None:
        self._load = load
        self._save = save
        self._missing: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> RecentFiles:
        """Return the list that the settings file remembers."""

        def load() -> RecentPaths:
            return RecentPaths(tuple(settings.recent), frozenset(settings.pinned))

        def save(value: RecentPaths) -> None:
            settings.recent = list(value.paths)
            settings.pinned = sorted(value.pinned)

        return cls(load, save)

    def files(self) -> tuple[RecentFile, ...]:
        """Return the files, pinned ones first, each group the latest first; touches no disk."""
        value = self._load()
        ordered = sorted(value.paths, key=lambda path: path not in value.pinned)
        return tuple(RecentFile(Path(path), path in value.pinned, path in self._missing) for path in ordered)

    def paths(self) -> tuple[str, ...]:
        """Return what is remembered, for `missing_of`."""
        return self._load().paths

    def show_missing(self, missing: Iterable[str]) -> bool:
        """Take over which files are gone; return whether that is news."""
        before, self._missing = self._missing, frozenset(missing)
        return before != self._missing

    def add(self, path: Path) -> None:
        """Put a file at the head; of too many the oldest one that is not pinned goes."""
        text = str(path.absolute())
        value = self._load()
        self._missing -= {text}
        self._keep((text, *(other for other in value.paths if other != text)), value.pinned)

    def remove(self, path: Path) -> None:
        """Forget a file."""
        text = str(path.absolute())
        value = self._load()
        self._keep(tuple(other for other in value.paths if other != text), value.pinned - {text})

    def pin(self, path: Path, *, pinned: bool = True) -> None:
        """Keep a file in the list, whatever comes later; or let it go again."""
        text = str(path.absolute())
        value = self._load()
        if text in value.paths:
            self._keep(value.paths, value.pinned | {text} if pinned else value.pinned - {text})

    def clear(self) -> None:
        """Forget all files but the pinned ones."""
        value = self._load()
        self._keep(tuple(path for path in value.paths if path in value.pinned), value.pinned)

    def _keep(self, paths: tuple[str, ...], pinned: frozenset[str]) -> None:
        room = max(1, MAX_RECENT - sum(path in pinned for path in paths))
        kept = []
        for path in paths:
            if path in pinned or room > 0:
                kept.append(path)
                room -= path not in pinned
        self._save(RecentPaths(tuple(kept), pinned & frozenset(kept)))


def missing_of(paths: Iterable[str]) -> frozenset[str]:
    """Return which files are gone; slow on a dead network drive, so call it from a thread."""
    return frozenset(path for path in paths if not _is_there(path))


def _is_there(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
