"""The contract of data providers and strategy templates that plugins may add."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from quantcrafter.engine.api.bars import DataRequest, RawBars
from quantcrafter.engine.api.ports import path_fields
from quantcrafter.engine.api.timeframe import Timeframe


class DataProvider(BaseModel, ABC):
    """A source of bars. Its fields are its parameters, which are written next to `data:` in the strategy file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str] = ""

    @abstractmethod
    def load(self, request: DataRequest) -> RawBars:
        """Return the requested bars, unchecked.

        Raises:
            DataError: there are none, or the source cannot be read.
        """

    def data_version(self, request: DataRequest) -> str | None:
        """Return a text that changes when the data changes; None if this is unknown, and the data is not cached.

        With it, a running program loads the same bars only once. Providers of files return size and time.
        """
        del request
        return None

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:
        """Return the available symbols for the user to choose from; empty if any symbol may be requested.

        `base_dir` is the folder for relative paths.

        Raises:
            DataError: the source cannot be read.
        """
        del base_dir
        return ()

    def known_timeframes(self, symbol: str, base_dir: str = "") -> tuple[Timeframe, ...]:
        """Return the available timeframes of a symbol; empty if they are known only from the bars.

        Raises:
            DataError: the source cannot be read.
        """
        del symbol, base_dir
        return ()

    @classmethod
    def path_parameters(cls) -> tuple[str, ...]:
        """Return the names of the parameters that are paths of files (`PathParam`)."""
        return path_fields(cls)

    @classmethod
    def help(cls) -> str:
        """Return the docstring, cleaned."""
        return inspect.cleandoc(cls.__doc__ or "")


@dataclass(frozen=True, slots=True)
class StrategyTemplate:
    """A ready-made strategy file for the gallery."""

    name: str
    path: Path
    description: str = ""
