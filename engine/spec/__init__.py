"""The strategy file: parsing, problems, edits, blocks, JSON Schema."""

from quantcrafter.engine.spec.blocks import INPUT_TYPES
from quantcrafter.engine.spec.document import StrategyFile
from quantcrafter.engine.spec.field_messages import explain, findings
from quantcrafter.engine.spec.migrations import Migrated, format_version, version_of_text
from quantcrafter.engine.spec.migrations import migrate as migrate_text
from quantcrafter.engine.spec.model import FORMAT_VERSION, SECTIONS, InstrumentSpec, NodeSpec, StrategySpec
from quantcrafter.engine.spec.parse import check_strategy, check_strategy_file, load_strategy, parse_strategy
from quantcrafter.engine.spec.references import BARS, Bound, Bypassed, Literal, Resolution, Resolved, Unresolved
from quantcrafter.engine.spec.schema import json_schema
from quantcrafter.engine.spec.source import Place, ProblemLog, Suggester

__all__ = [
    "BARS",
    "FORMAT_VERSION",
    "INPUT_TYPES",
    "SECTIONS",
    "Bound",
    "Bypassed",
    "InstrumentSpec",
    "Literal",
    "Migrated",
    "NodeSpec",
    "Place",
    "ProblemLog",
    "Resolution",
    "Resolved",
    "StrategyFile",
    "StrategySpec",
    "Suggester",
    "Unresolved",
    "check_strategy",
    "check_strategy_file",
    "explain",
    "findings",
    "format_version",
    "json_schema",
    "load_strategy",
    "migrate_text",
    "parse_strategy",
    "version_of_text",
]
