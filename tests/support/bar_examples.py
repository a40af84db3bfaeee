"""Worked examples of the bar standard: YAML with bars and signals in, and what must come out.

The same form serves the examples in docs/bar-semantics.md and the golden files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import EngineJob, Execution, ExecutionColumns, NightlySwap
from quantcrafter.engine.api.ledger import (
    BlockReason,
    CashflowKind,
    InterventionKind,
    Ledger,
    OrderKind,
    OrderStatus,
    Reason,
    StatusReason,
)
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.rules import ExecutionRule, GuardRule, ProtectiveRule, SizeRule
from quantcrafter.engine.api.settings import InstrumentMargin
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.nodes.execution import COMPONENTS as EXECUTION
from quantcrafter.nodes.money import COMPONENTS as MONEY
from quantcrafter.nodes.risk import COMPONENTS as RISK
from tests.support.jobs import DAY_NS, Setup, make_bars, make_job
from tests.support.position_examples import seen, with_conditions

FLAGS = {"enter_long": ENTER_LONG, "exit_long": EXIT_LONG, "enter_short": ENTER_SHORT, "exit_short": EXIT_SHORT}
EXPECTED = {
    "fills",
    "orders",
    "trades",
    "parts",
    "blocked",
    "equity",
    "cash",
    "open_positions",
    "interventions",
    "cashflows",
}
EXPECTED |= {"seen"}
GIVEN = {"example", "bars", "risk", "money", "execution", "on_opposite", "run", "tick_size", "lot_size", "first_bar"}
GIVEN |= {"instrument", "on_position", "second", "values", "bars_a_day"}
COLUMNS = ("rate_open", "rate_close", "split", "dividend", "roll")
NEUTRAL = {"rate_open": 1.0, "rate_close": 1.0, "split": 1.0, "dividend": 0.0, "volume": 1000.0}
COLUMN_WORDS = {name: name for name in ("atr", "line", "short_line", "weight", "rank", "ratio")}
SIDES = {1: "buy", -1: "sell"}


def load_examples(text: str) -> list[dict[str, Any]]:
    """Return the examples in a text: YAML blocks of a Markdown page, or the documents of a YAML file."""
    blocks = re.findall(r"```yaml\n(example:.*?)```", text, re.DOTALL) if "```" in text else [text]
    examples = [example for block in blocks for example in YAML(typ="safe").load_all(block)]
    for example in examples:
        assert set(example) <= GIVEN | EXPECTED, f"unknown keys in {example['example']}: {set(example)}"
        assert set(example) & EXPECTED, f"{example['example']} expects nothing"
    return examples


def examples_of(path: Path) -> list[Any]:
    """Return the examples of a file as pytest parameters."""
    return [pytest.param(e, id=e["example"]) for e in load_examples(path.read_text(encoding="utf-8"))]


def job_of(example: dict[str, Any]) -> EngineJob:
    """Return the job that an example describes."""
    bars = example["bars"]
    tables = bars if isinstance(bars, dict) else {"TEST": [[day, *row] for day, row in enumerate(bars)]}
    risk = {component.name: component for component in RISK}
    size = _size(example)
    rules = [_wired(risk[name], fields) for name, fields in _each_risk(example)]
    protection = tuple(rule for rule in rules if isinstance(rule, ProtectiveRule))
    job = make_job(
        *(_instrument(symbol, rows, protection, size, example) for symbol, rows in tables.items()),
        size=size,
        protection=protection,
        guards=tuple(rule for rule in rules if isinstance(rule, GuardRule)),
        execution=_execution(example),
        further=_second(example),
        settings=example.get("run"),
    )
    return with_conditions(job, example["on_position"]) if "on_position" in example else job


def _size(example: dict[str, Any]) -> SizeRule:
    """Return the rule of the example's money manager."""
    money = {component.name: component for component in MONEY}
    ((name, fields),) = example.get("money", {"fixed_quantity": {"quantity": 10}}).items()
    size: SizeRule = _wired(money[name], fields)
    return size


def _second(example: dict[str, Any]) -> tuple[Execution, ...]:
    """Return the second execution of the example, which has a rule and a size of its own, where there is one."""
    if "second" not in example:
        return ()
    return (Execution(_execution(example["second"]), _size(example["second"]), "second"),)


def _execution(example: dict[str, Any]) -> ExecutionRule:
    """Return the rule of the example's execution node; every port that the rows have words for is wired."""
    nodes = {component.name: component for component in EXECUTION}
    ((name, fields),) = example.get("execution", {"market": {}}).items()
    ports = {port.name for port in nodes[name].inputs()}
    bars = example.get("bars", [])
    rows = [row for table in bars.values() for row in table] if isinstance(bars, dict) else bars
    words = " ".join(str(word) for row in rows for word in row)
    used = [port for word, port in COLUMN_WORDS.items() if f"{word}=" in f" {words}".replace(f"_{word}=", "")]
    wires: dict[str, Any] = {port: port for port in used if port in ports}
    wires |= {"signals": ["signal"], "money": "size"} if "signals" in ports else {}
    opposite = {"on_opposite": example["on_opposite"]} if "on_opposite" in example else {}
    rule: ExecutionRule = nodes[name](**wires, **opposite, **(fields or {})).rule()
    return rule


def _each_risk(example: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and fields of each risk manager; several of one name are a list of fields."""
    for name, parts in example.get("risk", {}).items():
        for fields in parts if isinstance(parts, list) else [parts]:
            yield name, fields


def _wired(component: Any, fields: dict[str, Any]) -> Any:
    """Return the rule of a component whose input ports are wired to columns of their own names."""
    return component(**fields, **{port.name: port.name for port in component.inputs()}).rule()


def _instrument(symbol: str, rows: list[list[Any]], rules: tuple[Any, ...], size: Any, example: dict[str, Any]) -> Any:
    """Return bars and decision columns of rows: day, open, high, low, close, and optional words.

    A word is a signal leg, `filtered` (no entry may pass), or a column's name, `=` and a number, such as `atr=1.5`; a
    signal leg of the second execution begins with `second=`.
    """
    words = [" ".join(str(word) for word in row[5:]).split() for row in rows]
    columns = {port: _numbers(words, f"{word}=") for word, port in COLUMN_WORDS.items()}

    def column(name: str) -> Any:
        values = [next((float(w.partition("=")[2]) for w in row if w.startswith(f"{name}=")), None) for row in words]
        return np.array([NEUTRAL.get(name, np.nan) if value is None else value for value in values])

    if "pair" in example.get("execution", {}) and np.isnan(columns["ratio"]).all():
        columns["ratio"] = np.ones(len(rows))
    used = [name for name in COLUMNS if any(f"{name}=" in word for row in words for word in row)]
    used += [name for name in COLUMNS for other in used if name[:4] == other[:4] and name not in used]
    used += ["dividend"] if "split" in used and "dividend" not in used else []
    used += ["split"] if "dividend" in used and "split" not in used else []
    more = {name: column(name) for name in used} | example.get("instrument", {})
    more |= {"values": example["values"][symbol]} if "values" in example else {}
    if any(word.startswith("spread=") for row in words for word in row):
        more["spreads"] = _numbers(words, "spread=")
    if "swap" in more:
        more["swap"] = NightlySwap(**more["swap"])
    if "price_limit_percent" in more:
        more["price_limits"] = ((0, more.pop("price_limit_percent")),)
    if "tick_table" in more:
        table = more.pop("tick_table")
        more["tick_tables"] = next(market.ticks_of(table) for market in MARKETS if market.ticks_of(table))
    if "margin" in more:
        more["margin"] = InstrumentMargin.model_validate(more["margin"])
    if "second" in example:
        flags = [sum(FLAGS[w.removeprefix("second=")] for w in row if w.startswith("second=")) for row in words]
        more["further"] = (ExecutionColumns(np.array(flags, np.uint8), np.ones(len(rows), np.bool_)),)
    setup = Setup(
        flags=[sum(FLAGS[w] for w in row if w in FLAGS) for row in words],
        allowed=["filtered" not in row for row in words],
        first_bar=example.get("first_bar", 0),
        tick_size=example.get("tick_size", 0.01),
        lot_size=example.get("lot_size", 1.0),
        rule_columns=tuple(column(_word_of(rule)) if rule.column else None for rule in rules),
        # Without words a column is not wired: the execution rule then goes by the close.
        execution_columns={port: values for port, values in columns.items() if not np.isnan(values).all()},
        more=more | ({"size_column": column(size.column)} if size.column else {}),
    )
    made = make_bars([row[1:5] for row in rows], symbol, [row[0] for row in rows], column("volume"))
    return _shorter(made, example.get("bars_a_day", 1)), setup


def _word_of(rule: ProtectiveRule) -> str:
    """Return the word of a rule's column: with two lines, that of the rule for short positions is `short_line`."""
    return "short_line" if rule.side < 0 else rule.column or ""


def _shorter(bars: Bars, count: int) -> Bars:
    """Return daily bars as bars of which so many are a day."""
    if count == 1:
        return bars
    length = DAY_NS // count
    return replace(
        bars,
        timeframe=Timeframe(24 // count, "h"),
        open_ns=bars.open_ns // count,
        close_ns=bars.open_ns // count + length,
    )


def _numbers(words: list[list[str]], prefix: str) -> Any:
    """Return the numbers that follow a prefix in the words of each row, NaN where there is none."""
    return np.array([next((float(w[len(prefix) :]) for w in row if w.startswith(prefix)), np.nan) for row in words])


def check(example: dict[str, Any], job: EngineJob, ledger: Ledger) -> None:
    """Compare a ledger with what the example expects; what it does not name is not compared.

    Rows begin with the symbol where the example has several instruments; a fill without costs leaves them out.
    """
    found: dict[str, list[list[Any]]] = {
        "fills": _fills(job, ledger),
        "orders": _orders(job, ledger),
        "trades": _trades(job, ledger.trades),
        "parts": _trades(job, ledger.parts),
        "blocked": _blocked(job, ledger),
        "interventions": _interventions(example, job, ledger),
        "cashflows": _cashflows(job, ledger),
        "open_positions": [
            [job.instruments[p.instrument].symbol, p.lots, p.entry_bar, p.entry_price, p.unrealised_pnl]
            for p in ledger.open_positions
        ],
    }
    if not isinstance(example["bars"], dict):
        found = {key: [row[1:] for row in rows] for key, rows in found.items()}
    found |= {"equity": [[value] for value in ledger.equity], "cash": [[value] for value in ledger.cash]}
    for name, values in example.get("seen", {}).items():
        assert seen(ledger, name) == pytest.approx(values, abs=1e-9, nan_ok=True), name
    for key in sorted(set(example) & EXPECTED - {"seen"}):
        expected = [row if isinstance(row, list) else [row] for row in example[key]]
        assert len(found[key]) == len(expected), f"{key}: {found[key]} instead of {expected}"
        for actual, wanted in zip(found[key], expected, strict=True):
            assert _same(actual, wanted), f"{key}: {actual} instead of {wanted}"


def _same(actual: list[Any], wanted: list[Any]) -> bool:
    return len(actual) == len(wanted) and all(
        a == pytest.approx(w, abs=1e-9) if isinstance(w, (int, float)) else a == w
        for a, w in zip(actual, wanted, strict=True)
    )


def _fills(job: EngineJob, ledger: Ledger) -> list[list[Any]]:
    return [
        [
            job.instruments[f["instrument"]].symbol,
            int(f["bar"]),
            SIDES[int(f["side"])],
            float(f["lots"] * job.instruments[f["instrument"]].lot_size),
            float(f["price"]),
            OrderKind(f["kind"]).name.lower(),
            Reason(f["reason"]).name.lower(),
            float(f["commission"]),
            float(f["slippage"]),
        ][: 7 if not (f["commission"] or f["slippage"]) else 9]
        for f in ledger.fills
    ]


def _orders(job: EngineJob, ledger: Ledger) -> list[list[Any]]:
    return [
        [
            job.instruments[o["instrument"]].symbol,
            int(o["id"]),
            OrderKind(o["kind"]).name.lower(),
            SIDES[int(o["side"])],
            int(o["created_bar"]),
            int(o["closed_bar"]),
            OrderStatus(o["status"]).name.lower(),
            StatusReason(o["status_reason"]).name.lower(),
            *([] if np.isnan(o["price"]) else [float(o["price"])]),
        ]
        for o in ledger.orders
    ]


def _trades(job: EngineJob, rows: Any) -> list[list[Any]]:
    return [
        [
            job.instruments[t["instrument"]].symbol,
            "long" if t["side"] > 0 else "short",
            int(t["entry_bar"]),
            float(t["entry_price"]),
            int(t["exit_bar"]),
            float(t["exit_price"]),
            float(t["pnl"]),
            float(t["mae"]),
            float(t["mfe"]),
            Reason(t["exit_reason"]).name.lower(),
        ]
        for t in rows
    ]


def _blocked(job: EngineJob, ledger: Ledger) -> list[list[Any]]:
    return [
        [
            job.instruments[b["instrument"]].symbol,
            int(b["bar"]),
            "+".join(name for name, flag in FLAGS.items() if b["flags"] & flag),
            BlockReason(b["reason"]).name.lower(),
        ]
        for b in ledger.blocked
    ]


def _interventions(example: dict[str, Any], job: EngineJob, ledger: Ledger) -> list[list[Any]]:
    """Return bar, what was done, by which rule, and the values before and after; the account stands for no symbol."""
    risk = {component.name: component for component in RISK}
    named = [(name, _wired(risk[name], fields)) for name, fields in _each_risk(example)]
    names = [name for name, rule in named if isinstance(rule, ProtectiveRule)]
    names += [name for name, rule in named if isinstance(rule, GuardRule)]
    return [
        [
            job.instruments[each["instrument"]].symbol if each["instrument"] >= 0 else "account",
            int(each["bar"]),
            InterventionKind(each["kind"]).name.lower(),
            names[each["rule"]] if each["rule"] >= 0 else "broker",
            *([] if _is_bare(each) else [_known(each["before"]), float(each["after"])]),
        ]
        for each in ledger.interventions
    ]


_BARE = (InterventionKind.FLATTENED, InterventionKind.HALT_ENDED)


def _is_bare(row: Any) -> bool:
    """Return whether the numbers of an intervention say nothing; those of a blocked entry are a count and its limit."""
    return row["kind"] in _BARE or (row["kind"] == InterventionKind.ENTRY_BLOCKED and row["after"] == 0.0)


def _known(value: float) -> float | str:
    return "none" if np.isnan(value) else float(value)


def _cashflows(job: EngineJob, ledger: Ledger) -> list[list[Any]]:
    return [
        [
            job.instruments[each["instrument"]].symbol if each["instrument"] >= 0 else "account",
            int(each["bar"]),
            CashflowKind(each["kind"]).name.lower(),
            float(each["amount"]),
        ]
        for each in ledger.cashflows
    ]
