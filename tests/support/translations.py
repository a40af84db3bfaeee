"""Every text of the interface, found in the source by its `tr("...")`; run it to see what lacks a translation."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quantcrafter.app.inspector.fields import plain_words
from quantcrafter.app.inspector.subjects import InstrumentFields, OwnParameterFields, StrategyFields, UniverseFields
from quantcrafter.engine.api.ledger import (
    BlockReason,
    CashflowKind,
    InterventionKind,
    OrderKind,
    OrderStatus,
    Reason,
    StatusReason,
)
from quantcrafter.engine.api.schedule import Schedule
from quantcrafter.engine.api.settings import (
    Commission,
    Continuous,
    FillRules,
    Funding,
    InstrumentMargin,
    Margin,
    RollRule,
    RunSettings,
    Slippage,
    Spread,
    Swap,
    Withdrawal,
)
from quantcrafter.engine.runtime.run_store.comparison import COMPARED
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.stats.metric_catalog import METRICS

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
EXAMPLES = ROOT / "resources" / "examples"
DEFINITION = APP / "services" / "i18n.py"
LANGUAGES = ("ru", "zh_CN")


@dataclass(frozen=True)
class Call:
    """One call of `tr`: where it stands, and its text; None when the text is not a literal."""

    file: Path
    line: int
    text: str | None

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def calls_in(source: str, file: Path) -> Iterator[Call]:
    """Return the calls of `tr` in a source text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) == "tr":
            first = node.args[0] if node.args else None
            literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
            yield Call(file, node.lineno, literal)


def calls() -> tuple[Call, ...]:
    """Return every call of `tr` in the app."""
    files = sorted(path for path in APP.rglob("*.py") if path != DEFINITION)
    return tuple(call for path in files for call in calls_in(path.read_text(encoding="utf-8"), path))


def texts() -> dict[str, str]:
    """Return every text of the interface with the place where it is first used: the app's, and the examples' words."""
    found: dict[str, str] = {}
    for call in calls():
        if call.text is not None:
            found.setdefault(call.text, str(call))
    for path in sorted(EXAMPLES.glob("*.yaml")):
        value = StrategyFile.load(path).value
        for key in ("name", "description"):
            found.setdefault(value[key], str(path.relative_to(ROOT)))
    for text in result_words():
        found.setdefault(text, "the figures and words of a run")
    for text in form_words():
        found.setdefault(text, "the settings' forms")
    return found


def result_words() -> Iterator[str]:
    """Return what the tables of a run say beside the app's own texts: figures, their groups, the books' words."""
    for metric in METRICS:
        yield metric.label
        yield metric.group
    for kind in (OrderKind, OrderStatus, Reason, StatusReason, BlockReason, InterventionKind, CashflowKind):
        yield from (member.name.lower().replace("_", " ") for member in kind if member.name != "NONE")
    yield from ("buy", "sell", "long", "short", "days", "bars")
    yield from COMPARED


def form_words() -> Iterator[str]:
    """Return the labels, explanations and units of the forms that belong to no component."""
    parts = (Commission, Slippage, Margin, InstrumentMargin, Spread, Swap, Funding, Continuous, RollRule, FillRules)
    forms = (StrategyFields, InstrumentFields, UniverseFields, OwnParameterFields, RunSettings, Withdrawal, Schedule)
    for model in (*forms, *parts):
        for name, field in model.model_fields.items():
            yield plain_words(name)
            yield field.description or ""
            extra = field.json_schema_extra
            unit = extra.get("unit") if isinstance(extra, dict) else None
            if isinstance(unit, str) and unit.isalpha() and unit != "bps":
                yield unit


def translations(language: str) -> dict[str, str]:
    """Return what a language's files hold together."""
    together: dict[str, str] = {}
    for table in translation_files(language).values():
        together |= table
    return together


def translation_files(language: str) -> dict[Path, dict[str, str]]:
    """Return the files of a language, one an area of the program."""
    folder = ROOT / "resources" / "translations" / language
    return {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def canonical(table: dict[str, str]) -> str:
    """Return how a language's file is written: sorted, one text a line."""
    return json.dumps(dict(sorted(table.items())), ensure_ascii=False, indent=2) + "\n"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _report() -> None:
    from tests.support.engine_texts import engine_keys, untranslated

    wanted = texts()
    for tongue in LANGUAGES:
        have = translations(tongue)
        sys.stdout.write(f"{tongue}: {len(have)} texts\n")
        for text in sorted(set(wanted) - set(have)):
            sys.stdout.write(f"  lacks    {text!r}  {wanted[text]}\n")
        for text, place, file in untranslated(have):
            sys.stdout.write(f"  lacks    {text!r}  {place}, for {file}\n")
        for text in sorted(set(have) - set(wanted) - engine_keys()):
            sys.stdout.write(f"  leftover {text!r}\n")


if __name__ == "__main__":
    _report()
