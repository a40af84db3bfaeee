"""A text that could be read, with its plain values, and the way to the text of other values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quantcrafter.app.document.draft import Draft
from quantcrafter.engine.spec import StrategyFile


@dataclass(frozen=True, slots=True)
class Readable:
    """A text that is a YAML mapping, and its values."""

    file: StrategyFile
    values: dict[str, Any]

    @property
    def text(self) -> str:
        """Return the text."""
        return self.file.text

    @classmethod
    def of(cls, text: str, name: str) -> Readable:
        """Return a text with its values.

        Raises:
            SpecError: it is no YAML mapping.
        """
        file = StrategyFile.loads(text, name)
        return cls(file, file.value)

    def rewritten(self, draft: Draft) -> Readable:
        """Return the text and values with the changes of a draft, everything else as it was.

        Raises:
            SpecError: the text cannot be brought there.
        """
        made = self.file.copy()
        made.become(draft.values, draft.renamed)
        return Readable(made, made.value)
