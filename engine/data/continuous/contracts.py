"""The contracts of a continuous series: found, loaded, and put in the order in which they expire."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path, PurePath

from quantcrafter.engine.api import Bars, Contract, DataError, DataProvider, DataRequest
from quantcrafter.engine.api.folders import check_place, expanded
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import Continuous, ContractFile
from quantcrafter.engine.api.wording import first_of, shown_path
from quantcrafter.engine.data.continuous.expiries import ContractMonth, contract_month, expiry_of
from quantcrafter.engine.data.findings import Finding
from quantcrafter.engine.data.load import LoadedBars

MOST_CONTRACTS = 500
"""How many contracts a series may have: forty years of months."""

_NAMED = 5


@dataclass(frozen=True)
class LoadedContract:
    """The bars of one contract, its month and the last day on which it trades; None where they are not known."""

    name: str
    bars: Bars
    month: ContractMonth | None
    expiry: date | None


def listed(
    series: Continuous, sample: DataProvider, request: DataRequest, *, has_path: bool
) -> tuple[ContractFile, ...]:
    """Return the contracts that a series names: those of its list, or the files or symbols of its pattern.

    Raises:
        DataError: there are none, or too many.
    """
    if isinstance(series.contracts, str):
        pattern = series.contracts.strip()
        names = _files(pattern, request.base_dir) if has_path else _symbols(pattern, sample, request.base_dir)
        found = tuple(ContractFile(path=each) if has_path else ContractFile(symbol=each) for each in names)
    else:
        found = tuple(_contract(each, has_path=has_path) for each in series.contracts)
    if not found:
        raise _error(
            request,
            Message("no contract fits '{pattern}'.", pattern=shown_path(str(series.contracts))),
            Message("Correct 'contracts'."),
        )
    if len(found) > MOST_CONTRACTS:
        raise _error(
            request,
            Message(
                "a series can have at most {most} contracts, '{pattern}' has {count}.",
                most=MOST_CONTRACTS,
                pattern=shown_path(str(series.contracts)),
                count=len(found),
            ),
            Message("Name fewer ones under 'contracts'."),
        )
    return found


def _contract(named: str | ContractFile, *, has_path: bool) -> ContractFile:
    if isinstance(named, ContractFile):
        return named
    return ContractFile(path=named) if has_path else ContractFile(symbol=named)


def _files(pattern: str, base_dir: str) -> list[str]:
    """Return the files of a pattern in one folder, as paths as they are written."""
    written = PurePath(pattern)
    folder = Path(expanded(str(written.parent), base_dir))
    check_place(folder, base_dir, pattern)
    if not folder.is_dir():
        return []
    found = sorted(entry.name for entry in folder.iterdir() if fnmatch.fnmatch(entry.name, written.name))
    return [str(written.parent / name) for name in found]


def _symbols(pattern: str, sample: DataProvider, base_dir: str) -> list[str]:
    return [symbol for symbol in sample.known_symbols(base_dir) if fnmatch.fnmatchcase(symbol, pattern)]


def load_contracts(
    files: Sequence[ContractFile],
    make: Callable[[ContractFile], DataProvider],
    request: DataRequest,
    load: Callable[..., LoadedBars],
    rule: Contract | None,
    on_bad_bars: str,
) -> tuple[tuple[LoadedContract, ...], tuple[Finding, ...]]:
    """Return the loaded contracts in the order in which they expire, and what is to be said of their bars.

    Raises:
        DataError: a contract can't be loaded, its month and expiry are not known, or two are of the same month.
    """
    contracts: list[LoadedContract] = []
    findings: dict[str, Finding] = {}
    for file in files:
        name = file.symbol or PurePath(file.path).name.split(".")[0]
        loaded = load(make(file), replace(request, symbol=name, start_ns=None, end_ns=None), on_bad_bars=on_bad_bars)
        for each in loaded.findings:
            text = Message("{subject}: {finding}", subject=name, finding=str(each))
            guessed = each.kind == "guess"
            key = str.__str__(each.message) if guessed else str.__str__(text)
            findings.setdefault(key, replace(each, message=text, repair=""))
        last = datetime.fromtimestamp(int(loaded.bars.close_ns[-1]) // 1_000_000_000, UTC).date()
        root = rule.root if rule is not None else request.symbol.upper()
        month = contract_month(name, root, last)
        expiry = file.expiry
        if expiry is None and month is not None and rule is not None and rule.expiry is not None:
            expiry = expiry_of(month, rule.expiry)
        contracts.append(LoadedContract(name, loaded.bars, month, expiry))
    return _in_order(contracts, request), tuple(findings.values())


def _in_order(contracts: list[LoadedContract], request: DataRequest) -> tuple[LoadedContract, ...]:
    by_expiry = all(each.expiry is not None for each in contracts)
    if not by_expiry and any(each.month is None for each in contracts):
        unknown = [shown_path(each.name) for each in contracts if each.month is None and each.expiry is None]
        unknown = unknown or [shown_path(each.name) for each in contracts if each.month is None]
        raise _error(
            request,
            Message("the month of these contracts isn't known: {names}.", names=first_of(unknown, _NAMED)),
            Message("Name files such as ESH24.csv, or list 'contracts' with 'symbol', 'path' and 'expiry'."),
        )

    def place(contract: LoadedContract) -> tuple[int, ...]:
        if by_expiry and contract.expiry is not None:
            return (contract.expiry.toordinal(),)
        return contract.month or (0,)

    ordered = sorted(contracts, key=place)
    for one, other in pairwise(ordered):
        if place(one) == place(other):
            raise _error(
                request,
                Message(
                    "{one} and {other} are of the same contract.",
                    one=shown_path(one.name),
                    other=shown_path(other.name),
                ),
                Message("Leave one of them out of 'contracts'."),
            )
        if one.bars.session != other.bars.session:
            raise _error(
                request,
                Message(
                    "{one} and {other} have different trading hours.",
                    one=shown_path(one.name),
                    other=shown_path(other.name),
                ),
                Message("Set 'market', or 'session' and 'timezone'."),
            )
    return tuple(ordered)


def _error(request: DataRequest, text: str, remedy: str) -> DataError:
    return DataError(
        Message("{symbol}: {text} {remedy}", symbol=request.symbol, text=text, remedy=remedy), field="continuous"
    )
