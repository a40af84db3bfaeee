"""What a plugin returns is checked entry by entry, with a message that says how to fix it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import PluginError, Role
from quantcrafter.engine.plugins import PluginStatus, Registry, load_registry
from tests.support.plugin_packages import indicator, module

DEMO = indicator("demo.pass")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))


def loaded(body: str) -> Registry:
    return load_registry(extra_plugins=[("mine", module("mine", body))])


def fault(hook: str, body: str, entry: str = "Demo") -> str:
    registry = loaded(f"{body}\n@hookimpl\ndef {hook}():\n    return [{entry}]\n")
    info = registry.plugins[-1]
    assert info.status is PluginStatus.FAILED, "the plugin should have been refused"
    return info.error


RULELESS = 'class Demo(RiskManager):\n    """Doc."""\n    name = "r"\n'

REFUSED = {
    "a string": ("register_indicators", "", "'demo'", "returned str 'demo', which is not a subclass of Component"),
    "some class": ("register_indicators", "", "dict", "the class dict, which is not a subclass of Component"),
    "an instance": ("register_indicators", DEMO, "Demo(input='x')", "which is not a subclass of Component"),
    "wrong hook": ("register_filters", DEMO, "Demo", "role is 'indicators', but only 'filters' are allowed"),
    "base class": ("register_indicators", "", "Component", "role is missing"),
    "no name": ("register_indicators", indicator(""), "Demo", "has no name"),
    "bad name": ("register_indicators", indicator("my indicator"), "Demo", "has the name 'my indicator'"),
    "path as name": ("register_indicators", indicator("blocks/x"), "Demo", "has the name 'blocks/x'"),
    "no docstring": ("register_indicators", DEMO.replace('"""Pass the input on."""', ""), "Demo", "no docstring"),
    "no behaviour": (
        "register_indicators",
        DEMO.replace("compute", "calculate"),
        "Demo",
        "neither compute() nor on_bar",
    ),
    "no outputs": ("register_indicators", DEMO + "    outputs = ()\n", "Demo", "has no outputs"),
    "reserved field": ("register_indicators", DEMO + "    use: int = 1\n", "Demo", "a field 'use'"),
    "no rule": ("register_risk_managers", RULELESS, "Demo", "neither rule() nor on_bar()"),
    "no data node of ours": (
        "register_indicators",
        'class Demo(DataNode):\n    """Doc."""\n    name = "d"\n',
        "Demo",
        "derives from neither ResampleNode nor FeedNode",
    ),
    "unknown annotation": (
        "register_indicators",
        DEMO + "    other: 'Missing' = 1\n",
        "Demo",
        "names an unknown type",
    ),
    "no provider": ("register_data_providers", DEMO, "Demo", "which is not a subclass of DataProvider"),
    "abstract provider": (
        "register_data_providers",
        'class Demo(DataProvider):\n    """Doc."""\n    name = "d"\n',
        "Demo",
        "DataProvider 'd' (Demo) lacks load().",
    ),
    "no engine": ("register_engines", DEMO, "Demo", "which is not a subclass of EngineAdapter"),
    "no template": ("register_strategies", "", "'a.yaml'", "which is not a StrategyTemplate"),
    "lost template": (
        "register_strategies",
        "from pathlib import Path",
        "StrategyTemplate('t', Path('/no/such.yaml'))",
        "strategy template 't' must be a file",
    ),
    "no action": ("register_actions", "", "print", "which is not a DesktopAction"),
    "action without a word of its own": (
        "register_actions",
        "",
        "DesktopAction('count', 'Count', print)",
        "must begin with a word of your own and a dot, such as 'mine.count'",
    ),
    "action without a title": ("register_actions", "", "DesktopAction('m.count', ' ', print)", "has no title"),
    "action in no menu": (
        "register_actions",
        "",
        "DesktopAction('m.count', 'Count', print, menu='tools')",
        "names the menu 'tools'. The menus are file, edit,",
    ),
    "action that does nothing": (
        "register_actions",
        "",
        "DesktopAction('m.count', 'Count', 'print')",
        "must have functions as `run` and `enabled`",
    ),
    "action with keys that are none": (
        "register_actions",
        "",
        "DesktopAction('m.count', 'Count', print, shortcut=7)",
        "must have a text such as 'Ctrl+Alt+N' as `shortcut`, was 7",
    ),
    "no pane": ("register_panes", "", "print", "which is not a DesktopPane"),
    "pane that is not made": ("register_panes", "", "DesktopPane('m.notes', 'Notes', None)", "a function as `make`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_entry_that_breaks_the_contract_is_refused_with_its_reason(case: str) -> None:
    hook, body, entry, reason = REFUSED[case]
    assert reason in fault(hook, body, entry)


def test_a_message_about_the_wrong_hook_names_the_right_one() -> None:
    assert "Return it from register_indicators." in fault("register_filters", DEMO)


EVENT_STYLE = '''
class Demo(Advisor):
    """Never trade."""
    name = "never"

    def on_bar(self, ctx):
        return 0

@hookimpl
def register_advisors():
    yield Demo
'''


def test_an_event_style_component_from_a_generator_is_welcome() -> None:
    registry = loaded(EVENT_STYLE)

    assert registry.component(Role.ADVISOR, "never") is not None


FAMILY = (
    DEMO
    + """
BUILT = []

class Family:
    role = Role.INDICATOR

    def names(self):
        return ("fam.a", "fam.b")

    def build(self, name):
        BUILT.append(name)
        if name == "fam.b":
            raise KeyError(name)
        return type("Built", (Demo,), {"name": name, "__doc__": "Built."})

@hookimpl
def register_indicators():
    return [Family(), Demo]
"""
)


def test_a_family_shows_its_names_at_once_and_builds_a_class_once_on_first_use() -> None:
    plugin = module("mine", FAMILY)
    registry = load_registry(extra_plugins=[("mine", plugin)])

    assert registry.component_names(Role.INDICATOR)[-3:] == ("fam.a", "fam.b", "demo.pass")
    assert vars(plugin)["BUILT"] == []
    first = registry.component(Role.INDICATOR, "fam.a")
    assert first is registry.component(Role.INDICATOR, "fam.a")
    assert first is not None
    assert vars(plugin)["BUILT"] == ["fam.a"]


def test_a_family_that_breaks_its_promise_is_an_error_that_names_the_plugin() -> None:
    registry = loaded(FAMILY)

    with pytest.raises(PluginError, match=r"Plugin 'mine' promised 'fam\.b' in indicators but can't build it"):
        registry.component(Role.INDICATOR, "fam.b")


OTHERS = '''
from pathlib import Path

class Source(DataProvider):
    """Nothing."""
    name = "nothing"
    def load(self, request):
        raise DataError("nothing here")

class Engine(EngineAdapter):
    """Does nothing."""
    name = "idle"
    def run(self, job):
        raise RunError("idle")

@hookimpl
def register_data_providers():
    return (Source,)

@hookimpl
def register_engines():
    return {Engine}

@hookimpl
def register_strategies():
    return [StrategyTemplate("demo", Path(__file__), "A file.")]
'''


def test_providers_engines_and_templates_are_found_by_name() -> None:
    plugin = module("mine", OTHERS.replace("Path(__file__)", f"Path({__file__!r})"))
    registry = load_registry(extra_plugins=[("mine", plugin)])

    assert registry.provider("nothing") is vars(plugin)["Source"]
    assert registry.engine("idle") is vars(plugin)["Engine"]
    assert "nothing" in registry.provider_names()
    assert "idle" in registry.engine_names()
    assert [template.name for template in registry.strategies if template.name == "demo"] == ["demo"]
    assert registry.provider("no such") is None
    assert registry.engine("no such") is None


def test_a_plugin_may_be_an_object_but_not_a_class() -> None:
    body = "class Plugin:\n    @hookimpl\n    def register_logic(self):\n        return []\nplugin = Plugin()\n"
    made = module("mine", body)

    registry = load_registry(extra_plugins=[("object", vars(made)["plugin"]), ("class", vars(made)["Plugin"])])

    assert registry.plugins[-2].status is PluginStatus.LOADED
    assert "names the class Plugin" in registry.plugins[-1].error


def test_actions_and_panes_are_in_the_registry_with_their_plugin() -> None:
    registry = loaded(
        "@hookimpl\ndef register_actions():\n    return [DesktopAction('m.count', 'Count', print, menu='node')]\n"
        "@hookimpl\ndef register_panes():\n    return [DesktopPane('m.notes', 'Notes', print)]\n"
    )

    assert [(each.name, each.menu) for each in registry.actions] == [("m.count", "node")]
    assert [each.title for each in registry.panes] == ["Notes"]
    assert registry.owner("actions", "m.count") == registry.owner("panes", "m.notes") == "mine"
    assert registry.plugins[-1].provides == {"actions": ("m.count",), "panes": ("m.notes",)}
