"""Recovered drafts: what was being edited when the program ended, and how it differs from the saved file. No Qt."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path


class RecoveryAnswer(Enum):
    """What to do with a draft: open it, write it into another file, throw it away, or ask again at the next start."""

    RESTORE = "restore"
    SAVE_AS = "save_as"
    DISCARD = "discard"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class UnsavedWork:
    """A strategy as it stood at its last edit. `key` is whatever the caller knows it by.

    `path` is the file it belongs to, None for one that was never saved; `saved_text` is what that file holds now.
    `stale` says that the file was changed after it was opened for this work, `was_tried` that the program ended while
    the draft was being restored, `is_damaged` that its text may not be whole.
    """

    key: str
    name: str
    edited_at: datetime
    text: str
    path: Path | None = None
    saved_text: str = ""
    stale: bool = False
    was_tried: bool = False
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What else a crash left: reports of it, damaged recovery files and damaged settings that were set aside."""

    reports: tuple[Path, ...] = ()
    set_aside: tuple[Path, ...] = ()
    settings: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.reports or self.set_aside or self.settings)


NOTHING_LEFT = Leftovers()


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a preview: `kind` is "+" for one that the draft adds, "-" for one it takes away, " " or "@"."""

    kind: str
    text: str


def differences(draft: UnsavedWork) -> tuple[DiffLine, ...]:
    """Return the lines in which a draft differs from its saved file, with two lines around each change."""
    lines = difflib.unified_diff(draft.saved_text.splitlines(), draft.text.splitlines(), lineterm="", n=2)
    body = list(lines)[2:]
    return tuple(DiffLine("@", "") if line.startswith("@@") else DiffLine(line[:1], line[1:]) for line in body)


def counts(draft: UnsavedWork) -> tuple[int, int]:
    """Return how many lines a draft adds and takes away."""
    kinds = [line.kind for line in differences(draft)]
    return kinds.count("+"), kinds.count("-")
