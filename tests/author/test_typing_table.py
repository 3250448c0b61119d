"""The types of `typing` and `collections` that people write: one value that passes each, one that does not."""

from __future__ import annotations

import collections
import typing
from collections import abc
from typing import Any, Generic, TypedDict, TypeVar

import msgspec
import pytest
import typing_extensions

from solidstate import Out, SolidType, execute_solid, solid
from solidstate.errors import SolidstateError
from solidstate.type_checks import checker, type_name

T = TypeVar("T")
Choice = TypeVar("Choice", int, str)


class Box(Generic[T]):
    pass


class Tagged(list[str], Generic[T]):
    """A list of text, whatever its parameter."""


class Options(TypedDict, total=False):
    limit: typing.Required[int]
    name: str


class Open(msgspec.Struct):
    value: int


Pair = typing_extensions.TypeAliasType("Pair", tuple[T, T], type_params=(T,))
Tree = typing_extensions.TypeAliasType("Tree", "int | list[Tree]")


@pytest.mark.parametrize(
    ("annotation", "right", "wrong", "name"),
    [
        (list, [1], (1,), "list"),
        (list[int], [1], ["a"], "list[int]"),
        (typing.List[int], [1], ["a"], "list[int]"),  # noqa: UP006 - people write it
        (typing.List, [1], (1,), "List"),  # noqa: UP006
        (dict[str, int], {"a": 1}, {1: 1}, "dict[str, int]"),
        (set[int], {1}, {"a"}, "set[int]"),
        (frozenset[str], frozenset("a"), {"a"}, "frozenset[str]"),
        (tuple[()], (), (1,), "tuple"),
        (tuple[int, ...], (1, 2), (1, "a"), "tuple[int, ...]"),
        (tuple[int, str], (1, "a"), (1,), "tuple[int, str]"),
        (collections.deque[int], collections.deque([1]), collections.deque(["a"]), "deque[int]"),
        (collections.Counter[str], collections.Counter("a"), collections.Counter([1]), "Counter[str]"),
        (collections.defaultdict[str, int], collections.defaultdict(int, a=1), {"a": 1}, "defaultdict[str, int]"),
        (collections.OrderedDict[str, int], collections.OrderedDict(a=1), {"a": 1}, "OrderedDict[str, int]"),
        (abc.Sequence[int], (1,), {1}, "Sequence[int]"),
        (abc.Mapping[str, int], {"a": 1}, {"a": "b"}, "Mapping[str, int]"),
        (abc.Collection[int], {1}, {"a"}, "Collection[int]"),
        (abc.Iterable[int], ["not looked at"], 1, "Iterable[int]"),
        (abc.Callable[[int], str], str, 1, "Callable[..., str]"),
        (type[int], bool, str, "type[int]"),
        (type[Any], str, "str", "type[Any]"),
        (Box[int], Box(), [1], "Box[int]"),
        (Tagged[int], Tagged(["a"]), ["a"], "Tagged[int]"),
        (Choice, "a", 1.5, "Choice"),
        (Pair[int], (1, 2), (1, "a"), "Pair[int]"),
        (typing.LiteralString, "a", 1, "LiteralString"),
        (typing.Final[int], 1, "a", "Final[int]"),
        (typing.Optional[int], None, "a", "int | None"),
        (int | str | None, "a", 1.5, "int | str | None"),
        (typing.Literal["a", 1], 1, True, "'a' | 1"),
        (Options, {"limit": 1}, {"name": "a"}, "Options"),
        (typing.Annotated[str, msgspec.Meta(max_length=1)], "a", "ab", "str"),
        (complex, 1, "1", "complex"),
    ],
)
def test_a_type_people_write(annotation: Any, right: Any, wrong: Any, name: str) -> None:
    """Its check and the name it has in messages."""
    check = checker(annotation)
    assert check is not None
    assert check(right) is None
    assert check(wrong) is not None
    assert type_name(annotation) == name


def test_a_type_without_values() -> None:
    """Nothing is of type Never."""
    check = checker(typing.Never)
    assert check is not None
    miss = check(1)
    assert miss is not None
    assert miss.describe() == "expected `Never`, got 1 of type `int`"


class Connection:
    """Of a class no storage format knows."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Connection)

    def __hash__(self) -> int:
        return 1


class ConnectionCodec:
    """Writes nothing, reads a new one."""

    name = "connection"

    def encode(self, value: object, sink: Any) -> None:
        sink.write(b"c")

    def decode(self, data: Any) -> Connection:
        return Connection()


@solid
def connect() -> Connection:
    """Makes a connection."""
    return Connection()


@solid(outs={"result": Out(SolidType("Stored", python=Connection, codec=ConnectionCodec()))})
def store() -> Any:
    """Makes one that can be stored."""
    return Connection()


def test_any_class_is_checked_and_stored_only_with_a_codec() -> None:
    """By isinstance; what storage does not know is refused with the way out."""
    assert execute_solid(store).output() == Connection()
    with pytest.raises(SolidstateError) as caught:
        execute_solid(connect)
    assert "Output `result` of `connect` cannot be stored: `Connection` has no self-describing storage format." in str(
        caught.value
    )
