from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import Severity, SpecError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph, validate_file
from quantcrafter.engine.spec import check_strategy, load_strategy, migrate_text, version_of_text
from tests.support.old_formats import FORMAT_0, FORMAT_1, SENTENCES, know_format_0, know_format_2


def test_a_file_of_an_older_format_is_migrated_by_edits_that_keep_comments_order_and_anchors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    know_format_0(monkeypatch)
    migrated = migrate_text(FORMAT_0)
    assert migrated is not None
    assert migrated.text == FORMAT_1
    assert migrated.changes == SENTENCES
    assert (migrated.version, migrated.before) == (0, FORMAT_0)
    assert migrate_text(FORMAT_1) is None


def test_several_versions_are_passed_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    know_format_2(monkeypatch)
    migrated = migrate_text(FORMAT_0)
    assert migrated is not None
    assert migrated.changes == (
        *SENTENCES,
        "The account has a section of its own.",
        "'run.cash' is in the account now.",
    )
    expected = FORMAT_1.replace("quantcrafter: 1", "quantcrafter: 2")
    expected = expected.replace("  cash: 50000    # in dollars\n", "  account: {cash: 50000, currency: USD}\n")
    assert migrated.text == expected
    later = migrate_text(FORMAT_1)
    assert later is not None
    assert (later.text, later.version) == (expected, 1)


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_stay(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    know_format_0(monkeypatch)
    migrated = migrate_text("\ufeff" + FORMAT_0.replace("\n", ends))
    assert migrated is not None
    assert migrated.text == "\ufeff" + FORMAT_1.replace("\n", ends)


def test_an_old_file_in_brackets_is_migrated_too(monkeypatch: pytest.MonkeyPatch) -> None:
    know_format_0(monkeypatch)
    migrated = migrate_text('{"quantcrafter": 0, title: x, run: {capital: 5}}\n')
    assert migrated is not None
    assert migrated.text == '{"quantcrafter": 1, name: x, run: {cash: 5}}\n'


def test_an_old_file_runs_in_memory_and_says_so_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    know_format_0(monkeypatch)
    path = tmp_path / "old.yaml"
    path.write_bytes(FORMAT_0.encode())
    graph = load_graph(path, load_registry(), ["indicators.slow.timeperiod=60"])
    assert graph.spec.name == "Golden cross"
    assert graph.spec.run.cash == 50_000
    (warning,) = graph.warnings
    assert str(warning) == (
        f"{path}:2:1: warning: The file is of format 0, an older one; it was read as format 1. "
        "To write it in the new format: quantcrafter migrate FILE --write"
    )
    assert load_strategy(path).name == "Golden cross"
    assert path.read_bytes() == FORMAT_0.encode()


def test_problems_of_an_old_file_stand_where_they_are_in_that_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    know_format_0(monkeypatch)
    path = tmp_path / "old.yaml"
    broken = FORMAT_0.replace("use: market", "use: markte").replace("length: 50", "length: many")
    path.write_text(broken, encoding="utf-8")
    lines = broken.splitlines()
    errors = [problem for problem in validate_file(path, load_registry()) if problem.severity is Severity.ERROR]
    assert [lines[problem.line - 1].split(":")[0].strip() for problem in errors] == ["slow", "order"]
    assert errors[1].column == lines[errors[1].line - 1].index("markte") + 1


def test_block_files_of_an_older_format_are_migrated_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_format_0(monkeypatch)
    block = "quantcrafter: 0\nauthor: me\nindicators:\n  mean: {use: ta.SMA, length: 5}\noutputs: {value: mean}\n"
    (tmp_path / "mean.yaml").write_text(block, encoding="utf-8")
    text = FORMAT_1.replace("{use: ta.SMA, input: bars.close, timeperiod: 50}", "{use: mean.yaml}")
    spec, problems = check_strategy(text, file="now.yaml", base_dir=tmp_path)
    assert spec is not None
    assert [(Path(problem.file).name, problem.code) for problem in problems] == [("mean.yaml", "old_format")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("quantcrafter: 3", "This file needs a newer QuantCrafter: its format is 3, this one reads 1."),
        ("quantcrafter: -1", "The format -1 is unknown, this QuantCrafter reads 1."),
        ("quantcrafter: '0'", "The version of the format must be a whole number."),
        ("quantcrafter: true", "The version of the format must be a whole number."),
    ],
)
def test_a_version_that_cannot_be_read_is_refused_and_not_migrated(
    monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    know_format_0(monkeypatch)
    text = FORMAT_0.replace("quantcrafter: 0", line)
    assert migrate_text(text) is None
    _, problems = check_strategy(text)
    assert message in [problem.message for problem in problems]


def test_a_text_that_cannot_be_edited_that_way_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    know_format_0(monkeypatch)
    text = FORMAT_0.replace(
        "other:\n    use: ta.SMA\n    input: bars.close\n    length: *days   # the same",
        "other: &all {use: ta.SMA, input: bars.close, length: 3}\n  more: *all",
    )
    with pytest.raises(SpecError, match=r"format 0, an older one, and can't be migrated: 'indicators\.other\.length'"):
        migrate_text(text)
    spec, (problem,) = check_strategy(text)
    assert spec is None
    assert "can't be migrated" in problem.message


def test_a_gap_in_the_row_of_migrations_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    know_format_2(monkeypatch)
    from quantcrafter.engine.spec.migrations import MIGRATIONS

    monkeypatch.delitem(MIGRATIONS, 1)
    with pytest.raises(SpecError, match="No migration leads on from format 1"):
        migrate_text(FORMAT_0)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("quantcrafter: 1\nname: x\n", 1),
        ("# quantcrafter: 7\nquantcrafter: 1\n", 1),
        ("description: 'quantcrafter: 1'\nquantcrafter: 5\n", 5),
        ("{quantcrafter: 4}", 4),
        ("blocks:\n  quantcrafter: 9\n", None),
        ("quantcrafter: one\n", None),
        ("quantcrafter: 2\n  broken: [", None),
        ("", None),
    ],
)
def test_the_version_is_that_of_the_key_and_of_no_other_text(text: str, version: int | None) -> None:
    assert version_of_text(text) == version
