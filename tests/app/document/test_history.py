from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.document.edits import MoveNodes, RemoveNodes, RenameNode, SetValues
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.history import EditHistory, UndoStep, patch_between
from quantcrafter.engine.api import SpecError
from tests.support.documents import RICH, catalog, example, rich

texts = st.text("ab \n", max_size=12)


@given(texts, texts)
def test_a_patch_leads_from_one_text_to_the_other_and_back(old: str, new: str) -> None:
    patch = patch_between(old, new)
    assert (patch.apply(old), patch.revert(new)) == (new, old)


@given(st.lists(texts, min_size=1, max_size=8))
def test_typing_in_a_row_is_undone_to_the_first_text_and_redone_to_the_last(states: list[str]) -> None:
    history, text = EditHistory(), states[0]
    for state in states[1:]:
        if state != text:
            history.add(UndoStep("Typing", patch_between(text, state), typing=True))
            text = state
    while (found := history.undo(text)) is not None:
        text = found[0]
    assert text == states[0]
    while (found := history.redo(text)) is not None:
        text = found[0]
    assert text == states[-1]


def typed(document: Document, words: str, origin: object = "view") -> None:
    for letter in words:
        document.set_text(document.text + letter, origin=origin)


def undone(document: Document) -> list[str]:
    steps = []
    while document.undo_label:
        before = document.text
        document.undo()
        steps.append(before[len(document.text) :])
    return steps[::-1]


def test_typing_is_undone_word_by_word_and_line_by_line() -> None:
    document = Document("a: 1\n", catalog())
    typed(document, "bc: two words\nd: 3")
    assert undone(document) == ["bc: ", "two ", "words", "\n", "d: ", "3"]


def test_deleting_backwards_is_one_step() -> None:
    document = Document("word", catalog())
    for length in (3, 2, 1):
        document.set_text("word"[:length])
    document.undo()
    assert document.text == "word"


def test_typing_elsewhere_or_from_elsewhere_is_a_step_of_its_own() -> None:
    document = Document("ab: 1\ncd: 2\n", catalog())
    document.set_text("abx: 1\ncd: 2\n", origin="view")
    document.set_text("abx: 1\ncdx: 2\n", origin="view")
    document.set_text("abx: 1\ncdxy: 2\n", origin="other")
    document.undo()
    document.undo()
    assert document.text == "abx: 1\ncd: 2\n"


def test_typing_after_an_undo_is_a_step_of_its_own() -> None:
    document = Document("", catalog())
    typed(document, "ab cd")
    document.undo()
    typed(document, "x")
    document.undo()
    assert document.text == "ab "


def test_a_new_edit_forgets_what_was_undone() -> None:
    document = rich()
    document.do(MoveNodes({"fast": (1, 1)}), label="Move")
    document.undo()
    assert (document.undo_label, document.redo_label) == ("", "Move")
    document.do(MoveNodes({"slow": (1, 1)}), label="Move slow")
    assert (document.undo_label, document.redo_label) == ("Move slow", "")
    document.redo()
    assert document.undo_label == "Move slow"


def test_listeners_hear_of_every_change_until_they_end_it() -> None:
    document = rich()
    heard: list[DocumentChange] = []
    end = document.subscribe(heard.append)
    document.do(MoveNodes({"fast": (1, 1)}), label="Move", origin=heard)
    document.undo()
    document.redo()
    document.set_text(document.text + "# x", origin="yaml")
    document.set_text(document.text, origin="yaml")
    document.mark_saved()
    assert [(change.kind, change.label) for change in heard] == [
        ("edit", "Move"),
        ("undo", "Move"),
        ("redo", "Move"),
        ("text", "Typing"),
        ("saved", ""),
    ]
    assert heard[0].origin is heard
    end()
    end()
    document.undo()
    assert len(heard) == 5


def test_an_edit_that_changes_nothing_is_no_step() -> None:
    document = rich()
    document.do(SetValues("fast", {"timeperiod": 50}), MoveNodes({"fast": (0, 0)}), label="Nothing")
    assert (document.undo_label, document.is_modified) == ("", False)


def test_when_one_edit_of_several_cannot_be_done_none_is() -> None:
    document = rich()
    with pytest.raises(EditError, match="no node 'nobody'"):
        document.do(MoveNodes({"fast": (1, 1)}), RenameNode("nobody", "x"), label="Both")
    assert (document.text, document.undo_label) == (RICH, "")


def test_a_text_that_cannot_be_read_keeps_the_graph_and_refuses_edits() -> None:
    document = rich()
    graph = document.graph()
    broken = document.text.replace("layout:", "layout: {")
    document.set_text(broken)
    assert (document.is_readable, document.text) == (False, broken)
    assert document.graph() == graph
    assert document.problems[0].code == "syntax"
    with pytest.raises(EditError, match="The text has an error on line"):
        document.do(RemoveNodes(("fast",)), label="Remove")
    assert document.text == broken
    document.undo()
    assert (document.is_readable, document.text, document.problems) == (True, RICH, rich().problems)


def test_a_text_that_never_was_readable_has_an_empty_graph() -> None:
    for text in ("", "a: [", "- 1", "\ufeff"):
        document = Document(text, catalog())
        assert not document.is_readable
        assert list(document.graph().nodes) == []
        assert document.problems


def test_modified_tells_whether_the_text_is_what_was_saved(tmp_path: Path) -> None:
    document = rich()
    document.do(MoveNodes({"fast": (1, 1)}), label="Move")
    assert document.is_modified
    document.mark_saved(tmp_path / "a.yaml")
    assert not document.is_modified
    assert document.path == tmp_path / "a.yaml"
    document.undo()
    assert document.is_modified
    document.redo()
    assert not document.is_modified


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="can't be read"):
        Document.open(tmp_path / "none.yaml", catalog())


def test_a_new_document_lacks_only_what_trades() -> None:
    document = Document.new(catalog())
    assert [problem.code for problem in document.problems] == ["no_execution"]
    assert (document.is_modified, document.path, list(document.graph().nodes)) == (False, None, ["bars"])


def test_a_file_with_other_line_ends_and_a_byte_order_mark_is_edited_as_it_is(tmp_path: Path) -> None:
    raw = ("\ufeff" + example().text).replace("\n", "\r\n")
    (tmp_path / "a.yaml").write_bytes(raw.encode())
    document = Document.open(tmp_path / "a.yaml", catalog())
    document.do(MoveNodes({"rsi": (5, 5)}), label="Move")
    assert document.text == raw.replace("rsi: [0, 0]", "rsi: [5, 5]")
    document.undo()
    assert document.text == raw
