from __future__ import annotations

import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import FeedNode, PortType, ResampleNode, Role, Timeframe
from quantcrafter.nodes.data import COMPONENTS, OtherBars, Resample


def test_both_nodes_give_bars_and_have_help() -> None:
    assert [component.name for component in COMPONENTS] == ["resample", "feed"]
    for component in COMPONENTS:
        assert component.role is Role.DATA
        assert [output.type for output in component.outputs] == [PortType.BARS]
        assert component.help()
        assert all(field.description for field in component.model_fields.values())


def test_resample_needs_a_timeframe_and_knows_nothing_else() -> None:
    node = Resample.model_validate({"timeframe": "1w"})
    assert isinstance(node, ResampleNode)
    assert node.timeframe == Timeframe(1, "w")
    for wrong in ({}, {"timeframe": "weekly"}, {"timeframe": "1w", "path": "x"}):
        with pytest.raises(ValidationError):
            Resample.model_validate(wrong)


def test_a_feed_hands_other_keys_to_its_provider() -> None:
    node = OtherBars.model_validate({"symbol": "SPY", "data": "csv", "path": "spy.csv"})
    assert isinstance(node, FeedNode)
    assert node.provider_options() == {"path": "spy.csv"}
    assert (node.timeframe, node.on_bad_bars) == (None, "refuse")
    with pytest.raises(ValidationError):
        OtherBars.model_validate({"data": "csv"})
