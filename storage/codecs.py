"""Value to bytes and back, chosen by type. Lossless or refused; never pickle unless it was asked for.

=================  ==================================================================================
``msgpack``        a declared type msgspec knows: Structs, dataclasses, enums, containers of them
``plain``          everything else made of built-in types; says by itself what it holds
``bytes``          a ``bytes`` as it is
``arrow/...``      pandas, polars and pyarrow frames as an Arrow IPC stream (the default for them)
``parquet/...``    the same frames as Parquet, on request
``npy``            a numpy array
``pickle``         on request, and read back only by those who allow it
=================  ==================================================================================

Frames and arrays are recognised without importing their libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import msgspec

from solidstate.errors import IntermediateError, NotStorable, closest, name_list
from solidstate.storage.annotations import Decode, known_classes, typed_decoder
from solidstate.storage.frames import FRAME_CODECS, frame_codec, is_frame
from solidstate.storage.plain_values import decode_plain
from solidstate.storage.store import ObjectWriter
from solidstate.storage.typed_values import SELF_EVIDENT, encode_known, read_typed, self_evident, write_typed


@runtime_checkable
class Codec(Protocol):
    """One storage format. ``name`` is recorded beside the bytes and leads the reader back to it."""

    @property
    def name(self) -> str: ...

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        """Write the value; raises ``NotStorable``, before or after some bytes were written."""
        ...

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        """The value; raises ``IntermediateError``. The result may share memory with ``data``."""
        ...


def codec_for(value: object, annotation: Any = Any, asked: str | Codec | None = None) -> Codec:
    """The format for a value of an output declared as ``annotation`` (``Any`` when undeclared).

    ``asked`` overrides: a name (``"parquet"``, ``"pickle"``, ...) or a codec, which is returned as it is. Raises
    ``NotStorable`` for an unknown name and for a frame of a kind that cannot be stored; other refusals come from
    ``encode``.
    """
    if asked is not None and not isinstance(asked, str):
        return asked
    if asked is not None:
        return _asked(asked, value, annotation)
    if is_frame(value):
        return frame_codec(value)
    if type(value) is bytes:
        return _BYTES
    try:
        return _declared(annotation)
    except TypeError:  # not hashable, such as Annotated[int, {}]: nothing to remember it by
        return _declared.__wrapped__(annotation)


def codec_named(name: str, annotation: Any = Any, *, allow_pickle: bool = False) -> Codec:
    """The format recorded as ``name``, for reading a value of the producer's ``annotation``.

    Unpickling runs what the bytes say, so whoever may write the bucket could run code in the reader: ``allow_pickle``
    belongs only where such code runs anyway, inside a step whose type opted in. Raises ``IntermediateError``.
    """
    if name == "msgpack":
        try:
            return _typed(annotation)
        except TypeError:  # as in codec_for
            return _typed.__wrapped__(annotation)
    if name == "bytes":
        return _BYTES
    if name == "plain":
        return PlainCodec(annotation)
    if name == "pickle":
        if not allow_pickle:
            raise IntermediateError(
                "The stored value is a `pickle`, which is not read here, because reading it could run any code.",
                subject=name,
                hint="read it inside a solid whose input type has the codec `pickle`, or store it in another format",
            )
        return PickleCodec()
    codec = FRAME_CODECS.get(name)
    if codec is None:
        raise IntermediateError(
            f"The stored value has the unknown format `{name}`; known are {name_list(_recorded())}.",
            subject=name,
            hint="read it with the version of solidstate, or with the `SolidType` codec, that wrote it",
        )
    return codec


class BytesCodec(msgspec.Struct, frozen=True):
    """A ``bytes`` as it is."""

    name: str = "bytes"

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        if type(value) is not bytes:
            raise _wrong(value, self.name, "return `bytes(value)`, or leave the format to solidstate")
        sink.write(value)

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        return bytes(data)  # the same object when it is one already


class PlainCodec(msgspec.Struct, frozen=True):
    """Self-describing msgpack; objects only of classes that the annotation mentions."""

    annotation: Any = Any
    name: str = "plain"

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        sink.write(encode_known(value, self.annotation))

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        return decode_plain(data, known_classes(self.annotation))


class TypedCodec(msgspec.Struct, frozen=True):
    """Typed msgpack of a declared type, proved to lose nothing. ``decoder`` is None where nothing is declared."""

    annotation: Any
    decoder: Decode | None
    name: str = "msgpack"

    def at_once(self, value: object) -> bytes | None:
        """What :meth:`encode` writes, for a value of a type that msgpack has itself; None for any other."""
        if type(value) is self.annotation and self.annotation in SELF_EVIDENT:
            return self_evident(value)
        return None

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        if self.decoder is None:
            raise _wrong(value, self.name, "declare the output's type, or leave the format to solidstate")
        write_typed(value, self.annotation, self.decoder, sink)

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        if self.decoder is None:
            raise IntermediateError(
                "The stored value is of a declared type, and its output no longer declares one.",
                subject=self.name,
                hint="give the producing solid its annotation back, or run it again",
            )
        return read_typed(data, self.annotation, self.decoder)


class PickleCodec(msgspec.Struct, frozen=True):
    """Python's own format: any object, readable only with the same code at hand, unsafe to read from strangers."""

    name: str = "pickle"

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        import pickle

        try:
            pickle.dump(value, sink, protocol=5)
        except Exception as error:  # __reduce__ and __getstate__ of any class run here
            raise NotStorable(
                f"`{type(value).__name__}` cannot be pickled: {error}.",
                subject=type(value).__name__,
                path="$",
                hint="return plain data instead of open files, locks, lambdas or local classes",
            ) from error

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        import pickle

        try:
            return pickle.loads(data)  # noqa: S301  # only for those who allow it, see codec_named
        except Exception as error:  # whatever the classes' own code raises
            raise IntermediateError(
                f"The stored pickle cannot be read: {error}.",
                subject=self.name,
                hint="the code changed since the value was stored; run the producing step again",
            ) from error


_BYTES = BytesCodec()


@lru_cache(maxsize=512)
def _typed(annotation: Any) -> TypedCodec:
    return TypedCodec(annotation, typed_decoder(annotation))


@lru_cache(maxsize=512)
def _declared(annotation: Any) -> Codec:
    typed = TypedCodec(annotation, typed_decoder(annotation))
    return typed if typed.decoder is not None else PlainCodec(annotation)


def _asked(name: str, value: object, annotation: Any) -> Codec:
    if name == "bytes":
        return _BYTES
    if name == "plain":
        return PlainCodec(annotation)
    if name == "msgpack":
        return TypedCodec(annotation, typed_decoder(annotation))
    if name == "pickle":
        return PickleCodec()
    if name in _FRAME_FORMATS:
        return frame_codec(value, name)
    near = closest(name, _ASKABLE)
    raise NotStorable(
        f"There is no storage format `{name}`; known are {name_list(_ASKABLE)}.",
        subject=name,
        hint=f"use `{near}`" if near else "leave the format to solidstate, or give an object with name, encode, decode",
    )


def _wrong(value: object, name: str, hint: str) -> NotStorable:
    kind = type(value).__name__
    return NotStorable(f"`{kind}` cannot be stored in the format `{name}`.", subject=kind, path="$", hint=hint)


_FRAME_FORMATS = ("arrow", "parquet", "npy")
_ASKABLE: Sequence[str] = ("msgpack", "plain", "bytes", *_FRAME_FORMATS, "pickle")


def _recorded() -> list[str]:
    return ["msgpack", "plain", "bytes", *FRAME_CODECS, "pickle"]
