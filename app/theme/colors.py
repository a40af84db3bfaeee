"""The colours of the interface by what they mean: two themes, one visual language for families and port types. No Qt.

A family wears the colour of what it gives: an indicator that of series, an advisor that of signals. Colours differ in
lightness as well as in hue, so that they stay apart for colour-blind eyes; besides, each port type
has a shape of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from quantcrafter.engine.api import PortType, Role

BARS_FAMILY = "bars"
INPUTS_FAMILY = "inputs"

FAMILIES: tuple[str, ...] = (BARS_FAMILY, INPUTS_FAMILY, *(role.value for role in Role))


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as `#rrggbb`, by their use.

    `families` are the accents of node families by name (`bars`, `inputs`, and each role), `ports` those of port types,
    `frames` those that a frame's `color` may name. `unknown` is the colour of what has no known type.
    """

    name: str
    dark: bool
    window: str
    panel: str
    raised: str
    field: str
    border: str
    divider: str
    text: str
    text_dim: str
    text_disabled: str
    accent: str
    on_accent: str
    accent_soft: str
    hover: str
    error: str
    error_soft: str
    warning: str
    warning_soft: str
    running: str
    done: str
    canvas: str
    canvas_dot: str
    node: str
    node_border: str
    node_text: str
    node_text_dim: str
    node_shadow: str
    selection: str
    code_key: str
    code_string: str
    code_number: str
    code_comment: str
    code_keyword: str
    unknown: str
    ports: Mapping[PortType, str]
    families: Mapping[str, str]
    frames: Mapping[str, str]

    def port(self, kind: PortType | None) -> str:
        """Return the colour of a port type; None is a port whose type is not known."""
        return self.unknown if kind is None else self.ports[kind]

    def family(self, name: str) -> str:
        """Return the accent of a family by its name in `FAMILIES`."""
        return self.families.get(name, self.unknown)

    def header(self, name: str) -> str:
        """Return the fill of a node's header: the family's accent laid thinly over the node's body."""
        return mix(self.family(name), self.node, 0.27 if self.dark else 0.2)

    def frame(self, name: str) -> str:
        """Return the colour of a frame by the name that the file gives; grey for one that is not known."""
        return self.frames.get(name, self.frames["grey"])


def family_of(role: Role | None, node_id: str) -> str:
    """Return the family's name of a node: its role, `bars`, or `inputs` for what a block takes from outside."""
    if role is not None:
        return role.value
    return BARS_FAMILY if node_id == BARS_FAMILY else INPUTS_FAMILY


@lru_cache(maxsize=1024)
def mix(top: str, bottom: str, share: float) -> str:
    """Return the colour of `top` laid over `bottom` with an opacity of `share` (0 to 1)."""
    pairs = zip(_channels(top), _channels(bottom), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 to 21, by the formula of WCAG 2.2."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - the formula's


def _families(ports: Mapping[PortType, str], data: str, execution: str, inputs: str) -> dict[str, str]:
    return {
        BARS_FAMILY: ports[PortType.BARS],
        INPUTS_FAMILY: inputs,
        Role.DATA.value: data,
        Role.INDICATOR.value: ports[PortType.SERIES],
        Role.LOGIC.value: ports[PortType.CONDITION],
        Role.ADVISOR.value: ports[PortType.SIGNAL],
        Role.FILTER.value: ports[PortType.FILTER],
        Role.RISK.value: ports[PortType.RISK],
        Role.MONEY.value: ports[PortType.MONEY],
        Role.EXECUTION.value: execution,
    }


_DARK_PORTS = {
    PortType.BARS: "#3b97f7",
    PortType.SERIES: "#6fe3bd",
    PortType.CONDITION: "#f4e84a",
    PortType.SIGNAL: "#f0913a",
    PortType.FILTER: "#e3a4f7",
    PortType.RISK: "#ed513b",
    PortType.MONEY: "#9aa5b4",
}
_LIGHT_PORTS = {
    PortType.BARS: "#1a479f",
    PortType.SERIES: "#12885a",
    PortType.CONDITION: "#a58005",
    PortType.SIGNAL: "#9f4800",
    PortType.FILTER: "#ba2ec9",
    PortType.RISK: "#8b0e23",
    PortType.MONEY: "#566274",
}

DARK = Theme(
    name="dark",
    dark=True,
    window="#1b1f24",
    panel="#20252b",
    raised="#2a3038",
    field="#171a1f",
    border="#3a424d",
    divider="#2c333c",
    text="#e6eaf0",
    text_dim="#a3adba",
    text_disabled="#69737f",
    accent="#4c9df8",
    on_accent="#0b1420",
    accent_soft="#23405f",
    hover="#2f3741",
    error="#ff7b72",
    error_soft="#4a2326",
    warning="#f2b84b",
    warning_soft="#453519",
    running="#58a6ff",
    done="#4ac26b",
    canvas="#15181c",
    canvas_dot="#2b3139",
    node="#242a32",
    node_border="#414b58",
    node_text="#f0f3f7",
    node_text_dim="#aeb8c5",
    node_shadow="#000000",
    selection="#6cb2ff",
    code_key="#7cc0ff",
    code_string="#a5d6a7",
    code_number="#f5b971",
    code_comment="#8b96a5",
    code_keyword="#d8a6ff",
    unknown="#8d96a3",
    ports=_DARK_PORTS,
    families=_families(_DARK_PORTS, data="#4fd0ec", execution="#dfe5ee", inputs="#8d96a3"),
    frames={
        "grey": "#8d96a3",
        "blue": "#4c9df8",
        "green": "#4ac26b",
        "yellow": "#e0c040",
        "orange": "#f0913a",
        "red": "#fb5a5a",
        "purple": "#c58af9",
    },
)

LIGHT = Theme(
    name="light",
    dark=False,
    window="#f3f5f8",
    panel="#ffffff",
    raised="#ffffff",
    field="#ffffff",
    border="#c5ccd6",
    divider="#dfe4ea",
    text="#1c2530",
    text_dim="#55606e",
    text_disabled="#98a2ae",
    accent="#1666c5",
    on_accent="#ffffff",
    accent_soft="#d8e8fb",
    hover="#e8edf3",
    error="#b3261e",
    error_soft="#fbe3e1",
    warning="#8a5a00",
    warning_soft="#fdf0d3",
    running="#1666c5",
    done="#17753a",
    canvas="#eceff3",
    canvas_dot="#ccd3dc",
    node="#ffffff",
    node_border="#b3bcc8",
    node_text="#16202b",
    node_text_dim="#505c6a",
    node_shadow="#5a6878",
    selection="#1666c5",
    code_key="#0b4fae",
    code_string="#1b6e3c",
    code_number="#9a4a00",
    code_comment="#667180",
    code_keyword="#8427a8",
    unknown="#66707d",
    ports=_LIGHT_PORTS,
    families=_families(_LIGHT_PORTS, data="#0b7f9c", execution="#2b3440", inputs="#66707d"),
    frames={
        "grey": "#7b8694",
        "blue": "#1666c5",
        "green": "#17753a",
        "yellow": "#b08d00",
        "orange": "#c2500a",
        "red": "#b3261e",
        "purple": "#8427a8",
    },
)
