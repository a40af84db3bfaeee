"""Components whose columns take less time if two of them are computed together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ComputedInPairs:
    """A mixin for the program's own components: two with the same inputs may be computed in one pass.

    The values are those that `compute` gives for each, to the last bit.
    """

    def pairs_with(self, other: Any) -> bool:
        """Return whether `compute_pair` knows this pair, which has the same inputs."""
        raise NotImplementedError

    def compute_pair(self, other: Any, inputs: Mapping[str, Any]) -> tuple[Any, Any] | None:
        """Return what `compute` of this component and of the other one return; None if that takes less time."""
        raise NotImplementedError
