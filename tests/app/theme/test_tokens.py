"""The colours: readable, told apart by colour-blind eyes, complete."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import dist

import pytest

from quantcrafter.app.theme import DARK, FAMILIES, LIGHT, Theme, family_of
from quantcrafter.app.theme.colors import contrast, mix
from quantcrafter.engine.api import PortType, Role

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])

# Machado, Oliveira, Fernandes 2009: what a wholly colour-blind eye makes of linear red, green, blue.
SIGHTS = {
    "full": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def seen(color: str, sight: str) -> tuple[float, float, float]:
    """Return a colour in CIE Lab as an eye of that sight gets it."""
    values = [int(color[start:stop], 16) / 255 for start, stop in pairwise((1, 3, 5, 7))]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, linear, strict=True))))
        for row in SIGHTS[sight]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@THEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_port_types_look_alike_to_any_eye(theme: Theme, sight: str) -> None:
    for first, second in combinations(PortType, 2):
        apart = dist(seen(theme.ports[first], sight), seen(theme.ports[second], sight))
        assert apart >= 12, f"{first} and {second} are {apart:.1f} apart to {sight} in {theme.name}"


@THEMES
def test_all_text_stands_out_from_what_is_behind_it(theme: Theme) -> None:
    pairs = [
        *((theme.text, back) for back in (theme.window, theme.panel, theme.raised, theme.field, theme.hover)),
        *((theme.text_dim, back) for back in (theme.window, theme.panel, theme.raised, theme.field, theme.canvas)),
        (theme.on_accent, theme.accent),
        (theme.text, theme.accent_soft),
        (theme.text, theme.error_soft),
        (theme.text, theme.warning_soft),
        (theme.error, theme.panel),
        (theme.error, theme.node),
        (theme.warning, theme.node),
        (theme.node_text, theme.node),
        (theme.node_text, theme.canvas),
        (theme.node_text, theme.warning_soft),
        (theme.node_text_dim, theme.node),
        *((theme.node_text, theme.header(family)) for family in FAMILIES),
        *(
            (code, theme.field)
            for code in (theme.code_key, theme.code_string, theme.code_number, theme.code_comment, theme.code_keyword)
        ),
    ]
    for text, back in pairs:
        assert contrast(text, back) >= 4.5, f"{text} on {back} in {theme.name}: {contrast(text, back):.2f}"


@THEMES
def test_ports_wires_and_families_stand_out_from_the_canvas_and_the_node(theme: Theme) -> None:
    for color in (*theme.ports.values(), *theme.families.values(), theme.selection, theme.unknown):
        assert contrast(color, theme.canvas) >= 3.0, color
        assert contrast(color, theme.node) >= 3.0, color


@THEMES
def test_every_family_and_every_port_type_has_a_colour(theme: Theme) -> None:
    assert set(theme.families) == set(FAMILIES)
    assert set(theme.ports) == set(PortType)
    assert theme.port(None) == theme.unknown


@THEMES
def test_a_family_wears_the_colour_of_what_it_gives(theme: Theme) -> None:
    assert theme.family(Role.INDICATOR.value) == theme.port(PortType.SERIES)
    assert theme.family(Role.ADVISOR.value) == theme.port(PortType.SIGNAL)
    assert theme.family(Role.RISK.value) == theme.port(PortType.RISK)


def test_bars_and_the_inputs_of_a_block_are_families_of_their_own() -> None:
    assert family_of(None, "bars") == "bars"
    assert family_of(None, "price") == "inputs"
    assert family_of(Role.FILTER, "bars") == "filters"


def test_mixing_goes_from_the_one_colour_to_the_other() -> None:
    assert mix("#ffffff", "#000000", 1.0) == "#ffffff"
    assert mix("#ffffff", "#000000", 0.0) == "#000000"
    assert mix("#ff0000", "#0000ff", 0.5) == "#800080"


def test_a_frame_of_an_unknown_colour_is_grey() -> None:
    assert LIGHT.frame("mauve") == LIGHT.frames["grey"]
