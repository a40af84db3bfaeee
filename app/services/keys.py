"""Key sequences as portable text, compared without Qt."""

from __future__ import annotations

_MODIFIERS = ("ctrl", "meta", "alt", "shift")
_SAME = {"return": "enter", "del": "delete", "ins": "insert", "esc": "escape", "pgup": "pageup", "pgdown": "pagedown"}


def normal_keys(keys: str) -> str:
    """Return one form for all ways to write a key sequence: `shift+ctrl+P` and `Ctrl+Shift+P` are the same."""
    return ",".join(_normal_chord(chord) for chord in keys.replace(", ", "\0").split("\0")) if keys.strip() else ""


def is_typing(keys: str) -> bool:
    """Return whether keys write or move the cursor in a text: no Ctrl, Meta or Alt with them, and no F key."""
    first = normal_keys(keys).split(",")[0]
    *held, key = [*first[:-1].split("+"), first[-1:]] if first.endswith("+") else first.split("+")
    is_function = key[:1] == "f" and key[1:].isdigit()
    return bool(first) and not is_function and not {"ctrl", "meta", "alt"} & set(held)


def _normal_chord(chord: str) -> str:
    text = chord.strip().casefold()
    key = "+" if text.endswith("+") else text.rpartition("+")[2]
    held = text[: len(text) - len(key)].split("+")
    return "+".join([*(name for name in _MODIFIERS if name in held), _SAME.get(key, key)])
