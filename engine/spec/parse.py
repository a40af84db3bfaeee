"""Read a strategy file: from text to a StrategySpec, and collects every problem."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantcrafter.engine.api.errors import Problem, Severity, SpecError
from quantcrafter.engine.api.extra_columns import extra_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import RunSettings
from quantcrafter.engine.spec.blocks import BlockLibrary
from quantcrafter.engine.spec.compose import compose
from quantcrafter.engine.spec.expansion import Expander
from quantcrafter.engine.spec.field_messages import findings
from quantcrafter.engine.spec.instruments import read_instruments
from quantcrafter.engine.spec.layout import check_frames, read_layout
from quantcrafter.engine.spec.model import FORMAT_VERSION, SECTIONS, Located, StrategySpec
from quantcrafter.engine.spec.overrides import apply_overrides
from quantcrafter.engine.spec.read_text import read_text
from quantcrafter.engine.spec.references import Resolver
from quantcrafter.engine.spec.sections import join, mapping_at, place_in, read_sections, refuse_unknown_keys, text_at
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import Mapping, kind, plain
from quantcrafter.engine.spec.versions import in_current_format, version_is_good

TOP_LEVEL_KEYS = ("quantcrafter", "name", "description", "instruments", "blocks", *SECTIONS, "run", "layout", "frames")


def load_strategy(path: str | Path, *, overrides: Many[str] = (), block_dir: Path | None = None) -> StrategySpec:
    """Read a strategy file; `overrides` are `path=value` texts, `block_dir` replaces the user's block folder.

    Raises:
        SpecError: the file cannot be read or is wrong; it holds every problem.
    """
    spec, problems = check_strategy_file(path, overrides=overrides, block_dir=block_dir)
    if spec is None or any(problem.severity is Severity.ERROR for problem in problems):
        raise SpecError(problems)
    return spec


def parse_strategy(
    text: str,
    *,
    file: str = "",
    base_dir: str | Path = ".",
    overrides: Many[str] = (),
    block_dir: Path | None = None,
) -> StrategySpec:
    """Read a strategy from its text; block files are searched for in `base_dir`.

    Raises:
        SpecError: the text is wrong; it holds every problem.
    """
    spec, problems = check_strategy(text, file=file, base_dir=base_dir, overrides=overrides, block_dir=block_dir)
    if spec is None or any(problem.severity is Severity.ERROR for problem in problems):
        raise SpecError(problems)
    return spec


def check_strategy_file(
    path: str | Path, *, overrides: Many[str] = (), by_hand: bool = False, block_dir: Path | None = None
) -> tuple[StrategySpec | None, list[Problem]]:
    """Read a strategy file and return what is usable of it with every problem; see `check_strategy`."""
    path = Path(path)
    log = ProblemLog()
    text = read_text(path, log)
    if text is None:
        return None, log.in_order()
    return check_strategy(
        text, file=str(path), base_dir=path.parent, overrides=overrides, by_hand=by_hand, block_dir=block_dir
    )


def check_strategy(
    text: str,
    *,
    file: str = "",
    base_dir: str | Path = ".",
    overrides: Many[str] = (),
    by_hand: bool = False,
    block_dir: Path | None = None,
) -> tuple[StrategySpec | None, list[Problem]]:
    """Read a strategy and return what is usable of it, with every problem in file order.

    `by_hand` says that the user of this computer typed the overrides: files that they name are read wherever they are.
    Overrides of anybody else, such as those of a request or a stored row, are confined as the text is.

    The specification is None only when the text is no YAML mapping or of a version that can't be read. A text of an
    older version is migrated in memory, which a warning tells. Never raises for anything that a text may contain.
    """
    log = ProblemLog()
    root = compose(text, file, log)
    if root is None:
        return None, log.in_order()
    if not isinstance(root, Mapping):
        message = Message("A strategy file must be a mapping, was {kind}.", kind=kind(root))
        log.add(
            "shape",
            message,
            Message("Begin with 'quantcrafter: {format_version}'.", format_version=FORMAT_VERSION),
            at=root.place,
        )
        return None, log.in_order()
    root = in_current_format(root, text, log)
    if root is None:
        return None, log.in_order()
    apply_overrides(root, overrides, log)
    spec = _read(root, (Path(base_dir), block_dir), log)
    if spec is not None:
        spec = replace(spec, text=text, overrides=tuple(overrides), by_hand=by_hand)
    return spec, log.in_order()


def check_tree(root: Mapping, *, base_dir: str | Path = ".") -> tuple[StrategySpec | None, list[Problem]]:
    """Do what `check_strategy` does with a text that was composed without a problem; the tree stays as it is."""
    log = ProblemLog()
    return _read(root, (Path(base_dir), None), log), log.in_order()


def _read(root: Mapping, folders: tuple[Path, Path | None], log: ProblemLog) -> StrategySpec | None:
    if not version_is_good(root, log):
        return None
    file = root.source.file
    refuse_unknown_keys(root, TOP_LEVEL_KEYS, "", log, Message("strategy file"))
    library = BlockLibrary(*folders, log)
    blocks = mapping_at(root, "blocks", "blocks", log)
    if blocks is not None:
        library.read_own(blocks)
    sections = read_sections(root, "", log)
    instruments = read_instruments(root, log)
    further = dict.fromkeys(name for each in instruments for name in extra_of(each.options))
    resolver = Resolver(further=tuple(further))
    expander = Expander(library, resolver, log)
    nodes = expander.expand(sections.nodes, sections.broken)
    settings, located = _read_run(root, log)
    check_frames(root, "", log)
    return StrategySpec(
        name=text_at(root, "name", "name", log) or Path(file).stem or "strategy",
        description=text_at(root, "description", "description", log),
        instruments=instruments,
        nodes=nodes,
        run=settings,
        layout=read_layout(root, "", log),
        file=file,
        base_dir=str(folders[0]),
        block_names=tuple(library.own),
        text=root.source.text,
        run_located=located,
        uses=expander.uses,
        _resolver=resolver,
    )


def _read_run(root: Mapping, log: ProblemLog) -> tuple[RunSettings, Located]:
    section = mapping_at(root, "run", "run", log)
    if section is None:
        return RunSettings(), Located(root.place)
    values: dict[str, Any] = plain(section)
    located = Located(root.entries["run"].key.place, section.entries)
    for name in ("start", "end"):
        if not isinstance(values.get(name, ""), str):
            message = Message("'{name}' must be a date, was {kind}.", name=name, kind=kind(section.entries[name].value))
            at = section.entries[name].value.place
            log.add("run", message, Message("Write it as 2020-01-31."), at=at, path=f"run.{name}", field=name)
            del values[name]
    try:
        return RunSettings.model_validate(values), located
    except ValidationError as error:
        wrong = set()
        for names, fault, remedy in findings(error, RunSettings, log.suggest):
            wrong.add(names[0] if names else "")
            at = place_in(section, names)
            log.add(
                "run",
                Message("run: {message}", message=fault),
                remedy,
                at=at,
                path=join("run", *names),
                field=".".join(names),
            )
    usable = {name: value for name, value in values.items() if name not in wrong}
    try:
        return RunSettings.model_validate(usable), located
    except ValidationError:
        return RunSettings(), located
