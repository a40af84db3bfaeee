"""Sessions of the library NodeGraphQt: a strategy's graph as its `load_session` reads it, and back."""

from quantcrafter.engine.interchange.nodegraphqt.exporting import export_session
from quantcrafter.engine.interchange.nodegraphqt.importing import import_session
from quantcrafter.engine.interchange.nodegraphqt.saved_graph import SavedGraph, read_session, session_text

__all__ = ["SavedGraph", "export_session", "import_session", "read_session", "session_text"]
