"""Undo and redo as exact patches of the text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Patch:
    """At `offset`, the characters `removed` made way for `inserted`."""

    offset: int
    removed: str
    inserted: str

    def apply(self, text: str) -> str:
        """Return the text after the change."""
        return text[: self.offset] + self.inserted + text[self.offset + len(self.removed) :]

    def revert(self, text: str) -> str:
        """Return the text before the change."""
        return text[: self.offset] + self.removed + text[self.offset + len(self.inserted) :]

    def then(self, later: Patch) -> Patch | None:
        """Return both changes as one where the later continues the earlier within one line, else None."""
        if "\n" in self.removed + self.inserted + later.removed + later.inserted:
            return None
        start, end = self.offset, self.offset + len(self.inserted)
        if later.inserted[:1].strip() and self.inserted[-1:].isspace() and later.offset == end:
            return None  # a new word
        if start <= later.offset and later.offset + len(later.removed) <= end:
            at = later.offset - start
            inserted = self.inserted[:at] + later.inserted + self.inserted[at + len(later.removed) :]
            return Patch(start, self.removed, inserted)
        if not self.inserted and not later.inserted and later.offset + len(later.removed) == start:
            return Patch(later.offset, later.removed + self.removed, "")
        if not self.inserted and not later.inserted and later.offset == start:
            return Patch(start, self.removed + later.removed, "")
        return None


def patch_between(old: str, new: str) -> Patch:
    """Return the smallest single change from one text to another."""
    start = _common(old, new)
    limit = min(len(old), len(new)) - start
    tail = _common(old[len(old) - limit :][::-1], new[len(new) - limit :][::-1]) if limit else 0
    return Patch(start, old[start : len(old) - tail], new[start : len(new) - tail])


def _common(one: str, other: str) -> int:
    """Return how many leading characters two texts share."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(slots=True)
class UndoStep:
    """One undo step: its name in the Edit menu, its patch, and for typing who typed."""

    label: str
    patch: Patch
    typing: bool = False
    origin: object = None


@dataclass(slots=True)
class EditHistory:
    """The steps that can be undone and redone."""

    done: list[UndoStep] = field(default_factory=list)
    undone: list[UndoStep] = field(default_factory=list)
    open: bool = False
    _joining: bool = False
    _joint: UndoStep | None = None

    def join(self, *, on: bool) -> None:
        """Put every step from now on into one, until that is switched off again."""
        self._joining, self._joint = on, None

    def add_edit(self, label: str, before: str, after: str) -> None:
        """Note an edit that made one text of another; while steps are joined, as part of the first one."""
        joint = self._joint
        if self._joining and joint is not None and self.done and self.done[-1] is joint:
            self.undone.clear()
            joint.patch = patch_between(joint.patch.revert(before), after)
            return
        step = UndoStep(label, patch_between(before, after))
        self.add(step)
        self._joint = step if self._joining else None

    def add(self, step: UndoStep) -> None:
        """Note a step; typing in a row becomes one step. What was undone can no longer be redone."""
        self.undone.clear()
        last = self.done[-1] if self.done else None
        if last is not None and self.open and step.typing and last.typing and last.origin is step.origin:
            merged = last.patch.then(step.patch)
            if merged is not None:
                last.patch = merged
                return
        self.done.append(step)
        self.open = step.typing

    def undo(self, text: str) -> tuple[str, UndoStep] | None:
        """Return the text before the last step, and the step; None when there is none."""
        if not self.done:
            return None
        self.open = False
        step = self.done.pop()
        self.undone.append(step)
        return step.patch.revert(text), step

    def redo(self, text: str) -> tuple[str, UndoStep] | None:
        """Return the text after the step that was undone last, and the step; None when there is none."""
        if not self.undone:
            return None
        self.open = False
        step = self.undone.pop()
        self.done.append(step)
        return step.patch.apply(text), step
