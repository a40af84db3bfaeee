"""SQLite files of ours, opened by the version of their schema; older ones are brought to this program's version."""

from quantcrafter.engine.storage.database import Database
from quantcrafter.engine.storage.schema import Schema

__all__ = ["Database", "Schema"]
