"""Write a plain value as one line of YAML."""

from __future__ import annotations

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

_WIDE = 1 << 24
_HOLDER = "v"
_READ_OTHERWISE_ELSEWHERE = re.compile(
    r"(?i:y|n|yes|no|on|off)|[-+]?[0-9][0-9_]*(:[0-9].*|_[0-9_]*)|.*[\x85\u2028\u2029].*", re.DOTALL
)


class _Representer(SafeRepresenter):
    """Quotes what older YAML readers would not take for text, such as `on` and 09:45."""

    def represent_str(self, data: str) -> ScalarNode:
        style = '"' if _READ_OTHERWISE_ELSEWHERE.fullmatch(data) else None
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:str", data, style=style)
        return node

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


_Representer.add_representer(str, _Representer.represent_str)


def fragment(value: Any) -> str:
    """Return `value` in flow style on one line, quoted where it must be.

    Raises:
        TypeError: it holds something that a strategy file cannot.
    """
    _refuse_foreign(value)
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = True  # type: ignore[assignment]  # annotated as None only
    yaml.allow_unicode = True
    yaml.width = _WIDE
    yaml.sort_base_mapping_type_on_output = False
    stream = io.StringIO()
    yaml.dump({_HOLDER: value}, stream)
    return stream.getvalue().rstrip("\n").removeprefix(f"{{{_HOLDER}: ").removesuffix("}")


def _refuse_foreign(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key must be text, was {key!r}")
            _refuse_foreign(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_foreign(item)
    elif value is not None and type(value) not in (str, int, float, bool):
        raise TypeError(f"a strategy file holds text, numbers, true, false, lists and mappings, not {value!r}")


def unflavoured(value: Any) -> Any:
    """Return `value` with tuples as lists, copied."""
    if isinstance(value, dict):
        return {key: unflavoured(item) for key, item in value.items()}
    return [unflavoured(item) for item in value] if isinstance(value, (list, tuple)) else value
