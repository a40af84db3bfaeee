"""Key sequences as portable text, compared without Qt."""

from __future__ import annotations

_MODIFIERS = ("ctrl", "meta", "alt", "shift")
_SAME = {"return": "enter", "del": "delete", "ins": "insert", "esc": "escape", "pgup": "pageup", "pgdown": "pagedown"}


def normal_keys(keys: str) -> str:
    """Return one form for all ways to write a key sequence: `shift+ctrl+P` and `Ctrl+Shift+P` are the same."""
    return ",".join(_normal_chord(chord) for chord in keys.replace(", ", "\0").split("\0")) if keys.strip() else ""


def _normal_chord(chord: str) -> str:
    text = chord.strip().casefold()
    key = "+" if text.endswith("+") else text.rpartition("+")[2]
    held = text[: len(text) - len(key)].split("+")
    return "+".join([*(name for name in _MODIFIERS if name in held), _SAME.get(key, key)])
