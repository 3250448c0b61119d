"""numpy arrays in numpy's own ``npy`` format, which cannot hold objects and so cannot hide code."""

from __future__ import annotations

import io
from typing import Any

from solidstate.errors import NotStorable
from solidstate.storage.store import ObjectWriter


def write(array: Any, sink: ObjectWriter) -> None:
    """Write an ``ndarray``; raises ``NotStorable`` for one that holds Python objects."""
    import numpy as np

    if array.dtype.hasobject:
        raise NotStorable(
            f"An `ndarray` of dtype `{array.dtype}` holds Python objects, which `npy` does not store.",
            subject="ndarray",
            path="$",
            hint="give it a numeric or fixed-width dtype, or return `array.tolist()`",
        )
    header = io.BytesIO()
    np.lib.format.write_array_header_2_0(header, np.lib.format.header_data_from_array_1_0(array))
    sink.write(header.getvalue())
    # The transpose of a Fortran-ordered array is C-ordered and has the same bytes in the same order.
    ordered = array.T if array.flags.f_contiguous and not array.flags.c_contiguous else array
    flat = np.ascontiguousarray(ordered).reshape(-1)
    if flat.nbytes:
        sink.write(flat.view(np.uint8).data)


def read(data: bytes | bytearray | memoryview) -> Any:
    """A writable ``ndarray`` of its own memory."""
    import numpy as np

    head = io.BytesIO(bytes(memoryview(data)[:65536]))
    np.lib.format.read_magic(head)
    shape, fortran, dtype = np.lib.format.read_array_header_2_0(head)
    if dtype.hasobject:
        raise ValueError("it declares Python objects")
    count = int(np.prod(shape, dtype=np.int64))
    flat = np.frombuffer(data, dtype=dtype, count=count, offset=head.tell()) if count else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if fortran else "C").copy(order="F" if fortran else "C")
