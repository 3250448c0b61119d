"""Typed inputs and outputs: an annotation becomes a named type with a check, and optionally a storage format."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, get_args, get_origin

import msgspec

from solidstate.errors import DefinitionError, shown
from solidstate.events import plain_metadata
from solidstate.type_checks import Checker, Mismatch, checker, type_name
from solidstate.type_options import Options, options


class Nothing:
    """As a type: an ordering-only dependency. No value travels along it."""


class TypeCheck(msgspec.Struct, frozen=True):
    """The verdict of a type check. ``metadata`` (rows, columns, ...) is recorded with the input or output event."""

    success: bool
    description: str = ""
    metadata: dict[str, Any] = {}


class SolidType(msgspec.Struct, frozen=True, eq=False):
    """A type of the user's own.

    ``check(value)`` returns a TypeCheck, a bool, or None (passes); it runs after the check of ``python``, the Python
    type values have. ``metadata(value)`` returns facts to record. ``codec`` names a storage format (``"parquet"``,
    ``"pickle"``, ...) or is an object with ``name``, ``encode(value, sink)`` and ``decode(data)``.

    ``loader`` reads an input that is connected to nothing from where the run request says, ``materializer`` writes an
    output to where it says, beside storing it: ``function(context, config)`` and ``function(context, config, value)``,
    the config a Struct; or several by name, see :mod:`solidstate.type_options`. A materializer returns a
    Materialization, several, or None. An attempt that is repeated calls it again. ``facts`` are told to tools.

    Use it in place of a type (``In(Positive)``) or inside one: ``Annotated[int, Positive]``.
    """

    name: str
    check: Callable[[Any], TypeCheck | bool | None] | None = None
    codec: Any = None
    metadata: Callable[[Any], dict[str, Any]] | None = None
    python: Any = Any
    description: str = ""
    loader: Any = None
    materializer: Any = None
    facts: dict[str, Any] = {}

    def __post_init__(self) -> None:
        """Raises DefinitionError for a loader or materializer that cannot be used."""
        for field, arguments in (("loader", 2), ("materializer", 3)):
            declared = getattr(self, field)
            if declared is not None:
                made = options(field, self.name, declared, arguments)
                msgspec.structs.force_setattr(self, field, made)

    def checker(self) -> Checker | None:
        """How this type checks an element of a container: ``list[Annotated[int, Positive]]``."""
        builtin = checker(self.python)
        if builtin is None and self.check is None:
            return None

        def look(value: Any) -> Mismatch | None:
            miss = builtin(value) if builtin else None
            if miss is not None or self.check is None:
                return miss
            verdict = _verdict(self.name, self.check(value))
            return None if verdict.success else Mismatch(self.name, value, note=verdict.description)

        return look


class EdgeType:
    """A resolved type: what an input or output declares, ready to check values. Made once per definition."""

    __slots__ = ("_builtin", "_custom", "annotation", "codec", "loader", "materializer", "name", "nothing")

    def __init__(self, name: str, annotation: Any, custom: SolidType | None, *, nothing: bool = False) -> None:
        self.name = name
        self.annotation = annotation
        self.nothing = nothing
        self.codec: Any = custom.codec if custom else None
        self.loader: Options | None = custom.loader if custom else None
        self.materializer: Options | None = custom.materializer if custom else None
        self._custom = custom
        self._builtin: Checker | None = checker(annotation)

    @property
    def given_as(self) -> Any:
        """The type of what stands for a value in a run request: the loader's config, or the value itself."""
        return self.annotation if self.loader is None else self.loader.annotation

    def describe(self) -> dict[str, Any]:
        """What is known about the type, as JSON data for tools."""
        told: dict[str, Any] = {"name": self.name, "python": type_name(self.annotation), "checked": not self.unchecked}
        custom = self._custom
        if custom is not None:
            told |= {"description": custom.description, "facts": plain_metadata(custom.facts)}
            codec = custom.codec if custom.codec is None or isinstance(custom.codec, str) else custom.codec.name
            ways = {"loader": self.loader, "materializer": self.materializer}
            told |= {"codec": codec, **{key: way.describe() for key, way in ways.items() if way is not None}}
        return {key: fact for key, fact in told.items() if fact not in (None, "", {})}

    @property
    def unchecked(self) -> bool:
        """True when every value passes without being looked at."""
        return self._builtin is None and self._custom is None

    def same_as(self, other: EdgeType) -> bool:
        """Whether the two check the same, so that a value need not be checked by both."""
        try:
            return self._custom is other._custom and bool(self.annotation == other.annotation)
        except Exception:  # noqa: BLE001 - types are objects of the user's, and so is how they compare
            return False

    def check(self, value: Any) -> TypeCheck:
        """Check a value. A user's check that raises is the caller's business: call this inside the boundary."""
        if self._builtin is not None:
            miss = self._builtin(value)
            if miss is not None:
                return TypeCheck(False, miss.describe())
        if self._custom is None:
            return PASSED
        verdict = self._custom.check(value) if self._custom.check else None
        result = _verdict(self.name, verdict)
        if result.success and self._custom.metadata is not None:
            result = TypeCheck(True, result.description, {**result.metadata, **self._custom.metadata(value)})
        return result


PASSED = TypeCheck(True)


def _verdict(name: str, verdict: TypeCheck | bool | None) -> TypeCheck:
    if isinstance(verdict, TypeCheck):
        return verdict
    if verdict is None:
        return PASSED
    # numpy's own bool is what a comparison on a frame gives; it is no subclass of Python's.
    if type(verdict).__name__ in ("bool", "bool_"):
        return PASSED if verdict else TypeCheck(False, f"the check of type `{name}` said no")
    raise DefinitionError(
        f"The check of type `{name}` must return TypeCheck, bool or None, got `{type_name(type(verdict))}`.",
        subject=name,
        hint="return `TypeCheck(success, description)`",
    )


def resolve_type(annotation: Any) -> EdgeType:
    """Turn what a user wrote as a type into an EdgeType. What is unknown is checked by isinstance or not at all.

    Raises DefinitionError for a plain value in a type's place (``In("Flight")``, ``In([int])``) and for a type whose
    own parts do not fit (``Annotated[str, Meta(gt=0)]``).
    """
    if annotation is Nothing:
        return EdgeType("Nothing", type(None), None, nothing=True)
    if isinstance(annotation, (str, bytes, int, float, list, tuple, dict, set, msgspec.Struct)) and not isinstance(
        annotation, SolidType
    ):
        raise DefinitionError(
            f"{shown(annotation)} is not a type.",
            hint="write a class or a type such as `int`, `list[int]`, `dict[str, Any]`, `int | None`",
        )
    try:
        return _resolve(annotation)
    except Exception as error:  # resolving looks into the user's own classes, so anything can come out
        raise DefinitionError(f"{str(error).rstrip('.')}.", hint="correct the type") from error


def _resolve(annotation: Any) -> EdgeType:
    if isinstance(annotation, SolidType):
        return EdgeType(annotation.name, annotation.python, annotation)
    if get_origin(annotation) is typing.Annotated:
        base, *extras = get_args(annotation)
        for number, extra in enumerate(extras):
            if isinstance(extra, SolidType):
                for other in (*extras[:number], *extras[number + 1 :]):
                    base = typing.Annotated[base, other]
                return EdgeType(extra.name, base, extra)
    return EdgeType(type_name(annotation), annotation, None)


ANY = resolve_type(Any)
