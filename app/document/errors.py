"""What can go wrong with an edit, as text for the user."""

from __future__ import annotations

from quantcrafter.engine.api.errors import QuantCrafterError


class EditError(QuantCrafterError):
    """An edit cannot be done; the document is as it was."""

    code = "edit"
