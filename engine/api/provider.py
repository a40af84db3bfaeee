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
    """A source of bars. Its fields are its parameters, written beside `data:` in the strategy file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str] = ""

    @abstractmethod
    def load(self, request: DataRequest) -> RawBars:
        """Return the bars asked for, unchecked.

        Raises:
            DataError: there are none, or the source cannot be read.
        """

    def data_version(self, request: DataRequest) -> str | None:
        """Return a text that changes when the data do; None where that cannot be told, and the data are not kept.

        With it, a program that stays running loads the same bars once. A provider of files names size and time.
        """
        del request
        return None

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:
        """Return the symbols that there are bars of, for the user to choose from; nothing where any may be asked for.

        `base_dir` is the folder against which relative paths are meant.

        Raises:
            DataError: the source cannot be read.
        """
        del base_dir
        return ()

    def known_timeframes(self, symbol: str, base_dir: str = "") -> tuple[Timeframe, ...]:
        """Return the lengths of the bars that there are of a symbol; nothing where bars themselves have to tell.

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
