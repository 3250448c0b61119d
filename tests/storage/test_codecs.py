"""The choice of a format, by type, by name and on request; and what the choice imports."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from solidstate.errors import IntermediateError, NotStorable
from solidstate.storage.codecs import codec_for, codec_named
from tests.storage.shop import Item


@pytest.mark.parametrize(
    ("value", "annotation", "name"),
    [
        (1, Any, "plain"), (1, object, "plain"), (1, int, "msgpack"), ([1], list, "plain"), ([1], list[Any], "plain"),
        ([1], list[int], "msgpack"), (b"x", Any, "bytes"), (b"x", bytes, "bytes"), (bytearray(b"x"), Any, "plain"),
        ([Item("a", 1.0)], list[Item], "msgpack"), (None, None, "msgpack"), ("x", "NotATypeExpression", "plain"),
    ],
)  # fmt: skip
def test_the_type_chooses_the_format(value: Any, annotation: Any, name: str) -> None:
    """And the name leads back to a codec that reads it."""
    codec = codec_for(value, annotation)
    assert codec.name == name
    file = io.BytesIO()
    codec.encode(value, file)
    back = codec_named(name, annotation).decode(file.getvalue())
    assert back == value
    assert type(back) is type(value)


def test_bytes_are_stored_as_they_are_and_not_copied_back() -> None:
    """The object is the value."""
    data = b"abc" * 1000
    assert codec_named("bytes").decode(data) is data
    with pytest.raises(NotStorable) as caught:
        codec_for("text", Any, "bytes").encode("text", io.BytesIO())
    assert str(caught.value) == (
        "`str` cannot be stored in the format `bytes`.\n  at: $\n"
        "  fix: return `bytes(value)`, or leave the format to solidstate"
    )


def test_unknown_formats_are_refused() -> None:
    """Asked for by an author, or found in a bucket."""
    with pytest.raises(NotStorable) as asked:
        codec_for(1, Any, "piclke")
    assert str(asked.value) == (
        "There is no storage format `piclke`; known are `msgpack`, `plain`, `bytes`, `arrow`, `parquet`, `npy`, "
        "`pickle`.\n  fix: use `pickle`"
    )
    with pytest.raises(IntermediateError) as found:
        codec_named("yaml")
    assert found.value.problem.startswith("The stored value has the unknown format `yaml`; known are `msgpack`, ")


def test_a_codec_of_the_users_own_is_taken_as_it_is() -> None:
    """Whatever the value."""
    own = codec_for(b"", Any)
    assert codec_for(1, int, own) is own


class _Bomb:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_pickle_only_when_asked_and_read_only_when_allowed(tmp_path: Path) -> None:
    """The default reader does not run what the bytes say."""
    assert codec_for(_Bomb(tmp_path / "bang")).name == "plain"
    bomb = pickle.dumps(_Bomb(tmp_path / "bang"))
    with pytest.raises(IntermediateError) as caught:
        codec_named("pickle").decode(bomb)
    assert str(caught.value) == (
        "The stored value is a `pickle`, which is not read here, because reading it could run any code.\n"
        "  fix: read it inside a solid whose input type has the codec `pickle`, or store it in another format"
    )
    assert not (tmp_path / "bang").exists()
    file = io.BytesIO()
    value = {1, complex(1, 2)}
    codec_for(value, Any, "pickle").encode(value, file)
    assert codec_named("pickle", allow_pickle=True).decode(file.getvalue()) == value


def test_what_cannot_be_pickled_or_unpickled_is_our_error() -> None:
    """Not pickle's."""
    with pytest.raises(NotStorable, match=r"^`function` cannot be pickled: "):
        codec_for(lambda: 1, Any, "pickle").encode(lambda: 1, io.BytesIO())
    with pytest.raises(IntermediateError, match=r"^The stored pickle cannot be read: "):
        codec_named("pickle", allow_pickle=True).decode(b"junk")


@pytest.mark.parametrize("name", ["msgpack", "plain", "arrow/pandas", "parquet/polars", "arrow/pyarrow", "npy"])
@pytest.mark.parametrize("data", [b"", b"junk" * 10])
def test_damaged_bytes_are_our_error(name: str, data: bytes) -> None:
    """Whatever the library behind the format says."""
    with pytest.raises(IntermediateError) as caught:
        codec_named(name, list[Item]).decode(data)
    assert caught.value.hint


_HEAVY = ["pandas", "polars", "pyarrow", "numpy", "boto3", "botocore", "moto", "s3fs", "pickle"]


@pytest.mark.parametrize("module", ["codecs", "sink", "s3", "store", "folder", "memory"])
def test_importing_the_layer_is_light(module: str) -> None:
    """No frame library, no AWS client and no pickle before a value or a store needs it."""
    code = f"import sys, solidstate.storage.{module}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(_HEAVY) & set(loaded)


def test_a_plain_value_is_stored_without_any_frame_library() -> None:
    """Recognising frames asks the value's type, not the libraries."""
    code = (
        "import io, sys; from solidstate.storage.codecs import codec_for\n"
        "codec_for({'a': 1}).encode({'a': 1}, io.BytesIO())\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(_HEAVY) & set(loaded)
