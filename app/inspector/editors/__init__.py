"""Editors of single values: they show a value, and say what was typed or chosen."""

from quantcrafter.app.inspector.editors.base import Editor
from quantcrafter.app.inspector.editors.choices import ChoiceEditor, ChoicesEditor, FlagEditor
from quantcrafter.app.inspector.editors.dates import AskLimits, DateEditor
from quantcrafter.app.inspector.editors.numbers import NumberEditor
from quantcrafter.app.inspector.editors.references import Offers, ReferenceEditor, ReferencesEditor
from quantcrafter.app.inspector.editors.texts import LineEditor, LongTextEditor, PathEditor, SuggestEditor, TextEditor

__all__ = [
    "AskLimits",
    "ChoiceEditor",
    "ChoicesEditor",
    "DateEditor",
    "Editor",
    "FlagEditor",
    "LineEditor",
    "LongTextEditor",
    "NumberEditor",
    "Offers",
    "PathEditor",
    "ReferenceEditor",
    "ReferencesEditor",
    "SuggestEditor",
    "TextEditor",
]
