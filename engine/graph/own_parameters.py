"""Parameters of a node that differ between instruments: `per_instrument` of a node.

It maps symbols to parameters, `{AAPL: {timeperiod: 20}}`, or a parameter to the name of a value of the instruments,
`{timeperiod: fast}`; what is said of a symbol wins. Where neither says anything, the node's own parameters hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from quantcrafter.engine.api import Component, Filter, PositionNode, Problem, Role
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.engine.api.wording import listed
from quantcrafter.engine.graph.suggest import parameter_problems
from quantcrafter.engine.spec import InstrumentSpec, NodeSpec, Suggester
from quantcrafter.engine.spec.source import shown

_ROLES = (Role.INDICATOR, Role.LOGIC, Role.ADVISOR, Role.FILTER)
_FIELD = "per_instrument"
_EXAMPLE = Message("Write '{AAPL: {timeperiod: 20}}', or '{timeperiod: fast}' with a value 'fast' of the instruments.")


class OwnParameters:
    """Reads the `per_instrument` of a node, and collects what is wrong with it."""

    def __init__(
        self, node: NodeSpec, component: Component, instruments: Sequence[InstrumentSpec], suggest: Suggester
    ) -> None:
        self._node, self._component, self._suggest = node, component, suggest
        self._instruments = {each.symbol: each for each in instruments}
        self.problems: list[Problem] = []

    def variants(self, values: Mapping[str, Any]) -> dict[str, Component]:
        """Return the component of each instrument that has parameters of its own; `values` are the node's fields."""
        made: dict[str, Component] = {}
        for symbol, own in self._by_symbol().items():
            try:
                made[symbol] = type(self._component).model_validate({**values, **own})
            except ValidationError as error:
                subject = Message("'{use}' for {symbol}", use=self._node.use, symbol=symbol)
                found = parameter_problems(error, type(self._component), self._node, subject, self._suggest)
                for each in found:
                    self._fault(each.message, each.remedy, each.code)
        return made

    def _by_symbol(self) -> dict[str, dict[str, Any]]:
        """Return the own parameters of each instrument that has some."""
        node, written = self._node, self._node.per_instrument
        if node.role not in _ROLES or isinstance(self._component, (PositionNode, UniverseNode)):
            text = Message("'{use}' is the same for all instruments, so it has no 'per_instrument'.", use=node.use)
            self._fault(text, Message("Remove it."))
            return {}
        if not isinstance(written, dict) or not written:
            self._fault(Message("'per_instrument' must be a mapping, was {found}.", found=shown(written)), _EXAMPLE)
            return {}
        found: dict[str, dict[str, Any]] = {}
        for name, value in written.items():
            if isinstance(value, str) and self._may_differ(name):
                for symbol, said in self._said(name, value).items():
                    found.setdefault(symbol, {})[name] = said
        for name, value in written.items():
            if isinstance(value, dict):
                if self._is_symbol(name):
                    found.setdefault(name, {}).update({key: own for key, own in value.items() if self._may_differ(key)})
            elif not isinstance(value, str):
                text = Message(
                    "'{name}' of 'per_instrument' must be a mapping or a name, was {found}.",
                    name=name,
                    found=shown(value),
                )
                self._fault(text, _EXAMPLE)
        return {symbol: own for symbol, own in found.items() if own}

    def _said(self, parameter: str, name: str) -> dict[str, Any]:
        """Return what the instruments say under the name of a value, by symbol."""
        found = {symbol: each.values[name] for symbol, each in self._instruments.items() if name in each.values}
        if not found and self._instruments:
            names = dict.fromkeys(name for each in self._instruments.values() for name in each.values)
            text = Message(
                "'{parameter}' of 'per_instrument' is the value '{name}', which no instrument has.",
                parameter=parameter,
                name=name,
            )
            self._fault(text, self._suggest(name, names) or Message("Write it under 'values' of the instrument."))
        return found

    def _is_symbol(self, name: str) -> bool:
        if name in self._instruments:
            return True
        if self._instruments:
            text = Message("'per_instrument' names the instrument '{name}', which there isn't.", name=name)
            hint = Message("There are {names}.", names=listed(list(self._instruments), 6))
            self._fault(text, self._suggest(name, self._instruments) or hint)
        return False

    def _may_differ(self, name: str) -> bool:
        cls = type(self._component)
        if name in {port.name for port in cls.inputs()}:
            text = Message(
                "'{name}' of '{id}' is an input, which is the same for all instruments.", name=name, id=self._node.id
            )
            self._fault(text, Message("Connect a 'constant' that has a 'per_instrument'."))
            return False
        if isinstance(self._component, Filter) and name in Filter.model_fields:
            text = Message("'{name}' of a filter is the same for all instruments.", name=name)
            self._fault(text, Message("Remove it."))
            return False
        return True  # what is no parameter at all is refused by the component

    def _fault(self, message: str, remedy: str, code: str = "per_instrument") -> None:
        self.problems.append(self._node.problem(code, message, remedy, field=_FIELD))
