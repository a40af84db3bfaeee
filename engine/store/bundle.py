"""A bundle: a row with its strategy file and the files that it refers to, by their hashes, as one JSON object.

Files are those that any text in the strategy, or in a block file of it, names: blocks, calendars of events, signals,
bars, costs. They must be in the strategy's folder, or be blocks of the user's block folder.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from quantcrafter.engine.api import RunError, SpecError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.spec.blocks import block_file
from quantcrafter.engine.spec.compose import compose
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import Node, Scalar, children
from quantcrafter.engine.store.rows import RowError, StrategyRow, row_of

VERSION = 1
MOST_BYTES = 64 * 1024 * 1024
"""How large the files of a strategy may be together."""
MOST_FILES = 500
_SYMBOL = "{symbol}"
_BLOCKS = (".yaml", ".yml")
_NAMES_A_FILE = re.compile(r"[^\n\0]{1,400}\.[A-Za-z0-9]{1,10}")

Files = dict[str, bytes]
"""The content of files, by their path in the strategy's folder, with forward slashes."""


def bundle_of(file: Path, row: StrategyRow) -> dict[str, Any]:
    """Return a row with a strategy file and what that refers to, as plain values.

    Args:
        file: the strategy file.
        row: the row; its `strategy` and `files` are replaced.

    Raises:
        RunError: a file can't be read, is outside the folder of the strategy, or there are too many.
        SpecError: the strategy file is no YAML.
    """
    text = _content(file).decode("utf-8-sig", "replace")
    files = files_of(text, file.parent, row.symbol, str(file))
    plain = row.model_copy(update={"strategy": text, "files": hash_of(files) if files else ""})
    return _bundled(plain, files)


def repacked(row: StrategyRow) -> dict[str, Any]:
    """Return the bundle of a row whose files were pushed here.

    Raises:
        RunError: the files are gone.
    """
    folder = pushed_folder(row.files)
    files = {each.relative_to(folder).as_posix(): _content(each) for each in folder.rglob("*") if each.is_file()}
    return _bundled(row, files)


def _bundled(row: StrategyRow, files: Files) -> dict[str, Any]:
    return {
        "version": VERSION,
        "row": row.model_dump(mode="json"),
        "files": [
            {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "content": base64.b64encode(data).decode()}
            for path, data in sorted(files.items())
        ],
    }


def files_of(text: str, folder: Path, symbol: str = "", name: str = "") -> Files:
    """Return the files that a strategy's text refers to.

    Raises:
        RunError: a file can't be read, is outside the folder, or there are too many.
        SpecError: the text is no YAML.
    """
    found: Files = {}
    waiting = [(text, name)]
    while waiting:
        for named in _named(*waiting.pop(), symbol):
            if named in found:
                continue
            path = _place_of(named, folder)
            if path is None:
                continue
            found[named] = data = _content(path)
            if len(found) > MOST_FILES or sum(map(len, found.values())) > MOST_BYTES:
                raise RunError(
                    Message(
                        "The strategy refers to more than {files} files, or {megabytes} MB. Keep bars in the server's "
                        "own store of data.",
                        files=MOST_FILES,
                        megabytes=MOST_BYTES // 1024**2,
                    )
                )
            if named.endswith(_BLOCKS):
                waiting.append((data.decode("utf-8-sig", "replace"), named))
    return found


def _named(text: str, name: str, symbol: str) -> Iterator[str]:
    """Yield every text in a YAML file that may be the path of a file."""
    log = ProblemLog()
    root = compose(text, name, log)
    if root is None:
        raise SpecError(log.in_order())
    seen = set()
    symbols = {str(each) for each in _values(root, "symbol")} | ({symbol} if symbol else set())
    for value in _scalars(root):
        for each in (
            {value.replace(_SYMBOL, one.replace("/", "_")) for one in symbols} if _SYMBOL in value else (value,)
        ):
            if each not in seen and _NAMES_A_FILE.fullmatch(each):
                seen.add(each)
                yield each


def _scalars(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield node.value
        return
    for child in children(node):
        yield from _scalars(child)


def _values(node: Node, key: str) -> Iterator[Any]:
    entries = getattr(node, "entries", {})
    if key in entries and isinstance(entries[key].value, Scalar):
        yield entries[key].value.value
    for child in children(node):
        yield from _values(child, key)


def _place_of(named: str, folder: Path) -> Path | None:
    """Return the file that a text names; None if it names none.

    Raises:
        RunError: it is outside the strategy's folder.
    """
    path = Path(folder, named).expanduser()
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        return None
    if not is_file and ".." not in PurePosixPath(named.replace("\\", "/")).parts:
        return block_file(named, folder) if named.endswith(_BLOCKS) else None
    if not is_file or not path.resolve().is_relative_to(folder.resolve()) or not _is_safe(named):
        raise RunError(
            Message(
                "The strategy names '{path}', which is outside its folder. Move it beside the strategy, and name it "
                "there.",
                path=named,
            )
        )
    return path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        cause, remedy = fault(error, "read")
        raise RunError(
            Message("'{path}' can't be read: {cause}. {remedy}", path=shown_path(path), cause=cause, remedy=remedy)
        ) from error


def hash_of(files: Mapping[str, bytes]) -> str:
    """Return the hash of files with their paths, by which they are kept together."""
    digest = hashlib.blake2b(digest_size=16)
    for path, data in sorted(files.items()):
        digest.update(f"{path}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


# ----------------------------------------------------------------------------------------------------------- receiving


def unpacked(bundle: Mapping[str, Any]) -> tuple[StrategyRow, Files]:
    """Return the row and the files of a bundle, checked: it may come from anyone.

    Raises:
        RunError: it is not a bundle, a path leads elsewhere, or a file is not the one that its hash says.
    """
    if bundle.get("version") != VERSION:
        raise RowError(
            Message(
                "A pushed strategy has version {version}, was {found!r}.", version=VERSION, found=bundle.get("version")
            )
        )
    listed, values = bundle.get("files"), bundle.get("row")
    if not isinstance(values, Mapping) or not isinstance(listed, list) or len(listed) > MOST_FILES:
        raise RowError(Message("A pushed strategy has a 'row', and at most {most} 'files'.", most=MOST_FILES))
    row, files = row_of(values), dict(map(_file_in, listed))
    names = {each.casefold() for each in files}
    if len(names) < len(listed) or sum(map(len, files.values())) > MOST_BYTES:
        raise RowError(Message("The files of a pushed strategy have the same path, or are too large together."))
    if row.files != (hash_of(files) if files else ""):
        raise RowError(Message("The files of a pushed strategy are not those that its row names. Push it again."))
    if not row.holds_text:
        raise RowError(Message("A pushed strategy holds the text of its file in 'strategy'."))
    return row, files


def _file_in(values: Any) -> tuple[str, bytes]:
    if not isinstance(values, Mapping) or not isinstance(values.get("path"), str):
        raise RowError(Message("Each file of a pushed strategy has a path."))
    path = values["path"]
    if not _is_safe(path):
        raise RowError(Message("The path '{path}' of a pushed file is refused: it must be below a folder.", path=path))
    try:
        data = base64.b64decode(str(values.get("content", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RowError(Message("The pushed file '{path}' is damaged: {error}.", path=path, error=str(error))) from error
    if hashlib.sha256(data).hexdigest() != values.get("sha256"):
        raise RowError(Message("The pushed file '{path}' is damaged: its hash is another one.", path=path))
    return path, data


def _is_safe(path: str) -> bool:
    parts, windows = PurePosixPath(path).parts, PureWindowsPath(path)
    is_plain = not (PurePosixPath(path).is_absolute() or windows.drive or windows.root or "\\" in path or "\0" in path)
    return bool(parts) and is_plain and ".." not in parts and "." not in path.split("/") and "" not in path.split("/")


def pushed_folder(files: str, data_folder: Path | None = None) -> Path:
    """Return the folder of the files that were pushed with a strategy, by their hash; it need not exist."""
    return (data_folder or home()) / "pushed" / files


def keep_files(files: Files, data_folder: Path | None = None) -> Path | None:
    """Keep the files of a strategy in the folder of their hash, all or none; return it, None if there are no files.

    Raises:
        RunError: they can't be written; nothing is left then.
    """
    if not files:
        return None
    target = pushed_folder(hash_of(files), data_folder)
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".part-"))
        try:
            for path, data in files.items():
                place = beside / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            beside.replace(target)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as error:
        if target.is_dir():  # another push of the same files was faster
            return target
        cause, remedy = fault(error, "home")
        raise RunError(
            Message(
                "The pushed files can't be kept in '{folder}': {cause}. {remedy}",
                folder=shown_path(target),
                cause=cause,
                remedy=remedy,
            )
        ) from error
    return target
