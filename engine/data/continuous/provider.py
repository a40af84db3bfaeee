"""The provider of a continuous series: it asks the provider of its contracts for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import PrivateAttr

from quantcrafter.engine.api import Contract, DataProvider, DataRequest
from quantcrafter.engine.api.settings import Continuous, ContractFile
from quantcrafter.engine.data.continuous.contracts import LoadedContract, listed, load_contracts
from quantcrafter.engine.data.continuous.growing import GrowingSeries
from quantcrafter.engine.data.continuous.rolls import decide_holds
from quantcrafter.engine.data.continuous.series import join
from quantcrafter.engine.data.findings import Finding
from quantcrafter.engine.data.load import AssembledProvider, LoadedBars


class ContinuousProvider(AssembledProvider):
    """Bars of a continuous series of futures contracts, with its rolls.

    `provider` and `options` are those of each contract, `contract` what the market knows of it.
    """

    provider: str
    options: dict[str, Any]
    series: Continuous
    contract: Contract | None = None
    _class: type[DataProvider] = PrivateAttr()

    @classmethod
    def of(
        cls, source: type[DataProvider], options: dict[str, Any], series: Continuous, contract: Contract | None
    ) -> ContinuousProvider:
        """Return the provider of a series whose contracts come from another one."""
        made = cls(provider=source.name, options=options, series=series, contract=contract)
        made._class = source
        return made

    @property
    def has_path(self) -> bool:
        """Whether the bars of a contract are in a file."""
        return has_path(self._class)

    def assembled(self, request: DataRequest, load: Callable[..., LoadedBars], on_bad_bars: str) -> LoadedBars:
        """Return the bars of the series, with the rolls of its contracts.

        Raises:
            DataError: contracts are missing or can't be rolled.
        """
        contracts, findings = self._contracts(request, load, on_bad_bars)
        holds = decide_holds(request.symbol, contracts, self.series.roll)
        bars, notes = join(request, contracts, holds, self.series.adjust, self._source)
        return LoadedBars(bars, (*notes, *findings))

    def growing(self, request: DataRequest, load: Callable[..., LoadedBars], on_bad_bars: str) -> GrowingSeries:
        """Return the series of the bars that are there, to which those that close later are brought.

        Raises:
            DataError: contracts are missing or can't be rolled, or their rolls can't be known when they are due.
        """
        return GrowingSeries(request, self._contracts(request, load, on_bad_bars)[0], self.series.roll, self._source)

    @property
    def _source(self) -> str:
        return self.series.contracts if isinstance(self.series.contracts, str) else self.provider

    def _contracts(
        self, request: DataRequest, load: Callable[..., LoadedBars], on_bad_bars: str
    ) -> tuple[tuple[LoadedContract, ...], tuple[Finding, ...]]:
        wanted = replace(request, open_interest=self.series.roll.rule == "open_interest")
        return load_contracts(self._files(request), self._provider, wanted, load, self.contract, on_bad_bars)

    def data_version(self, request: DataRequest) -> str | None:
        """Return what changes when one of the contracts does."""
        versions = []
        for file in self._files(request):
            version = self._provider(file).data_version(replace(request, symbol=file.symbol or request.symbol))
            if version is None:
                return None
            versions.append(f"{file.symbol}|{file.path}|{version}")
        return "\n".join(versions)

    def _files(self, request: DataRequest) -> tuple[ContractFile, ...]:
        sample = self._provider(ContractFile(symbol="-", path="-"))
        return listed(self.series, sample, request, has_path=self.has_path)

    def _provider(self, file: ContractFile) -> DataProvider:
        options = {**self.options, "path": file.path} if self.has_path else self.options
        return self._class.model_validate(options)


def has_path(source: type[DataProvider]) -> bool:
    """Return whether a provider reads a file that its option `path` names."""
    return "path" in source.path_parameters()
