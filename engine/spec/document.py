"""StrategyFile: a strategy's text that can be edited without changing other parts."""

from __future__ import annotations

import contextlib
import copy
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from quantcrafter.engine.api.errors import Problem, SpecError
from quantcrafter.engine.api.home import usual_modes
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.edits import DocumentPath, TreeEdit, compose_mapping, same
from quantcrafter.engine.spec.emit import unflavoured
from quantcrafter.engine.spec.migrations import migrate
from quantcrafter.engine.spec.model import StrategySpec
from quantcrafter.engine.spec.parse import check_tree
from quantcrafter.engine.spec.read_text import read_text
from quantcrafter.engine.spec.rewrite import rewrite
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import plain


class StrategyFile:
    """The text of a strategy or block file, and edits that change nothing else in it.

    A path is a tuple of keys and list indexes, such as `("indicators", "fast", "timeperiod")`. After each edit, the
    text is parsed again and must have exactly the intended content; otherwise, the edit raises an exception and the
    text is not changed. Edits never go through an alias.
    """

    def __init__(self, text: str, file: str = "") -> None:
        self.file = file
        self._text = text
        self._root = compose_mapping(text, file)

    @classmethod
    def loads(cls, text: str, file: str = "") -> StrategyFile:
        """Return the document of a text.

        Raises:
            SpecError: it is not valid YAML mapping.
        """
        return cls(text, file)

    @classmethod
    def load(cls, path: str | Path) -> StrategyFile:
        """Return the document of a file.

        Raises:
            SpecError: it cannot be read, or is no YAML mapping.
        """
        log = ProblemLog()
        text = read_text(Path(path), log)
        log.raise_if_any()
        return cls(text or "", str(path))

    @classmethod
    def load_current(cls, path: str | Path) -> StrategyFile:
        """Return the document of a file in the current format: migrated in memory where it is of an older one.

        Raises:
            SpecError: it cannot be read, is no YAML mapping, or can't be migrated.
        """
        made = cls.load(path)
        migrated = migrate(made.text, made.file)
        return made if migrated is None else cls(migrated.text, made.file)

    @property
    def text(self) -> str:
        """Return the whole text; as read, as long as nothing was edited."""
        return self._text

    def copy(self) -> StrategyFile:
        """Return a document of the same text, to be edited apart; the text is not read again."""
        return copy.copy(self)

    def check(self, base_dir: str | Path = ".") -> tuple[StrategySpec | None, list[Problem]]:
        """Return what is usable of the strategy, with every problem in file order; see `check_strategy`."""
        return check_tree(self._root, base_dir=base_dir)

    def dumps(self) -> str:
        """Return the whole text."""
        return self._text

    @property
    def value(self) -> dict[str, Any]:
        """Return the content as plain values, fresh."""
        made: dict[str, Any] = plain(self._root)
        return made

    def save(self, path: str | Path | None = None) -> None:
        """Write the text to `path`, or to the file it came from, all or nothing; an existing file keeps its mode.

        Raises:
            OSError: it cannot be written; what was there is still there.
        """
        target = Path(path if path is not None else self.file).resolve()
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with usual_modes(beside), beside.open("xb") as stream:
                stream.write(self._text.encode("utf-8"))
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                beside.chmod(target.stat().st_mode & 0o7777)
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        self.file = str(path if path is not None else self.file)

    def get(self, path: DocumentPath) -> Any:
        """Return the plain value at `path`.

        Raises:
            KeyError: there is nothing there.
        """
        value: Any = self.value
        for key in path:
            if not _has(value, key):
                raise KeyError(path)
            value = value[key]
        return value

    def __contains__(self, path: DocumentPath) -> bool:
        try:
            self.get(path)
        except KeyError:
            return False
        return True

    def set(self, path: DocumentPath, value: Any) -> None:
        """Give the place at `path` a value, and make it if it doesn't exist.

        Where old and new value are both mappings or both lists, only what differs is touched. Missing mappings on the
        way are made, a missing section at its usual place in the file. A list grows at its end only.

        Raises:
            SpecError: the edit cannot be made in this text.
        """
        value = unflavoured(value)
        intended = _with(self.value, path, value)
        if intended is None:
            self._refuse(path, "there is nothing to put it into")
        self._edit(path, intended, lambda editor: editor.assign(path, value))

    def add(self, path: DocumentPath, value: Any) -> None:
        """Put a value where there is none yet; a list takes it at its end.

        Raises:
            SpecError: there is something already, or the edit cannot be made in this text.
        """
        if path in self:
            self._refuse(path, "it is there already")
        self.set(path, value)

    def remove(self, path: DocumentPath) -> None:
        """Remove a key or list item with its value, and the comment on its line.

        Raises:
            SpecError: there is nothing, or the edit cannot be made in this text.
        """
        if not path or path not in self:
            self._refuse(path, "it is not there")
        intended = self.value
        del _reach(intended, path[:-1])[path[-1]]
        self._edit(path, intended, lambda editor: editor.cut(path))

    def rename(self, path: DocumentPath, new_key: str) -> None:
        """Give a key another name, in its place; references to it are the caller's care.

        Raises:
            SpecError: there is no such key, the new one is taken, or the edit cannot be made in this text.
        """
        if not path or path not in self or not isinstance(path[-1], str):
            self._refuse(path, "it is not there")
        if path[-1] == new_key:
            return
        if (*path[:-1], new_key) in self:
            self._refuse(path, f"'{new_key}' is there already")
        intended = self.value
        parent = _reach(intended, path[:-1])
        renamed = {new_key if key == path[-1] else key: item for key, item in parent.items()}
        parent.clear()
        parent.update(renamed)
        self._edit(path, intended, lambda editor: editor.rename(path, new_key))

    def become(self, intended: dict[str, Any], renamed: Mapping[DocumentPath, str] | None = None) -> None:
        """Bring the text to mean `intended`, touching only what differs: many edits for the price of one.

        `renamed` gives keys their new name, by the path they have now, so that they keep their place and comments.
        An alias whose value must differ from what it represents is written out.

        Raises:
            SpecError: the text cannot be brought there; it stays as it was.
        """
        intended = unflavoured(intended)
        for write_out in (False, True):
            editor = TreeEdit(self._text, self._root)
            with contextlib.suppress(SpecError, TypeError, ValueError, LookupError):
                rewrite(editor, intended, renamed or {}, write_out=write_out)
                if same(plain(editor.root), intended):
                    self._text, self._root = editor.text, editor.root
                    return
        self._refuse((), "its surroundings (an alias or an unusual layout) don't allow it")

    def _edit(self, path: DocumentPath, intended: Any, change: Callable[[TreeEdit], None]) -> None:
        """Make a change, and keep it only if the text then means what was intended."""
        editor = TreeEdit(self._text, self._root)
        try:
            change(editor)
            good = same(plain(editor.root), intended)
        except SpecError as error:
            self._refuse(path, error.problems[0].message.removesuffix("."))
        except (TypeError, ValueError, LookupError) as error:
            self._refuse(path, str(error).removesuffix("."))
        if not good:
            self._refuse(path, "its surroundings (an alias or an unusual layout) don't allow it")
        self._text, self._root = editor.text, editor.root

    def _refuse(self, path: DocumentPath, reason: str) -> NoReturn:
        place = ".".join(str(key) for key in path)
        remedy = Message("Edit the text by hand.")
        raise SpecError(
            [
                Problem(
                    "edit",
                    Message("'{place}' can't be edited: {reason}.", place=place, reason=reason),
                    remedy,
                    self.file,
                    path=place,
                )
            ]
        )


def _has(value: Any, key: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(key, int) and 0 <= key < len(value)
    return isinstance(value, dict) and key in value


def _reach(value: Any, path: DocumentPath) -> Any:
    for key in path:
        value = value[key]
    return value


def _with(value: dict[str, Any], path: DocumentPath, new: Any) -> Any:
    """Return `value` with `new` at `path`, or None when there is no place for it."""
    if not path:
        return copy.deepcopy(new) if isinstance(new, dict) else None
    node: Any = value
    for key, following in zip(path, (*path[1:], None), strict=True):
        present = _has(node, key) and node[key] is not None
        made: Any = node[key] if present else ([] if isinstance(following, int) else {})
        made = copy.deepcopy(new) if following is None else made
        if isinstance(node, dict) and isinstance(key, str):
            node[key] = made
        elif isinstance(node, list) and isinstance(key, int) and 0 <= key <= len(node):
            node[key : key + 1] = [made]
        else:
            return None
        node = made
    return value
