"""The parity certificate: one HTML file that shows which engines agreed, or where they differ."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib import resources
from pathlib import Path

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.parity.model import EngineDifference, EngineOutcome, ParityReport
from quantcrafter.engine.stats.whole_files import write_whole

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MOST_ROWS = 200


def write_certificate(path: str | Path, report: ParityReport) -> Path:
    """Write the certificate and return its path.

    Raises:
        RunError: the file cannot be written.
    """
    return write_whole(path, certificate_page(report).encode("utf-8"), Message("The certificate"))


def certificate_page(report: ParityReport) -> str:
    """Return the certificate as an HTML page that needs no network."""
    style = resources.files("quantcrafter.engine.stats").joinpath("report.css").read_text(encoding="utf-8")
    title = f"Parity of {report.strategy}"
    synthetic = " <strong>(synthetic data)</strong>" if report.synthetic else ""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{style}</style></head><body><main>",
            f"<header><h1>{escape(title)}</h1><p>{escape(verdict(report))}{synthetic}</p></header>",
            _engines(report),
            _first(report),
            _differences(report),
            _identity(report),
            _footer(report),
            "</main></body></html>",
        ]
    )


def verdict(report: ParityReport) -> str:
    """Return the outcome in a sentence."""
    names = [outcome.name for outcome in report.outcomes]
    if report.same:
        return f"The same orders, fills and equity on {', '.join(names[:-1])} and {names[-1]}."
    apart = [outcome.name for outcome in report.outcomes if not outcome.same]
    return f"{' and '.join(apart)} {'differs' if len(apart) == 1 else 'differ'} from {report.reference.name}."


def _engines(report: ParityReport) -> str:
    rows = [_engine(outcome, report) for outcome in report.outcomes]
    head = ("Engine", "Version", "Orders", "Fills", "Trades", "Final equity", "Result")
    rows += [(name, missing, "", "", "", "", "left out") for name, missing in report.left_out.items()]
    return f"<section><h2>Engines</h2>{_table(head, rows)}</section>"


def _engine(outcome: EngineOutcome, report: ParityReport) -> tuple[str, ...]:
    versions = ", ".join(f"{package} {number}" for package, number in outcome.versions.items())
    if outcome.final_equity is None:
        return outcome.name, versions, "", "", "", "", "refused"
    counts = (f"{number:,}" for number in (outcome.orders, outcome.fills, outcome.trades))
    result = "reference" if outcome is report.reference else "the same" if outcome.same else "different"
    return outcome.name, versions, *counts, f"{outcome.final_equity:,.10g}", result


def _first(report: ParityReport) -> str:
    first = report.first
    if first is None:
        return ""
    rows = [
        ("Class", str(first.cause)),
        ("What", first.what),
        ("Engine", first.engine),
        ("Instrument", first.symbol),
        ("Bar", f"{first.bar:,}, closed {first.time}" if first.bar >= 0 else ""),
        ("Node", first.node),
        (report.reference.name, first.expected),
        (first.engine, first.found),
    ]
    shown = [row for row in rows if row[1]]
    return f"<section><h2>First difference</h2>{_table((), shown)}</section>"


def _differences(report: ParityReport) -> str:
    found = [each for outcome in report.outcomes for each in outcome.differences]
    if not found:
        return ""
    head = ("Engine", "Closed", "Instrument", "Bar", "Node", "What", report.reference.name, "Found", "Class")
    note = f"<p>The first {_MOST_ROWS} of {len(found):,}.</p>" if len(found) > _MOST_ROWS else ""
    return f"<section><h2>All differences</h2>{_table(head, map(_row, found[:_MOST_ROWS]))}{note}</section>"


def _row(each: EngineDifference) -> tuple[str, ...]:
    bar = f"{each.bar:,}" if each.bar >= 0 else ""
    cause = str(each.cause) if each.cause is not None else "follows"
    return each.engine, each.time, each.symbol, bar, each.node, each.what, each.expected, each.found, cause


def _identity(report: ParityReport) -> str:
    rows = [
        ("Strategy file", report.file or "none"),
        ("SHA-256 of the file", report.file_hash),
        ("Hash of what it does", report.spec_hash),
        ("Hash of all bars", report.data_hash),
        *((f"Override {number}", text) for number, text in enumerate(report.overrides, 1)),
        *(
            (
                each.symbol,
                f"{each.timeframe}, {each.bars:,} bars from {each.source or 'its provider'}, hash {each.hash}",
            )
            for each in report.instruments
        ),
        *((f"run.{name}", str(value)) for name, value in report.settings.items()),
    ]
    return f"<section><h2>What was run</h2>{_table((), rows)}</section>"


def _footer(report: ParityReport) -> str:
    text = f"Made by QuantCrafter {report.version} on {report.made:%Y-%m-%d %H:%M:%S} UTC."
    note = "Prices agree when they differ by no more than 1e-9, relative to their size where that is above 1."
    return f"<footer>{escape(text)} {note}</footer>"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    top = f"<thead><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table>{top}<tbody>{body}</tbody></table></div>'
