from __future__ import annotations

from collections import Counter

import pytest

from quantcrafter.app.actions.registry import ActionRegistry, default_keys
from quantcrafter.app.actions.spec import ActionSpec, MenuSpec
from quantcrafter.app.services.keys import is_typing, normal_keys
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.theme.icons import icon_names
from tests.support.actions import registry_of


def test_no_two_actions_share_default_keys() -> None:
    registry = registry_of()

    used = Counter(normal_keys(keys) for spec in registry.specs.values() for keys in default_keys(spec))

    assert {keys: count for keys, count in used.items() if count > 1} == {}


def test_every_action_has_a_title_a_menu_and_an_icon_that_exists() -> None:
    registry = registry_of()

    assert len(registry.specs) > 50
    for spec in registry.specs.values():
        assert spec.title, spec.id
        assert registry.path(spec), spec.id
        assert not spec.icon or spec.icon in icon_names(), spec.id


def test_the_users_keys_replace_the_default_ones_and_are_remembered() -> None:
    settings = Settings()
    settings.shortcuts = {"file.save": "Ctrl+Alt+P"}

    registry = registry_of()

    assert registry.keys("file.save") == ("Ctrl+Alt+P",)
    assert registry.keys("edit.redo") == ("Ctrl+Shift+Z", "Ctrl+Y")


def test_keys_taken_away_stay_away() -> None:
    settings = Settings()
    settings.shortcuts = {"file.save": ""}

    assert registry_of(settings).keys("file.save") == ()


def test_a_default_key_that_the_user_gave_to_another_action_runs_that_one_alone() -> None:
    settings = Settings()
    settings.shortcuts = {"node.group": "ctrl+s"}

    registry = registry_of(settings)

    assert registry.keys("file.save") == ()
    assert [spec.id for spec in registry.conflicts("file.save", "Ctrl+S")] == ["node.group"]


def test_a_conflict_names_the_action_that_has_the_keys_however_they_are_written() -> None:
    registry = registry_of()

    assert [spec.id for spec in registry.conflicts("file.new", "shift+ctrl+P")] == ["view.command_palette"]
    assert registry.conflicts("file.new", "Ctrl+N") == ()
    assert registry.conflicts("file.new", "") == ()


def test_a_repeated_id_or_an_unknown_menu_is_refused() -> None:
    one = ActionSpec("a", "A", "m", lambda: None)
    other = ActionSpec("b", "B", "m", lambda: None)
    lost = ActionSpec("c", "C", "nowhere", lambda: None)
    registry = ActionRegistry([MenuSpec("m", "M")], Settings())
    registry.register([one])

    with pytest.raises(ValueError, match="'a'"):
        registry.register([other, one])
    with pytest.raises(ValueError, match="nowhere"):
        registry.register([other, lost])

    assert list(registry.specs) == ["a"]


def test_actions_can_be_taken_out_again_and_those_who_listen_are_told() -> None:
    registry = ActionRegistry([MenuSpec("m", "M")], Settings())
    registry.register([ActionSpec("a", "A", "m", lambda: None, "Ctrl+B")])
    told: list[list[str]] = []
    unsubscribe = registry.subscribe(lambda: told.append(list(registry.specs)))

    take_out = registry.register([ActionSpec("b", "B", "m", lambda: None, "Ctrl+E")])
    assert [spec.id for spec in registry.conflicts("a", "Ctrl+E")] == ["b"]
    take_out()
    take_out()
    unsubscribe()
    registry.register([ActionSpec("c", "C", "m", lambda: None)])

    assert told == [["a", "b"], ["a"]]
    assert registry.conflicts("a", "Ctrl+E") == ()


def test_taking_out_leaves_an_action_that_got_the_id_later() -> None:
    registry = ActionRegistry([MenuSpec("m", "M")], Settings())
    take_out = registry.register([ActionSpec("a", "A", "m", lambda: None)])
    take_out()
    registry.register([ActionSpec("a", "Another", "m", lambda: None)])

    take_out()

    assert registry.specs["a"].title == "Another"


def test_an_action_without_anything_to_act_on_does_nothing() -> None:
    specs = registry_of().specs.values()

    assert len(specs) > 50
    assert {spec.callback() for spec in specs} == {None}


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ctrl+Shift+P", "shift+ctrl+p"), ("Ctrl++", "ctrl++"), ("Del", "Delete"), ("Ctrl+K, Ctrl+S", "ctrl+k, ctrl+s")],
)
def test_ways_to_write_the_same_keys_are_equal(one: str, other: str) -> None:
    assert normal_keys(one) == normal_keys(other)


def test_different_keys_are_different() -> None:
    written = ["Ctrl+P", "Ctrl+Shift+P", "Alt+P", "Ctrl++", "Ctrl+-", "Ctrl+,", "P", "F1", "Ctrl+K, Ctrl+S"]

    assert len({normal_keys(keys) for keys in written}) == len(written)
    assert normal_keys("") == ""


def test_keys_that_are_typing_elsewhere_are_the_canvass_alone() -> None:
    registry = registry_of()

    assert registry.window_keys("node.mute") == ()
    assert registry.window_keys("node.quick_add") == ("Ctrl+K",)
    found = registry.on_canvas("M")
    assert found is not None
    assert found.id == "node.mute"
    assert registry.on_canvas("Ctrl+S") is None


def test_a_letter_that_the_user_gives_to_something_on_the_canvas_never_stops_typing() -> None:
    settings = Settings()
    settings.shortcuts = {"arrange.auto": "L", "node.mute": "Ctrl+M"}
    registry = registry_of(settings)

    assert registry.window_keys("arrange.auto") == ()
    assert registry.window_keys("node.mute") == ("Ctrl+M",)
    assert registry.on_canvas("M") is None


@pytest.mark.parametrize("keys", ["B", "Shift+B", "Tab", "Left", "+", "Shift++"])
def test_letters_and_arrows_are_typing(keys: str) -> None:
    assert is_typing(keys)


@pytest.mark.parametrize("keys", ["Ctrl+B", "Alt+Left", "F2", "Shift+F12", "Ctrl++", ""])
def test_what_no_text_field_wants_is_no_typing(keys: str) -> None:
    assert not is_typing(keys)


def test_the_toolbar_has_what_runs_a_strategy_and_every_button_an_icon_of_its_own() -> None:
    registry = registry_of()

    buttons = [action_id for group in registry.toolbar for action_id in group]
    icons = [registry.specs[action_id].icon for action_id in buttons]

    assert {"run.run", "run.stop", "run.auto", "data.source"} <= set(buttons)
    assert all(icons)
    assert len(set(icons)) == len(icons)


def test_the_run_menu_begins_with_running() -> None:
    assert [spec.id for spec in registry_of().in_menu("run")][:3] == ["run.run", "run.stop", "run.auto"]
