"""Reading .npy and .npz files in a process with several threads.

`numpy.load` reads the header of a file with `ast.literal_eval`, which is not safe in several threads at once: in some
versions of Python it raises SystemError ("AST constructor recursion depth mismatch") when another thread or the garbage
collector interferes. Here the header is read without `ast`. Pickled objects are refused.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.message import Message

Array = npt.NDArray[Any]
_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
_LONGEST_HEADER = 100_000
_TOKENS = re.compile(r"'([^'\"\\]*)'|\b(True|False|None)\b|([()])|,\s*(?=[)\]}])")
_WORDS = {"True": "true", "False": "false", "None": "null", "(": "[", ")": "]"}


def map_npy(path: Path, mode: Literal["r", "c"] = "r") -> Array:
    """Return the array of a .npy file, mapped into memory; `mode` is "r" for read-only or "c" for copy-on-write.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged.
    """
    with path.open("rb") as stream:
        shape, order, dtype = _read_header(stream)
        at = stream.tell()
        return np.memmap(stream, dtype, mode, at, shape, order).view(np.ndarray)


def read_npz(stream: BinaryIO, most_unpacked: int) -> dict[str, Array]:
    """Return the arrays of an .npz file by name.

    No memory is allocated for an array whose header claims to be larger than the file or, if compressed, than
    `most_unpacked` bytes.

    Raises:
        OSError, ValueError, zipfile.BadZipFile, zlib.error, RuntimeError: the file is damaged.
    """
    size = stream.seek(0, 2)
    arrays = {}
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            most = size if info.compress_type == zipfile.ZIP_STORED else most_unpacked
            with archive.open(info) as member:
                arrays[info.filename.removesuffix(".npy")] = _read_array(member, min(info.file_size, most))
    return arrays


def _read_array(stream: IO[bytes], most: int) -> Array:
    shape, order, dtype = _read_header(stream)
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > most:
        raise ValueError(Message("an array declares {claimed} bytes", claimed=claimed))
    data = stream.read(claimed)
    if len(data) != claimed or stream.read(1):
        raise ValueError(Message("an array doesn't have the {claimed} bytes that it declares", claimed=claimed))
    if not data:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy("K")


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype[Any]]:
    """Return the shape, the order and the type of the array that follows in a stream."""
    start = stream.read(len(_MAGIC) + 2)
    if start[:-2] != _MAGIC or start[-2] not in _LENGTH_BYTES:
        raise ValueError(Message("it is not a .npy file of a known version"))
    width = _LENGTH_BYTES[start[-2]]
    length = int.from_bytes(stream.read(width), "little")
    if length > _LONGEST_HEADER:
        raise ValueError(Message("its header declares {length} bytes", length=length))
    header = stream.read(length)
    if len(header) != length:
        raise ValueError(Message("its header is cut off"))
    fields = _values(header.decode("utf-8" if start[-2] == 3 else "latin-1"))  # noqa: PLR2004 - version 3 is UTF-8
    shape, is_fortran = fields["shape"], fields["fortran_order"]
    if not isinstance(shape, list) or any(type(each) is not int or each < 0 for each in shape):
        raise ValueError(Message("its shape is {shape}", shape=shape))
    if not isinstance(is_fortran, bool):
        raise ValueError(Message("its order is {is_fortran}", is_fortran=is_fortran))  # noqa: TRY004 - a damaged file, like the others
    return tuple(shape), "F" if is_fortran else "C", dtype_of(fields["descr"])


def _values(header: str) -> dict[str, Any]:
    """Return the three values of a header, which is a literal of Python: lists in place of tuples."""
    text = _TOKENS.sub(_as_json, header)
    try:
        fields = json.loads(text)
    except RecursionError as error:
        raise ValueError(Message("its header is nested too deeply")) from error
    if not isinstance(fields, dict) or fields.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError(Message("its header doesn't have the three entries of a .npy file"))
    return fields


def _as_json(found: re.Match[str]) -> str:
    if found[1] is not None:
        return json.dumps(found[1])
    return _WORDS.get(found[0], "")


def dtype_of(described: Any) -> np.dtype[Any]:
    """Return the type of a header's `descr`: a string, or a list of fields with name, type and, if any, shape.

    Raises:
        ValueError: it is unknown, or holds Python objects.
    """
    try:
        dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(_described(described))
    except TypeError as error:
        raise ValueError(Message("its type is unknown: {error}", error=error)) from error
    if dtype.hasobject:
        raise ValueError(Message("it holds pickled objects"))
    return dtype


def _described(described: Any) -> Any:
    if isinstance(described, str) and "," not in described:
        return described
    if isinstance(described, list) and all(isinstance(field, list) and len(field) in {2, 3} for field in described):
        return [(name, _described(kind), *(tuple(each) for each in shape)) for name, kind, *shape in described]
    raise ValueError(Message("its type is {described}", described=described))
