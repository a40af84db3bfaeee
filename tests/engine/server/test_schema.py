"""Requests that the schema allows, and many that it does not: none is answered by an error of the server."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from quantcrafter.engine.api.home import home
from quantcrafter.engine.live.api_files import api_token
from tests.support.api_server import registered, served
from tests.support.counts import sample

pytestmark = pytest.mark.slow

SLOW_PATHS = ("/runs",)
"""Each allowed request starts a process: a few will do."""


def try_operation(operation: Any, token: str, mode: GenerationMode, count: int) -> None:
    asked = []

    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        asked.append(case)
        answer = case.call(headers={**(case.headers or {}), "Authorization": f"Bearer {token}"}, timeout=60)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    send()
    assert asked


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_is_answered_by_an_error_of_the_server(mode: GenerationMode) -> None:
    registered("one")
    with served(home()) as base:
        token = api_token()
        schema = schemathesis.openapi.from_url(f"{base}/openapi.json", headers={"Authorization": f"Bearer {token}"})
        found: list[Any] = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
        assert len(found) > 20
        for operation in found:
            count = 2 if operation.method == "post" and operation.path in SLOW_PATHS else sample(5, of=300)
            try:
                try_operation(operation, token, mode, count)
            except Exception as error:
                if "Unsatisfiable" not in type(error).__name__:
                    raise
        log = (home() / "orchestrator" / "api.log").read_text(encoding="utf-8")
    assert '"ERROR"' not in log, log[-3000:]
