"""Which inputs and outputs of composites a value passes through, told from a pipeline's nodes."""

from __future__ import annotations

from typing import Any

from solidstate import DynamicOut, DynamicOutput, SolidType, composite_solid, pipeline, solid
from solidstate.composite_ports import ways_in, ways_out

Even = SolidType("Even", check=lambda value: value % 2 == 0)


@solid
def make() -> Any:
    return 2


@solid
def use(value: Any) -> Any:
    return value


@solid
def number(value: int) -> int:
    return value


@solid
def total(values: list[Any]) -> Any:
    return sum(values)


@solid(outs={"items": DynamicOut(Any)})
def several() -> Any:
    yield DynamicOutput(1, "a", "items")


@composite_solid
def inner(value: Even) -> int:  # type: ignore[valid-type]  # a type of solidstate's
    return use(value)  # type: ignore[no-any-return]  # a handle


@composite_solid
def outer(given: int) -> Any:
    number.alias("own")(given)
    number.alias("untyped")(given)
    total([given, make.alias("other")()])
    return inner(use.alias("first")(given))


@composite_solid
def through(given: int) -> Any:
    return inner.alias("deep")(given)


@composite_solid
def of_many(value: int) -> int:
    items = several()
    items.map(use.alias("each"))
    return total.alias("sum")(items.collect())  # type: ignore[no-any-return]  # a handle


@pipeline
def nested() -> None:
    use.alias("last")(outer(make()))
    through(make.alias("again")())
    of_many(make.alias("unused")())


def named(passages: Any) -> dict[str, list[str]]:
    return {
        ".".join(place): [f"{one.composite}({one.port.name}: {one.port.type.name})" for one in found]
        for place, found in passages.items()
    }


def test_values_that_come_in() -> None:
    """Through any number of composites, from the outermost on; a type of the solid's own is not checked twice, and of
    a list that is put together inside it cannot be told who made what."""
    assert named(ways_in(nested.nodes, nested.composites)) == {
        "outer.first.value": ["outer(given: int)"],
        "outer.inner.use.value": ["outer.inner(value: Even)"],
        "through.deep.use.value": ["through(given: int)", "through.deep(value: Even)"],
    }


def test_values_that_go_out() -> None:
    """What a solid's output is called outside; undeclared ones are not checked."""
    assert named(ways_out(nested.nodes, nested.composites)) == {
        "outer.inner.use.result": ["outer.inner(result: int)"],
        "through.deep.use.result": ["through.deep(result: int)"],
        "of_many.sum.result": ["of_many(result: int)"],
    }


def test_without_composites_there_is_nothing_to_check() -> None:
    """Most pipelines pay nothing for it."""

    @pipeline
    def flat() -> None:
        use(make())

    assert ways_in(flat.nodes, flat.composites) == ways_out(flat.nodes, flat.composites) == {}
