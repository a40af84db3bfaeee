from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.app.dialogs.templates import EMPTY_TEXT, Template, all_templates, matching, self_contained
from quantcrafter.engine.api import Role, StrategyTemplate
from quantcrafter.engine.graph import bind, has_errors
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.spec import StrategyFile, check_strategy

BLOCK = (
    "quantcrafter: 1\n# why\ninputs:\n  price: {type: series}\noutputs: {up: above}\nlogic: {above: {use: compare}}\n"
)
USER = (
    "quantcrafter: 1\n"
    "instruments:\n  - {symbol: A, data: csv, path: a.csv}   # mine\n"
    "filters:\n  up: {use: gates/up.yaml, price: bars.close}\n"
)


def _by_id(key: str) -> Template:
    return next(template for template in all_templates(()) if template.id == key)


@pytest.mark.parametrize("template", all_templates(()), ids=lambda template: template.id)
def test_every_template_opens_without_a_mistake_wherever_it_is_saved(template: Template) -> None:
    strategy, problems = check_strategy(template.text)
    assert strategy is not None
    assert not problems
    if template.id != "empty":
        _, found = bind(strategy, load_registry())
        assert not has_errors(found)


def test_the_gallery_begins_with_the_empty_strategy_and_has_every_example() -> None:
    ids = [template.id for template in all_templates(())]
    examples = sorted(path.stem for path in Path("resources/examples").glob("*.yaml"))
    assert ids == ["empty", *(f"example:{stem}" for stem in examples)]
    assert _by_id("empty").text == EMPTY_TEXT


def test_tags_name_symbols_timeframes_and_counts_of_families() -> None:
    tags = _by_id("example:weekly_trend_daily_entry").tags
    assert [tag.text for tag in tags if tag.role is None] == ["AAPL", "1d", "1w"]
    assert [tag.text for tag in tags if tag.role is Role.INDICATOR] == ["Indicators 2"]


def test_a_strategy_of_a_plugin_is_offered_with_the_plugins_words(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("quantcrafter: 1\nname: In the file\ninstruments: [{symbol: A, data: sample}]\n", encoding="utf-8")
    made = all_templates([StrategyTemplate("Pairs", file, "Two stocks.")])[-1]
    assert (made.name, made.description, made.source) == ("Pairs", "Two stocks.", "Provided by a plugin")
    assert made.file_name == "mine.yaml"


def test_a_file_that_cannot_be_read_is_shown_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("a: [", encoding="utf-8")
    made = all_templates([StrategyTemplate("Broken", file)])[-1]
    assert made.text == ""
    assert made.description.startswith("It can't be read: ")


def test_every_word_of_a_search_must_occur() -> None:
    found = matching(all_templates(()), "aapl 1w")
    assert [template.id for template in found] == ["example:weekly_trend_daily_entry"]
    assert matching(all_templates(()), "aapl zebra") == ()


def test_names_that_match_come_before_descriptions_that_do() -> None:
    described, named = Template("a", "Breakout", "Follows the turtles.", ""), Template("b", "Turtle", "", "")
    assert matching((described, named), "turtle") == (named, described)
    assert matching((described, named), "") == (described, named)


def test_block_files_move_into_the_text_with_their_comments(tmp_path: Path) -> None:
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "up.yaml").write_text(BLOCK, encoding="utf-8")
    text = self_contained(USER, tmp_path)
    value = StrategyFile.loads(text).value
    assert value["filters"]["up"]["use"] == "up_block"
    assert value["blocks"]["up_block"]["outputs"] == {"up": "above"}
    assert "# why" in text
    assert "# mine" in text


def test_data_files_beside_the_template_are_named_by_their_full_path(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x", encoding="utf-8")
    value = StrategyFile.loads(self_contained(USER, tmp_path)).value
    assert value["instruments"][0]["path"] == str((tmp_path / "a.csv").resolve())
    assert value["filters"]["up"]["use"] == "gates/up.yaml"
