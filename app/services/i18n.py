"""Translations of the interface: each language has a folder of JSON files, keyed by the English text. No Qt."""

from __future__ import annotations

import json
from importlib import resources

from quantcrafter.app.services.phrases import Phrases

LANGUAGES = {"en": "English", "ru": "Русский", "zh_CN": "简体中文"}


class _Catalog:
    """The texts of the language in use; empty for English."""

    def __init__(self) -> None:
        self.language = "en"
        self.texts: dict[str, str] = {}
        self.phrases: Phrases | None = None


_catalog = _Catalog()


def use_language(language: str) -> None:
    """Set the language of `LANGUAGES` that `tr` uses; an unknown one means English."""
    _catalog.language = language if language in LANGUAGES else "en"
    _catalog.texts = {} if _catalog.language == "en" else load_texts(_catalog.language)
    _catalog.phrases = None


def language() -> str:
    """Return the language in use."""
    return _catalog.language


def load_texts(language: str) -> dict[str, str]:
    """Return the translations of a language by English text: those of all its files together."""
    folder = resources.files("quantcrafter.resources").joinpath("translations", language)
    texts: dict[str, str] = {}
    for file in folder.iterdir() if folder.is_dir() else ():
        if file.name.endswith(".json"):
            texts |= json.loads(file.read_text(encoding="utf-8"))
    return texts


def tr(text: str, /, **values: object) -> str:
    """Return a text of the interface in the language in use, with `{name}` places filled in.

    `text` must be a literal at the call, so that a test can find every text and check that it is translated.
    """
    found = _catalog.texts.get(text, text)
    return found.format(**values) if values else found


def known(text: str) -> str:
    """Return a text that comes from a shipped file (an example's name) in the language in use, if it is translated."""
    return _catalog.texts.get(text, text)


def translated(text: str) -> str:
    """Return a text of the engine or a component (help, a description, a problem) in the language in use.

    A text without a translation, such as a plugin's, is returned unchanged.
    """
    if not _catalog.texts or not text:
        return text
    if _catalog.phrases is None:
        _catalog.phrases = Phrases(_catalog.texts)
    return _catalog.phrases.translate(text)
