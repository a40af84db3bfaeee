"""Arrays in files: as numpy writes them, from many threads at once, and damaged in every way."""

from __future__ import annotations

import ast
import gc
import io
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.npy import map_npy, read_npz

RECORD = np.dtype([("ts_ns", "<i8"), ("price", ">f8"), ("side", "|S1"), ("name", "<U7"), ("legs", "<f4", (2, 3))])
ARRAYS: dict[str, Any] = {
    "floats": np.arange(5.0),
    "flags": np.array([True, False]),
    "texts": np.array(["SPY", "", "Ж's"]),
    "moments": np.array(["2024-01-02"], dtype="datetime64[ns]"),
    "scalar": np.array(7),
    "none": np.empty((0, 3)),
    "no texts": np.array([], dtype=str),
    "columns first": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "records": np.ones(4, dtype=RECORD),
    "no records": np.empty(0, dtype=RECORD),
    "padded": np.ones(3, dtype=np.dtype([("side", "|i1"), ("price", "<f8"), ("flag", "|b1")], align=True)),
    "nested": np.zeros(2, dtype=[("a, (b)", [("True", "<i2"), ("None", "|b1")]), ("ж", "<f8")]),
}


@pytest.mark.filterwarnings("ignore:Stored array in format")
@pytest.mark.parametrize("name", ARRAYS)
def test_what_numpy_writes_is_read_as_it_was(tmp_path: Path, name: str) -> None:
    array = ARRAYS[name]
    path = tmp_path / "a.npy"
    np.save(path, array)
    packed = io.BytesIO()
    np.savez_compressed(packed, **{name: array})
    for read in (map_npy(path), map_npy(path, "c"), read_npz(packed, 10_000)[name]):
        assert read.dtype == array.dtype
        assert read.shape == array.shape
        assert read.flags.f_contiguous == array.flags.f_contiguous
        np.testing.assert_array_equal(read, array)
    assert not map_npy(path).flags.writeable
    assert map_npy(path, "c").flags.writeable


def test_threads_that_read_at_once_all_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, ARRAYS["records"])
    raised: list[BaseException] = []
    end = time.monotonic() + 2.0

    class Loop:
        """Garbage that lets another thread run when it is collected, as objects of the interface do."""

        def __init__(self) -> None:
            self.own = self

        def __del__(self) -> None:
            time.sleep(0.0001)

    def load(depth: int) -> None:
        if depth:
            return load(depth - 1)
        while time.monotonic() < end and not raised:
            Loop()
            try:
                map_npy(path)
            except BaseException as error:  # noqa: BLE001 - it was a SystemError
                raised.append(error)
        return None

    threads = [threading.Thread(target=load, args=(10 * number,)) for number in range(6)]
    every, switching = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(37)
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*every)
        sys.setswitchinterval(switching)
    assert raised == []


@pytest.mark.filterwarnings("ignore:Stored array in format")
def test_nothing_of_the_parser_of_python_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npy"
    np.save(path, ARRAYS["records"])
    packed = io.BytesIO()
    np.savez(packed, **ARRAYS)

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("ast is not safe in several threads")

    monkeypatch.setattr(ast, "parse", refuse)
    monkeypatch.setattr(ast, "literal_eval", refuse)
    assert len(map_npy(path)) == 4
    assert read_npz(packed, 10_000).keys() == ARRAYS.keys()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\x93NUMPY", b"\x93NUMPX"),
        (b"NUMPY\x01", b"NUMPY\x09"),
        (b"(3,)", b"(-3,"),
        (b"(3,)", b"(9,)"),
        (b"(3,)", b"True"),
        (b"(3,)", b"3.5,"),
        (b"'<f8'", b"'|O8'"),
        (b"'<f8'", b"'<q9'"),
        (b"'<f8'", b"'f,f'"),
        (b"'<f8'", b"[[1]]"),
        (b"'<f8'", b"'\\x8'"),
        (b"False", b"'abc'"),
        (b"'shape'", b"'shade'"),
        (b"{", b"["),
        (b"\x93NUMPY\x01\x00v\x00", b"\x93NUMPY\x02\x00\xff\xff\xff\xff"),
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(3.0))
    whole = path.read_bytes()
    assert whole.count(before) == 1
    path.write_bytes(whole.replace(before, after))
    with pytest.raises(ValueError, match=r"."):
        map_npy(path)


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(3.0))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"."):
            map_npy(path)
