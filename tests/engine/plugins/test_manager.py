"""Loading plugins: whatever one of them does, the others work and the fault is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.api import PluginError, Role, Severity
from quantcrafter.engine.plugins import PluginInfo, PluginStatus, installed_plugins, load_registry, set_enabled
from tests.support.plugin_packages import indicator, install, module, plugin_site

GOOD = indicator("good.pass") + "\n@hookimpl\ndef register_indicators():\n    return [Demo]\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with plugin_site(tmp_path, monkeypatch) as folder:
        yield folder


def plugin(name: str) -> PluginInfo:
    found = [info for info in load_registry().plugins if info.name == name]
    assert len(found) == 1
    return found[0]


def test_an_installed_plugin_is_found_and_its_component_is_in_the_catalog(site: Path) -> None:
    install(site, "qc-good", GOOD)

    registry = load_registry()
    component = registry.component(Role.INDICATOR, "good.pass")

    assert component is not None
    assert component.name == "good.pass"
    assert "good.pass" in registry.component_names(Role.INDICATOR)
    assert registry.owner(Role.INDICATOR, "good.pass") == "qc-good"
    info = plugin("qc-good")
    assert (info.status, info.version, info.distribution, info.builtin) == ("loaded", "1.2.3", "qc-good", False)
    assert info.provides == {"indicators": ("good.pass",)}


def test_the_registry_is_made_once_in_a_process(site: Path) -> None:
    assert load_registry() is load_registry()
    assert site.exists()


BROKEN: dict[str, tuple[str, str]] = {
    "raising-at-import": ("1 / 0", "its import raised ZeroDivisionError: division by zero"),
    "leaving-at-import": ("raise SystemExit(3)", "its import raised SystemExit: 3"),
    "importing-what-is-not-there": ("import no_such_library", "No module named 'no_such_library'"),
    "raising-in-a-hook": (
        "@hookimpl\ndef register_filters():\n    raise RuntimeError('no licence')",
        "register_filters raised RuntimeError: no licence",
    ),
    "leaving-in-a-hook": ("@hookimpl\ndef register_filters():\n    exit(1)", "register_filters raised SystemExit: 1"),
    "misspelt": (
        "@hookimpl\ndef register_indicator():\n    return []",
        "register_indicator is not a hook. Did you mean register_indicators?",
    ),
    "unmarked": ("def register_filters():\n    return []", "register_filters lacks the mark @hookimpl"),
    "unmarked-and-misspelt": (
        "def register_advisor():\n    return []",
        "register_advisor lacks the mark @hookimpl and is not a hook. Did you mean register_advisors?",
    ),
    "wrong-argument": (
        "@hookimpl\ndef register_advisors(registry):\n    return []",
        "register_advisors asks for 'registry', but the hook has no arguments",
    ),
    "wrapper": (
        "@hookimpl(wrapper=True)\ndef register_advisors():\n    return (yield)",
        "register_advisors is a wrapper",
    ),
    "no-hooks": ("x = 1", "it implements no hook"),
    "not-a-list": ("@hookimpl\ndef register_logic():\n    return 7", "register_logic must return a list, returned int"),
    "a-class-for-a-list": (
        "@hookimpl\ndef register_engines():\n    return EngineAdapter",
        "register_engines must return a list",
    ),
    "a-broker-that-is-none": (
        "@hookimpl\ndef register_brokers():\n    return [EngineAdapter]",
        "register_brokers returned the class EngineAdapter, which is not a subclass of Broker",
    ),
    "half-a-feed": (
        """
        from quantcrafter import Feed
        class Half(Feed):
            'Half of one.'
            name = 'half'
        @hookimpl
        def register_feeds():
            return [Half]
        """,
        "Feed 'half' (Half) lacks open()",
    ),
    "incompatible": ("QUANTCRAFTER_API = 99\n" + GOOD, "written for version 99 of the plugin interface"),
    "incompatible-nonsense": ("QUANTCRAFTER_API = 'new'\n" + GOOD, "QUANTCRAFTER_API must be a whole number"),
    "raising-family": (
        """
        class Family:
            role = Role.INDICATOR
            def names(self): raise OSError('gone')
            def build(self, name): ...
        @hookimpl
        def register_indicators():
            return [Family()]
        """,
        "register_indicators returned something that raised OSError: gone",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_with_its_fault_and_the_others_work(site: Path, name: str) -> None:
    body, fault = BROKEN[name]
    install(site, name, body)
    install(site, "qc-good", GOOD.replace("good.pass", "other.pass"))

    registry = load_registry()

    assert registry.component(Role.INDICATOR, "other.pass") is not None
    info = plugin(name)
    assert info.status is PluginStatus.FAILED
    assert fault in info.error
    assert info.provides == {}
    messages = [str(problem) for problem in registry.problems if name in problem.message]
    assert len(messages) == 1
    assert f"quantcrafter plugins disable {name}" in messages[0]


def test_a_raising_plugin_keeps_its_traceback_for_whoever_mends_it(site: Path) -> None:
    install(site, "raising", "def deep():\n    return {}['missing']\ndeep()")

    assert "in deep" in plugin("raising").traceback


def test_a_plugin_that_fails_in_its_last_hook_is_left_out_whole(site: Path) -> None:
    install(site, "half", GOOD + "\n@hookimpl\ndef register_strategies():\n    raise ValueError('late')")

    assert load_registry().component(Role.INDICATOR, "good.pass") is None


def test_a_name_taken_twice_names_both_plugins_and_the_first_by_name_stays(site: Path) -> None:
    install(site, "qc-zebra", GOOD)
    install(site, "qc-ant", GOOD)

    registry = load_registry()

    assert registry.owner(Role.INDICATOR, "good.pass") == "qc-ant"
    assert plugin("qc-zebra").status is PluginStatus.FAILED
    taken = [problem for problem in registry.problems if "qc-zebra" in problem.message]
    assert "registers 'good.pass' in indicators, which plugin 'qc-ant' has already taken" in taken[0].message
    assert taken[0].severity is Severity.ERROR


def test_the_same_name_in_two_roles_is_no_clash(site: Path) -> None:
    install(site, "qc-one", GOOD)
    install(
        site,
        "qc-two",
        indicator("good.pass").replace("Indicator", "Logic")
        + "\n@hookimpl\ndef register_logic():\n    return [Demo]\n",
    )

    registry = load_registry()

    assert registry.component(Role.LOGIC, "good.pass") is not registry.component(Role.INDICATOR, "good.pass")
    assert registry.component(Role.LOGIC, "good.pass") is not None


def test_a_plugin_that_names_something_twice_itself_is_left_out(site: Path) -> None:
    install(site, "qc-twice", GOOD.replace("[Demo]", "[Demo, Demo]"))

    assert "registers 'good.pass' twice in indicators" in plugin("qc-twice").error


def test_two_packages_with_one_entry_point_name_do_not_both_load(site: Path) -> None:
    install(site, "qc-first", GOOD, entry_point="same")
    install(site, "qc-second", GOOD.replace("good.pass", "second.pass"), entry_point="same")

    statuses = [info.status for info in load_registry().plugins if info.name == "same"]

    assert sorted(statuses) == [PluginStatus.FAILED, PluginStatus.LOADED]


def test_damaged_metadata_of_another_package_does_no_harm(site: Path) -> None:
    install(site, "qc-good", GOOD)
    (site / "qc_good-1.2.3.dist-info" / "METADATA").unlink()

    assert load_registry().component(Role.INDICATOR, "good.pass") is not None


def test_a_disabled_plugin_is_not_even_imported_until_it_is_enabled_again(site: Path) -> None:
    install(site, "qc-good", GOOD + "\nimport pathlib\n(pathlib.Path(__file__).parent / 'imported').touch()\n")

    set_enabled("qc-good", enabled=False)

    assert plugin("qc-good").status is PluginStatus.DISABLED
    assert load_registry().component(Role.INDICATOR, "good.pass") is None
    assert not (site / "imported").exists()
    set_enabled("qc-good", enabled=True)
    assert load_registry().component(Role.INDICATOR, "good.pass") is not None


def test_the_disabled_plugins_are_written_whole_and_without_remains(site: Path, tmp_path: Path) -> None:
    install(site, "qc-good", GOOD)

    set_enabled("qc-good", enabled=False)

    assert json.loads((tmp_path / "home" / "plugins.json").read_text()) == {"disabled": ["qc-good"]}
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["plugins.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"disabled": "all"}', '{"disabled": [1]}', "{}"])
def test_an_unreadable_list_of_disabled_plugins_is_a_warning_and_counts_as_empty(
    site: Path, tmp_path: Path, text: str
) -> None:
    install(site, "qc-good", GOOD)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "plugins.json").write_text(text)

    registry = load_registry()

    assert registry.component(Role.INDICATOR, "good.pass") is not None
    warnings = [problem for problem in registry.problems if problem.code == "plugin_state"]
    assert [problem.severity for problem in warnings] == [Severity.WARNING]
    assert "plugins.json" in str(warnings[0])
    with pytest.raises(PluginError, match=r"can't be read"):
        set_enabled("qc-good", enabled=False)


def test_switching_an_unknown_plugin_suggests_the_nearest_name(site: Path) -> None:
    install(site, "qc-good", GOOD)

    with pytest.raises(PluginError, match=r"There is no plugin 'qc-god'\. Did you mean 'qc-good'\?"):
        set_enabled("qc-god", enabled=False)


def test_a_plugin_that_was_uninstalled_while_disabled_can_be_enabled(site: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "plugins.json").write_text('{"disabled": ["gone"]}')

    set_enabled("gone", enabled=True)

    assert json.loads((tmp_path / "home" / "plugins.json").read_text()) == {"disabled": []}
    assert site.exists()


def test_the_parts_of_quantcrafter_itself_come_first_and_cannot_be_disabled(site: Path, tmp_path: Path) -> None:
    install(site, "a-plugin", GOOD)

    own = [info.name for info in installed_plugins() if info.builtin]

    assert own == ["builtin-data", "builtin-engines", "builtin-nodes"]
    assert [info.name for info in installed_plugins()][:3] == own
    with pytest.raises(PluginError, match="part of QuantCrafter itself"):
        set_enabled("builtin-nodes", enabled=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "plugins.json").write_text('{"disabled": ["builtin-nodes"]}')
    assert all(info.status is not PluginStatus.DISABLED for info in installed_plugins())


def test_a_state_file_that_cannot_be_written_is_an_error_with_a_remedy(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "qc-good", GOOD)
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "a-file"))

    with pytest.raises(PluginError, match=r"QUANTCRAFTER_HOME|can't be read"):
        set_enabled("qc-good", enabled=False)


def test_extra_plugins_come_after_the_installed_ones(site: Path) -> None:
    install(site, "qc-good", GOOD)

    registry = load_registry(extra_plugins=[("mine", module("mine", GOOD))])

    assert registry.plugins[-1].name == "mine"
    assert "plugin 'qc-good' has already taken" in registry.plugins[-1].error
