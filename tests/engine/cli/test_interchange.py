"""`export` and `import`: a strategy in the file of another program, and back."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command_line import ROOT, quantcrafter

GOLDEN = ROOT / "resources" / "examples" / "golden_cross.yaml"
FORMAT = ("--to", "nodegraphqt")


def test_a_strategy_is_exported_and_imported(tmp_path: Path) -> None:
    session, back = tmp_path / "golden.json", tmp_path / "golden.yaml"
    done = quantcrafter("export", str(GOLDEN), *FORMAT, str(session), home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"Wrote {session}: 7 nodes, 6 connections\n"
    assert set(json.loads(session.read_text("utf-8"))) == {"graph", "nodes", "connections"}
    done = quantcrafter("import", str(session), str(back), "--from", "nodegraphqt", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, f"Wrote {back}\n")
    assert back.read_bytes() == GOLDEN.read_bytes()


def test_a_file_that_exists_is_replaced_only_by_force(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("mine", encoding="utf-8")
    for arguments in (
        ("export", str(GOLDEN), str(out), *FORMAT),
        ("import", str(out), str(out), "--from", "nodegraphqt"),
    ):
        done = quantcrafter(*arguments, home=tmp_path)
        assert done.returncode == 1
        assert done.stderr == f"error: '{out}' exists. Name another file, or replace it with --force.\n"
    assert out.read_text("utf-8") == "mine"
    assert quantcrafter("export", str(GOLDEN), str(out), *FORMAT, "--force", home=tmp_path).returncode == 0
    assert json.loads(out.read_text("utf-8"))


def test_mistakes_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    wrong, out = tmp_path / "wrong.yaml", tmp_path / "out"
    wrong.write_text("quantcrafter: 1\nlayout: {a: 1}\n", encoding="utf-8")
    done = quantcrafter("export", str(wrong), str(out), *FORMAT, home=tmp_path)
    assert done.returncode == 2
    assert "wrong.yaml:2:13: error: The position of 'a' must be two numbers." in done.stderr
    done = quantcrafter("import", str(wrong), str(out), "--from", "nodegraphqt", home=tmp_path)
    assert done.returncode == 2
    assert "wrong.yaml:1:1: error: The session is not JSON" in done.stderr
    wrong.write_bytes(b"\xff\xfe")
    done = quantcrafter("import", str(wrong), str(out), "--from", "nodegraphqt", home=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "The session is not UTF-8 text." in done.stderr
    assert not out.exists()


def test_what_is_wrong_with_the_strategy_is_told_and_it_is_written_all_the_same(tmp_path: Path) -> None:
    session, back = tmp_path / "golden.json", tmp_path / "golden.yaml"
    quantcrafter("export", str(GOLDEN), str(session), *FORMAT, home=tmp_path)
    found = json.loads(session.read_text("utf-8"))
    strategy = found["nodes"]["quantcrafter.graph.Strategy"]["custom"]
    strategy["strategy_file"] = strategy["strategy_file"].replace("use: crossover", "use: blocks/gone.yaml")
    found["nodes"]["cross"]["type_"] = "quantcrafter.advisors.blocks/gone.yaml"
    session.write_text(json.dumps(found), encoding="utf-8")
    done = quantcrafter("import", str(session), str(back), "--from", "nodegraphqt", home=tmp_path)
    assert done.returncode == 0
    assert "golden.yaml:" in done.stderr
    assert "gone.yaml" in done.stderr
    assert "which has 1 error" in done.stderr
    assert "use: blocks/gone.yaml" in back.read_text("utf-8")
