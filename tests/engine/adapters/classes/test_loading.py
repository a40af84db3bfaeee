"""An allowed module is found in its folder, and nothing else of that folder ever is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.adapters.classes.loading import load_class
from quantcrafter.engine.api import RunError


@pytest.fixture(autouse=True)
def _imports_are_undone() -> Iterator[None]:
    """Leave the interpreter as it was."""
    paths, modules = list(sys.path), set(sys.modules)
    yield
    assert sys.path == paths
    for name in set(sys.modules) - modules:
        if name.startswith("mine_") or name in ("wave", "colorsys"):
            del sys.modules[name]


def write(folder: Path, name: str, text: str) -> None:
    """Write a module."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_file_beside_an_allowed_module_takes_no_librarys_place(tmp_path: Path) -> None:
    write(tmp_path, "mine_shadow.py", "import colorsys\nclass Mine(dict): kind = colorsys.__file__\n")
    write(tmp_path, "colorsys.py", "raise SystemExit('taken over')\n")
    sys.modules.pop("colorsys", None)
    found = load_class("mine_shadow.Mine", str(tmp_path), dict, "backtrader")
    assert not found.kind.startswith(str(tmp_path))


def test_an_allowed_name_that_is_installed_stays_the_installed_one(tmp_path: Path) -> None:
    write(tmp_path, "wave.py", "raise SystemExit('taken over')\n")
    sys.modules.pop("wave", None)
    with pytest.raises(RunError, match="has no class 'Mine'"):
        load_class("wave.Mine", str(tmp_path), dict, "backtrader")


def test_a_package_is_found_with_what_is_below_it(tmp_path: Path) -> None:
    write(tmp_path, "mine_package/__init__.py", "")
    write(tmp_path, "mine_package/deep/__init__.py", "")
    write(tmp_path, "mine_package/deep/inner.py", "from mine_package.deep import other\nclass Mine(dict): pass\n")
    write(tmp_path, "mine_package/deep/other.py", "")
    assert load_class("mine_package.deep.inner.Mine", str(tmp_path), dict, "vnpy").__name__ == "Mine"


def test_another_module_of_the_folder_is_imported_only_once_it_is_allowed(tmp_path: Path) -> None:
    write(tmp_path, "mine_first.py", "import mine_second\nclass Mine(dict): pass\n")
    write(tmp_path, "mine_second.py", "")
    with pytest.raises(RunError, match="engines allow mine_second --folder FOLDER"):
        load_class("mine_first.Mine", str(tmp_path), dict, "vnpy")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("mine_second")
    assert load_class("mine_first.Mine", str(tmp_path), dict, "vnpy", ("mine_second",)).__name__ == "Mine"
