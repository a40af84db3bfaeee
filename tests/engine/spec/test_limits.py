from __future__ import annotations

import re
from pathlib import Path

from quantcrafter.engine.spec import limits, parse_strategy

PAGE = (Path(__file__).parents[3] / "docs" / "strategy-file.md").read_text(encoding="utf-8")


def test_every_limit_is_documented_with_its_value() -> None:
    listed = {
        name: 1 << 20 if value == "1 MiB" else int(value.replace(",", ""))
        for value, name in re.findall(r"\| ([0-9,]+|1 MiB) \| `(MAX_\w+)` \|", PAGE)
    }
    assert listed == {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}


def test_the_examples_of_the_reference_are_valid() -> None:
    whole, universes, contracts, conditions, on_paper, own, *others = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    compared, noted, units, both, several, pair, blocks, hours, money = others
    assert parse_strategy(whole).name == "Golden cross"
    kinds = [
        each.universe.kind for each in parse_strategy("quantcrafter: 1\n" + universes).instruments if each.universe
    ]
    assert kinds == ["symbols", "file", "files", "query"]
    traded = parse_strategy("quantcrafter: 1\n" + contracts).instruments
    assert {instrument.kind for instrument in traded} == {"contract"}
    one = "quantcrafter: 1\ninstruments: [{symbol: A, data: sample}]\n"
    assert parse_strategy(one + conditions).nodes["pos"].use == "position"
    assert parse_strategy(one + on_paper).nodes["last"].use == "breakout_outcome"
    spec = parse_strategy("quantcrafter: 1\n" + compared)
    assert [instrument.values["sector"] for instrument in spec.instruments] == ["technology", "technology", "consumer"]
    assert parse_strategy("quantcrafter: 1\n" + own).nodes["average"].per_instrument == {"timeperiod": "fast"}
    assert parse_strategy(one + noted).nodes["never_large"].values["action"] == "stop"
    assert parse_strategy(one + units).nodes["entry"].values["max_entries"] == 4
    assert parse_strategy(one + both).nodes["entry"].values["two_sided"] is True
    assert list(parse_strategy(one + several).nodes) == ["follow", "buy_dips"]
    assert parse_strategy("quantcrafter: 1\n" + pair).nodes["pair"].values["ratio_of"] == "value"
    header = (
        "quantcrafter: 1\ninstruments: [{symbol: A, data: sample}]\ndata: {weekly: {use: resample, timeframe: 1w}}\n"
    )
    spec = parse_strategy(header + blocks)
    assert spec.nodes["long_term/ema"].values["timeperiod"] == 100
    assert parse_strategy(one + hours).run.schedule.flat_minutes == 10
    spec = parse_strategy("quantcrafter: 1\n" + money)
    assert [instrument.currency for instrument in spec.instruments] == ["EUR", "JPY"]
    assert spec.run.rates == {"EUR": "eurusd", "JPY": "1/usdjpy"}
