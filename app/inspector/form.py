"""Form: what the inspector shows and writes for its subject, as fields, values and edits. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import UNSET, Connect, Edit, SetField, SetValues
from quantcrafter.app.document.view import Scope
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import Problem

VARIOUS = object()
"""The value of a field that several subjects write differently."""


class Form:
    """The fields of one or several like subjects, their written values, and the edits that change them.

    Subclasses say where the values stand and how they are written; a form is made again after each change of the
    document, and two forms of the same `key` have the same fields in the same places.
    """

    def __init__(
        self, fields: Sequence[Field], written: Sequence[Mapping[str, Any]], problems: Sequence[Problem]
    ) -> None:
        self.fields = tuple(fields)
        self._written = tuple(written)
        self._problems = tuple(problems)

    @property
    def key(self) -> tuple[object, ...]:
        """What must be equal for the rows of one form to serve another."""
        return (*self.subject, *self.fields)

    @property
    def subject(self) -> tuple[object, ...]:
        """What the form is about, to keep unfinished input by."""
        raise NotImplementedError

    def value(self, field: Field) -> Any:
        """Return the value as written; UNSET where none is, VARIOUS where the subjects differ."""
        found = [_at(written, field.path) for written in self._written]
        return found[0] if all(_same(found[0], other) for other in found[1:]) else VARIOUS

    def is_changed(self, field: Field) -> bool:
        """Return whether a value other than the default is written; where there is no default, nothing is."""
        value = self.value(field)
        if field.required or field.kind is FieldKind.LONG_TEXT or value is UNSET:
            return False
        return value is VARIOUS or not _same(value, field.default)

    def finding(self, field: Field) -> Problem | None:
        """Return the document's gravest problem about the field."""
        found = [problem for problem in self._problems if self.concerns(problem, field)]
        return min(found, key=lambda problem: problem.severity, default=None)

    def concerns(self, problem: Problem, field: Field) -> bool:
        """Return whether a problem is about the field of this form's subject."""
        raise NotImplementedError

    def other_findings(self) -> tuple[Problem, ...]:
        """Return the problems about the subject that belong to none of its fields."""
        return ()

    def siblings(self, field: Field) -> Mapping[str, Any]:
        """Return the written values of the model that has the field, by its own names."""
        inside = _at(self._written[0], field.path[:-1]) if field.path[:-1] else self._written[0]
        names = {other.path[-1] for other in self.fields if other.owner is field.owner}
        return {name: value for name, value in inside.items() if name in names} if isinstance(inside, Mapping) else {}

    def refusal(self, field: Field, value: Any) -> str:
        """Return why a value must not be written ('' if it may)."""
        return typed_values.refusal(field, value, self.siblings(field))

    def edits(self, field: Field, value: Any) -> tuple[Edit, ...]:
        """Return what writes a value, or takes it out when it is UNSET."""
        raise NotImplementedError

    def label(self, field: Field) -> str:
        """Return the undo step's name for a change of the field."""
        return tr("Set {name}", name=field.path[-1])


class NodeForm(Form):
    """The fields of one node, or those that several nodes share."""

    def __init__(self, document: Document, ids: Sequence[str], scope: Scope, fields: Sequence[Field]) -> None:
        nodes = document.graph(scope).nodes
        super().__init__(fields, [nodes[node].values for node in ids], document.problems)
        self.document = document
        self.ids = tuple(ids)
        self.scope = scope

    @property
    def subject(self) -> tuple[object, ...]:
        return (self.scope, self.ids)

    def concerns(self, problem: Problem, field: Field) -> bool:
        return problem.field == field.path[0] and node_of(problem, self.scope) in self.ids

    def other_findings(self) -> tuple[Problem, ...]:
        own = [problem for problem in self._problems if node_of(problem, self.scope) in self.ids]
        return tuple(problem for problem in own if not any(self.concerns(problem, field) for field in self.fields))

    def refusal(self, field: Field, value: Any) -> str:
        if field.is_port:
            return self._port_refusal(field, value)
        return super().refusal(field, value)

    def edits(self, field: Field, value: Any) -> tuple[Edit, ...]:
        if field.kind is FieldKind.REFERENCE and isinstance(value, str):
            return tuple(Connect(value, node, field.path[0]) for node in self.ids)
        return tuple(SetValues(node, {field.path[0]: value}) for node in self.ids)

    def _port_refusal(self, field: Field, value: Any) -> str:
        if value is UNSET:
            return ""
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, (int, float)):
                if not field.numbers:
                    return tr("This input doesn't accept a number. Choose a node.")
                continue
            for node in self.ids:
                reason = self.document.refusal(str(item), node, field.path[0], self.scope)
                if reason:
                    return reason
        return ""


class FileForm(Form):
    """Fields that stand at a place of the document of their own: the settings, an instrument."""

    def __init__(
        self,
        fields: Sequence[Field],
        written: Mapping[str, Any],
        place: tuple[str | int, ...],
        problems: Sequence[Problem],
    ) -> None:
        super().__init__(fields, [written], problems)
        self.place = place

    @property
    def subject(self) -> tuple[object, ...]:
        return self.place

    def concerns(self, problem: Problem, field: Field) -> bool:
        return problem.path == ".".join(str(step) for step in (*self.place, *field.path))

    def edits(self, field: Field, value: Any) -> tuple[Edit, ...]:
        return (SetField((*self.place, *field.path), value),)


def node_of(problem: Problem, scope: Scope) -> str:
    """Return the node that a problem concerns in the graph at one level of the document, '' if none there.

    What is wrong inside a block's use concerns the node that uses it.
    """
    if not scope:
        return problem.node.partition("/")[0]
    parts = problem.path.split(".")
    inside = tuple(parts[: len(scope)]) == scope and len(parts) > len(scope) + 1
    return parts[len(scope) + 1] if inside else ""


def common_fields(models: Sequence[Sequence[Field]]) -> tuple[Field, ...]:
    """Return the parameters, ports left out, that all of several nodes have with the same kind."""
    first, *others = models
    shared = []
    for field in first:
        twins = [next((other for other in fields if _alike(field, other)), None) for fields in others]
        if not field.is_port and all(twins):
            shared.append(field)
    return tuple(shared)


def _alike(one: Field, other: Field) -> bool:
    return (one.path, one.kind, one.choices) == (other.path, other.kind, other.choices)


def _at(written: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = written
    for step in path:
        if not isinstance(found, Mapping) or step not in found:
            return UNSET
        found = found[step]
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return list(one) == list(other)
    return bool(one == other)
