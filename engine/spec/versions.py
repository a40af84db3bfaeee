"""The `quantcrafter:` line: which version of the format a file is in."""

from __future__ import annotations

from engine.spec.migrations import migrate
from engine.spec.source import ProblemLog
from engine.spec.tree import Mapping, Scalar


def version_is_good(root: Mapping, log: ProblemLog) -> bool:
    """Return whether a file is in the current format; note a problem when not."""
    node = root.get("quantcrafter")
    if node is None:
        message = "The file does not say that it is a QuantCrafter file."
        log.add("version", message, "Begin with 'quantcrafter: 1'.", at=root.place, path="quantcrafter")
        return True
    try:
        migrate({"quantcrafter": node.value if isinstance(node, Scalar) else None})
    except ValueError as error:
        remedy = "Update QuantCrafter." if "newer" in str(error) else "Write 'quantcrafter: 1'."
        message = f"{str(error)[:1].upper()}{str(error)[1:]}."
        log.add("version", message, remedy, at=node.place, path="quantcrafter", field="quantcrafter")
        return "newer" not in str(error)
    return True
