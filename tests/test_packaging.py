"""The files in `packaging` are valid, agree with each other, and their commands run without a container engine."""

from __future__ import annotations

import importlib.metadata
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.command_line import ROOT, clean_environment

PACKAGING = ROOT / "packaging"


def documents(name: str) -> list[dict[str, Any]]:
    plain = YAML(typ="safe", pure=True)
    return list(plain.load_all((PACKAGING / name).read_text(encoding="utf-8")))


def dockerfile() -> Any:
    import dockerfile_parse

    return dockerfile_parse.DockerfileParser(fileobj=io.BytesIO((PACKAGING / "Dockerfile").read_bytes()))


def instructions(name: str) -> list[str]:
    return [each["value"] for each in dockerfile().structure if each["instruction"] == name]


def container() -> dict[str, Any]:
    stateful = next(each for each in documents("kubernetes.yaml") if each["kind"] == "StatefulSet")
    found: dict[str, Any] = stateful["spec"]["template"]["spec"]["containers"][0]
    return found


def health_check() -> list[str]:
    found: list[str] = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    return found


def test_the_image_has_a_fixed_base_another_user_than_root_and_commands_without_a_shell() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"[a-z]+:[\w.-]+", base)
    assert not base.endswith(":latest")
    assert instructions("USER")[-1] not in ("root", "0")
    assert not instructions("ADD")
    assert all("--no-cache-dir" in each for each in instructions("RUN") if "pip install" in each)
    assert json.loads(instructions("CMD")[0]) == ["strategy-manager", "start", "--quiet"]
    order = [each["instruction"] for each in dockerfile().structure]
    assert order.index("USER") > max(number for number, name in enumerate(order) if name == "RUN")


def test_what_the_image_installs_are_extras_that_exist() -> None:
    known = set(importlib.metadata.metadata("quantcrafter").get_all("Provides-Extra") or ())
    (extras,) = re.findall(r"project\[([\w,]+)\]", " ".join(instructions("RUN")))
    assert set(extras.split(",")) - {"notices"} <= known
    assert "QUANTCRAFTER_HOME" in dockerfile().envs
    assert instructions("VOLUME") == [json.dumps([dockerfile().envs["QUANTCRAFTER_HOME"]])]


def test_the_manifests_fit_the_schemas_of_kubernetes_and_ask_for_health() -> None:
    import kubernetes_validate

    for each in documents("kubernetes.yaml"):
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
        assert each["metadata"]["name"] == "strategy-manager"
    probes = container()
    assert probes["readinessProbe"]["exec"]["command"] == health_check()
    assert probes["startupProbe"]["exec"]["command"] == health_check()
    assert "/data/orchestrator/heartbeat" in probes["livenessProbe"]["exec"]["command"][2]


def test_the_compose_file_has_a_mongodb_and_keeps_the_api_on_this_computer() -> None:
    (compose,) = documents("compose.yaml")
    services = compose["services"]
    assert set(services) == {"strategy-manager", "mongodb", "rabbitmq"}
    assert services["strategy-manager"]["ports"] == ["127.0.0.1:8000:8000"]
    assert services["strategy-manager"]["depends_on"]["mongodb"]["condition"] == "service_healthy"
    named = {each.partition(":")[0] for service in services.values() for each in service["volumes"]}
    assert named == set(compose["volumes"])
    assert "latest" not in " ".join(each.get("image", "") for each in services.values())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_is_valid_for_systemd(tmp_path: Path) -> None:
    text = (PACKAGING / "strategy-manager.service").read_text(encoding="utf-8")
    program = Path(sys.executable).with_name("strategy-manager")
    unit = tmp_path / "strategy-manager.service"
    unit.write_text(text.replace("/opt/strategy-manager/bin/strategy-manager", str(program)), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if unit.name in line]
    assert told == []


def test_all_of_them_end_gently_and_wait_for_strategies() -> None:
    unit = (PACKAGING / "strategy-manager.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/strategy-manager/bin/strategy-manager start --quiet\n" in unit
    assert "Environment=QUANTCRAFTER_WAITS_FOR_WORKERS=store\n" in unit
    assert dockerfile().envs["QUANTCRAFTER_WAITS_FOR_WORKERS"] == "store"
    assert documents("compose.yaml")[0]["services"]["strategy-manager"]["stop_grace_period"] == "90s"


@pytest.mark.slow
def test_the_commands_of_the_image_run_and_its_checks_tell_a_dead_one(tmp_path: Path) -> None:
    port = "18473"
    environment = clean_environment(
        tmp_path / "data",
        API_PORT=port,
        QUANTCRAFTER_WAITS_FOR_WORKERS="store",
        QUANTCRAFTER_CONFIG=str(tmp_path),
        QUANTCRAFTER_API="on",
    )
    program, *options = json.loads(instructions("CMD")[0])
    assert program == "strategy-manager"
    checks = [health_check()[2], container()["livenessProbe"]["exec"]["command"][2]]
    checks = [each.replace(":8000/", f":{port}/").replace("/data/", f"{tmp_path}/data/") for each in checks]

    def passes(check: str) -> bool:
        done = subprocess.run([sys.executable, "-c", check], capture_output=True, check=False)
        return done.returncode == 0

    assert not any(map(passes, checks))
    with subprocess.Popen(
        [sys.executable, "-m", "strategy_manager.cli", *options], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL
    ) as process:
        try:
            from tests.support.supervised import wait_until

            wait_until(lambda: process.poll() is not None or all(map(passes, checks)))
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(60)
    assert process.returncode == 0
    assert not passes(checks[0])
